"""Clauses about URLs: the address of a store leads back to it, from anywhere, and gives no secret away."""

import pytest

from statewatch.conformance import work
from statewatch.conformance.crew import Crew
from statewatch.conformance.place import Clauses, Place, held
from statewatch.conformance.processes import CrewClauses
from statewatch.core.errors import RefusedError
from statewatch.core.stores.base import Store
from statewatch.core.stores.urls import open_store, with_namespace


class AddressClauses(CrewClauses):
    """For engines that `open_store` knows."""

    def test_the_url_leads_back_to_the_namespace(self, place: Place) -> None:
        for namespace in ("default", "wf-1", "a+b c", "größe"):
            store = place.open(namespace)
            store.save("key", namespace)
            with open_store(store.url) as again:
                assert again.url == store.url
                assert again.namespace == store.namespace
                assert held(again) == {"key": namespace}
                again.save("key", "changed")
            assert store.load("key") == "changed"

    def test_the_url_leads_back_from_another_process(self, store: Store, crew: Crew) -> None:
        store.save("key", [1, None])
        assert crew.member().do(work.read_all_by, store.url) == {"key": [1, None]}

    def test_opening_a_url_leaves_nothing(self, place: Place) -> None:
        before = place.traces()
        with open_store(place.open().url) as store:
            assert held(store) == {}
        assert place.traces() == before


class NamespaceNameClauses(Clauses):
    """For engines whose URL holds the namespace."""

    @pytest.mark.parametrize(
        "namespace",
        ["", "..", "../other", "/etc", "a/b", "a\\b", "a:b", "a\0b", "n" * 300, "CON", "a\u202eb", ".x", "a*"],
    )
    def test_what_cannot_be_a_namespace_is_refused_and_leaves_nothing(self, place: Place, namespace: str) -> None:
        url = place.open().url
        before = place.traces()
        with pytest.raises(RefusedError, match="namespace"):
            open_store(with_namespace(url, namespace))
        assert place.traces() == before

    def test_another_namespace_of_the_same_place_is_another_url(self, place: Place) -> None:
        one = place.open("one")
        two = open_store(with_namespace(one.url, "two"))
        two.save("key", 2)
        two.close()
        assert held(one) == {}
        assert held(place.open("two")) == {"key": 2}

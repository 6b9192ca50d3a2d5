"""Clauses about actions: an operator's change to the whole namespace, planned on a version and carried out on it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from statewatch.conformance.place import Clauses, Place, exact, held, number, one_more
from statewatch.conformance.threads import at_once
from statewatch.core.errors import RefusedError
from statewatch.core.stores.base import Store
from statewatch.core.stores.model import Version
from statewatch.documents import codec
from statewatch.documents.values import JSON


@dataclass(frozen=True)
class Plan:
    """What shall be there in place of *base*."""

    base: Version
    after: JSON
    data: bytes
    changed: bool


class Keeper:
    """Notes what it is told to keep, and refuses if so told."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.kept: list[JSON] = []
        self._refuses = refuses

    def before(self, plan: Plan) -> None:
        """Note the document that is about to be changed."""
        self.kept.append(plan.base.document())
        if self._refuses:
            raise RefusedError("no room for a copy")

    def displaced(self, version: Version) -> None:
        """Fail: nobody else writes without a lock in these clauses."""
        raise AssertionError(f"displaced {version.document()!r}")


def planner(store: Store, change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Callable[[Version], Plan]:
    """Return what plans a change of the document."""

    def plan(base: Version) -> Plan:
        document = base.document()
        assert isinstance(document, dict)
        after = change(document)
        return Plan(base, after, store.rendered(base, after, 1_700_000_000.0), exact(after) != exact(document))

    return plan


def act(store: Store, change: Callable[[dict[str, JSON]], dict[str, JSON]], keeper: Keeper) -> Plan:
    """Carry out a change."""
    return store.rewrite(planner(store, change), keeper, "reset everything")


class ActionClauses(Clauses):
    """Planning and carrying out."""

    @pytest.fixture
    def filled(self, store: Store) -> Store:
        """Return a store with something in it."""
        store.save("phase", {"name": "build", "tries": 1.0})
        store.save("count", 1)
        return store

    def test_the_version_is_what_is_there(self, filled: Store) -> None:
        version = filled.version()
        assert version.document() == held(filled)
        assert version.digest == filled.version().digest
        assert isinstance(codec.decode(version.data), dict)

    def test_another_document_is_another_version(self, filled: Store) -> None:
        first = filled.version()
        filled.save("count", True)
        second = filled.version()
        assert first.digest != second.digest
        assert exact(second.document()) == exact(held(filled))

    def test_an_action_writes_what_was_planned(self, filled: Store, place: Place) -> None:
        plan = act(filled, lambda document: document | {"count": 2, "new": None}, Keeper())
        assert plan.changed
        assert held(place.open()) == {"phase": {"name": "build", "tries": 1.0}, "count": 2, "new": None}
        assert exact(filled.load("phase")) == exact({"name": "build", "tries": 1.0})

    def test_what_an_action_renders_is_what_is_there_afterwards(self, filled: Store) -> None:
        plan = act(filled, lambda document: document | {"count": [1, 2.5, "é"]}, Keeper())
        assert filled.version().data == plan.data

    def test_an_action_removes_what_is_not_in_the_plan(self, filled: Store, place: Place) -> None:
        act(filled, lambda document: {"count": document["count"]}, Keeper())
        assert held(place.open()) == {"count": 1}

    def test_an_action_that_changes_nothing_writes_and_keeps_nothing(self, filled: Store, place: Place) -> None:
        before = place.traces()
        keeper = Keeper()
        plan = act(filled, dict, keeper)
        assert not plan.changed
        assert keeper.kept == []
        assert place.traces() == before

    def test_what_an_action_is_about_to_change_is_kept_first(self, filled: Store) -> None:
        before = held(filled)
        keeper = Keeper()
        act(filled, lambda document: document | {"count": 2}, keeper)
        assert keeper.kept == [before]

    def test_an_action_whose_copy_cannot_be_kept_is_not_done(self, filled: Store, place: Place) -> None:
        before = place.traces()
        with pytest.raises(RefusedError, match="no room for a copy"):
            act(filled, lambda document: document | {"count": 2}, Keeper(refuses=True))
        assert place.traces() == before
        filled.save("count", 3)
        assert filled.load("count") == 3

    def test_an_action_that_no_longer_applies_changes_nothing(self, filled: Store, place: Place) -> None:
        before = place.traces()

        def refuse(document: dict[str, JSON]) -> dict[str, JSON]:
            raise RefusedError(f"no longer at {document['count']}")

        with pytest.raises(RefusedError, match="no longer at 1"):
            act(filled, refuse, Keeper())
        assert place.traces() == before

    def test_an_action_is_planned_on_what_another_has_just_written(self, filled: Store, place: Place) -> None:
        filled.version()
        place.open().save("count", 41)
        act(filled, lambda document: document | {"count": one_more(document["count"])}, Keeper())
        assert filled.load("count") == 42

    def test_actions_and_programs_at_once_lose_nothing_of_each_other(self, filled: Store, place: Place) -> None:
        def work(me: int) -> None:
            store = place.open()
            for _ in range(8):
                if me % 2:
                    act(store, lambda document: document | {"count": one_more(document["count"])}, Keeper())
                else:
                    store.update("count", one_more)

        at_once(4, work)
        assert number(filled.load("count")) == 1 + 4 * 8

    def test_what_a_checkpoint_keeps_can_be_put_back_by_an_action(self, filled: Store) -> None:
        before = filled.snapshot()
        filled.checkpoint("release")
        filled.save("count", 2)
        filled.save("new", 3)
        restored = filled.kept("release").document()
        assert isinstance(restored, dict)
        act(filled, lambda _: restored, Keeper())
        assert filled.snapshot().digest == before.digest

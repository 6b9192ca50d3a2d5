"""Clauses about digests and compare-and-swap: a change is made on the revision it was decided on, or not at all."""

from typing import TYPE_CHECKING

import pytest

from statewatch.conformance.place import Clauses, Place, held
from statewatch.core.errors import ConflictError, RefusedError
from statewatch.core.stores.base import Store
from statewatch.core.stores.transaction import Transaction

if TYPE_CHECKING:
    from statewatch.documents.values import JSON


class DigestClauses(Clauses):
    """The digest tells revisions apart, and nothing else."""

    def test_the_same_document_has_the_same_digest_everywhere(self, place: Place) -> None:
        one, two = place.open("one"), place.open("two")
        one.save("a", {"x": 1, "y": [2]})
        one.save("b", None)
        two.save("b", None)
        two.save("a", {"y": [2], "x": 1})
        assert one.snapshot().digest == two.snapshot().digest

    def test_another_object_sees_the_same_digest(self, store: Store, place: Place) -> None:
        store.save("a", [1.5, "x"])
        assert place.open().snapshot().digest == store.snapshot().digest

    def test_any_change_makes_another_digest(self, store: Store) -> None:
        seen = [store.snapshot().digest]
        changes: list[tuple[str, JSON]] = [
            ("a", None),
            ("a", 0),
            ("b", 0),
            ("b", {"c": []}),
            ("b", {"c": [[]]}),
            ("B", 0),
        ]
        for key, value in changes:
            store.save(key, value)
            seen.append(store.snapshot().digest)
        store.delete("a")
        seen.append(store.snapshot().digest)
        assert len(set(seen)) == len(seen)

    def test_types_and_signs_make_another_digest(self, store: Store) -> None:
        seen = set()
        values: list[JSON] = [True, 1, 1.0, "1", [1], False, 0, 0.0, -0.0, None, "", [], {}, "null", 10**22, 1e22]
        for value in values:
            store.save("key", value)
            seen.add(store.snapshot().digest)
        assert len(seen) == len(values)

    def test_a_change_that_is_undone_leaves_the_old_digest(self, store: Store) -> None:
        store.save("key", {"a": 1})
        before = store.snapshot().digest
        store.save("key", {"a": 2})
        store.save("new", 1)
        store.save("key", {"a": 1})
        store.delete("new")
        assert store.snapshot().digest == before

    def test_nothing_is_a_revision_like_any_other(self, store: Store) -> None:
        nothing = store.snapshot().digest
        store.save("key", 1)
        assert store.snapshot().digest != nothing
        store.delete("key")
        assert store.snapshot().digest == nothing


class SwapClauses(Clauses):
    """Compare, then swap."""

    def test_a_swap_writes_on_the_revision_it_expects(self, store: Store) -> None:
        store.save("phase", "build")
        digest = store.snapshot().digest
        store.compare_and_swap(digest, lambda transaction: transaction.save("phase", "test"))
        assert held(store) == {"phase": "test"}

    def test_a_swap_returns_what_the_body_returned(self, store: Store) -> None:
        digest = store.snapshot().digest
        assert store.compare_and_swap(digest, lambda transaction: [*transaction.keys(), "new"]) == ["new"]

    def test_a_swap_begins_with_nothing_where_nothing_is_expected(self, store: Store) -> None:
        nothing = store.snapshot().digest

        def claim(transaction: Transaction) -> None:
            transaction.save("owner", "me")

        store.compare_and_swap(nothing, claim)
        with pytest.raises(ConflictError):
            store.compare_and_swap(nothing, claim)

    def test_a_swap_refuses_after_any_other_change(self, store: Store, place: Place) -> None:
        store.save("phase", "build")
        digest = store.snapshot().digest
        place.open().save("another key", 1)
        before = place.traces()
        with pytest.raises(ConflictError) as caught:
            store.compare_and_swap(digest, lambda transaction: transaction.save("phase", "test"))
        assert place.traces() == before
        assert isinstance(caught.value, RefusedError)
        assert digest[:8] in str(caught.value)

    def test_a_swap_does_not_run_the_body_on_another_revision(self, store: Store) -> None:
        digest = store.snapshot().digest
        store.save("phase", "build")
        runs: list[object] = []
        with pytest.raises(ConflictError):
            store.compare_and_swap(digest, runs.append)
        assert runs == []

    def test_a_swap_refuses_after_a_change_of_type_only(self, store: Store) -> None:
        store.save("flag", 1)
        digest = store.snapshot().digest
        store.save("flag", True)
        with pytest.raises(ConflictError):
            store.compare_and_swap(digest, lambda transaction: transaction.save("flag", 2))

    def test_a_swap_goes_through_when_the_change_was_undone(self, store: Store) -> None:
        store.save("phase", "build")
        digest = store.snapshot().digest
        store.save("phase", "test")
        store.save("phase", "build")
        store.compare_and_swap(digest, lambda transaction: transaction.save("phase", "done"))
        assert store.load("phase") == "done"

    def test_a_swap_refuses_a_digest_that_never_was(self, store: Store) -> None:
        store.save("phase", "build")
        for made_up in ("", "0" * 64, "not a digest", store.snapshot().digest.upper() + "0"):
            with pytest.raises(ConflictError):
                store.compare_and_swap(made_up, lambda transaction: transaction.save("phase", "test"))
        assert store.load("phase") == "build"

    def test_a_swap_works_again_on_a_new_look_after_a_conflict(self, store: Store) -> None:
        digest = store.snapshot().digest
        store.save("phase", "build")
        with pytest.raises(ConflictError):
            store.compare_and_swap(digest, lambda transaction: transaction.save("phase", "test"))
        store.compare_and_swap(store.snapshot().digest, lambda transaction: transaction.save("phase", "test"))
        assert store.load("phase") == "test"

    def test_a_swap_writes_nothing_when_the_body_raises(self, store: Store) -> None:
        digest = store.snapshot().digest

        def body(transaction: Transaction) -> None:
            transaction.save("phase", "test")
            raise LookupError

        with pytest.raises(LookupError):
            store.compare_and_swap(digest, body)
        assert store.snapshot().digest == digest

    def test_a_swap_writes_nothing_when_nothing_changes(self, store: Store, place: Place) -> None:
        store.save("phase", "build")
        before = place.traces()
        store.compare_and_swap(store.snapshot().digest, lambda transaction: transaction.save("phase", "build"))
        assert place.traces() == before

    def test_a_checkpoint_in_between_is_no_conflict(self, store: Store) -> None:
        store.save("phase", "build")
        digest = store.snapshot().digest
        store.checkpoint("meanwhile")
        store.compare_and_swap(digest, lambda transaction: transaction.save("phase", "test"))
        assert store.load("phase") == "test"

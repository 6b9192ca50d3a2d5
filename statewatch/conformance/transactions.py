"""Clauses about transactions: all or nothing, and nothing at all where nothing changes."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.conformance.place import Clauses, Place, exact, held, number, one_more, replace, save_all
from statewatch.conformance.values import modest
from statewatch.core.errors import MissingKeyError, RefusedError
from statewatch.core.stores.base import Store
from statewatch.core.stores.transaction import Transaction

if TYPE_CHECKING:
    from statewatch.documents.values import JSON


class BodyError(Exception):
    """What a body raises."""


class TransactionClauses(Clauses):
    """Reading and writing several keys at once."""

    def test_all_that_a_transaction_wrote_is_there_afterwards(self, store: Store, place: Place) -> None:
        store.save("old", 1)

        def body(transaction: Transaction) -> None:
            transaction.save("new", 2)
            transaction.delete("old")
            transaction.save_all({"a": [1], "b": {"c": 2}})

        store.transact(body)
        assert held(place.open()) == {"new": 2, "a": [1], "b": {"c": 2}}

    def test_a_transaction_returns_what_the_body_returned(self, store: Store) -> None:
        assert store.transact(lambda transaction: transaction.keys()) == []
        assert store.transact(lambda _: ("a", 1)) == ("a", 1)
        assert store.transact(lambda _: None) is None

    @pytest.mark.parametrize(
        "error", [BodyError("no"), ValueError("no"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()]
    )
    def test_nothing_is_there_when_the_body_raises(self, store: Store, place: Place, error: BaseException) -> None:
        store.save("kept", 1)
        before = place.traces()

        def body(transaction: Transaction) -> None:
            transaction.save("kept", 2)
            transaction.save("new", 3)
            transaction.delete("kept")
            raise error

        with pytest.raises(type(error)) as caught:
            store.transact(body)
        assert caught.value is error
        assert place.traces() == before
        assert held(store) == {"kept": 1}

    def test_after_a_body_raised_the_store_works_as_before(self, store: Store) -> None:
        def body(transaction: Transaction) -> None:
            transaction.save("key", 1)
            raise BodyError

        for turn in range(3):
            with pytest.raises(BodyError):
                store.transact(body)
            store.save("turn", turn)
        assert held(store) == {"turn": 2}

    def test_a_transaction_reads_its_own_writes(self, store: Store) -> None:
        store.save("key", 1)

        def body(transaction: Transaction) -> None:
            transaction.save("key", 2)
            assert transaction.load("key") == 2
            transaction.save("new", [3])
            assert transaction.load("new") == [3]
            assert sorted(transaction.keys()) == ["key", "new"]
            assert transaction.document() == {"key": 2, "new": [3]}

        store.transact(body)

    def test_a_transaction_no_longer_reads_what_it_deleted(self, store: Store) -> None:
        store.save("key", 1)

        def body(transaction: Transaction) -> None:
            transaction.delete("key")
            assert transaction.load("key", "default") == "default"
            assert transaction.keys() == []
            assert transaction.document() == {}
            with pytest.raises(MissingKeyError):
                transaction.load("key")
            with pytest.raises(MissingKeyError):
                transaction.delete("key")

        store.transact(body)
        assert held(store) == {}

    def test_a_missing_key_is_an_error_inside_a_transaction_too(self, store: Store) -> None:
        store.save("current_phase", 1)
        with pytest.raises(MissingKeyError, match="Did you mean 'current_phase'"):
            store.transact(lambda transaction: transaction.load("curent_phase"))

    def test_a_default_stands_in_inside_a_transaction_too(self, store: Store) -> None:
        assert store.transact(lambda transaction: transaction.load("missing", None)) is None
        assert store.transact(lambda transaction: transaction.load("missing", [1])) == [1]

    def test_nobody_sees_what_is_not_yet_committed(self, store: Store, place: Place) -> None:
        store.save("key", "old")
        other = place.open()

        def body(transaction: Transaction) -> None:
            transaction.save("key", "new")
            transaction.save("more", 1)
            assert other.load("key") == "old"
            assert held(other) == {"key": "old"}
            assert other.keys() == ["key"]

        store.transact(body)
        assert held(other) == {"key": "new", "more": 1}

    def test_the_store_itself_shows_the_old_state_inside_a_transaction(self, store: Store) -> None:
        store.save("key", "old")

        def body(transaction: Transaction) -> None:
            transaction.save("key", "new")
            assert store.load("key") == "old"
            assert held(store) == {"key": "old"}

        store.transact(body)
        assert store.load("key") == "new"

    def test_the_last_write_of_a_key_in_a_transaction_counts(self, store: Store) -> None:
        def body(transaction: Transaction) -> None:
            for value in range(5):
                transaction.save("key", value)

        store.transact(body)
        assert store.load("key") == 4

    def test_saved_and_deleted_again_is_not_there(self, store: Store, place: Place) -> None:
        before = place.traces()

        def body(transaction: Transaction) -> None:
            transaction.save("key", 1)
            transaction.delete("key")

        store.transact(body)
        assert store.keys() == []
        assert place.traces() == before

    def test_deleted_and_saved_anew_has_the_new_value(self, store: Store) -> None:
        store.save("key", {"old": True})

        def body(transaction: Transaction) -> None:
            transaction.delete("key")
            transaction.save("key", {"new": True})

        store.transact(body)
        assert held(store) == {"key": {"new": True}}

    def test_replace_makes_the_namespace_exactly_that(self, store: Store, place: Place) -> None:
        store.save("gone", 1)
        store.save("kept", 2)
        replace(store, {"kept": 2, "new": [3]})
        assert held(place.open()) == {"kept": 2, "new": [3]}

    def test_replace_forgets_what_was_written_before_it(self, store: Store) -> None:
        def body(transaction: Transaction) -> None:
            transaction.save("before", 1)
            transaction.replace({"during": 2})
            transaction.save("after", 3)

        store.transact(body)
        assert held(store) == {"during": 2, "after": 3}

    def test_everything_can_be_removed_at_once(self, store: Store) -> None:
        save_all(store, {str(key): key for key in range(50)})
        replace(store, {})
        assert held(store) == {}

    def test_a_refused_value_undoes_what_was_saved_before_it(self, store: Store, place: Place) -> None:
        before = place.traces()

        def body(transaction: Transaction) -> None:
            transaction.save("good", 1)
            transaction.save("bad", {1, 2})  # type: ignore[arg-type]

        with pytest.raises(RefusedError, match="'bad'"):
            store.transact(body)
        assert place.traces() == before

    def test_a_refused_key_undoes_what_was_saved_before_it(self, store: Store, place: Place) -> None:
        before = place.traces()
        with pytest.raises(RefusedError):
            save_all(store, {"good": 1, "": 2})
        assert place.traces() == before

    def test_a_body_may_go_on_after_a_refusal(self, store: Store) -> None:
        def body(transaction: Transaction) -> None:
            transaction.save("key", 1)
            with pytest.raises(RefusedError):
                transaction.save("key", float("nan"))
            with pytest.raises(MissingKeyError):
                transaction.delete("missing")
            transaction.save("after", 2)

        store.transact(body)
        assert held(store) == {"key": 1, "after": 2}

    def test_a_transaction_inside_a_transaction_is_refused(self, store: Store) -> None:
        def body(transaction: Transaction) -> None:
            transaction.save("outer", 1)
            with pytest.raises(RefusedError, match="inside"):
                store.transact(lambda inner: inner.save("inner", 2))
            with pytest.raises(RefusedError, match="inside"):
                store.save("inner", 2)

        store.transact(body)
        assert held(store) == {"outer": 1}

    def test_a_checkpoint_inside_a_transaction_does_not_hang(self, store: Store) -> None:
        store.save("key", "old")

        def body(transaction: Transaction) -> None:
            transaction.save("key", "new")
            try:
                store.checkpoint("inside", replacing=True)
            except RefusedError:
                return
            assert store.read_checkpoint("inside").document == {"key": "old"}

        store.transact(body)
        assert store.load("key") == "new"

    def test_a_transaction_that_is_over_writes_nothing_more(self, store: Store) -> None:
        over = store.transact(lambda transaction: transaction)
        over.save("late", 1)
        store.save("other", 2)
        assert held(store) == {"other": 2}

    def test_many_keys_are_written_or_none(self, store: Store, place: Place) -> None:
        def body(transaction: Transaction) -> None:
            for key in range(500):
                transaction.save(f"key {key}", key)
            raise BodyError

        with pytest.raises(BodyError):
            store.transact(body)
        assert held(place.open()) == {}

    @modest
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 3) | st.booleans()), min_size=1, max_size=8
        ),
        split=st.integers(0, 8),
    )
    def test_writes_come_to_the_same_in_one_transaction_or_in_many(
        self, store: Store, place: Place, steps: list[tuple[str, int | None]], split: int
    ) -> None:
        """The model is a dict; None deletes."""
        model: dict[str, JSON] = {}
        replace(store, {})

        def run(transaction: Transaction, some: list[tuple[str, int | None]]) -> None:
            for key, value in some:
                if value is not None:
                    transaction.save(key, value)
                elif transaction.load(key, None) is not None:
                    transaction.delete(key)

        for key, value in steps:
            if value is None:
                model.pop(key, None)
            else:
                model[key] = value
        store.transact(lambda transaction: run(transaction, steps[:split]))
        for step in steps[split:]:
            store.transact(lambda transaction, step=step: run(transaction, [step]))  # type: ignore[misc]
        found: Any = held(place.open())
        assert {key: exact(value) for key, value in found.items()} == {
            key: exact(value) for key, value in model.items()
        }


class NothingClauses(Clauses):
    """Where nothing changes nothing is written: no time stamp, no version, no notification."""

    def test_saving_what_is_there_writes_nothing(self, store: Store, place: Place) -> None:
        store.save("key", {"a": [1, 2.0, None]})
        before = place.traces()
        store.save("key", {"a": [1, 2.0, None]})
        assert place.traces() == before

    def test_a_change_of_type_is_a_change(self, store: Store, place: Place) -> None:
        values: list[JSON] = [1, True, 1.0, "1", None, False, 0, 0.0, -0.0, [], {}]
        for value in values:
            before = place.traces()
            store.save("key", value)
            assert place.traces() != before
            assert exact(place.open().load("key")) == exact(value)

    def test_a_body_that_only_reads_writes_nothing(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        before = place.traces()
        store.transact(lambda transaction: (transaction.load("key"), transaction.keys(), transaction.document()))
        assert place.traces() == before

    def test_a_body_that_puts_everything_back_writes_nothing(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        store.save("other", [2])
        before = place.traces()

        def body(transaction: Transaction) -> None:
            transaction.save("key", 5)
            transaction.save("key", 1)
            transaction.delete("other")
            transaction.save("other", [2])
            transaction.save("new", 3)
            transaction.delete("new")

        store.transact(body)
        assert place.traces() == before

    def test_replacing_everything_by_itself_writes_nothing(self, store: Store, place: Place) -> None:
        store.save("key", {"a": 1})
        store.save("other", "x")
        before = place.traces()
        store.transact(lambda transaction: transaction.replace(transaction.document()))
        assert place.traces() == before

    def test_a_transaction_on_nothing_leaves_nothing(self, store: Store, place: Place) -> None:
        before = place.traces()
        store.transact(lambda _: None)
        replace(store, {})
        store.transact(lambda transaction: transaction.load("key", None))
        assert place.traces() == before


class UpdateClauses(Clauses):
    """Read, change and write a key in one go."""

    def test_an_update_sets_and_returns_what_the_function_makes(self, store: Store) -> None:
        store.save("count", 1)
        assert store.update("count", one_more) == 2
        assert store.load("count") == 2

    def test_an_update_of_a_missing_key_begins_with_the_default(self, store: Store) -> None:
        assert store.update("count", one_more, 0) == 1
        assert store.update("count", one_more, 0) == 2

    def test_an_update_takes_none_for_a_default(self, store: Store) -> None:
        assert store.update("seen", lambda value: [value], None) == [None]

    def test_an_update_of_a_missing_key_without_default_is_an_error(self, store: Store) -> None:
        with pytest.raises(MissingKeyError):
            store.update("count", one_more)
        assert store.keys() == []

    def test_an_update_that_raises_changes_nothing(self, store: Store) -> None:
        store.save("count", "not a number")
        with pytest.raises(AssertionError):
            store.update("count", lambda value: number(value) + 1)
        assert store.load("count") == "not a number"

    def test_an_update_that_changes_nothing_writes_nothing(self, store: Store, place: Place) -> None:
        store.save("count", 1)
        before = place.traces()
        assert store.update("count", lambda value: value) == 1
        assert place.traces() == before

"""Clauses about threads: they share a store object or have one each, and lose nothing of each other's."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest

from statewatch.conformance.place import Clauses, Place, held, number, one_more, replace, save_all, swap
from statewatch.core.errors import RefusedError
from statewatch.core.stores.base import Store
from statewatch.core.stores.transaction import Transaction
from statewatch.documents.values import JSON

T = TypeVar("T")
THREADS = 8


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Run *work* in so many threads that begin together; return what came of it, or raise what went wrong."""
    gate = threading.Barrier(count)

    def begin(number: int) -> T:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


class ThreadClauses(Clauses):
    """No lost update, no half-read document, no deadlock."""

    @pytest.fixture(params=["shared", "one each"])
    def stores(self, request: pytest.FixtureRequest, place: Place) -> list[Store]:
        """Return the store object of each thread: the same one, or one each."""
        if request.param == "shared":
            return [place.open()] * THREADS
        return [place.open() for _ in range(THREADS)]

    def test_no_increment_of_one_key_by_threads_is_lost(self, stores: list[Store]) -> None:
        at_once(THREADS, lambda me: [stores[me].update("count", one_more, 0) for _ in range(25)])
        assert stores[0].load("count") == THREADS * 25

    def test_no_increment_of_own_keys_by_threads_is_lost(self, stores: list[Store]) -> None:
        at_once(THREADS, lambda me: [stores[me].update(f"count {me}", one_more, 0) for _ in range(25)])
        assert held(stores[0]) == {f"count {me}": 25 for me in range(THREADS)}

    def test_a_namespace_is_begun_by_all_at_once(self, stores: list[Store]) -> None:
        at_once(THREADS, lambda me: stores[me].save(f"key {me}", me))
        assert sorted(stores[0].keys()) == [f"key {me}" for me in range(THREADS)]

    def test_every_append_of_threads_to_a_list_is_in_it_once_and_in_order(self, stores: list[Store]) -> None:
        def append(me: int) -> None:
            for turn in range(10):
                stores[me].update("list", partial(added, [me, turn]), [])

        at_once(THREADS, append)
        entries = listed(stores[0].load("list"))
        assert len(entries) == THREADS * 10
        for me in range(THREADS):
            assert [entry for entry in entries if listed(entry)[0] == me] == [[me, turn] for turn in range(10)]

    def test_a_key_is_created_by_one_thread(self, stores: list[Store]) -> None:
        def claim(transaction: Transaction, me: int) -> bool:
            if transaction.load("owner", None) is not None:
                return False
            transaction.save("owner", me)
            return True

        for turn in range(5):
            won = at_once(THREADS, lambda me: stores[me].transact(lambda transaction: claim(transaction, me)))
            assert won.count(True) == 1, turn
            assert stores[0].load("owner") == won.index(True)
            stores[0].delete("owner")

    def test_a_revision_is_swapped_by_one_thread(self, stores: list[Store]) -> None:
        for _ in range(5):
            digest = stores[0].snapshot().digest
            won = at_once(THREADS, partial(swap_as, stores, digest))
            assert won.count(True) == 1
            assert stores[0].load("winner") == [won.index(True), digest]

    def test_no_increment_by_threads_that_swap_is_lost(self, stores: list[Store]) -> None:
        def increment(me: int) -> None:
            left = 5
            while left:
                revision = stores[me].snapshot()
                assert isinstance(revision.document, dict)
                count = number(revision.document.get("count", 0)) + 1
                left -= swap(stores[me], revision.digest, "count", count)

        at_once(4, increment)
        assert stores[0].load("count") == 20

    def test_transfers_in_opposite_directions_keep_the_sum_and_end(self, stores: list[Store]) -> None:
        save_all(stores[0], {"a": 100, "b": 100})

        def transfer(me: int) -> None:
            here, there = ("a", "b") if me % 2 else ("b", "a")

            def body(transaction: Transaction) -> None:
                transaction.save(here, number(transaction.load(here)) - 1)
                transaction.save(there, number(transaction.load(there)) + 1)

            for _ in range(10):
                stores[me].transact(body)

        at_once(THREADS, transfer)
        assert held(stores[0]) == {"a": 100, "b": 100}

    def test_a_reader_never_sees_half_of_a_change(self, stores: list[Store]) -> None:
        def pair(turn: int) -> dict[str, JSON]:
            return {"left": turn, "right": turn, "list": [turn] * 50}

        save_all(stores[0], pair(0))
        over = threading.Event()

        def work(me: int) -> None:
            if me == 0:
                for turn in range(1, 60):
                    save_all(stores[0], pair(turn))
                over.set()
            while not over.is_set():
                document = held(stores[me])
                assert isinstance(document, dict)
                assert document == pair(number(document["left"]))

        at_once(4, work)

    def test_a_reader_never_sees_a_key_missing_that_is_only_replaced(self, stores: list[Store]) -> None:
        stores[0].save("key", 0)
        over = threading.Event()

        def work(me: int) -> None:
            if me == 0:
                for turn in range(1, 60):
                    replace(stores[0], {"key": turn})
                over.set()
            while not over.is_set():
                number(stores[me].load("key"))
                assert stores[me].keys() == ["key"]

        at_once(3, work)

    def test_what_one_has_written_the_next_one_sees(self, stores: list[Store]) -> None:
        turn = threading.Condition()
        at = 0

        def work(me: int) -> None:
            nonlocal at
            for mine in range(me, 40, 4):
                with turn:
                    while at != mine:
                        assert turn.wait(30)
                    assert stores[me].load("turn", -1) == mine - 1
                    stores[me].save("turn", mine)
                    at += 1
                    turn.notify_all()

        at_once(4, work)

    def test_an_error_in_one_thread_leaves_the_others_alone(self, stores: list[Store]) -> None:
        def fail(transaction: Transaction) -> None:
            transaction.save("count", -1_000)
            raise LookupError

        def work(me: int) -> None:
            for _ in range(15):
                if me % 2:
                    with pytest.raises(LookupError):
                        stores[me].transact(fail)
                else:
                    stores[me].update("count", one_more, 0)

        at_once(4, work)
        assert stores[0].load("count") == 30

    def test_checkpoints_made_at_once_by_threads_are_all_there(self, stores: list[Store]) -> None:
        stores[0].save("key", 1)

        def work(me: int) -> list[str]:
            return [stores[me].checkpoint(f"by {me}").name, stores[me].checkpoint().name]

        made = [name for names in at_once(THREADS, work) for name in names]
        assert len(set(made)) == THREADS * 2
        assert sorted(checkpoint.name for checkpoint in stores[0].checkpoints()) == sorted(made)
        assert all(stores[0].read_checkpoint(name).document == {"key": 1} for name in made)

    def test_a_name_of_a_checkpoint_is_taken_by_one_thread(self, stores: list[Store]) -> None:
        def work(me: int) -> bool:
            try:
                stores[me].checkpoint("release", note=f"by {me}")
            except RefusedError:
                return False
            return True

        won = at_once(THREADS, work)
        assert won.count(True) == 1
        assert [checkpoint.note for checkpoint in stores[0].checkpoints()] == [f"by {won.index(True)}"]

    def test_a_checkpoint_holds_one_moment(self, stores: list[Store]) -> None:
        save_all(stores[0], {"left": 0, "right": 0})
        over = threading.Event()

        def work(me: int) -> None:
            if me:
                for turn in range(8):
                    name = f"by {me} at {turn}"
                    stores[me].checkpoint(name)
                    document = stores[me].read_checkpoint(name).document
                    assert isinstance(document, dict)
                    assert document["left"] == document["right"]
                    assert stores[me].verify_checkpoint(name)
                over.set()
            turn = 0
            while not over.is_set():
                turn += 1
                save_all(stores[0], {"left": turn, "right": turn})

        at_once(2, work)

    def test_many_objects_and_threads_come_and_go(self, place: Place) -> None:
        def work(_: int) -> None:
            for _ in range(4):
                with place.open() as store:
                    store.update("count", one_more, 0)

        for _ in range(2):
            at_once(THREADS, work)
        assert place.open().load("count") == THREADS * 8


def swap_as(stores: list[Store], digest: str, me: int) -> bool:
    """Write on one revision; tell whether this thread was the one."""
    return swap(stores[me], digest, "winner", [me, digest])


def added(entry: JSON, value: JSON) -> JSON:
    """Return a list with another entry."""
    return [*listed(value), entry]


def listed(value: JSON) -> list[JSON]:
    """Return *value*, which is a list."""
    assert isinstance(value, list)
    return value

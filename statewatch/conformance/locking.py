"""Clauses about writers that meet: where the engine locks one waits for the other, elsewhere it is done again."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from statewatch.conformance import work
from statewatch.conformance.crew import Crew
from statewatch.conformance.place import PATIENCE, Clauses, Place, held, one_more
from statewatch.conformance.processes import CrewClauses
from statewatch.core.errors import LockedError
from statewatch.core.stores.base import Store
from statewatch.core.stores.transaction import Transaction

PROMPT = 5.0
"""Seconds beyond its timeout in which a writer must have given up: wide, for a busy machine."""


@contextmanager
def inside(store: Store, operation: str = "a long operation") -> Iterator[None]:
    """Keep a transaction of another thread open, that has written something, while the block runs."""
    reached, leave = threading.Event(), threading.Event()

    def body(transaction: Transaction) -> None:
        transaction.save("held", 1)
        reached.set()
        assert leave.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(store.transact, body, operation)
        try:
            assert reached.wait(PATIENCE)
            yield
        finally:
            leave.set()
        done.result()


class MeetingClauses(Clauses):
    """What holds whatever the engine does about writers that meet."""

    def test_a_long_transaction_does_not_hold_up_readers(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        store.checkpoint("release")
        reader = place.open(timeout=5)
        with inside(store):
            for one in (reader, store):
                assert one.load("key") == 1
                assert one.keys() == ["key"]
                assert held(one) == {"key": 1}
                assert one.read_checkpoint("release").document == {"key": 1}
                assert len(one.checkpoints()) == 1
                assert one.wait(one.snapshot().digest, 0.01) is False
        assert reader.load("held") == 1

    def test_a_long_transaction_and_a_short_one_lose_nothing(self, store: Store, place: Place) -> None:
        store.save("count", 0)
        with ThreadPoolExecutor(1) as pool:
            with inside(store):
                other = pool.submit(place.open().update, "count", one_more)
            assert other.result() == 1
        assert held(store) == {"count": 1, "held": 1}


class LockingClauses(Clauses):
    """Writers wait for each other, and not for ever."""

    @pytest.fixture
    def begun(self, place: Place) -> Store:
        """Return a store with a namespace that has begun: before that, there need not be anything to hold."""
        store = place.open()
        store.save("begun", value=True)
        return store

    def test_a_writer_that_waits_too_long_says_so_in_time(self, begun: Store, place: Place) -> None:
        other = place.open(timeout=0.2)
        with inside(begun, "reset everything"):
            asked = time.monotonic()
            with pytest.raises(LockedError) as caught:
                other.save("key", 1)
            assert 0.15 <= time.monotonic() - asked < PROMPT
        assert "0.2 s" in str(caught.value)
        other.save("key", 2)
        assert held(begun) == {"begun": True, "held": 1, "key": 2}

    def test_threads_on_one_object_wait_for_each_other_too(self, begun: Store, place: Place) -> None:
        shared = place.open(timeout=0.2)
        with inside(shared), pytest.raises(LockedError):
            shared.save("key", 1)
        shared.save("key", 2)
        assert held(begun) == {"begun": True, "held": 1, "key": 2}

    def test_a_writer_in_time_gets_its_turn(self, begun: Store, place: Place) -> None:
        with ThreadPoolExecutor(3) as pool:
            with inside(begun):
                waiting = [pool.submit(place.open().save, f"key {number}", number) for number in range(3)]
            for done in waiting:
                done.result()
        assert held(begun) == {"begun": True, "held": 1, "key 0": 0, "key 1": 1, "key 2": 2}

    def test_a_writer_that_gave_up_waiting_is_in_nobodys_way(self, begun: Store, place: Place) -> None:
        impatient = place.open(timeout=0.2)
        with inside(begun):
            for _ in range(3):
                with pytest.raises(LockedError):
                    impatient.save("key", 1)
        for turn in range(5):
            begun.save("turn", turn)
        assert impatient.load("turn") == 4
        assert impatient.load("key", None) is None

    def test_another_namespace_is_not_held_up(self, begun: Store, place: Place) -> None:
        with inside(begun):
            place.open("another", timeout=10).save("key", 1)
        assert held(place.open("another")) == {"key": 1}


class LockingByProcessClauses(CrewClauses):
    """The same between processes."""

    def test_a_writer_that_waits_too_long_names_the_process_that_holds_it(self, store: Store, crew: Crew) -> None:
        store.save("begun", value=True)
        holder, other = crew.members(2)
        holder.begin(work.hold, "reset everything")
        holder.hear()
        message = other.do(work.try_to_write, 0.2)
        assert str(holder.pid) in message
        assert "reset everything" in message
        holder.go_on()
        holder.result()
        assert other.do(work.try_to_write, 10.0) == ""

    def test_the_store_lists_who_holds_it(self, store: Store, crew: Crew) -> None:
        store.save("begun", value=True)
        holder = crew.member()
        holder.begin(work.hold, "reset everything")
        holder.hear()
        (found,) = store.holders()
        assert found.pid == holder.pid
        assert found.operation == "reset everything"
        assert found.user
        assert found.host
        holder.go_on()
        holder.result()
        assert store.holders() == []

    def test_the_store_lists_nobody_after_a_kill(self, store: Store, crew: Crew) -> None:
        store.save("begun", value=True)
        holder = crew.member()
        holder.begin(work.hold)
        holder.hear()
        holder.kill()
        store.save("key", 1)
        assert store.holders() == []


class OptimisticClauses(Clauses):
    """Writers do not wait: the one that was slower runs again on what the other has written."""

    def test_the_slower_of_two_transactions_runs_again(self, store: Store, place: Place) -> None:
        other = place.open()
        seen = []

        def body(transaction: Transaction) -> None:
            seen.append(transaction.load("count", 0))
            if len(seen) == 1:
                other.save("count", 5)
            transaction.save("count", transaction.load("count", 0) == 5)

        store.transact(body)
        assert seen == [0, 5]
        assert store.load("count") is True

    def test_a_key_that_appears_meanwhile_makes_a_transaction_run_again(self, store: Store, place: Place) -> None:
        other = place.open()
        listed = []

        def body(transaction: Transaction) -> None:
            listed.append(sorted(transaction.keys()))
            if len(listed) == 1:
                other.save("new", 1)
            transaction.save("sum", len(listed[-1]))

        store.transact(body)
        assert listed == [[], ["new"]]
        assert held(store) == {"new": 1, "sum": 1}

    def test_what_a_transaction_has_not_read_does_not_make_it_run_again(self, store: Store, place: Place) -> None:
        other = place.open()
        runs = []

        def body(transaction: Transaction) -> None:
            runs.append(transaction.load("mine", 0))
            other.save("theirs", len(runs))
            transaction.save("mine", 1)

        store.transact(body)
        assert runs == [0]
        assert held(store) == {"mine": 1, "theirs": 1}

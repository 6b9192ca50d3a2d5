"""Clauses about waiting and watching: every change wakes whoever waits, and nothing else does."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Queue

import pytest

from statewatch.conformance.place import PATIENCE, Clauses, Place, held, number
from statewatch.core.stores.base import Store
from statewatch.core.stores.model import Revision

PROMPT = 5.0
"""Seconds within which a change is told: a wide bound, for engines that look now and then, and for busy machines."""


def coming(revisions: Iterator[Revision]) -> Revision:
    """Return the next revision; fail when none comes, instead of waiting for ever."""
    found: Queue[Revision] = Queue()
    threading.Thread(target=lambda: found.put(next(revisions)), daemon=True).start()
    try:
        return found.get(timeout=PATIENCE)
    except Empty:
        raise AssertionError(f"no revision was yielded in {PATIENCE:.0f} s") from None


def save_turns(store: Store, last: int) -> None:
    """Save one number after the other."""
    for turn in range(1, last + 1):
        store.save("turn", turn)


class WaitClauses(Clauses):
    """Waiting for another revision."""

    def test_a_wait_gives_up_in_time_when_nothing_changes(self, store: Store) -> None:
        store.save("key", 1)
        digest = store.snapshot().digest
        begun = time.monotonic()
        assert store.wait(digest, 0.1) is False
        assert 0.09 <= time.monotonic() - begun < PROMPT

    def test_without_time_it_only_looks(self, store: Store) -> None:
        digest = store.snapshot().digest
        assert store.wait(digest, 0) is False
        store.save("key", 1)
        assert store.wait(digest, 0) is True

    def test_a_wait_returns_at_once_when_it_has_changed_already(self, store: Store) -> None:
        digest = store.snapshot().digest
        store.save("key", 1)
        begun = time.monotonic()
        assert store.wait(digest, PATIENCE) is True
        assert time.monotonic() - begun < PROMPT

    @pytest.mark.parametrize("who", ["the same object", "another object"])
    def test_a_wait_is_woken_by_a_change(self, store: Store, place: Place, who: str) -> None:
        writer = store if who == "the same object" else place.open()
        with ThreadPoolExecutor(1) as pool:
            for turn in range(5):
                digest = store.snapshot().digest
                begun = time.monotonic()
                waiting = pool.submit(store.wait, digest, PATIENCE)
                writer.save("turn", turn)
                assert waiting.result() is True
                assert time.monotonic() - begun < PROMPT

    def test_a_wait_is_woken_by_a_deletion(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.wait, store.snapshot().digest, PATIENCE)
            place.open().delete("key")
            assert waiting.result() is True

    def test_a_wait_is_woken_by_the_first_change_ever(self, store: Store, place: Place) -> None:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.wait, store.snapshot().digest, PATIENCE)
            place.open().save("key", 1)
            assert waiting.result() is True

    def test_all_who_wait_are_woken(self, store: Store, place: Place) -> None:
        digest = store.snapshot().digest
        with ThreadPoolExecutor(6) as pool:
            shared = [pool.submit(store.wait, digest, PATIENCE) for _ in range(3)]
            apart = [pool.submit(place.open().wait, digest, PATIENCE) for _ in range(3)]
            place.open().save("key", 1)
            assert [waiting.result() for waiting in shared + apart] == [True] * 6

    def test_a_write_that_changes_nothing_wakes_nobody(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        digest = store.snapshot().digest
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.wait, digest, 0.2)
            place.open().save("key", 1)
            store.transact(lambda transaction: transaction.load("key"))
            assert waiting.result() is False

    def test_a_checkpoint_wakes_nobody(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        digest = store.snapshot().digest
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.wait, digest, 0.2)
            place.open().checkpoint("release")
            store.edit_checkpoint("release", pinned=True)
            assert waiting.result() is False

    def test_what_changed_and_was_put_back_is_no_change(self, store: Store) -> None:
        store.save("key", 1)
        digest = store.snapshot().digest
        store.save("key", 2)
        store.save("key", 1)
        assert store.wait(digest, 0.05) is False

    def test_waiting_leaves_no_traces(self, store: Store, place: Place) -> None:
        before = place.traces()
        store.wait(store.snapshot().digest, 0.05)
        assert place.traces() == before

    def test_one_can_write_while_another_thread_waits_on_the_same_object(self, store: Store) -> None:
        never = store.snapshot().digest
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.wait, never, PATIENCE)
            for turn in range(20):
                store.save("key", turn)
            assert store.load("key") == 19
            assert waiting.result() is True


class WatchClauses(Clauses):
    """Revisions, one after the other."""

    def test_a_watch_yields_each_revision_that_is_taken_in_time(self, store: Store, place: Place) -> None:
        revisions = store.watch(store.snapshot().digest, poll=0.2)
        writer = place.open()
        for turn in range(5):
            writer.save("turn", turn)
            revision = coming(revisions)
            assert revision.document == {"turn": turn}
            assert revision.digest == store.snapshot().digest

    def test_a_watch_begins_after_the_present_revision(self, store: Store) -> None:
        store.save("turn", 1)
        revisions = store.watch(poll=0.2)
        store.save("turn", 2)
        assert coming(revisions).document == {"turn": 2}

    def test_a_watch_yields_at_once_what_came_after_a_known_revision(self, store: Store) -> None:
        known = store.snapshot().digest
        store.save("turn", 1)
        assert coming(store.watch(known)).document == {"turn": 1}

    def test_a_watch_passes_over_what_was_not_taken_in_time(self, store: Store) -> None:
        revisions = store.watch(store.snapshot().digest, poll=0.2)
        for turn in range(10):
            store.save("turn", turn)
        assert coming(revisions).document == {"turn": 9}
        store.save("turn", 10)
        assert coming(revisions).document == {"turn": 10}

    def test_a_watch_never_yields_the_same_twice_in_a_row_and_comes_to_the_last(
        self, store: Store, place: Place
    ) -> None:
        last = 60
        revisions = store.watch(store.snapshot().digest, poll=0.2)
        writer = place.open()
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(save_turns, writer, last)
            seen: list[int] = []
            while not seen or seen[-1] != last:
                document = coming(revisions).document
                assert isinstance(document, dict)
                seen.append(number(document["turn"]))
            writing.result()
        assert seen == sorted(set(seen))

    def test_a_deletion_is_a_revision(self, store: Store) -> None:
        store.save("key", 1)
        revisions = store.watch(store.snapshot().digest)
        store.delete("key")
        assert coming(revisions).document == {}

    def test_a_watch_does_not_yield_what_is_written_again_unchanged(self, store: Store) -> None:
        store.save("turn", 1)
        revisions = store.watch(store.snapshot().digest, poll=0.05)
        store.save("turn", 1)
        store.checkpoint("between")
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(coming, revisions)
            assert store.wait(store.snapshot().digest, 0.2) is False
            store.save("turn", 2)
            assert found.result().document == {"turn": 2}

    def test_several_watch_without_taking_from_each_other(self, store: Store, place: Place) -> None:
        digest = store.snapshot().digest
        watchers = [store.watch(digest), store.watch(digest), place.open().watch(digest)]
        for turn in range(3):
            store.save("turn", turn)
            assert [coming(revisions).document for revisions in watchers] == [{"turn": turn}] * 3

    def test_a_watch_ends_without_leaving_a_thread_behind(self, store: Store, place: Place) -> None:
        writer = place.open()
        writer.save("turn", 0)
        before = set(threading.enumerate())
        revisions = store.watch(store.snapshot().digest, poll=0.2)
        writer.save("turn", 1)
        coming(revisions)
        revisions.close()  # type: ignore[attr-defined]
        store.close()
        deadline = time.monotonic() + PROMPT
        while set(threading.enumerate()) - before and time.monotonic() < deadline:
            time.sleep(0.001)
        assert set(threading.enumerate()) - before == set()

    def test_what_a_revision_holds_is_private(self, store: Store) -> None:
        revisions = store.watch(store.snapshot().digest)
        store.save("key", [1])
        document = coming(revisions).document
        assert isinstance(document, dict)
        document["key"] = "changed"
        assert held(store) == {"key": [1]}

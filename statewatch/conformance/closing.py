"""Clauses about what is around the data: closing, reading without leaving anything, clocks that go wrong."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from statewatch.conformance.place import Clauses, Place, held
from statewatch.core.errors import MissingCheckpointError, MissingKeyError
from statewatch.core.stores.base import Store

YEAR = 365 * 24 * 3600.0


class ReadingClauses(Clauses):
    """Who reads leaves nothing."""

    def test_opening_leaves_nothing(self, place: Place) -> None:
        before = place.traces()
        place.open().close()
        assert place.traces() == before

    def test_reading_what_is_not_there_leaves_nothing(self, store: Store, place: Place) -> None:
        before = place.traces()
        assert store.load("key", None) is None
        assert store.keys() == []
        assert held(store) == {}
        assert store.checkpoints() == []
        with pytest.raises(MissingKeyError):
            store.load("key")
        with pytest.raises(MissingCheckpointError):
            store.read_checkpoint("release")
        with pytest.raises(MissingCheckpointError):
            store.find_checkpoint("release")
        assert place.traces() == before

    def test_reading_what_is_there_changes_nothing(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        store.checkpoint("release")
        before = place.traces()
        reader = place.open()
        assert reader.load("key") == 1
        assert reader.keys() == ["key"]
        assert held(reader) == {"key": 1}
        assert reader.read_checkpoint("release").document == {"key": 1}
        assert reader.verify_checkpoint("release")
        assert len(reader.checkpoints()) == 1
        assert place.traces() == before

    def test_deleting_what_is_not_there_leaves_nothing(self, store: Store, place: Place) -> None:
        before = place.traces()
        with pytest.raises(MissingKeyError):
            store.delete("key")
        with pytest.raises(MissingCheckpointError):
            store.delete_checkpoint("release")
        assert place.traces() == before


class ClosingClauses(Clauses):
    """A store that was closed connects anew."""

    def test_a_closed_store_can_be_used_again(self, store: Store) -> None:
        store.save("key", 1)
        store.close()
        assert store.load("key") == 1
        store.close()
        store.save("key", 2)
        store.close()
        assert held(store) == {"key": 2}

    def test_closing_twice_or_unused_is_nothing(self, place: Place) -> None:
        store = place.open()
        store.close()
        store.close()
        assert store.load("key", None) is None

    def test_a_with_block_gives_the_store_and_closes_it(self, place: Place) -> None:
        with place.open() as store:
            store.save("key", 1)
        assert place.open().load("key") == 1

    def test_a_with_block_lets_an_error_through(self, place: Place) -> None:
        def fail() -> None:
            with place.open() as store:
                store.save("key", 1)
                raise LookupError

        with pytest.raises(LookupError):
            fail()
        assert place.open().load("key") == 1

    def test_closing_one_object_leaves_the_others_working(self, store: Store, place: Place) -> None:
        other = place.open()
        other.save("key", 1)
        store.load("key")
        store.close()
        other.save("key", 2)
        assert other.load("key") == 2

    def test_closing_does_not_disturb_other_threads(self, store: Store) -> None:
        store.save("count", 0)
        done = threading.Event()

        def close_again_and_again() -> None:
            while not done.is_set():
                store.close()
                time.sleep(0.001)

        def read_and_write() -> None:
            for turn in range(30):
                store.save("count", turn)
                assert store.load("count") == turn

        with ThreadPoolExecutor(2) as pool:
            closing = pool.submit(close_again_and_again)
            try:
                pool.submit(read_and_write).result()
            finally:
                done.set()
            closing.result()

    def test_what_was_written_outlives_the_object(self, place: Place) -> None:
        first = place.open()
        first.save("key", {"a": [1]})
        first.checkpoint("release")
        first.close()
        del first
        later = place.open()
        assert held(later) == {"key": {"a": [1]}}
        assert later.read_checkpoint("release").document == {"key": {"a": [1]}}

    @pytest.mark.parametrize("wrong_by", [-YEAR, YEAR], ids=["back", "ahead"])
    def test_a_clock_that_was_set_wrong_breaks_nothing(
        self, store: Store, place: Place, monkeypatch: pytest.MonkeyPatch, wrong_by: float
    ) -> None:
        store.save("key", 1)
        store.checkpoint("before")
        now = time.time
        monkeypatch.setattr("time.time", lambda: now() + wrong_by)
        store.save("key", 2)
        assert place.open().load("key") == 2
        made = store.checkpoint("after")
        assert made.created_at == pytest.approx(now() + wrong_by, abs=60)
        assert store.read_checkpoint("before").document == {"key": 1}
        assert store.read_checkpoint("after").document == {"key": 2}
        order = ["after", "before"] if wrong_by < 0 else ["before", "after"]
        assert [checkpoint.name for checkpoint in store.checkpoints()] == order
        monkeypatch.undo()
        store.save("key", 3)
        assert store.load("key") == 3

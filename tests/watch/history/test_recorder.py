"""The recorder: what the watcher sees is in the history, and whatever becomes of that, the watching goes on."""

import hashlib
import json
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from statewatch.watch.history.model import Entry, default_path
from statewatch.watch.history.pending import Item, Pending
from statewatch.watch.history.recorder import Recorder
from statewatch.watch.history.store import LARGEST, History
from statewatch.watch.scope import scope_of
from statewatch.watch.watcher import Watcher
from tests.support import replace, timeline, until

if TYPE_CHECKING:
    from statewatch.watch.picture import Picture

HOOKS, BATCH = "/project/hook_state.json", "/project/batch_state.json"


def contents(path: Path, source: str) -> list[bytes]:
    """Return what a history holds of a source, oldest first."""
    with History.open(path, create=False) as history:
        return [history.data(entry) for entry in history.entries(source)[::-1]]


class Listener:
    """What a recorder said, and the entries it made."""

    def __init__(self, path: Path, *, every: float = 0.0, retry: float = 0.02) -> None:
        self.told: list[str] = []
        self.entries: list[Entry] = []
        self.recorder = Recorder(path, tell=self.told.append, recorded=self.entries.append, every=every, retry=retry)


def test_what_was_taken_is_recorded_in_order_before_it_ends(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "history.db")
    listener.recorder.start()
    for number, data in enumerate(timeline("hook_state")):
        listener.recorder.take(HOOKS, data, float(number), float(number))
    listener.recorder.stop()
    listener.recorder.stop()
    listener.recorder.take(HOOKS, b"too late", 1.0, 1.0)
    assert contents(tmp_path / "history.db", HOOKS) == list(timeline("hook_state"))
    assert listener.told == []


def test_a_watcher_has_everything_recorded_that_it_shows_and_also_what_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "project" / "hook_state.json"
    path.parent.mkdir()
    pictures: list[Picture] = []
    recorder = Recorder(tmp_path / "history.db")
    watcher = Watcher(scope_of([path.parent], tmp_path, tmp_path, {}), on_picture=pictures.append, record=recorder.take)
    shown: dict[str, None] = {}

    def shows(data: bytes) -> bool:
        for picture in pictures:
            shown.update({source.revision.digest: None for source in picture.sources if source.revision})
        return hashlib.sha256(data).hexdigest() in shown

    replace(path, timeline("hook_state")[0])
    recorder.start()
    watcher.start()
    try:
        for data in timeline("hook_state")[:12]:
            replace(path, data)
            until(lambda data=data: shows(data), "the revision")  # type: ignore[misc]
        path.write_bytes(b'{"hooks": ')
        until(lambda: any(source.problem for source in pictures[-1].sources), "the problem")
    finally:
        watcher.stop()
        recorder.stop()
    found = contents(tmp_path / "history.db", str(path))
    assert found == [*timeline("hook_state")[:12], b'{"hooks": ']
    with History.open(tmp_path / "history.db") as history:
        entries = history.entries(str(path))[::-1]
    assert [entry.digest for entry in entries[:-1]] == list(shown)
    assert all(entry.at <= entry.seen_at for entry in entries)


def test_when_it_falls_behind_the_newest_of_each_source_wins_and_the_rest_is_counted(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "history.db")
    for number in range(1_500):  # it has not begun, so all of these have to wait
        listener.recorder.take(HOOKS, str(number).encode(), float(number), float(number))
    listener.recorder.take(BATCH, b"1", 1.0, 1.0)
    listener.recorder.start()
    listener.recorder.stop()
    hooks = [entry for entry in listener.entries if entry.source == HOOKS]
    assert contents(tmp_path / "history.db", HOOKS)[-1] == b"1499"
    assert contents(tmp_path / "history.db", BATCH) == [b"1"]
    assert len(hooks) + sum(entry.dropped for entry in hooks) == 1_500


def test_only_so_often_when_asked(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "history.db", every=3_600.0)
    listener.recorder.start()
    listener.recorder.take(HOOKS, b"0", 0.0, 0.0)
    until(lambda: bool(listener.entries))
    for number in range(1, 50):
        listener.recorder.take(HOOKS, str(number).encode(), float(number), float(number))
    listener.recorder.take(BATCH, b"1", 1.0, 1.0)
    until(lambda: len(listener.entries) == 2)
    listener.recorder.stop()
    assert contents(tmp_path / "history.db", HOOKS) == [b"0", b"49"]
    assert [(entry.source, entry.dropped) for entry in listener.entries] == [(HOOKS, 0), (BATCH, 0), (HOOKS, 48)]


def test_a_history_that_is_damaged_while_it_records_is_set_aside_and_told(tmp_path: Path) -> None:
    path = default_path()
    listener = Listener(path)
    listener.recorder.start()
    for number in range(30):
        listener.recorder.take(HOOKS, str(number).encode() * 500, float(number), float(number))
    assert listener.recorder.wait()
    damaged = sqlite3.connect(path)  # the reader keeps the log from being written back when another one closes
    damaged.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.write(b"\xa5" * 30_000)
    damaged.close()
    listener.recorder.take(HOOKS, b"what comes next", 99.0, 99.0)
    assert listener.recorder.wait()
    listener.recorder.stop()
    assert len(listener.told) == 1
    assert "set aside as history.db.corrupt-" in listener.told[0]
    assert contents(path, HOOKS) == [b"what comes next"]


def test_damage_that_no_look_from_outside_finds_is_set_aside_too_rather_than_tried_for_ever(tmp_path: Path) -> None:
    path = default_path()
    listener = Listener(path)
    listener.recorder.start()
    listener.recorder.take(HOOKS, b"1", 1.0, 1.0)
    assert listener.recorder.wait()
    with sqlite3.connect(path) as link:
        link.execute("DROP TABLE contents")
    link.close()
    listener.recorder.take(HOOKS, b"2", 2.0, 2.0)
    assert listener.recorder.wait()
    listener.recorder.stop()
    assert len(listener.told) == 1
    assert "set aside as history.db.corrupt-" in listener.told[0]
    assert contents(path, HOOKS) == [b"2"]


def test_a_history_that_others_keep_locked_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statewatch.watch.history.schema.PATIENCE", 0.05)
    path = tmp_path / "history.db"
    History.open(path).close()
    locking = sqlite3.connect(path, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    listener = Listener(path)
    listener.recorder.start()
    listener.recorder.take(HOOKS, b"1", 1.0, 1.0)
    until(lambda: bool(listener.told))
    listener.recorder.take(HOOKS, b"2", 2.0, 2.0)
    locking.execute("ROLLBACK")
    locking.close()
    until(lambda: len(listener.told) == 2)
    listener.recorder.stop()
    assert "locked" in listener.told[0]
    assert listener.told[1] == "Recording goes on."
    assert contents(path, HOOKS) == [b"1", b"2"]


def test_a_history_that_cannot_be_used_is_told_once_and_the_watching_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no history\n" * 50)
    listener = Listener(path)
    listener.recorder.start()
    for number in range(5):
        listener.recorder.take(HOOKS, str(number).encode(), 1.0, 1.0)
    until(lambda: listener.recorder.has_failed)
    listener.recorder.take(HOOKS, b"more", 2.0, 2.0)
    listener.recorder.stop()
    assert len(listener.told) == 1
    assert listener.told[0].startswith("Nothing is recorded.")
    assert path.read_text() == "no history\n" * 50


def test_what_is_too_large_is_told_once_and_the_others_are_recorded(tmp_path: Path) -> None:
    listener = Listener(tmp_path / "history.db")
    listener.recorder.start()
    for extra in (1, 2):
        listener.recorder.take(BATCH, bytes(LARGEST + extra), 1.0, 1.0)
    listener.recorder.take(HOOKS, b"1", 1.0, 1.0)
    listener.recorder.stop()
    assert len(listener.told) == 1
    assert listener.told[0].startswith(BATCH)
    assert contents(tmp_path / "history.db", HOOKS) == [b"1"]


def test_it_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    listener = Listener(tmp_path / "history.db")
    listener.recorder.start()
    listener.recorder.stop()
    assert threading.active_count() == before
    assert not (tmp_path / "history.db").exists(), "a history begins with the first revision"


# --- what waits


def waiting(pending: Pending) -> list[tuple[str, bytes, int]]:
    """Take all that waits."""
    found = []
    while (item := pending.take()) is not None:
        found.append((item.source, item.data, item.dropped))
    return found


def item(source: str, data: str) -> Item:
    return Item(source, data.encode(), 0.0, 0.0)


def test_what_waits_is_bounded_by_number_and_bytes_and_the_newest_of_each_source_is_there() -> None:
    pending = Pending(max_count=4, max_bytes=100)
    for number in range(6):
        pending.put(item("a", str(number)))
    pending.put(item("b", "x"))
    assert len(pending) == 4
    assert waiting(pending) == [("a", b"3", 3), ("a", b"4", 0), ("a", b"5", 0), ("b", b"x", 0)]
    for text in ("1" * 60, "2" * 60, "3" * 60):
        pending.put(item("a", text))
    assert waiting(pending) == [("a", b"3" * 60, 2)]
    for source in "abcdef":
        pending.put(item(source, "the only one"))
    assert len(waiting(pending)) == 6, "each is the newest of its source"


def test_what_could_not_be_recorded_waits_again_before_the_others() -> None:
    pending = Pending(max_count=3)
    for number in range(3):
        pending.put(item("a", str(number)))
    first = pending.take()
    assert first is not None
    pending.put_back(first)
    assert [data for _, data, _ in waiting(pending)] == [b"0", b"1", b"2"]
    for number in range(3):
        pending.put(item("a", str(number)))
    first = pending.take()
    assert first is not None
    pending.put(item("b", "x"))
    pending.put_back(first)
    assert waiting(pending) == [("a", b"1", 1), ("a", b"2", 0), ("b", b"x", 0)]


def test_json_is_not_looked_at_while_it_waits() -> None:
    """Nothing that costs time happens in the thread of whoever watches."""
    pending = Pending()
    pending.put(item("a", json.dumps({"a": 1})[:-1]))
    assert waiting(pending) == [("a", b'{"a": 1', 0)]

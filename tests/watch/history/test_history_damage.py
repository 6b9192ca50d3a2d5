"""Histories that are damaged, are none, are of a newer version, or are gone: told in words, and never overwritten."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from statewatch.watch.history.store import History, HistoryError, default_path
from tests.support import until

HOOKS = "/project/hook_state.json"


def filled(path: Path, count: int = 50) -> None:
    with History.open(path) as history:
        for number in range(count):
            history.record(HOOKS, os.urandom(3_000), at=float(number), seen_at=float(number))


def overwritten(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def test_where_there_is_none_readers_say_how_to_have_one(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="statewatch record") as told:
        History.open(tmp_path / "history.db", create=False)
    assert told.value.missing
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("at", [0, 100], ids=["header", "first page"])
def test_a_damaged_history_is_set_aside_and_begun_anew_and_that_is_said(at: int) -> None:
    path = default_path()
    filled(path)
    overwritten(path, at, b"\xa5" * 400)
    damaged = path.read_bytes()
    with pytest.raises(HistoryError, match="damaged") as told:
        History.open(path, create=False)
    assert told.value.corrupt
    assert path.read_bytes() == damaged, "who only reads changes nothing"
    with History.open(path, repair=True) as history:
        (note,) = history.notes
        assert "set aside as history.db.corrupt-" in note
        assert history.sources() == ()
        assert history.record(HOOKS, b"1", at=1.0, seen_at=1.0) is not None
    (aside,) = path.parent.glob("history.db.corrupt-*")
    assert aside.read_bytes() == damaged
    with History.open(path, repair=True) as history:
        assert history.notes == ()
        assert history.sources() == (HOOKS,)


def test_damage_far_inside_is_found_by_who_records_too() -> None:
    """Readers that come upon it promise that the next to record begins anew, who may never visit that page."""
    path = default_path()
    filled(path)
    with sqlite3.connect(path) as link:
        page = link.execute("SELECT rootpage FROM sqlite_master WHERE name = 'looks'").fetchone()[0]
        size = link.execute("PRAGMA page_size").fetchone()[0]
    link.close()
    overwritten(path, (page - 1) * size, b"\xa5" * 400)
    with History.open(path, create=False) as reader, pytest.raises(HistoryError, match="next to record"):
        reader.last_look("/project")
    with History.open(path, repair=True) as history:
        assert "set aside as history.db.corrupt-" in history.notes[0]
        assert history.last_look("/project") is None


def test_a_history_that_may_not_be_written_can_be_read_all_the_same(tmp_path: Path) -> None:
    """On a disk that is mounted read-only SQLite cannot make the files that it wants beside the database."""
    path = tmp_path / "history.db"
    filled(path, 3)
    Path(f"{path}-shm").mkdir()
    with History.open(path, create=False) as history:
        assert len(history.data(history.entries(HOOKS)[2])) == 3_000
        with pytest.raises(HistoryError, match="may not be written") as told:
            history.looked("/project", 1.0)
    assert told.value.unwritable
    Path(f"{path}-wal").unlink(missing_ok=True)
    Path(f"{path}-wal").mkdir()  # a log: something may be in it, and less than what was recorded is not shown
    with pytest.raises(HistoryError, match="may not be written"):
        History.open(path, create=False)


def test_two_that_find_the_same_damage_set_it_aside_once() -> None:
    path = default_path()
    filled(path)
    overwritten(path, 0, b"\xa5" * 400)
    notes: list[tuple[str, ...]] = []

    def repair() -> None:
        with History.open(path, repair=True) as history:
            notes.append(history.notes)

    threads = [threading.Thread(target=repair) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(notes) == 4)
    assert sorted(map(len, notes)) == [0, 0, 0, 1]
    assert len(list(path.parent.glob("history.db.corrupt-*"))) == 1


def test_whoever_has_it_open_follows_when_the_history_is_replaced_or_deleted(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with History.open(path) as history, History.open(path) as reader:
        history.record(HOOKS, b"1", at=1.0, seen_at=1.0)
        path.rename(tmp_path / "moved.db")
        for ending in ("-wal", "-shm"):
            Path(f"{path}{ending}").rename(tmp_path / f"moved.db{ending}")
        assert history.record(HOOKS, b"2", at=2.0, seen_at=2.0) is not None
        assert [history.data(entry) for entry in history.entries(HOOKS)] == [b"2"]
        assert [reader.data(entry) for entry in reader.entries(HOOKS)] == [b"2"]
    with History.open(path, create=False) as history:
        assert [history.data(entry) for entry in history.entries(HOOKS)] == [b"2"]


def test_a_history_of_a_newer_version_is_left_alone_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    filled(path, 2)
    with sqlite3.connect(path) as link:
        link.execute("PRAGMA user_version = 99")
    link.close()
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="newer version"):
        History.open(path, repair=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("repair", [False, True])
def test_what_is_no_history_is_never_taken_for_one(tmp_path: Path, *, repair: bool) -> None:
    """Somebody mistypes `--history`: whatever is there must stay as it is."""
    text, database = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("what I wanted to remember\n" * 40)
    with sqlite3.connect(database) as link:
        link.execute("CREATE TABLE entries (number)")
    link.close()
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = [text.read_bytes(), database.read_bytes()]
    for name in ("notes.txt", "other.db", "directory", "pipe"):
        with pytest.raises(HistoryError, match=name):
            History.open(tmp_path / name, repair=repair)
    assert [text.read_bytes(), database.read_bytes()] == before
    assert not list(tmp_path.glob("*corrupt*"))


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryError, match="--history"):
        History.open(tmp_path / "file" / "history.db")
    with pytest.raises(HistoryError, match="name"):
        History.open(tmp_path / "a\0b")


def test_one_damaged_version_is_told_and_costs_only_those_that_lean_on_it(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with History.open(path) as history:
        entries = [history.record(HOOKS, b"some text " * 30 + bytes([n]), at=n, seen_at=n) for n in range(8)]
        link = sqlite3.connect(path)
        link.execute("UPDATE contents SET payload = x'00' WHERE position = 6")
        link.commit()
        link.close()
        told: dict[int, HistoryError] = {}
        for entry in entries:
            assert entry is not None
            try:
                history.data(entry)
            except HistoryError as error:
                told[entry.number] = error
        assert list(told) == [7, 8], "itself, and what leans on it"
        assert all("damaged in the history" in str(error) and not error.corrupt for error in told.values())
        fresh = history.record(HOOKS, b"what comes next", at=9.0, seen_at=9.0)
        later = history.record(HOOKS, b"and after that", at=10.0, seen_at=10.0)
        for entry, data in ((fresh, b"what comes next"), (later, b"and after that")):
            assert entry is not None
            assert history.data(entry) == data

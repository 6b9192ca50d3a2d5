"""The files of the SQLite store: what it makes, what it finds instead of a database, and what it remembers of one."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statewatch.core.errors import MissingCheckpointError, MissingKeyError, SourceError
from statewatch.core.stores.sqlite import SqliteStore
from statewatch.core.stores.sqlite_session import KEPT_VALUES, is_on_network
from tests.core.stores.sqlite_tool import Tool

# --- files


def test_reading_makes_nothing_and_leaves_nothing(store: SqliteStore, place: Path) -> None:
    assert store.keys() == []
    assert store.load("key", None) is None
    assert store.checkpoints() == []
    assert not store.wait(store.snapshot().digest, 0)
    with pytest.raises(MissingCheckpointError):
        store.read_checkpoint("one")
    assert not place.exists()
    store.save("key", 1)
    store.close()
    before = sorted(file.name for file in place.rglob("*"))
    assert store.load("key") == 1
    store.close()
    assert sorted(file.name for file in place.rglob("*")) == before == [".state.db.statewatch-lock", "state.db", "wf-1"]


def test_a_transaction_that_writes_nothing_makes_no_database(store: SqliteStore, path: Path) -> None:
    assert store.transact(lambda transaction: transaction.load("key", "none")) == "none"
    with pytest.raises(MissingKeyError):
        store.delete("key")
    assert not path.exists()


def test_new_files_are_for_their_owner_only(store: SqliteStore, path: Path) -> None:
    old = os.umask(0o022)
    try:
        store.save("key", 1)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_the_mode_of_a_database_stays(store: SqliteStore, path: Path, tool: Tool) -> None:
    tool.save("key", 1)
    path.chmod(0o664)
    store.save("key", 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


def test_a_write_gives_the_database_a_write_ahead_log_and_reading_does_not(
    store: SqliteStore, path: Path, tool: Tool
) -> None:
    tool.save("key", 1)
    assert store.load("key") == 1
    assert tool.rows("PRAGMA journal_mode") == [("delete",)]
    store.save("key", 2)
    assert tool.load("key") == 2
    assert tool.rows("PRAGMA journal_mode") == [("wal",)]
    tool.save("key", 3)
    assert store.load("key") == 3


def test_a_log_is_not_wanted_where_other_hosts_may_use_the_file(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    real = tmp_path.resolve()
    mounts.write_text(
        f"root / ext4 rw 0 0\nserver:/x {real}/home\\040of\\040ada nfs4 rw 0 0\ntmp {real} tmpfs rw 0 0\n"
    )
    assert is_on_network(real / "home of ada" / "state.db", mounts)
    assert not is_on_network(real / "home" / "state.db", mounts)
    assert not is_on_network(Path("/etc/state.db"), mounts)
    assert not is_on_network(real, tmp_path / "missing")


# --- what is no database, or damaged


def directory(path: Path) -> None:
    path.mkdir(parents=True)


def pipe(path: Path) -> None:
    path.parent.mkdir(parents=True)
    os.mkfifo(path)


def pipe_for_journal(path: Path) -> None:
    Tool(path).close()
    os.mkfifo(f"{path}-journal")


def pipe_for_log(path: Path) -> None:
    Tool(path, "wal").close()
    os.mkfifo(f"{path}-wal")


@pytest.mark.parametrize("spoil", [directory, pipe, pipe_for_journal, pipe_for_log])
def test_something_else_at_its_place_is_told_and_waited_for_never(
    store: SqliteStore, path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(path)
    for use in (lambda: store.load("key"), lambda: store.save("key", 1), store.checkpoints, store.checkpoint):
        with pytest.raises(SourceError, match="is not a file"):
            use()


@pytest.mark.parametrize("text", [b"not a database at all, but long enough to be one" * 100, b"SQLite format 3\0 torn"])
def test_what_is_no_database_is_told_and_not_overwritten(store: SqliteStore, path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    for use in (lambda: store.load("key"), lambda: store.save("key", 1), store.snapshot, store.checkpoints):
        with pytest.raises(SourceError, match=r"state\.db is no SQLite database, or damaged.*state recover"):
            use()
    assert path.read_bytes() == text


def test_a_damaged_page_is_told_and_not_overwritten(store: SqliteStore, path: Path) -> None:
    store.transact(lambda transaction: transaction.save_all({f"key {number}": "x" * 900 for number in range(99)}))
    store.close()
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page : page + 200] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(SourceError, match="no SQLite database, or damaged"):
        store.snapshot()
    with pytest.raises(SourceError, match="no SQLite database, or damaged"):
        store.save("key 1", 1)
    store.close()
    assert path.read_bytes() == data


def test_an_empty_file_is_an_empty_namespace(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()
    assert store.snapshot().document == {}
    store.save("key", 1)
    assert store.load("key") == 1


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ("{'single': quotes}", "key in double quotes"),
        ('{"a": 1, "a": 2}', "occurs twice"),
        ("[NaN]", "NaN"),
        ("", "empty"),
        (None, "not text"),
        (b'"\xff"', "not UTF-8"),
        ("[" * 600 + "]" * 600, "nested deeper"),
    ],
)
def test_a_damaged_value_is_told_and_the_others_can_be_read(
    store: SqliteStore, tool: Tool, stored: object, reason: str
) -> None:
    tool.save("good", 1)
    tool.connection.execute("INSERT INTO state VALUES ('bad', ?, '')", (stored,))
    tool.connection.commit()
    assert store.load("good") == 1
    assert store.keys() == ["bad", "good"]
    for use in (lambda: store.load("bad"), store.snapshot, store.checkpoint, lambda: store.update("bad", str)):
        with pytest.raises(SourceError, match=f"the key 'bad' is damaged: .*{reason}") as caught:
            use()
        assert store.url in str(caught.value)
    store.save("good", 2)
    assert tool.rows("SELECT value FROM state ORDER BY key") == [(stored,), ("2",)]


@pytest.mark.parametrize("key", [None, b"\xff"])
def test_a_key_that_is_no_text_is_told(store: SqliteStore, tool: Tool, key: object) -> None:
    tool.connection.execute("INSERT INTO state VALUES (CAST(? AS TEXT), '1', '')", (key,))
    tool.connection.commit()
    for use in (store.keys, store.snapshot):
        with pytest.raises(SourceError, match="a key is no text"):
            use()


@pytest.mark.parametrize("state", ["[", "{}", '["key"]', '[["key"]]', '[["key", 1, ""]]', '[["key", "[", ""]]', None])
def test_a_damaged_checkpoint_is_told_and_can_be_deleted(store: SqliteStore, tool: Tool, state: object) -> None:
    store.save("key", 1)
    store.checkpoint("one")
    tool.connection.execute("UPDATE checkpoints SET state = ?", (state,))
    tool.connection.commit()
    with pytest.raises(SourceError, match="checkpoint 'one'"):
        store.read_checkpoint("one")
    with pytest.raises(SourceError, match="checkpoint 'one'"):
        store.verify_checkpoint("one")
    store.delete_checkpoint("one")
    assert store.checkpoints() == []


def test_other_tables_under_these_names_are_told(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE state (id INTEGER, region TEXT)")
    other.close()
    for use in (store.keys, lambda: store.save("key", 1)):
        with pytest.raises(SourceError, match="key/value store"):
            use()


def test_another_table_in_the_database_is_nobodys_business(store: SqliteStore, tool: Tool) -> None:
    tool.connection.execute("CREATE TABLE tasks (id INTEGER)")
    tool.connection.commit()
    store.save("key", 1)
    assert store.keys() == ["key"]


# --- what is remembered between two loads


def test_what_is_remembered_is_bounded(store: SqliteStore) -> None:
    store.transact(lambda transaction: transaction.save_all({f"key {n}": n for n in range(KEPT_VALUES + 50)}))
    assert [store.load(f"key {n}") for n in range(KEPT_VALUES + 50)] == list(range(KEPT_VALUES + 50))
    with store._sessions.use(1) as session:
        assert session is not None
        assert 0 < len(session.values) <= KEPT_VALUES


def test_a_database_that_is_deleted_or_replaced_is_noticed(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    store.save("key", "old")
    other = Tool(tmp_path / "other.db")
    other.save("key", "new")
    other.close()
    assert store.load("key") == "old"
    for file in path.parent.iterdir():
        file.unlink()
    assert store.load("key", None) is None
    shutil.copy(tmp_path / "other.db", path)
    assert store.load("key") == "new"
    store.save("key", "ours")
    assert store.load("key") == "ours"


def test_a_database_that_is_overwritten_in_place_is_noticed(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    """Copied over it, with the same number of changes, so that SQLite itself would take it for the one it knows."""
    for name, value in ((path, "old"), (tmp_path / "other.db", "new")):
        tool = Tool(name)
        tool.save("key", value)
        tool.close()
    assert store.load("key") == "old"
    path.write_bytes((tmp_path / "other.db").read_bytes())
    assert store.load("key") == "new"


def test_a_write_into_a_file_that_is_taken_away_goes_to_its_successor(store: SqliteStore, path: Path) -> None:
    store.save("key", 0)
    bodies: list[int] = []

    def body(transaction: Any) -> None:
        if not bodies:
            for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                file.unlink()
        bodies.append(1)
        transaction.save("key", 1)

    store.transact(body)
    assert len(bodies) == 2
    assert SqliteStore(path).load("key") == 1
    assert store.load("key") == 1

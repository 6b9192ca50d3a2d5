"""Recovering a namespace whose database is damaged as a file: a new one takes its place, and the old one is kept."""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from statewatch.core.actions import perform
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.keys import save_action
from statewatch.core.restoring import candidates, damage, recover_action, restore
from statewatch.core.stores.sqlite import SqliteStore
from statewatch.core.stores.sqlite_errors import DamagedFileError
from statewatch.core.stores.sqlite_rebuild import Ruined, rebuild
from statewatch.core.stores.sqlite_tables import Tables
from statewatch.core.undo import last_action, undo_action
from tests.core.stores.sqlite_tool import Tool


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "wf-1" / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    """Return a store with a good version among its safety copies, and one among its checkpoints."""
    with SqliteStore(path.parent.parent, "wf-1", timeout=1) as store:
        store.save("phase", "build")
        store.checkpoint("release", note="all green", pinned=True)
        perform(save_action(store, "phase", "test"), settle_for=0)  # keeps what was there before
        yield store


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def headless(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 100)


def garbage_in_every_page(path: Path) -> None:
    with path.open("r+b") as file:
        for start in range(4096, path.stat().st_size, 4096):
            file.seek(start)
            file.write(os.urandom(4096))


def short(path: Path) -> None:
    path.write_bytes(b"half of a dow")


DAMAGE = [truncated, headless, garbage_in_every_page, short]


def families(path: Path) -> dict[str, bytes]:
    """Return the database and what belongs to it, by the ending of their names."""
    return {file.name.removeprefix("state.db"): file.read_bytes() for file in path.parent.glob("state.db*")}


def copy_of(store: SqliteStore) -> str:
    """Return the name of the safety copy of the store."""
    [name] = [each.name for each in candidates(store) if each.what == "safety copy"]
    return name


@pytest.mark.parametrize("spoil", DAMAGE)
def test_a_damaged_database_is_set_aside_and_a_new_one_made(
    store: SqliteStore, path: Path, spoil: Callable[[Path], None]
) -> None:
    store.close()
    spoil(path)
    path.chmod(0o640)
    before, told = path.read_bytes(), damage(store)
    assert told is not None
    assert "recover" in told
    done = restore(recover_action(store, copy_of(store)), settle_for=0)
    assert store.snapshot().document == {"phase": "build"}
    assert damage(store) is None
    aside = [file for file in path.parent.glob("state.db.damaged-*") if not file.name.endswith(("-wal", "-shm"))]
    assert [file.read_bytes() for file in aside] == [before]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not list(path.parent.glob(".*.tmp"))
    assert done.outcome.copy is not None
    assert str(aside[0]) in done.outcome.copy.read_text()
    assert str(aside[0]) in done.outcome.plan.change.notes[0]
    store.save("phase", "go on")
    with SqliteStore(path, "wf-1") as other:
        assert other.load("phase") == "go on"


def test_the_log_of_a_damaged_database_goes_with_it_and_never_into_the_new_one(store: SqliteStore, path: Path) -> None:
    """SQLite takes a log that it finds beside a database for one of it."""
    tool = Tool(path, "wal")
    tool.save("phase", "in the log")
    log = Path(f"{path}-wal").read_bytes()
    tool.close()
    store.close()
    short(path)
    Path(f"{path}-wal").write_bytes(log)
    before = families(path)
    ruined = Ruined.at(path, DamagedFileError(path, "it is no database"))
    rebuild(ruined, store.url, Tables(), {"phase": "build"})
    assert store.snapshot().document == {"phase": "build"}
    store.close()
    kept = {name.partition("-")[2][12:]: text for name, text in families(path).items() if name.startswith(".damaged-")}
    assert before.keys() == {"", "-wal"}
    assert before.items() <= kept.items()


def test_checkpoints_and_other_tables_that_can_be_read_are_there_again(store: SqliteStore, path: Path) -> None:
    store.close()
    tool = Tool(path)
    tool.connection.execute("CREATE TABLE theirs (id INTEGER PRIMARY KEY, what)")
    tool.connection.execute("INSERT INTO theirs VALUES (7, 'kept'), (9, X'00FF')")
    tool.connection.commit()
    [(root,)] = tool.rows("SELECT rootpage FROM sqlite_master WHERE name = 'state'")
    tool.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(os.urandom(4096))
    assert damage(store) is not None
    before = store.checkpoints()
    perform(recover_action(store, "release"), settle_for=0)
    assert store.snapshot().document == {"phase": "build"}
    assert store.checkpoints() == before
    assert store.find_checkpoint("release").pinned
    assert store.verify_checkpoint("release")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT * FROM theirs").fetchall() == [(7, "kept"), (9, b"\x00\xff")]


def test_only_recovering_replaces_a_damaged_database(store: SqliteStore, path: Path) -> None:
    store.close()
    headless(path)
    before = families(path)
    with pytest.raises(SourceError, match="recover"):
        store.save("phase", "new")
    with pytest.raises(SourceError, match="recover"):
        perform(save_action(store, "phase", "new"), settle_for=0)
    with pytest.raises(SourceError, match="recover"):
        store.checkpoint("now")
    assert families(path) == before


def test_what_was_recovered_is_not_made_damaged_again(store: SqliteStore, path: Path) -> None:
    store.close()
    headless(path)
    perform(recover_action(store, copy_of(store)), settle_for=0)
    with pytest.raises(RefusedError, match="could not be read, and that is not put back"):
        perform(undo_action(last_action()), settle_for=0)
    assert store.load("phase") == "build"


def test_a_program_that_was_using_it_sees_the_new_database(store: SqliteStore, path: Path) -> None:
    with SqliteStore(path, "wf-1") as other:
        assert other.load("phase") == "test"
        store.close()
        short(path)
        perform(recover_action(store, copy_of(store)), settle_for=0)
        assert other.load("phase") == "build"
        other.save("phase", "from there")
    assert store.load("phase") == "from there"

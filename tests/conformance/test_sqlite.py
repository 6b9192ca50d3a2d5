"""The SQLite store passes the suite."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from statewatch.conformance.place import PATIENCE, Place
from statewatch.conformance.suite import AddressConformance, LockingConformance
from statewatch.core.stores.base import Store
from statewatch.core.stores.sqlite import SqliteStore
from tests.conformance.looks import files


class SqlitePlace(Place):
    """A directory with a database for each namespace."""

    def __init__(self, directory: Path) -> None:
        super().__init__(partial(SqliteStore, directory))
        self._directory = directory

    def traces(self) -> Mapping[str, object]:
        found: dict[str, object] = {}
        for name in files(self._directory):
            if name.endswith(".db"):
                found |= {f"{name} {row}": content for row, content in rows(Path(name)).items()}
            elif not name.endswith(("-wal", "-shm")):
                found[name] = "a file"
        return found

    def damage(self, store: Store, checkpoint: str) -> None:
        assert isinstance(store, SqliteStore)
        spoilt = json.dumps([["spoilt", "true", "2026-11-21T03:00:00"]])
        connection = sqlite3.connect(store.path, timeout=PATIENCE)
        with connection:
            done = connection.execute("UPDATE checkpoints SET state = ? WHERE name = ?", (spoilt, checkpoint))
            assert done.rowcount == 1
        connection.close()


def rows(path: Path) -> dict[str, object]:
    """Return all that is in a database, by table and key."""
    connection = sqlite3.connect(path, timeout=PATIENCE)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found: dict[str, object] = {f"the table {table}": True for table in tables}
        for table in tables:
            found |= {f"{table} {row[:2]}": row for row in connection.execute(f'SELECT rowid, * FROM "{table}"')}
    finally:
        connection.close()
    return found


class TestSqlite(LockingConformance, AddressConformance):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[SqlitePlace]:
        place = SqlitePlace(tmp_path / "state")
        yield place
        place.close()

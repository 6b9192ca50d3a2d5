"""What tests of the SQLite store act on: a place, a namespace in it, and a foreign tool at the same database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from statewatch.core.stores.sqlite import SqliteStore
from tests.core.stores.sqlite_tool import Tool


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def path(place: Path) -> Path:
    return place / "wf-1" / "state.db"


@pytest.fixture
def store(place: Path) -> Iterator[SqliteStore]:
    with SqliteStore(place, "wf-1", timeout=0.3) as store:
        yield store


@pytest.fixture
def tool(path: Path) -> Iterator[Tool]:
    tool = Tool(path)
    yield tool
    tool.close()

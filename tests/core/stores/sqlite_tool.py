"""A program that shares the SQLite layout but does not know us: `python -m tests.core.stores.sqlite_tool WHAT PATH …`.

It writes as the managers do that share this layout: tables made at the start, `INSERT OR REPLACE`, naive UTC times.
"""

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Tool:
    """The manager of one database."""

    def __init__(self, path: Path, journal: str = "delete") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, timeout=30)
        self.connection.execute(f"PRAGMA journal_mode = {journal}")
        self.connection.execute("CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT, timestamp TEXT)")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, state TEXT, created_at TEXT)"
        )
        self.connection.commit()

    def save(self, key: str, value: Any) -> None:
        """Set a key."""
        self.connection.execute(
            "INSERT OR REPLACE INTO state (key, value, timestamp) VALUES (?, ?, ?)", (key, json.dumps(value), _now())
        )
        self.connection.commit()

    def load(self, key: str) -> Any:
        """Return the value of a key."""
        return json.loads(self.connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()[0])

    def checkpoint(self, name: str) -> None:
        """Keep all rows under a name."""
        rows = self.connection.execute("SELECT key, value, timestamp FROM state").fetchall()
        self.connection.execute(
            "INSERT OR REPLACE INTO checkpoints (name, state, created_at) VALUES (?, ?, ?)",
            (name, json.dumps(rows), _now()),
        )
        self.connection.commit()

    def restore(self, name: str) -> None:
        """Put back the rows of a checkpoint, and nothing else."""
        ((text,),) = self.connection.execute("SELECT state FROM checkpoints WHERE name = ?", (name,))
        self.connection.execute("DELETE FROM state")
        self.connection.executemany("INSERT INTO state VALUES (?, ?, ?)", json.loads(text))
        self.connection.commit()

    def rows(self, statement: str) -> list[Any]:
        """Return what is there."""
        return self.connection.execute(statement).fetchall()

    def close(self) -> None:
        """Close the database."""
        self.connection.close()


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat()


def count(path: Path, journal: str, times: str) -> None:
    """Count up, and say each number once it is committed."""
    tool = Tool(path, journal)
    for number in range(int(times)):
        tool.save("count", number)
        print(number, flush=True)


def hold(path: Path, how: str) -> None:
    """Begin a transaction, and end it when told to."""
    tool = Tool(path)
    tool.connection.isolation_level = None
    tool.connection.execute(how)
    tool.rows("SELECT * FROM state")
    print("held", flush=True)
    sys.stdin.readline()


def die(path: Path) -> None:
    """Be killed while half of a transaction is in the file and what it was before in its journal."""
    tool = Tool(path)
    tool.connection.execute("PRAGMA cache_size = 1")
    tool.connection.executemany(
        "INSERT OR REPLACE INTO state VALUES (?, ?, ?)",
        [(f"half {number}", "1" * 4_000, _now()) for number in range(99)],
    )
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {"count": count, "hold": hold, "die": die}
    what, place, *rest = sys.argv[1:]
    commands[what](Path(place), *rest)

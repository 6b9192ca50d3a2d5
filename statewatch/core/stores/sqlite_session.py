"""One connection to an SQLite database, and what is known about the database until it changes."""

import contextlib
import ctypes
import os
import random
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from statewatch.core.errors import StatewatchError
from statewatch.core.reading import Signature
from statewatch.core.stores.sqlite_errors import explained, is_busy

if TYPE_CHECKING:
    from statewatch.core.stores.model import Checkpoint
    from statewatch.core.stores.transaction import Found

Parameters = Sequence[str | bytes | int | float | None]
Row = tuple[Any, ...]
"""A row as SQLite gives it: text comes as bytes."""

KEPT_VALUES: Final = 1_024
"""Values that a session remembers at most."""

_PAUSE = 0.004
_NETWORKS = ("nfs", "cifs", "smb", "9p", "fuse", "afs", "ceph", "lustre", "gpfs", "ocfs", "gfs", "virtiofs", "vboxsf")


class Session:
    """A connection, and what is known about the database until it changes."""

    def __init__(self, connection: sqlite3.Connection, url: str, path: Path, signature: Signature) -> None:
        self.connection = connection
        self.url = url
        self.values: dict[str, Found] = {}
        self.checkpoints: list[Checkpoint] | None = None
        self.digest: str | None = None
        self.broken = False
        self._path = path
        self._operation: str | None = None
        self._signature = signature
        self._version = -1
        self._process = os.getpid()
        self._is_prepared = False
        self._wants_log = True
        self._timeout = 0.0
        self._deadline = 0.0

    @property
    def is_ours(self) -> bool:
        """Tell whether this process opened it, and not the one it was forked from."""
        return self._process == os.getpid()

    def begin(self, operation: str | None, timeout: float, deadline: float) -> None:
        """Start to be used, for reading when *operation* is None; statements wait for others until the *deadline*."""
        self._operation = operation
        self._timeout = timeout
        self._deadline = deadline

    def is_current(self, signature: Signature) -> bool:
        """Tell whether this connection is still one to the file that has *signature*; forget what is no longer so.

        SQLite's own version of the data decides what is remembered. A file that became another one without it was
        replaced or overwritten by something that is not SQLite, and only a new connection reads it anew.
        """
        version = self.run("PRAGMA data_version")[0][0]
        if version == self._version and signature == self._signature:
            return True
        if not self.is_to(signature) or version == self._version:
            return False
        self.forget(signature)
        self._version = version
        return True

    def is_to(self, signature: Signature) -> bool:
        """Tell whether this is a connection to the file that has *signature*, in whatever version."""
        return signature[:2] == self._signature[:2]

    def forget(self, signature: Signature) -> None:
        """Drop what was remembered: the database has changed, and its file has that signature now."""
        self._signature = signature
        self.values = {}
        self.checkpoints = None
        self.digest = None

    def remember(self, key: str, value: "Found") -> None:
        """Keep the value of a key until the database changes."""
        if len(self.values) >= KEPT_VALUES:
            self.values.clear()
        self.values[key] = value

    def run(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """Run a statement, again while others have the database locked, and return its rows.

        A table that is not there yet has none, and there are none for a key that UTF-8 cannot hold.
        """
        asks = statement.startswith("SELECT")
        while True:
            try:
                return self.connection.execute(statement, parameters).fetchall()
            except UnicodeEncodeError:
                if asks:
                    return []
                raise
            except sqlite3.Error as error:
                if asks and str(error).startswith("no such table"):
                    return []
                self._wait_or_raise(error, statement)

    def run_many(self, statement: str, rows: Iterable[Parameters]) -> None:
        """Run a statement for each of *rows*, inside a transaction."""
        try:
            self.connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise self._explained(error, statement) from None

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[None]:
        """Let all statements of the block read the same state."""
        if self.connection.in_transaction:
            yield
            return
        self.run("BEGIN")
        try:
            yield
        finally:
            self.roll_back()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that the block writes, or nothing when it raises. Where it writes nothing, no file is touched."""
        if not self._is_prepared:
            self.run("PRAGMA synchronous = FULL")
            self._is_prepared = True
        self.run("BEGIN IMMEDIATE")
        before = self.connection.total_changes
        try:
            yield
            if self.connection.total_changes != before:
                self.run("COMMIT")
        finally:
            self.roll_back()  # what was not committed

    def roll_back(self) -> None:
        """End a transaction without a trace; where there is none (any more) do nothing."""
        if self.is_ours and self.connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")
            self.broken = self.broken or self.connection.in_transaction

    def prefer_log(self) -> None:
        """Let the database have a write-ahead log from now on: then readers and a writer do not wait for each other.

        It needs memory that all users share, so it is not for a file that several hosts may use
        (https://www.sqlite.org/wal.html). Where it cannot be had, all goes on without.
        """
        if not self._wants_log:
            return
        self._wants_log = False
        try:
            mode = self.connection.execute("PRAGMA journal_mode").fetchone()[0]
            if mode == b"delete" and not is_on_network(self._path):
                self.connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            self._wants_log = is_busy(error)  # then somebody is using it, and the next write is another chance

    def close(self) -> None:
        """Let go of the connection."""
        if self.is_ours:
            with contextlib.suppress(sqlite3.Error):
                self.connection.close()
        else:  # closing what a parent opened could delete files it needs, and so could its destructor: it must not run
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.connection))

    def _wait_or_raise(self, error: sqlite3.Error, statement: str) -> None:
        if not is_busy(error) or time.monotonic() >= self._deadline:
            raise self._explained(error, statement) from None
        time.sleep(_PAUSE * random.uniform(0.2, 1.0))  # noqa: S311 - spreads waiters, decides nothing

    def _explained(self, error: sqlite3.Error, statement: str) -> StatewatchError:
        self.broken = True
        return explained(error, self.url, self._path, self._operation, statement, self._timeout)


def is_on_network(path: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Tell whether other hosts may be using the file, as far as the system says what is mounted (Linux).

    A file system in user space may be anything, so it counts as one of a network.
    """
    try:
        entries = [line.split()[1:3] for line in mounts.read_text(errors="surrogateescape").splitlines()]
    except OSError:
        return False
    places = {re.sub(r"\\(\d{3})", _character, point): kind for point, kind in entries}  # a later one hides the earlier
    real = path.resolve()
    kind = next((places[str(place)] for place in (real, *real.parents) if str(place) in places), "")
    return kind.startswith(_NETWORKS)


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 8))

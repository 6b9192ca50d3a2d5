"""A namespace in two tables of an SQLite database, in the layout that agent frameworks share.

That is `PLACE/NAMESPACE/state.db` with `state(key, value, timestamp)` and `checkpoints(name, state, created_at)`. The
values are JSON texts, times are naive and in UTC, a checkpoint is the JSON array of the rows. A database file may also
hold several namespaces, each in tables named after it. These tables are never altered; what we know besides is in
tables of our own (see `sqlite_checkpoints`).
"""

import contextlib
import os
import stat
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Generic, TypeVar

from statewatch.core.errors import MissingCheckpointError, RefusedError, UnavailableError
from statewatch.core.lock import TIMEOUT, Holder, holder, locked
from statewatch.core.names import check_namespace
from statewatch.core.premises import made_ready, refuse_read_only
from statewatch.core.stores import sqlite_checkpoints as shelf
from statewatch.core.stores.base import Checkpoint, Keeper, P, Revision, Store, Version
from statewatch.core.stores.spaces import refuse_look_alike_beside
from statewatch.core.stores.sqlite_errors import DamagedFileError
from statewatch.core.stores.sqlite_rebuild import Ruined, rebuild
from statewatch.core.stores.sqlite_session import Session
from statewatch.core.stores.sqlite_sessions import Sessions
from statewatch.core.stores.sqlite_tables import Stored, Tables, at_of, document_of, encoded, naive
from statewatch.core.stores.transaction import RAISE, Found, Held, Raise, Reader, Transaction, Writes
from statewatch.core.stores.urls import DEFAULT_NAMESPACE, path_url
from statewatch.documents.values import JSON, cloned, digest

T = TypeVar("T")

STATE_FILE: Final = "state.db"
_POLL: Final = 0.02
"""Seconds between two looks at a database that is waited for: a look costs 10 µs."""
_TRIES: Final = 3
"""How often something is written when the file is replaced each time while that is under way."""


class SqliteStore(Store):
    """A namespace in an SQLite database.

    Other programs may write it too, and need to know nothing of statewatch. Its own writers queue at a lock beside the
    file, since of those who wait SQLite prefers whoever happens to ask at the right moment.
    """

    _keeps_apart = True

    def __init__(self, place: Path, namespace: str = DEFAULT_NAMESPACE, timeout: float = TIMEOUT) -> None:
        check_namespace(namespace)
        if "\0" in str(place):
            raise RefusedError(f"{str(place)!r} cannot be the name of a file")
        self.namespace = namespace
        self.url = path_url("sqlite", place.absolute(), namespace)
        self.path, self._tables = located(place.absolute(), namespace)
        self._timeout = timeout
        self._sessions = Sessions(self.url, self.path)
        self._writing: set[int] = set()
        self._is_placed = False
        weakref.finalize(self, self._sessions.close)

    # --- keys

    def _load(self, key: str) -> Found:
        session = self._sessions.take(None, self._timeout, time.monotonic() + self._timeout)
        if session is None:
            return RAISE
        try:
            if key not in session.values:
                session.remember(key, Stored(session, self._tables).load(key))
            value = session.values[key]
        finally:
            self._sessions.give_back(session)
        return value if isinstance(value, Raise) else cloned(value)

    def keys(self) -> list[str]:
        """Return the keys, sorted."""
        with self._sessions.use(self._timeout) as session:
            return [] if session is None else Stored(session, self._tables).keys()

    def snapshot(self) -> Revision:
        """Return the whole namespace."""
        with self._sessions.use(self._timeout) as session:
            if session is None:
                return Revision.of({})
            rows = Stored(session, self._tables).rows()
            latest = max((row[2] for row in rows if isinstance(row[2], bytes)), default=None)
            revision = Revision.of(document_of(self.url, rows), at_of(latest))
            session.digest = revision.digest
            return revision

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        """Run *body*; see `Store.transact`."""
        run = _Run(body, self._tables, self._keep_damaged)
        with self._exclusively(operation) as deadline:
            if self._sessions.signature() is None:  # nothing is made for a body that writes nothing
                run.on_nothing()
                if not run.writes:
                    return run.result
            return self._committed(run.on_database, operation, deadline)

    def _held(self) -> dict[str, Held]:
        with self._sessions.use(self._timeout) as session:
            return {} if session is None else Stored(session, self._tables).held()

    def wait(self, since: str, timeout: float) -> bool:
        """Wait until the namespace holds something else; see `Store.wait`."""
        deadline = time.monotonic() + timeout
        while self._digest() == since:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_POLL, left))
        return True

    def _digest(self) -> str:
        """Return the digest of the namespace, computed anew only when the database has changed."""
        with self._sessions.use(self._timeout) as session:
            if session is not None and session.digest is not None:
                return session.digest
        return self.snapshot().digest

    # --- actions

    @property
    def source(self) -> str:
        """Return the URL of the file itself, links followed, which is the same however it was named."""
        return path_url("sqlite", self._real(), self._tables.namespace or None)

    def refuse_read_only(self, operation: str) -> None:
        """Respect a mode that says read-only, also where the system would let us through."""
        refuse_read_only(self._real(), operation)

    def create(self) -> None:
        """Make the database and the tables that are missing."""

        def work(session: Session) -> None:
            self._tables.create(session)
            session.run("COMMIT")  # one that has changed no row would be taken back

        self._write(work, "create")

    def version(self) -> Version:
        """Return what is there now; also a database that is none any more is a version, which `recover` replaces."""
        try:
            return super().version()
        except DamagedFileError as error:
            return Ruined.at(self._real(), error)

    def rewrite(self, planner: Callable[[Version], P], keeper: Keeper[P], operation: str) -> P:
        """Carry out an action; see `Store.rewrite`. One that repairs gets a new database where the file is damaged."""
        try:
            return super().rewrite(planner, keeper, operation)
        except DamagedFileError as error:
            return self._rebuilt(planner, keeper, operation, error)

    def _rebuilt(
        self, planner: Callable[[Version], P], keeper: Keeper[P], operation: str, error: DamagedFileError
    ) -> P:
        with self._exclusively(operation):
            version = self.version()
            if not isinstance(version, Ruined):  # it can be read, but not written
                raise error
            plan = planner(version)  # raises what is wrong with it unless the action is to repair that
            if not isinstance(plan.after, dict):
                raise RefusedError(f"{self.url}: a namespace is an object of keys and values")
            keeper.before(plan)
            self._sessions.close()
            rebuild(version, self.url, self._tables, plan.after)
        return plan

    def holders(self) -> list[Holder]:
        """Return which writer of statewatch is at work."""
        found = holder(self._real())
        return [] if found is None else [found]

    # --- checkpoints

    def checkpoints(self) -> list[Checkpoint]:
        """Return all checkpoints, oldest first."""
        with self._sessions.use(self._timeout) as session:
            if session is None:
                return []
            if session.checkpoints is None:
                session.checkpoints = shelf.listed(session, self._tables)
            return list(session.checkpoints)

    def read_checkpoint(self, name: str) -> Revision:
        """Return what a checkpoint holds."""
        with self._sessions.use(self._timeout) as session:
            found = None if session is None else shelf.read(session, self._tables, name)
        if found is None:
            raise MissingCheckpointError(self.url, name, [other.name for other in self.checkpoints()])
        rows, made_at = found
        return Revision.of(document_of(self.url, rows, f" in the checkpoint {name!r}"), made_at)

    def _write_checkpoint(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool) -> Checkpoint:
        def work(session: Session) -> Checkpoint:
            if isinstance(document, dict):
                made_of = digest(document)
                at = naive(checkpoint.created_at).encode()
                rows = [(key.encode(), encoded(value).encode(), at) for key, value in document.items()]
            else:
                rows = Stored(session, self._tables).rows()
                made_of = digest(document_of(self.url, rows))  # what cannot be read is no checkpoint to come back to
            return shelf.write(session, self._tables, checkpoint, rows, made_of, replacing=replacing)

        return self._write(work, f"checkpoint {checkpoint.name}")

    def _edit_checkpoint(self, name: str, edited: Checkpoint) -> None:
        self._change_checkpoint(name, lambda _: edited)

    def _change_checkpoint(self, name: str, change: Callable[[Checkpoint], Checkpoint]) -> Checkpoint:
        return self._write(lambda session: shelf.edit(session, self._tables, name, change), f"edit checkpoint {name}")

    def _delete_checkpoint(self, name: str) -> None:
        self._write(lambda session: shelf.delete(session, self._tables, name), f"delete checkpoint {name}")

    # --- the file

    def close(self) -> None:
        """Close the connections that no thread is using."""
        self._sessions.close()

    def _real(self) -> Path:
        return Path(os.path.realpath(self.path))

    def _write(self, work: Callable[[Session], T], operation: str) -> T:
        with self._exclusively(operation) as deadline:
            return self._committed(work, operation, deadline)

    @contextlib.contextmanager
    def _exclusively(self, operation: str) -> Iterator[float]:
        """Keep the other writers of statewatch out; gives the instant until which to wait for those of other kinds."""
        me = threading.get_ident()
        if me in self._writing:
            raise RefusedError(f"{self.url}: cannot {operation} inside a transaction on it; do it there, or after it")
        if not self._is_placed:
            refuse_look_alike_beside(self.path)
            self._is_placed = True
        real = made_ready(self.path, operation)
        deadline = time.monotonic() + self._timeout
        with locked(real, operation, self._timeout):
            self._writing.add(me)
            try:
                yield deadline
            finally:
                self._writing.discard(me)

    def _committed(self, work: Callable[[Session], T], operation: str, deadline: float) -> T:
        """Do *work* in a transaction of the database, and again where that was not the one of the store any more."""
        for _ in range(_TRIES):
            if self._sessions.signature() is None:
                _create(self._real(), operation)
            session = self._sessions.take(operation, self._timeout, deadline)
            if session is None:
                continue
            try:
                with session.transaction():
                    result = work(session)
                session.prefer_log()
                if self._sessions.is_still(session):
                    return result
            finally:
                self._sessions.give_back(session)
        raise UnavailableError(
            self.url, f"cannot {operation}: something replaces or deletes {self.path} again and again. Stop that first."
        )


class _Run(Generic[T]):
    """The body of a transaction, and what came of it."""

    result: T

    def __init__(
        self, body: Callable[[Transaction], T], tables: Tables, keep_damaged: Callable[[Transaction], None]
    ) -> None:
        self.writes: Writes = {}
        self._body = body
        self._tables = tables
        self._keep_damaged = keep_damaged
        self._is_for_nothing = False

    def on_nothing(self) -> None:
        """Run it where there is no database yet."""
        self._run(_Nothing())
        self._is_for_nothing = True

    def on_database(self, session: Session) -> T:
        """Run it, unless it has just been run and nothing has come in between; write what it wants written."""
        stored = Stored(session, self._tables)
        if not self._is_for_nothing or stored.keys():
            self._run(stored)
        self._is_for_nothing = False
        if self.writes:
            stored.put(self.writes, time.time())
        return self.result

    def _run(self, reader: Reader) -> None:
        process = os.getpid()
        transaction = Transaction(reader)
        self.result = self._body(transaction)
        self.writes = transaction.writes
        if process != os.getpid():
            raise RefusedError("this process was forked inside a transaction, which is for its parent to end")
        self._keep_damaged(transaction)


class _Nothing:
    """What a transaction reads where there is no database yet."""

    def load(self, key: str) -> Found:  # noqa: ARG002
        return RAISE

    def keys(self) -> list[str]:
        return []

    def document(self) -> dict[str, JSON]:
        return {}


def located(place: Path, namespace: str) -> tuple[Path, Tables]:
    """Return the database file and the tables that *place*, an absolute path, means for a namespace.

    A directory, or what has no suffix and is not there yet, has a directory with a `state.db` for each namespace.
    Anything else is a database file. Its tables `state` and `checkpoints` are those of the default namespace, and in a
    `state.db` those of the namespace that its directory is named after.
    """
    try:
        is_directory = stat.S_ISDIR(place.stat().st_mode)
    except OSError:
        is_directory = not place.suffix
    if is_directory:
        return place / namespace / STATE_FILE, Tables()
    is_only_one = namespace == DEFAULT_NAMESPACE or (place.name == STATE_FILE and place.parent.name == namespace)
    return place, Tables("" if is_only_one else namespace)


def _create(real: Path, operation: str) -> None:
    """Make an empty database, which is an empty file, for its owner only; SQLite would make it for all to read."""
    try:
        # Closing it would free the locks of connections to it, but nobody in this process has any to a new file.
        os.close(os.open(real, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise RefusedError(f"cannot {operation}: {real} cannot be made ({os.strerror(error.errno or 0)})") from None

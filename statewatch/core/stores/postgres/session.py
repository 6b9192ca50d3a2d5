"""Connections to PostgreSQL: made when needed, lent to one thread at a time, never shared with a forked child."""

import contextlib
import math
import os
import threading
import time
import uuid
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, Final, LiteralString, TypeAlias
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Composed

from statewatch.core.errors import RefusedError
from statewatch.core.stores.postgres.faults import READ_ONLY, PostgresError
from statewatch.core.stores.postgres.layout import LOOK, TABLES, Layout
from statewatch.core.stores.postgres.statements import Statements
from statewatch.core.stores.urls import without_password

Row: TypeAlias = tuple[Any, ...]

_MOST_IDLE = 4
_SECRETS: Final = ("password", "sslpassword")
_DEFAULTS: Final = {
    "client_encoding": "utf8",
    "keepalives_idle": "10",  # a host that is gone is noticed after 25 s, and not after two hours
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
_SET_UP: Final = SQL("""
    SELECT pid, backend_start, current_setting('server_encoding'), set_config('jit', 'off', false),
        set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
        set_config('tcp_keepalives_count', '3', false)
    FROM pg_stat_activity WHERE pid = pg_backend_pid()""")
"""The same for the server, which else would keep the lock of a host that is gone."""

_MEMORY: Final = 86_400
"""Seconds for which the sign of a session stays: a computer may sleep while it waits for the reply to a commit."""
_SIGN: Final = SQL("""
    INSERT INTO statewatch_sessions (session, write, written_at) VALUES (%(session)s, %(write)s, now())
    ON CONFLICT (session) DO UPDATE SET write = excluded.write, written_at = excluded.written_at""")
_FORGET: Final = SQL("""
    DELETE FROM statewatch_sessions WHERE session IN (
        SELECT session FROM statewatch_sessions WHERE written_at < now() - %(age)s * interval '1 second'
        FOR UPDATE SKIP LOCKED)""")
_LIVES: Final = SQL("SELECT 1 FROM pg_stat_activity WHERE pid = %(backend)s AND backend_start = %(began)s")
_END: Final = SQL("""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %(backend)s AND backend_start = %(began)s""")
_SIGNED: Final = SQL("SELECT 1 FROM statewatch_sessions WHERE session = %(session)s AND write = %(write)s")


class Session:
    """A connection, and what is known about the database through it. Its methods raise PostgresError."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._process = os.getpid()
        self._statements: Statements | None = None
        self._doubted: Layout | None = None
        self.prepared = False
        """Whether all that a write needs is known to be there."""
        self.provisional = False
        """Whether the transaction has made tables, which are gone again when it is not committed."""
        self._id = uuid.uuid4()
        self._writes = 0
        self._asked = 0.0
        self.backend, self._began, encoding, *_ = self.execute(_SET_UP)[0]
        self.unicode = encoding == "UTF8"
        self.version = connection.info.server_version

    @property
    def inherited(self) -> bool:
        """Whether it is the parent process's, which a child must not touch."""
        return self._process != os.getpid()

    @property
    def lost(self) -> bool:
        """Whether nothing more can be done through it."""
        return self.inherited or self._connection.closed

    @property
    def idle(self) -> bool:
        """Whether it can be used for something else."""
        return not self.lost and self._connection.info.transaction_status == TransactionStatus.IDLE

    def execute(
        self, query: LiteralString | SQL | Composed | bytes, values: Mapping[str, Any] | None = None
    ) -> list[Row]:
        """Run a statement and return its rows."""
        try:
            cursor = self._connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise self._fault(error) from None

    def look(self) -> Statements:
        """Return the statements for the tables that are there. Raises ForeignTableError."""
        if self._statements is None:
            found = Statements(Layout.of(self.execute(LOOK, {"tables": TABLES})))
            if found.layout.missing:
                return found  # others may make them at any time
            self._statements = found
        return self._statements

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[Statements]:
        """Read the tables and the rows as of one moment."""
        if self._statements is not None:
            yield self._statements
            return
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield self.look()
        finally:
            self._rollback()

    @contextlib.contextmanager
    def transaction(self, lock: int, name: str, timeout: float) -> Iterator[None]:
        """Hold *lock* in a transaction; what the block has not committed is rolled back.

        *name* is what others see who have to wait; *timeout* is for every wait of this one, in seconds.
        """
        try:
            self.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            self.execute(
                "SELECT set_config('lock_timeout', %(timeout)s, true), set_config('application_name', %(name)s, true), "
                "pg_advisory_xact_lock(%(lock)s)",
                {"timeout": f"{max(1, round(timeout * 1000))}ms", "name": name, "lock": lock},
            )
            yield
        finally:
            self._rollback()

    def sign(self) -> None:
        """Leave a sign, to be committed with the rest, that this session has made this write.

        The number of the transaction would not do: a server that has crashed may give it to another one.
        """
        self._writes += 1
        self.execute(_SIGN, {"session": self._id, "write": self._writes})
        if not self.prepared:
            self.execute(_FORGET, {"age": _MEMORY})

    def commit(self) -> None:
        """Commit. A PostgresError that is not `lost` means that it was rolled back; for one that is, see `outcome`."""
        self._asked = time.time()
        try:
            status = self._connection.execute("COMMIT", prepare=False).statusmessage
        except psycopg.Error as error:
            raise self._fault(error) from None
        if status != "COMMIT":
            raise PostgresError("the transaction had failed before it was committed")
        self.prepared, self.provisional = True, False

    def outcome(self, other: "Session", *, impatient: bool) -> bool | None:
        """Tell by means of *other* whether the last commit of this session, which is lost, was made.

        None while the server is still at it, or does not know yet that nobody listens; if *impatient*, it is told.
        """
        backend = {"backend": self.backend, "began": self._began}
        if other.execute(_LIVES, backend):
            if impatient:
                other.execute(_END, backend)
            return None
        if time.time() - self._asked > _MEMORY / 2:
            raise PostgresError("that was so long ago that the sign of it may have been removed")
        # Only now: asked in one statement, both would be of the moment before it had ended.
        return bool(other.execute(_SIGNED, {"session": self._id, "write": self._writes}))

    def _rollback(self) -> None:
        """Undo what was not committed; where that cannot be said any more, the server does so by itself."""
        if self.lost:
            return
        try:
            if self._connection.info.transaction_status == TransactionStatus.ACTIVE:
                self._connection.close()  # interrupted while the server was working
            elif not self.idle:
                self._connection.execute("ROLLBACK", prepare=False)
        except psycopg.Error:
            self._connection.close()
        if self.provisional:
            self.provisional, self._statements = False, None

    def listen(self, payload: str, timeout: float) -> None:
        """Wait for a notification with *payload*, at most *timeout* seconds."""
        try:
            with contextlib.closing(self._connection.notifies(timeout=timeout)) as notifications:
                for notification in notifications:
                    if notification.payload == payload:
                        return
        except psycopg.Error as error:
            raise self._fault(error) from None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _fault(self, error: psycopg.Error) -> PostgresError:
        if isinstance(error, psycopg.OperationalError) and not error.sqlstate:
            self._connection.close()  # the server has said nothing: its end is gone, though libpq may not know it yet
        fault = PostgresError.of(error, lost=self._connection.closed)
        if fault.state.startswith("42") and self._statements and self._statements.layout != self._doubted:
            # Perhaps the tables are not those they were: another look tells, and the same error then is one.
            self._doubted, self._statements, self.prepared = self._statements.layout, None, False
            fault.passing = True
        return fault


class Pool:
    """The connections of this process to one database that are not in use."""

    def __init__(self, url: str, timeout: float, name: str, greeting: LiteralString | None = None) -> None:
        """Keep connections to *url* that take *timeout* to make, with *greeting* said at the beginning of each."""
        self._settings = _settings(url, timeout) | {"application_name": name}
        self._greeting = greeting
        self._idle: list[Session] = []
        self._guard = threading.Lock()
        self._closings = 0
        weakref.finalize(self, _close_all, self._idle)
        _POOLS.add(self)

    @contextlib.contextmanager
    def lend(self) -> Iterator[Session]:
        """Lend a connection for the block. Raises PostgresError when none can be made."""
        with self._guard:
            session = self._idle.pop() if self._idle else None
            closings = self._closings
        session = session or self._connect()
        try:
            yield session
        finally:
            self._take_back(session, closings)

    def close(self) -> None:
        """Close all connections, those that are lent when they come back."""
        with self._guard:
            self._closings += 1
            sessions, self._idle[:] = list(self._idle), []
        _close_all(sessions)

    def _connect(self) -> Session:
        try:
            connection = psycopg.connect(autocommit=True, **self._settings)
        except psycopg.Error as error:
            raise PostgresError.at_connect(error, [str(self._settings.get(name, "")) for name in _SECRETS]) from None
        with contextlib.ExitStack() as unless_done:
            unless_done.callback(connection.close)
            session = Session(connection)
            self._greet(session)
            unless_done.pop_all()
        return session

    def _greet(self, session: Session) -> None:
        try:
            if self._greeting:
                session.execute(self._greeting)
        except PostgresError as error:
            if error.state != READ_ONLY:  # a standby takes no LISTEN
                raise

    def _take_back(self, session: Session, closings: int) -> None:
        if session.lost:
            _abandon(session)
            self.close()  # where one is lost, the others mostly are
            return
        with self._guard:
            keep = session.idle and closings == self._closings and len(self._idle) < _MOST_IDLE
            if keep:
                self._idle.append(session)
        if not keep:
            session.close()

    def after_fork(self) -> None:
        """In a child process, begin without connections."""
        _INHERITED.extend(self._idle)
        self._idle.clear()
        self._guard = threading.Lock()


def _settings(url: str, timeout: float) -> dict[str, Any]:
    """Return what to connect with. Raises RefusedError for what is no address."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        why = "" if urlsplit(url).password else f" ({str(error).strip()})"
        raise RefusedError(
            f"{without_password(url)}: this is not the address of a PostgreSQL database{why}. It has the form "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with @ : / in a password as %40 %3A %2F."
        ) from None
    if "@" in str(given.get("host", ""))[1:]:  # the first may be that of an abstract socket
        raise RefusedError(
            f"{without_password(url)}: this address has two @. Write the one that belongs to the password as %40."
        )
    settings: dict[str, Any] = _DEFAULTS | given
    if "PGCONNECT_TIMEOUT" not in os.environ:
        settings.setdefault("connect_timeout", max(2, math.ceil(timeout)))
    return settings


def _abandon(session: Session) -> None:
    """Let go of a connection that is lost, and keep for ever one of the parent process's: its end would end theirs."""
    if session.inherited:
        _INHERITED.append(session)
    else:
        session.close()


def _close_all(sessions: list[Session]) -> None:
    while sessions:
        _abandon(sessions.pop())


_POOLS: weakref.WeakSet[Pool] = weakref.WeakSet()
_INHERITED: list[Session] = []


def _after_fork() -> None:
    for pool in _POOLS:
        pool.after_fork()


os.register_at_fork(after_in_child=_after_fork)

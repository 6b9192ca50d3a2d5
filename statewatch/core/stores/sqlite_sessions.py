"""The connections to one SQLite database: opened when needed, one thread at a time each, never carried across a fork.

Nobody but SQLite itself opens the file of a database: its locks are those of POSIX, and a process loses them as soon as
it closes any descriptor of the file (https://www.sqlite.org/howtocorrupt.html, section 2.2).
"""

import contextlib
import os
import sqlite3
import stat
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.reading import Signature
from statewatch.core.stores.sqlite_errors import explained
from statewatch.core.stores.sqlite_session import Session

_SQLITE_WAITS = 0.05
"""Seconds that SQLite waits by itself. It asks ever more seldom, so beyond that we ask."""
_FORK_WAITS = 5.0
"""Seconds that a fork waits for what other threads are doing."""
_BESIDE = ("-journal", "-wal", "-shm")


class Sessions:
    """The sessions of one store. Those that are idle wait to be used again; any thread may use them."""

    def __init__(self, url: str, path: Path) -> None:
        self.path = path
        self._url = url
        self._turn = threading.Condition(threading.Lock())
        self._idle: list[Session] = []
        self._busy: dict[Session, int] = {}
        self._is_forking = False
        self._forked_while_busy = False
        _EVERY.add(self)

    @contextlib.contextmanager
    def use(self, timeout: float) -> Iterator[Session | None]:
        """Hold a session for reading, or None when there is no database."""
        session = self.take(None, timeout, time.monotonic() + timeout)
        try:
            yield session
        finally:
            if session is not None:
                self.give_back(session)

    def take(self, operation: str | None, timeout: float, deadline: float) -> Session | None:
        """Return a session that sees the database as it is now, or None when there is none; see `Session.begin`."""
        while (signature := self.signature()) is not None:
            with self._turn:
                while self._is_forking:
                    self._turn.wait()
                if self._forked_while_busy:
                    raise RefusedError(
                        f"{self._url}: this process was forked while another thread was using the database, which "
                        "SQLite does not bear. Fork at another moment, or start the process anew (spawn)."
                    )
                session = self._idle.pop() if self._idle else self._opened(signature)
                self._busy[session] = threading.get_ident()
            session.begin(operation, timeout, deadline)
            is_current = False
            try:
                is_current = session.is_current(signature)
            finally:
                if not is_current:
                    self.discard(session)
            if is_current:
                return session
        return None

    def give_back(self, session: Session) -> None:
        """End the use of a session."""
        if session.broken or not session.is_ours:
            self.discard(session)
            return
        with self._turn:
            del self._busy[session]
            self._idle.append(session)
            if self._is_forking:
                self._turn.notify_all()

    def is_still(self, session: Session) -> bool:
        """Tell whether what a session has just written is in the file that others find."""
        try:
            signature = self.signature()
        except SourceError:  # it is written; where that is only the next look can tell
            session.broken = True
            return True
        if signature is None or not session.is_to(signature):
            session.broken = True
            return False
        session.forget(signature)
        return True

    def discard(self, session: Session) -> None:
        """End the use of a session for good."""
        session.close()
        with self._turn:
            self._busy.pop(session, None)  # a child process knows it no more
            if self._is_forking:
                self._turn.notify_all()

    def close(self) -> None:
        """Close the connections that nobody uses at the moment."""
        with self._turn:
            self._close_idle()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def signature(self) -> Signature | None:
        """Return the signature of the database file; None when there is none. Raises SourceError for anything else."""
        try:
            status = os.stat(self.path)  # noqa: PTH116 - every load asks, and Path.stat takes twice as long
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SourceError(self._url, f"it cannot be read ({os.strerror(error.errno or 0)})") from None
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(
                self._url, f"what is at {self.path} is not a file, so it is no database. Name another one."
            )
        return Signature.of(status)

    def _opened(self, signature: Signature) -> Session:
        for suffix in _BESIDE:  # SQLite would wait for ever for somebody to write into a pipe
            with contextlib.suppress(OSError):
                if not stat.S_ISREG(os.stat(f"{self.path}{suffix}").st_mode):  # noqa: PTH116
                    raise SourceError(
                        self._url, f"{self.path}{suffix} is not a file. Remove it: SQLite needs its place."
                    )
        # Also for reading `rw`: SQLite can then take back what a killed writer left half done, and removes the files it
        # makes beside the database. Where the file may not be written it opens it for reading by itself.
        session = self._connected("mode=rw", signature)
        try:
            session.connection.execute("PRAGMA data_version").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_CANTOPEN and self._cannot_change():
                session.close()
                return self._connected("mode=ro&immutable=1", signature)
        except sqlite3.Error:
            pass  # the first use tells
        return session

    def _connected(self, mode: str, signature: Signature) -> Session:
        try:
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?{mode}",
                uri=True,
                timeout=_SQLITE_WAITS,
                isolation_level=None,
                check_same_thread=False,  # one at a time, but not always the same
            )
        except sqlite3.Error as error:
            raise explained(error, self._url, self.path, None, "", 0) from None
        connection.text_factory = bytes
        return Session(connection, self._url, self.path, signature)

    def _cannot_change(self) -> bool:
        """Tell whether the database is on a read-only medium and whole without its log, so that it needs no locks."""
        try:
            return not _size(f"{self.path}-wal") and bool(os.statvfs(self.path).f_flag & os.ST_RDONLY)
        except OSError:
            return False

    def before_fork(self) -> None:
        """Let nobody begin, wait a while for other threads to end what they do, and close what is idle then."""
        self._turn.acquire()
        self._is_forking = True
        me = threading.get_ident()
        self._turn.wait_for(lambda: all(thread == me for thread in self._busy.values()), _FORK_WAITS)
        self._close_idle()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._is_forking = False
        self._turn.notify_all()
        self._turn.release()

    def after_fork_in_child(self) -> None:
        """Begin anew, unless a connection had to be left open.

        SQLite keeps its locks once for a process, and believes those of the parent to be held by the child, which has
        none of them (https://www.sqlite.org/howtocorrupt.html, section 2.6).
        """
        self._turn = threading.Condition(threading.Lock())
        self._is_forking = False
        self._forked_while_busy = bool(self._busy)
        for session in self._busy:
            session.close()


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except FileNotFoundError:
        return 0


_EVERY: weakref.WeakSet[Sessions] = weakref.WeakSet()
_fork = threading.Lock()
_forking: list[Sessions] = []


def _before_fork() -> None:
    _fork.acquire()
    _forking[:] = _EVERY
    for sessions in _forking:
        sessions.before_fork()


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop().after_fork_in_parent()
    _fork.release()


def _after_fork_in_child() -> None:
    while _forking:
        _forking.pop().after_fork_in_child()
    _fork.release()  # the thread that holds it is the one that is left


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)

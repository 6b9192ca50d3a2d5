"""Who writes to a namespace: how statewatch's writers exclude each other, and how they are named to those who wait."""

import contextlib
import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from psycopg.sql import SQL

from statewatch.core.errors import LockedError, RefusedError
from statewatch.core.lock import Holder, host, user
from statewatch.core.stores.postgres.session import Row, Session
from statewatch.kinds.times import iso

_LONGEST_NAME = 63
"""Bytes of an application_name: PostgreSQL cuts off the rest."""
_NAME = re.compile(r"statewatch: (?P<operation>.*) \((?P<user>.*)@(?P<host>\S*) (?P<pid>\d+)\)")

_HOLDERS: Final = SQL("""
    SELECT a.pid, coalesce(a.application_name, ''), coalesce(a.usename::text, ''),
        coalesce(host(a.client_addr), 'the host of the server'), extract(epoch FROM a.xact_start)::float8
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND a.pid <> pg_backend_pid() AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (l.classid::bigint << 32) | l.objid::bigint = ANY(%(locks)s::bigint[])
    ORDER BY a.xact_start""")
_WRITERS: Final = SQL("""
    SELECT a.pid, coalesce(a.application_name, ''), coalesce(a.usename::text, ''),
        coalesce(host(a.client_addr), 'the host of the server'), extract(epoch FROM a.xact_start)::float8
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.relation = to_regclass('agent_state') AND l.granted AND a.pid <> pg_backend_pid()
        AND l.mode NOT IN ('AccessShareLock', 'SIReadLock')
    ORDER BY a.xact_start LIMIT 1""")
"""Asks for the oldest transaction that has written to the table: rows that are waited for are mostly its own."""


def lock_number(*names: str | UUID) -> int:
    """Return the number of the advisory lock of that name: 64 bits, since PostgreSQL knows no names for them."""
    text = "/".join(map(str, ("statewatch", *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


TABLES_LOCK: Final = lock_number("tables")
"""Held by whoever makes the tables: two at once would get errors from the catalogue."""


def own_name(operation: str) -> str:
    """Return the application_name that says who does *operation*: in ASCII, since PostgreSQL takes nothing else."""
    who = f" ({_plain(user(), 16)}@{_plain(host(), 20)} {os.getpid()})"
    return _plain(f"statewatch: {operation}", _LONGEST_NAME - len(who)) + who


def own_mark() -> str:
    """Return who writes, for the history."""
    return f"statewatch {_plain(user(), 60)}@{_plain(host(), 60)}"


def holders(session: Session, *locks: int) -> list[Holder]:
    """Return who holds any of these advisory locks."""
    return [_holder(row) for row in session.execute(_HOLDERS, {"locks": list(locks)})]


def holder_after_timeout(session: Session, *locks: int) -> str:
    """Return who is to be waited for: the holder of one of these locks, else whoever has written to the table."""
    found = holders(session, *locks) or [_holder(row) for row in session.execute(_WRITERS)]
    return str(found[0]) if found else "a session that has ended meanwhile"


class Turns:
    """Lets one thread of this process write at a time: the others wait here, and not each with a connection."""

    def __init__(self) -> None:
        self._processes: dict[int, _Process] = {}

    @contextlib.contextmanager
    def taken(self, url: str, operation: str, timeout: float) -> Iterator[None]:
        """Hold the turn. Raises LockedError when it does not come, RefusedError when this thread has it already."""
        process = self._processes.setdefault(os.getpid(), _Process())  # a forked child must not wait for its parent
        if process.thread == threading.get_ident():
            raise RefusedError(f"{url}: cannot {operation} inside a transaction on it; do it there, or after it")
        if not process.turn.acquire(timeout=timeout):
            raise LockedError(
                f"{url}: cannot {operation}, locked for more than {timeout:g} s by another thread of this process: "
                f"{process.holder}. Nothing was changed."
            )
        process.thread = threading.get_ident()
        process.holder = Holder(os.getpid(), host(), user(), operation, iso(time.time()) or "")
        try:
            yield
        finally:
            process.thread = None
            process.turn.release()


@dataclass
class _Process:
    turn: threading.Lock = field(default_factory=threading.Lock)
    thread: int | None = None
    holder: Holder | None = None


def _holder(row: Row) -> Holder:
    backend, name, role, address, since = row
    began = iso(since) or ""
    if ours := _NAME.fullmatch(name):
        return Holder(int(ours["pid"]), ours["host"], ours["user"], ours["operation"], began)
    what = f"{name or 'a program without a name'} (its session ends with SELECT pg_terminate_backend({backend}))"
    return Holder(backend, address, role, what, began)


def _plain(text: str, length: int) -> str:
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:length]

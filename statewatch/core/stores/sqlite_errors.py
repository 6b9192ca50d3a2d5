"""What SQLite reports, told to people; and who has a database locked, as far as the system tells."""

import os
import sqlite3
from pathlib import Path

from statewatch.core.errors import (
    LockedError,
    RefusedError,
    SourceError,
    StatewatchError,
    UnavailableError,
    UnknownOutcomeError,
)
from statewatch.documents.text import harmless

_IS_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_IS_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_IS_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_WRITING_TO_LOG = 120
"""The byte of the file `-shm` that a writer locks (https://www.sqlite.org/walformat.html, section 2.2)."""


class DamagedFileError(SourceError):
    """What is at the place of a database is none, or damaged as a file, and not only in a value."""


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether others are at work, so that it may go a moment later."""
    return _code(error) in _IS_BUSY


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF  # without the details


def explained(
    error: sqlite3.Error, url: str, path: Path, operation: str | None, statement: str, waited: float
) -> StatewatchError:
    """Return the error that tells what is wrong, where, and what to do.

    *operation* is what was to be written, None where something was read; *waited* is in seconds.
    """
    code = _code(error)
    doing = operation or "read it"
    if is_busy(error):
        return LockedError(
            f"{url}: cannot {doing}, the database has been locked for more than {waited:g} s by {_lockers(path)}. "
            "Nothing was changed. Wait for it, or end it: its lock goes with it."
        )
    if code in _IS_DAMAGE:
        return DamagedFileError(
            url,
            f"{path} is no SQLite database, or damaged ({error}). Nothing was changed. `statewatch state recover` "
            "offers the newest good checkpoint.",
        )
    if code == sqlite3.SQLITE_IOERR and statement == "COMMIT":
        return UnknownOutcomeError(
            f"{url}: cannot {doing}, the disk reported an error while it was being written ({error}). It was made in "
            "full or not at all: look, once the disk is well."
        )
    if operation is None:
        return _while_reading(error, code, url, path)
    return _while_writing(error, code, url, path, operation)


def _while_reading(error: sqlite3.Error, code: int, url: str, path: Path) -> StatewatchError:
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_ROLLBACK:
        return SourceError(
            url,
            f"a program was killed while it wrote {path}, and reading that means taking back what is half done, "
            "which you may not. Let somebody read it who may write it.",
        )
    if code == sqlite3.SQLITE_READONLY or (code == sqlite3.SQLITE_CANTOPEN and os.access(path, os.R_OK)):
        return SourceError(
            url,
            f"{path} has a write-ahead log, so that even to read it files must be made beside it, and you may not "
            f"({error}). Let somebody read it who may, or copy the database together with its -wal file.",
        )
    if code in {sqlite3.SQLITE_CANTOPEN, *_IS_FORBIDDEN}:
        return SourceError(url, f"{path} cannot be opened ({error})")
    if code == sqlite3.SQLITE_IOERR:
        return UnavailableError(url, f"the disk cannot read {path} ({error})")
    return SourceError(url, f"{path} does not have the tables of a key/value store ({error})")


def _while_writing(error: sqlite3.Error, code: int, url: str, path: Path, operation: str) -> StatewatchError:
    if code == sqlite3.SQLITE_FULL:
        reason = f"the disk of {path} is full. Make room there"
    elif code == sqlite3.SQLITE_IOERR:
        reason = f"the disk of {path} reported an error ({error})"
    elif code in {sqlite3.SQLITE_CANTOPEN, *_IS_FORBIDDEN}:
        reason = f"{path} or its directory may not be written ({error})"
    elif code == sqlite3.SQLITE_TOOBIG:
        reason = "a value is larger than SQLite can keep"
    else:
        return SourceError(
            url, f"cannot {operation}: the tables in {path} are not those of a key/value store ({error})"
        )
    return RefusedError(f"{url}: cannot {operation}, {reason}. Nothing was changed.")


def _lockers(path: Path) -> str:
    found = sorted(set(_locking(path)))
    if not found:
        return "another program, which takes no lock of statewatch"
    return "; ".join(f"process {pid} ({_program(pid)}), which takes no lock of statewatch" for pid in found)


def _locking(path: Path) -> list[int]:
    """Find the other processes that write a database, else those that read it, among the locks of the system.

    That is what proc_locks(5) of Linux shows. The file itself is not asked, since that would mean to open it.
    """
    try:
        log, database = _inode(f"{path}-shm"), _inode(f"{path}")
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return []
    table = [fields for line in lines if len(fields := line.split()) == 8]  # those who wait have an arrow besides
    others = [(kind, int(pid), inode, int(first)) for _, _, _, kind, pid, inode, first, _ in table]
    others = [lock for lock in others if lock[1] not in (-1, 0, os.getpid())]
    writers = [
        pid
        for kind, pid, inode, first in others
        if kind == "WRITE" and (inode == database or (inode == log and first == _WRITING_TO_LOG))
    ]
    return writers or [pid for _, pid, inode, _ in others if inode == database]


def _inode(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return ""
    return f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"


def _program(pid: int) -> str:
    try:
        return harmless(Path(f"/proc/{pid}/comm").read_text().strip())
    except OSError:
        return "ended just now"

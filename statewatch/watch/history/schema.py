"""The database of a history: its tables, opening it, and what SQLite says about it, told to people."""

import contextlib
import os
import sqlite3
import stat
from pathlib import Path
from typing import Final
from urllib.parse import quote

from statewatch.watch.history.model import HistoryError

VERSION: Final = 1
_OURS: Final = 0x73774869
"""Marks the database as a history: `swHi`, in the header where SQLite has a place for that."""

PATIENCE: Final = 5.0
"""Seconds to wait for other recorders."""

_TABLES: Final = f"""
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS entries (
  number INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER NOT NULL, position INTEGER NOT NULL,
  at REAL NOT NULL, seen_at REAL NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, before BLOB,
  dropped INTEGER NOT NULL, bookmark TEXT NOT NULL, noise INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS entries_in_order ON entries (source, number);
CREATE INDEX IF NOT EXISTS entries_by_time ON entries (source, seen_at);
CREATE INDEX IF NOT EXISTS entries_by_digest ON entries (substr(digest, 1, 4));
CREATE INDEX IF NOT EXISTS entries_by_bookmark ON entries (bookmark) WHERE bookmark <> '';
CREATE TABLE IF NOT EXISTS contents (
  source INTEGER NOT NULL, position INTEGER NOT NULL, size INTEGER NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY (source, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (
  source INTEGER NOT NULL, pointer BLOB NOT NULL, positions BLOB NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY (source, pointer, positions)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS touches (
  place INTEGER NOT NULL, number INTEGER NOT NULL, op INTEGER NOT NULL, before BLOB, after BLOB,
  PRIMARY KEY (place, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looks (project TEXT PRIMARY KEY, moment REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
PRAGMA application_id = {_OURS};
PRAGMA user_version = {VERSION};
COMMIT;
"""
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_FORBIDDEN: Final = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH}
_MAGIC: Final = b"SQLite format 3\0"


def connected(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open the history at *path*, and make its tables where there are none yet. Raises HistoryError.

    Without *create* a history that may not be written can still be read, as on a disk that is mounted read-only.
    """
    if not os.path.lexists(path):
        if not create:
            raise HistoryError(
                f"{path}: there is no history yet. The dashboard records one as it watches, `statewatch record` too.",
                missing=True,
            )
        _make(path)
    _refuse_other_things(path)
    try:
        return _opened(path, "mode=rw")
    except HistoryError as error:
        if create or not error.unwritable or _has_log(path):
            raise
    return _opened(path, "mode=ro&immutable=1")


def checked(link: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Return the connection if the database holds together; 150 ms at most. Raises HistoryError where it does not."""
    try:
        found = str(link.execute("PRAGMA quick_check(1)").fetchone()[0])
        if found != "ok":
            raise sqlite3.DatabaseError(f"malformed: {found.splitlines()[-1]}")
    except sqlite3.Error as error:
        link.close()
        raise explained(error, path) from None
    return link


def _opened(path: Path, how: str) -> sqlite3.Connection:
    try:
        link = sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?{how}",
            uri=True,
            timeout=PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise explained(error, path) from None
    try:
        _prepare(link, path)
    except sqlite3.Error as error:
        link.close()
        raise explained(error, path) from None
    except HistoryError:
        link.close()
        raise
    return link


def explained(error: sqlite3.Error, path: Path) -> HistoryError:
    """Return the error that tells what is wrong with the history, where, and what to do."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _DAMAGE or "malformed" in str(error) or str(error).startswith("no such"):
        return HistoryError(
            f"{path}: the history is damaged ({error}). The next to record sets it aside and begins a new one.",
            corrupt=True,
        )
    if code in _BUSY:
        return HistoryError(
            f"{path}: the history has been locked for more than {PATIENCE:g} s by another program. Wait for it, or end "
            "it.",
            unwritable=True,
        )
    if code == sqlite3.SQLITE_FULL:
        return HistoryError(f"{path}: the disk of the history is full. Make room there.", unwritable=True)
    if code == sqlite3.SQLITE_IOERR:
        return HistoryError(f"{path}: the disk of the history reported an error ({error}).", unwritable=True)
    if code in _FORBIDDEN:
        return HistoryError(
            f"{path}: the history, or its directory, may not be written ({error}). Name another place with --history.",
            unwritable=True,
        )
    return HistoryError(f"{path}: the history cannot be used ({error}).", unwritable=True)


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells the file at *path* from another one that was put there since."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_dev, status.st_ino


def is_database(path: Path) -> bool:
    """Tell whether a damaged file has still the looks of a database: another file is somebody's, and stays."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def set_aside(path: Path, stamp: str) -> Path:
    """Give a damaged history another name, with the files that belong to it; return that name."""
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    number = 1
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
    try:
        for ending in ("-wal", "-shm"):  # first, so that no log is left beside a new database
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{path}{ending}", f"{aside}{ending}")  # noqa: PTH104
        path.rename(aside)
    except OSError as error:
        raise HistoryError(
            f"{path}: the history is damaged and cannot be set aside ({error.strerror}). Move it away."
        ) from None
    return aside


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):  # another recorder was quicker
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name cannot be the name of a file"
        raise HistoryError(
            f"{path}: the history cannot be made ({reason}). Name another place with --history.", unwritable=True
        ) from None


def _refuse_other_things(path: Path) -> None:
    """Refuse what is no file, before SQLite waits for a pipe to say something."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError as error:
        raise HistoryError(f"{path}: the history cannot be opened ({error.strerror}).", unwritable=True) from None
    if not stat.S_ISREG(status.st_mode):
        raise HistoryError(f"{path}: a history is a file, and this is none. Name another place with --history.")


def _has_log(path: Path) -> bool:
    """Tell whether something was recorded that the database itself does not have yet."""
    try:
        return os.stat(f"{path}-wal").st_size > 0  # noqa: PTH116
    except OSError:
        return False


def _prepare(link: sqlite3.Connection, path: Path) -> None:
    link.execute("BEGIN")  # one look: another recorder may be making the tables
    version, mark = (link.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id"))
    tables = link.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    link.execute("COMMIT")
    if mark != _OURS and (tables or version or mark):
        raise HistoryError(f"{path}: this is a database, but no history. Name another place with --history.")
    if version > VERSION:
        raise HistoryError(
            f"{path}: the history was written by a newer version of statewatch, and is left alone. Update this one, or "
            "name another place with --history."
        )
    if mark != _OURS:
        link.executescript(_TABLES)
    link.execute("PRAGMA synchronous = NORMAL")
    link.execute("PRAGMA cache_size = -8000")
    link.execute(f"PRAGMA journal_size_limit = {16 << 20}")
    link.execute("PRAGMA trusted_schema = OFF")

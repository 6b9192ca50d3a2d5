"""A new database in the place of one that is damaged as a file: the damaged one is set aside, byte for byte.

What can still be read of the other tables is carried over: checkpoints, other namespaces, what other tools keep there.
Rows come by SQL from file to file, so that they arrive as they are, one by one where not all of them can be read.
"""

import contextlib
import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from statewatch.core.errors import RefusedError, StatewatchError
from statewatch.core.reading import Signature
from statewatch.core.stores.sqlite_errors import DamagedFileError
from statewatch.core.stores.sqlite_session import Session
from statewatch.core.stores.sqlite_tables import Stored, Tables
from statewatch.documents.values import JSON

_BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Ruined:
    """The version of a namespace whose database is no database any more; it is named by what the system says of it.

    Its bytes are not read, since closing the file would free the locks that this process has on it.
    """

    suffix: ClassVar[str] = ".txt"
    path: Path
    digest: str
    error: DamagedFileError

    @classmethod
    def at(cls, real: Path, error: DamagedFileError) -> "Ruined":
        """Return the version at a place. Raises *error* where there is no file any more."""
        try:
            found = Signature.of(real.stat()).content
        except OSError:
            raise error from None
        return cls(real, hashlib.sha256(repr(found).encode()).hexdigest(), error)

    @property
    def aside(self) -> Path:
        """Return where the damaged database goes; the files that belong to it keep their endings behind that name."""
        return self.path.with_name(f"{self.path.name}.damaged-{self.digest[:12]}")

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what whoever replaces it should know."""
        return (f"the damaged database goes to {self.aside}, and what can be read of its other tables to the new one",)

    @property
    def data(self) -> bytes:
        """Return what the safety copy says: the bytes themselves stay beside the new database."""
        return b"The damaged database was set aside, byte for byte, as:\n" + os.fsencode(self.aside) + b"\n"

    def document(self) -> JSON:
        """Raise DamagedFileError."""
        raise self.error


def rebuild(ruined: Ruined, url: str, tables: Tables, document: dict[str, JSON]) -> None:
    """Put a new database with *document* in place of a damaged one, which is set aside. Raises RefusedError.

    At every instant one of the two is at its place. Whoever calls this has the lock, and no connection to the file.
    """
    real = ruined.path
    unfinished = real.with_name(f".{real.name}.{os.getpid()}.tmp")
    try:
        for carrying in (True, False):
            _make(unfinished, real)
            if _filled(unfinished, ruined, url, tables, document, carrying=carrying):
                break
        _set_aside(ruined)
        unfinished.replace(real)
        _make_last(real.parent)
    except (OSError, sqlite3.Error) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
        raise RefusedError(
            f"{url}: no new database could be made beside the damaged one ({reason}), which is still there. Make room, "
            f"or move {real} away yourself."
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)


def _make(unfinished: Path, like: Path) -> None:
    unfinished.unlink(missing_ok=True)  # of one that was killed
    os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    status = like.stat()
    with contextlib.suppress(OSError):
        os.chown(unfinished, status.st_uid, status.st_gid)
    unfinished.chmod(stat.S_IMODE(status.st_mode))


def _filled(
    unfinished: Path, ruined: Ruined, url: str, tables: Tables, document: dict[str, JSON], *, carrying: bool
) -> bool:
    """Write a new database; tell whether it is whole, in spite of what was carried over from a damaged one."""
    connection = sqlite3.connect(f"{unfinished.as_uri()}?mode=rw", uri=True, isolation_level=None)
    connection.text_factory = bytes
    session = Session(connection, url, unfinished, Signature.of(unfinished.stat()))
    session.begin("recover", 0.0, time.monotonic())
    try:
        if carrying:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ATTACH ? AS old", (f"{ruined.path.as_uri()}?mode=ro",))
        with session.transaction():
            for name, columns in _tables(connection):
                if f'"{name}"' != tables.state:
                    _carry_over(connection, name, columns)
            Stored(session, tables).put(dict(document), time.time())
        return bool(session.run("PRAGMA main.integrity_check") == [(b"ok",)])
    except StatewatchError:
        if not carrying:
            raise
        return False
    finally:
        session.close()


def _tables(connection: sqlite3.Connection) -> Iterator[tuple[str, list[str]]]:
    """Make the tables of the damaged database anew; yield their names and columns. Triggers and views stay behind."""
    try:
        found = connection.execute("SELECT name, sql FROM old.sqlite_master WHERE type = 'table'").fetchall()
    except sqlite3.Error:
        return
    for name, sql in found:
        with contextlib.suppress(sqlite3.Error, UnicodeDecodeError, AttributeError):
            if not sql.startswith(b"CREATE TABLE") or name.startswith(b"sqlite_"):
                continue
            connection.execute(sql.decode())
            shown = name.decode()
            columns = [row[1].decode() for row in connection.execute(f"PRAGMA main.table_info({_quoted(shown)})")]
            yield shown, columns


def _carry_over(connection: sqlite3.Connection, table: str, columns: list[str]) -> None:
    """Copy the rows of a table that can be read, with their numbers where they have some."""
    name, listed = _quoted(table), ", ".join(map(_quoted, columns))
    copy = f"INSERT OR IGNORE INTO main.{name} ({{0}}{listed}) SELECT {{0}}{listed} FROM old.{name} NOT INDEXED {{1}}"
    # Without a LIMIT or WHERE, SQLite would copy rows unseen, damaged ones too (its "transfer optimization").
    for numbered in ("rowid, ", ""):
        with contextlib.suppress(sqlite3.Error):
            connection.execute(copy.format(numbered, "LIMIT -1"))
            return
    for order in ("ASC", "DESC"):  # from both ends up to what is damaged
        with contextlib.suppress(sqlite3.Error):
            for (number,) in connection.execute(f"SELECT rowid FROM old.{name} NOT INDEXED ORDER BY rowid {order}"):
                with contextlib.suppress(sqlite3.Error):
                    connection.execute(copy.format("rowid, ", "WHERE rowid = ?"), (number,))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _set_aside(ruined: Ruined) -> None:
    """Give the damaged files their new names: a log that stayed behind would be taken for one of the new database."""
    real, aside = ruined.path, ruined.aside
    for suffix in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{real}{suffix}").rename(f"{aside}{suffix}")
    try:
        aside.hardlink_to(real)
    except FileExistsError:
        if not aside.samefile(real):
            raise
    except OSError:  # a file system without links
        real.rename(aside)


def _make_last(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

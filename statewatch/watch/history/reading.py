"""Reading a history's tables: entries, and the bytes of one."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from statewatch.watch.history import deltas
from statewatch.watch.history.model import Entry, HistoryError

ENTRIES: Final = (
    "SELECT number, name, at, seen_at, size, digest, before, dropped, bookmark "
    "FROM entries JOIN sources ON sources.id = entries.source"
)


class Newest(NamedTuple):
    """The newest entry of a source, with what only the tables know of it."""

    number: int
    position: int
    at: float
    seen_at: float
    digest: bytes
    before: bytes | None
    dropped: int
    bookmark: str
    noise: int


@contextmanager
def one_moment(link: sqlite3.Connection) -> Iterator[None]:
    """Let everything that is read in the block be of one moment."""
    link.execute("BEGIN")
    try:
        yield
    finally:
        link.execute("COMMIT")


def entries(link: sqlite3.Connection, rest: str, *values: Any) -> list[Entry]:
    """Return the entries that the *rest* of the query names."""
    return [entry_of(row) for row in link.execute(f"{ENTRIES} {rest}", values)]


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Return the entry that a row of `ENTRIES` holds."""
    number, name, at, seen_at, size, digest, before, dropped, bookmark = row
    came_after = before.hex() if before is not None else None
    return Entry(number, os.fsdecode(name), at, seen_at, size, digest.hex(), came_after, dropped, bookmark)


def source_of(link: sqlite3.Connection, name: str) -> int | None:
    """Return the number of a source, None for one of which nothing was ever recorded."""
    row = link.execute("SELECT id FROM sources WHERE name = ?", (os.fsencode(name),)).fetchone()
    return None if row is None else int(row[0])


def newest(link: sqlite3.Connection, source: int) -> Newest | None:
    """Return the newest entry of a source."""
    row = link.execute(
        "SELECT number, position, at, seen_at, digest, before, dropped, bookmark, noise FROM entries "
        "WHERE source = ? ORDER BY number DESC LIMIT 1",
        (source,),
    ).fetchone()
    return None if row is None else Newest(*row)


def content(link: sqlite3.Connection, source: int, position: int) -> bytes:
    """Return the bytes of a version. Raises DeltaError where it is damaged, or not there."""
    chain = deltas.chain_of(position)
    rows = link.execute(
        "SELECT position, size, payload FROM contents WHERE source = ? "
        "AND position IN (SELECT value FROM json_each(?)) ORDER BY position",
        (source, str(chain)),
    ).fetchall()
    if [row[0] for row in rows] != chain:
        raise deltas.DeltaError("a version that it leans on is not there")
    data = None
    for _, size, payload in rows:
        data = deltas.unpacked(payload, data, size)
    assert data is not None
    return data


def data_of(link: sqlite3.Connection, entry: Entry) -> bytes:
    """Return the bytes of an entry. Raises HistoryError where they are kept no longer, or damaged."""
    row = link.execute("SELECT source, position, digest FROM entries WHERE number = ?", (entry.number,)).fetchone()
    if row is None or row[2].hex() != entry.digest:
        raise HistoryError(
            f"{entry.source}: revision {entry.number} is kept no longer. `statewatch log` lists those that are.",
            missing=True,
        )
    try:
        data = content(link, row[0], row[1])
    except deltas.DeltaError as error:
        raise _damaged(entry, str(error)) from None
    if hashlib.sha256(data).digest() != row[2]:
        raise _damaged(entry, "its digest is another one")
    return data


def _damaged(entry: Entry, reason: str) -> HistoryError:
    return HistoryError(
        f"{entry.source}: revision {entry.number} is damaged in the history ({reason}). Take another one; "
        "`statewatch log` lists them."
    )

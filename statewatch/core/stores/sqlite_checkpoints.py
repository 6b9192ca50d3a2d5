"""The checkpoints in an SQLite database: rows of a table that other tools know, and beside it a table of what we know.

A row holds name, content (the rows of the namespace) and time. What it has no column for (note, maker, pin, digest,
size) is in `statewatch_checkpoints`, and is true only as long as the row is the one that was meant: another tool may
have replaced it. The time of the row would tell, but to get at that SQLite reads through the content before it, which
takes three times as long as the rest. So our rows have numbers that SQLite does not give by itself, since it counts on
from the highest: where the number is still the same, so is the row.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from statewatch.core.errors import MissingCheckpointError, RefusedError, SourceError
from statewatch.core.stores.base import Checkpoint
from statewatch.core.stores.sqlite_session import Row, Session
from statewatch.core.stores.sqlite_tables import Tables, at_of, naive
from statewatch.documents import codec
from statewatch.documents.codec import DocumentError

SCHEMA_VERSION: Final = 1
"""Of the tables `statewatch_…`."""


def listed(session: Session, tables: Tables) -> list[Checkpoint]:
    """Return all checkpoints, oldest first."""
    with session.one_moment():
        if _version(session) == SCHEMA_VERSION:
            rows = session.run(
                "SELECT c.name, c.rowid = m.row_number, "
                "m.created_at, m.made_at, m.note, m.made_by, m.pinned, m.digest, m.size "
                f"FROM {tables.checkpoints} c "
                "LEFT JOIN statewatch_checkpoints m ON m.namespace = ? AND m.name = c.name",
                (tables.namespace,),
            )
        else:
            rows = [(name, None) for (name,) in session.run(f"SELECT name FROM {tables.checkpoints}")]
        found = [_checkpoint(session, tables, row) for row in rows]
    return sorted(found, key=lambda checkpoint: (checkpoint.created_at, checkpoint.name))


def read(session: Session, tables: Tables, name: str) -> tuple[list[Row], float] | None:
    """Return the rows of a checkpoint and when it was made, or None when there is none.

    Raises SourceError when it is damaged.
    """
    found = session.run(f"SELECT state, created_at FROM {tables.checkpoints} WHERE name = ?", (name,))
    if not found:
        return None
    state, created_at = found[0]
    reason = "it is no array of rows with key, value and time"
    try:
        rows = codec.decode(state) if isinstance(state, bytes) else None
    except DocumentError as error:
        reason = str(error)
    else:
        if isinstance(rows, list) and all(_is_row(row) for row in rows):
            return [tuple(map(_bytes, row)) for row in rows if isinstance(row, list)], at_of(created_at) or 0.0
    raise SourceError(session.url, f"the checkpoint {name!r} is damaged: {reason}. Delete it, and use another one.")


def write(
    session: Session, tables: Tables, checkpoint: Checkpoint, rows: Sequence[Row], digest: str, *, replacing: bool
) -> Checkpoint:
    """Keep *rows* as a checkpoint. Raises RefusedError when there is one of that name and not *replacing*."""
    _make_tables(session, tables)
    if replacing:
        session.run(f"DELETE FROM {tables.checkpoints} WHERE name = ?", (checkpoint.name,))
    else:
        _refuse_taken(session, tables, checkpoint.name)
    state = json.dumps([[_text(column) for column in row] for row in rows])
    made = replace(checkpoint, digest=digest, size=len(state))
    session.run(
        f"INSERT INTO {tables.checkpoints} (rowid, name, state, created_at) VALUES (?, ?, ?, ?)",
        (_number(), made.name, state, naive(made.created_at)),
    )
    _annotate(session, tables, made.name, made)
    return made


def edit(session: Session, tables: Tables, name: str, change: Callable[[Checkpoint], Checkpoint]) -> Checkpoint:
    """Give a checkpoint the name, note and pin that *change* gives it."""
    _make_tables(session, tables)
    _refuse_missing(session, tables, name)
    old = next(each for each in listed(session, tables) if each.name == name)
    edited = change(old)
    if edited == old:
        return old
    if edited.name != name:
        _refuse_taken(session, tables, edited.name)
    session.run(
        f"UPDATE {tables.checkpoints} SET rowid = ?, name = ? WHERE name = ?",
        (_number(), edited.name, name),
    )
    _annotate(session, tables, name, edited)
    return edited


def delete(session: Session, tables: Tables, name: str) -> None:
    """Delete a checkpoint."""
    _make_tables(session, tables)
    _refuse_missing(session, tables, name)
    session.run(f"DELETE FROM {tables.checkpoints} WHERE name = ?", (name,))
    _forget(session, tables, name)


def _checkpoint(session: Session, tables: Tables, row: Row) -> Checkpoint:
    name, is_same, *about = row
    shown = name.decode(errors="replace")
    if not is_same:  # one that another tool made; or ours in a copy of the database, in which rows are numbered anew
        found = session.run(f"SELECT created_at FROM {tables.checkpoints} WHERE name = CAST(? AS TEXT)", (name,))
        created_at = found[0][0]
        if is_same is None or created_at != about[0]:
            return Checkpoint(shown, at_of(created_at) or 0.0)
    _, made_at, note, made_by, pinned, digest, size = about
    return Checkpoint(shown, made_at, _told(note), _told(made_by), bool(pinned), _told(digest), size)


def _version(session: Session) -> int | None:
    found = session.run("SELECT schema_version FROM statewatch_meta")
    return found[0][0] if found else None


def _make_tables(session: Session, tables: Tables) -> None:
    tables.create(session)
    version = _version(session)
    if version is None:
        session.run("CREATE TABLE IF NOT EXISTS statewatch_meta (schema_version INTEGER NOT NULL)")
        session.run("INSERT INTO statewatch_meta VALUES (?)", (SCHEMA_VERSION,))
        session.run(
            "CREATE TABLE IF NOT EXISTS statewatch_checkpoints (namespace TEXT, name TEXT, row_number INTEGER, "
            "created_at TEXT, made_at REAL, note TEXT, made_by TEXT, pinned INTEGER, digest TEXT, size INTEGER, "
            "PRIMARY KEY (namespace, name))"
        )
    elif version != SCHEMA_VERSION:
        raise RefusedError(
            f"{session.url}: its checkpoints are described in version {version} of our tables, and this statewatch "
            f"knows version {SCHEMA_VERSION}. Nothing was changed. Use the newer statewatch that made them."
        )


def _annotate(session: Session, tables: Tables, old_name: str, made: Checkpoint) -> None:
    _forget(session, tables, old_name, made.name)
    session.run(
        "INSERT INTO statewatch_checkpoints "
        "SELECT ?, name, rowid, created_at, ?, ?, ?, ?, ?, ? "
        f"FROM {tables.checkpoints} WHERE name = ?",
        (
            tables.namespace,
            made.created_at,
            _storable(made.note),
            _storable(made.by),
            made.pinned,
            made.digest,
            made.size,
            made.name,
        ),
    )


def _forget(session: Session, tables: Tables, *names: str) -> None:
    session.run_many(
        "DELETE FROM statewatch_checkpoints WHERE namespace = ? AND name = ?",
        [(tables.namespace, name) for name in names],
    )


def _is_there(session: Session, tables: Tables, name: str) -> bool:
    return bool(session.run(f"SELECT 1 FROM {tables.checkpoints} WHERE name = ?", (name,)))


def _refuse_taken(session: Session, tables: Tables, name: str) -> None:
    if _is_there(session, tables, name):
        raise RefusedError(f"{session.url}: there is a checkpoint {name!r} already. Choose another name.")


def _refuse_missing(session: Session, tables: Tables, name: str) -> None:
    if not _is_there(session, tables, name):
        raise MissingCheckpointError(session.url, name, [other.name for other in listed(session, tables)])


def _number() -> int:
    """Return the number for a row: negative, and alone in its neighbourhood."""
    return -1 - int.from_bytes(os.urandom(7))


def _is_row(row: object) -> bool:
    return isinstance(row, list) and len(row) >= 2 and isinstance(row[0], str) and isinstance(row[1], str)


def _bytes(column: object) -> object:
    return column.encode(errors="surrogatepass") if isinstance(column, str) else column


def _text(column: object) -> object:
    return column.decode(errors="replace") if isinstance(column, bytes) else column


def _storable(text: str) -> str | bytes:
    """Return *text* as SQLite takes it; what UTF-8 cannot hold stays readable for us alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")
    return text


def _told(column: Any) -> str:
    return column.decode(errors="surrogatepass") if isinstance(column, bytes) else ""

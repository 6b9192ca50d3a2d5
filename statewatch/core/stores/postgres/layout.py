"""The tables in PostgreSQL: which there are and of what types, and those that are made where there are none.

`agent_state`, `state_history` and `workflow_checkpoints` belong to other tools as well: they are made where they are
missing, and never altered. What statewatch adds is in tables of its own, whose names begin with `statewatch_`; a
comment on each says of which version they are.

A jsonb column cannot hold every JSON value as it was: it loses the order of keys, -0.0 and 1e22, and takes neither NUL
nor half of a surrogate pair. Where what it holds is not the very text that was saved, that text is kept beside, with a
digest of what the column holds: when that has changed, another tool has written since, and the column counts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString, NamedTuple, Self

from psycopg.sql import SQL, Composed, Identifier

VERSION: Final = 1
STATE, HISTORY, CHECKPOINTS = "agent_state", "state_history", "workflow_checkpoints"
NAMES, VALUES, DOCUMENTS = "statewatch_namespaces", "statewatch_values", "statewatch_checkpoints"
SESSIONS: Final = "statewatch_sessions"
_OURS = (NAMES, VALUES, DOCUMENTS, SESSIONS)
_MARK: Final = "statewatch layout "

_NEEDED: Final[Mapping[str, frozenset[str]]] = {
    STATE: frozenset({"agent_id", "state_type", "state_data"}),
    HISTORY: frozenset({"agent_id", "state_type"}),
    CHECKPOINTS: frozenset({"id", "workflow_id", "checkpoint_data", "created_at", "metadata"}),
    NAMES: frozenset({"agent_id", "name"}),
    VALUES: frozenset({"agent_id", "state_type", "digest", "value_text"}),
    DOCUMENTS: frozenset({"id", "digest", "document_text"}),
    SESSIONS: frozenset({"session", "write", "written_at"}),
}
_COLUMNS: Final[Mapping[str, LiteralString]] = {
    STATE: """
        agent_id uuid NOT NULL,
        state_type text NOT NULL,
        state_data jsonb NOT NULL,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (agent_id, state_type)""",
    HISTORY: """
        id bigserial PRIMARY KEY,
        agent_id uuid NOT NULL,
        state_type text NOT NULL,
        old_data jsonb,
        new_data jsonb,
        change_type text NOT NULL,
        changed_by text,
        "timestamp" timestamptz NOT NULL DEFAULT now()""",
    CHECKPOINTS: """
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workflow_id text NOT NULL,
        checkpoint_data jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        metadata jsonb""",
    NAMES: "agent_id uuid PRIMARY KEY, name text NOT NULL",
    VALUES: """
        agent_id uuid,
        state_type text,
        digest text NOT NULL,
        value_text text NOT NULL,
        PRIMARY KEY (agent_id, state_type)""",
    DOCUMENTS: "id text PRIMARY KEY, digest text NOT NULL, document_text text NOT NULL",
    SESSIONS: "session uuid PRIMARY KEY, write bigint NOT NULL, written_at timestamptz NOT NULL",
}

LOOK: Final = SQL("""
    SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL), a.atttypmod, a.attnotnull,
        a.atthasdef OR a.attidentity <> '', obj_description(c.oid, 'pg_class')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.relname = ANY(%(tables)s) AND c.relkind IN ('r', 'p') AND pg_catalog.pg_table_is_visible(c.oid)
        AND a.attnum > 0 AND NOT a.attisdropped""")
"""Asks for the columns of those of %(tables)s to which the search path leads. It reads the catalogue as any table, so
that in a transaction of one snapshot it tells which tables there were at the moment of the rows."""

TABLES: Final = list(_NEEDED)

_CASTS: Final = {name: SQL(name) for name in ("uuid", "jsonb", "json", "integer", "bigint")}
_NO_BACKSLASH: Final = "\0"
"""Stands for an escaped backslash, so that every other one begins an escape: a JSON text has no control characters."""
_NO_CHARACTER = re.compile(r"\\u0000|\\ud[89ab]..(?!\\ud[c-f])|(?<!\\ud[89ab]..)\\ud[c-f]..")
"""NUL, and halves of surrogate pairs."""
_NO_ASCII = re.compile(r"\\ud[89ab]..\\ud[c-f]..|\\u0000|\\u(?!00[0-7]).{4}")


class ForeignTableError(ValueError):
    """A table has the name of one of the layout, but is another; the text says so and what to do."""


class Column(NamedTuple):
    """What must be known of a column in order to write into it; `length` is that of a varchar."""

    type: str
    length: int | None
    required: bool
    filled: bool

    @property
    def cast(self) -> SQL:
        """The type to cast to: what is not one of a few is text."""
        return _CASTS.get(self.type) or SQL("text")


@dataclass(frozen=True)
class Layout:
    """The tables that are there, with their columns."""

    tables: Mapping[str, Mapping[str, Column]]

    @classmethod
    def of(cls, rows: Iterable[tuple[Any, ...]]) -> Self:
        """Return the layout from the answer to LOOK.

        Raises ForeignTableError for a table with other columns, and for one that a newer statewatch has made.
        """
        tables: dict[str, dict[str, Column]] = {}
        for table, column, kind, modifier, required, filled, comment in rows:
            _check_version(table, comment or "")
            length = modifier - 4 if kind == "character varying" and modifier > 4 else None
            tables.setdefault(table, {})[column] = Column(kind, length, required, filled)
        for table, columns in tables.items():
            if lacking := _NEEDED[table] - columns.keys():
                raise ForeignTableError(
                    f"the table {table} is another tool's: it has no column {min(lacking)}. Choose another database, "
                    "or a schema without such a table (options=-csearch_path%3DNAME in the URL)."
                )
        return cls(tables)

    def has(self, table: str) -> bool:
        """Tell whether there is such a table."""
        return table in self.tables

    @property
    def missing(self) -> list[str]:
        """The tables that are not there."""
        return [table for table in TABLES if table not in self.tables]


def makes(table: str, version: int) -> list[Composed]:
    """Return the statements that make a table, for a server of that version."""
    columns = _COLUMNS[table] if version >= 130_000 else _COLUMNS[table].replace(" DEFAULT gen_random_uuid()", "")
    made = [SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(Identifier(table), SQL(columns))]
    if table in _OURS:
        made.append(SQL("COMMENT ON TABLE {} IS {}").format(Identifier(table), f"{_MARK}{VERSION}"))
    return made


def storable(text: str, *, unicode: bool) -> str | None:
    """Return what a jsonb column can take in place of *text*, a JSON value in ASCII; None where it takes that itself.

    It has no NUL and no halves of surrogate pairs (U+FFFD stands there instead); where the database is not of Unicode,
    nothing beyond ASCII at all.
    """
    if "\\u" not in text:
        return None

    escaped = text.replace("\\\\", _NO_BACKSLASH)
    result = _NO_CHARACTER.sub(r"\\ufffd", escaped) if unicode else _NO_ASCII.sub("?", escaped)
    return None if result == escaped else result.replace(_NO_BACKSLASH, "\\\\")


def _check_version(table: str, comment: str) -> None:
    number = comment.removeprefix(_MARK)
    if table in _OURS and number != comment and number.isdigit() and int(number) > VERSION:
        raise ForeignTableError(
            f"the table {table} was made by a newer statewatch (layout {number}, this one knows {VERSION}). Update it: "
            "pip install --upgrade statewatch"
        )

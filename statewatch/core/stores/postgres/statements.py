"""The statements on the tables in PostgreSQL, made for the columns that are there.

All on keys take %(agent)s, a UUID. Values are texts of JSON in ASCII.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Final, LiteralString, TypeAlias

from psycopg.sql import SQL, Composable, Identifier, Literal

from statewatch.core.stores.postgres.layout import CHECKPOINTS, DOCUMENTS, HISTORY, STATE, VALUES, Column, Layout

Pieces: TypeAlias = "dict[str, Composable]"

_NOW: Final = SQL("statement_timestamp()")
_NONE: Final = SQL("")
_MOMENTS = ("timestamp with time zone", "timestamp without time zone")

_VALUES: Final = "SELECT a.state_type::text, {exact}, {at} FROM agent_state a {beside} WHERE a.agent_id = {agent}"
_BESIDE: Final = """
    LEFT JOIN statewatch_values v
    ON v.agent_id = %(agent)s AND v.state_type = a.state_type AND v.digest = {digest}"""
_ONE: Final = " AND a.state_type = %(key)s"
_SOME: Final = " AND a.state_type = ANY(%(keys)s)"
_SORTED: Final = ' ORDER BY a.state_type::text COLLATE "C"'
_LOCKED: Final = " FOR UPDATE OF a"
_KEYS: Final = "SELECT a.state_type::text FROM agent_state a WHERE a.agent_id = {agent}"
_ANY_OF: Final = "SELECT 1 FROM agent_state WHERE agent_id = {agent} AND state_type = ANY(%(keys)s) LIMIT 1"
_TRACE: Final = """
    SELECT count(*), sum(hashtextextended(concat_ws(' ', tableoid, ctid, xmin, state_type), 0)::numeric)::text
    FROM agent_state WHERE agent_id = {agent}"""
_WRITE: Final = """
    WITH given AS (
        SELECT key, data, data::text AS kept, exact, fresh
        FROM (
            SELECT key, coalesce(data, exact)::{json} AS data, exact, fresh
            FROM unnest(%(keys)s::text[], %(data)s::text[], %(exact)s::text[], %(fresh)s::boolean[])
                AS t (key, data, exact, fresh)
            OFFSET 0  -- so that each value is parsed once
        ) AS parsed
    ), history AS (
        INSERT INTO state_history ({history})
        SELECT {written} FROM given g LEFT JOIN agent_state a ON a.agent_id = {agent} AND a.state_type = g.key
        UNION ALL
        SELECT {dropped} FROM agent_state a WHERE a.agent_id = {agent} AND a.state_type = ANY(%(gone)s)
    ), updated AS (
        UPDATE agent_state a SET {changes} FROM given g
        WHERE NOT g.fresh AND a.agent_id = {agent} AND a.state_type = g.key
        RETURNING 1
    ), inserted AS (
        INSERT INTO agent_state ({columns}) SELECT {row} FROM given g WHERE g.fresh
        RETURNING 1
    ), deleted AS (
        DELETE FROM agent_state a WHERE a.agent_id = {agent} AND a.state_type = ANY(%(gone)s)
        RETURNING 1
    ), inexact AS (
        INSERT INTO statewatch_values (agent_id, state_type, digest, value_text)
        SELECT %(agent)s, key, {digest}, exact FROM given WHERE kept <> exact
        ON CONFLICT (agent_id, state_type) DO UPDATE SET digest = excluded.digest, value_text = excluded.value_text
    ), exact AS (
        DELETE FROM statewatch_values v USING given g
        WHERE v.agent_id = %(agent)s AND v.state_type = g.key AND g.kept = g.exact
    ), forgotten AS (
        DELETE FROM statewatch_values v WHERE v.agent_id = %(agent)s AND v.state_type = ANY(%(gone)s)
    )
    SELECT (SELECT count(*) FROM updated) + (SELECT count(*) FROM inserted) + (SELECT count(*) FROM deleted),
        pg_notify('statewatch', %(agent)s::text)"""

_CHECKPOINTS: Final = """
    SELECT c.id::text, {at}, c.metadata::text, pg_column_size(c.checkpoint_data) FROM workflow_checkpoints c
    WHERE c.workflow_id = %(workflow)s::{workflow}"""
_READ_CHECKPOINT: Final = "SELECT {exact} FROM workflow_checkpoints c {beside} WHERE c.id = %(id)s::{id}"
_CHECKPOINT_BESIDE: Final = """
    LEFT JOIN statewatch_checkpoints d ON d.id = %(id)s::text AND d.digest = {digest}"""
_WRITE_CHECKPOINT: Final = """
    WITH given AS (
        SELECT data, data::text AS kept, exact
        FROM (
            SELECT coalesce(%(data)s::text, exact)::{json} AS data, exact FROM (SELECT %(exact)s::text AS exact) AS t
            OFFSET 0
        ) AS parsed
    ), made AS (
        INSERT INTO workflow_checkpoints AS c ({names}) SELECT {values} FROM given g RETURNING c.id::text AS id
    )
    INSERT INTO statewatch_checkpoints (id, digest, document_text)
    SELECT made.id, {digest}, exact FROM made CROSS JOIN given WHERE kept <> exact"""
_EDIT_CHECKPOINT: Final = """
    UPDATE workflow_checkpoints SET metadata = %(metadata)s::{metadata} WHERE id = %(id)s::{id}"""
_DELETE_CHECKPOINT: Final = """
    WITH deleted AS (DELETE FROM workflow_checkpoints WHERE id = %(id)s::{id})
    DELETE FROM statewatch_checkpoints d
    WHERE d.id = %(id)s::text OR NOT EXISTS (SELECT FROM workflow_checkpoints c WHERE c.id::text = d.id)"""


class Statements:
    """The statements for a layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._tables = layout.tables

    # --- keys and values

    @cached_property
    def load(self) -> bytes:
        """Read %(key)s: key, value, and when it was written."""
        return self._on_keys(_VALUES + _ONE, **self._read)

    @cached_property
    def load_some_locked(self) -> bytes:
        """Read %(keys)s as `load_all` does, and lock their rows in that order."""
        return self._on_keys(_VALUES + _SOME + _SORTED + _LOCKED, **self._read)

    @cached_property
    def load_all(self) -> bytes:
        """Read all keys as `load` does, sorted by code points."""
        return self._on_keys(_VALUES + _SORTED, **self._read)

    @cached_property
    def load_all_locked(self) -> bytes:
        """Read all keys as `load_all` does, and lock their rows in this order."""
        return self._on_keys(_VALUES + _SORTED + _LOCKED, **self._read)

    @cached_property
    def keys(self) -> bytes:
        """Read the names of all keys, sorted by code points."""
        return self._on_keys(_KEYS + _SORTED)

    @cached_property
    def any_of(self) -> bytes:
        """Look for one of %(keys)s."""
        return self._on_keys(_ANY_OF)

    @cached_property
    def trace(self) -> bytes:
        """Read what differs after every write, whoever wrote: each version of a row has another place or writer."""
        return self._on_keys(_TRACE)

    @cached_property
    def write(self) -> bytes:
        """Set %(keys)s to %(exact)s, in the column to %(data)s where that is not null, and delete %(gone)s.

        What is %(fresh)s is inserted and the rest updated, so that it is an error when another tool has inserted it
        meanwhile. Of %(damaged)s the history gets no old value where that may be no JSON. Tells how many rows were
        changed.
        """
        pieces = {"json": self._tables[STATE]["state_data"].cast, "digest": _digest("kept")}
        return self._on_keys(_WRITE, **pieces, **self._state_columns(), **self._history_columns())

    def _on_keys(self, template: LiteralString, **pieces: Composable) -> bytes:
        return SQL(template).format(agent=self._agent, **pieces).as_bytes()

    @property
    def _agent(self) -> Composable:
        return _cast("%(agent)s", self._tables[STATE]["agent_id"])

    @property
    def _read(self) -> Pieces:
        """What `_VALUES` needs: the text beside the column, where it still belongs to what is in the column."""
        at = self._seconds(STATE, "a.updated_at")
        if not self.layout.has(VALUES):
            return {"at": at, "beside": _NONE, "exact": SQL("a.state_data::text")}
        beside = SQL(_BESIDE).format(digest=_digest("a.state_data::text"))
        return {"at": at, "beside": beside, "exact": SQL("coalesce(v.value_text, a.state_data::text)")}

    def _state_columns(self) -> Pieces:
        there = self._tables[STATE]
        columns, row = _listed(
            there,
            {
                "agent_id": self._agent,
                "state_type": SQL("g.key"),
                "state_data": SQL("g.data"),
                "version": SQL("1"),
                "created_at": _NOW,
                "updated_at": _NOW,
            },
        )
        changes: Pieces = {
            "state_data": SQL("g.data"),
            "version": SQL("coalesce(a.version, 0) + 1"),
            "updated_at": _NOW,
        }
        changed = [SQL("{} = {}").format(Identifier(name), value) for name, value in changes.items() if name in there]
        return {"columns": columns, "row": row, "changes": SQL(", ").join(changed)}

    def _history_columns(self) -> Pieces:
        there = self._tables[HISTORY]
        was: LiteralString = "a.state_data"
        if self._tables[STATE]["state_data"].type not in ("json", "jsonb"):  # it may hold what is no JSON at all
            was = "CASE WHEN a.state_type::text = ANY(%(damaged)s) THEN NULL ELSE a.state_data END"
        written: Pieces = {
            "agent_id": _cast("%(agent)s", there["agent_id"]),
            "state_type": SQL("g.key"),
            "old_data": _document(was, there.get("old_data")),
            "new_data": _document("g.data", there.get("new_data")),
            "change_type": SQL("CASE WHEN g.fresh THEN 'insert' ELSE 'update' END"),
            "changed_by": _cut("%(by)s::text", there.get("changed_by")),
            "timestamp": _NOW,
        }
        if "id" in there and not there["id"].filled and there["id"].type == "uuid":
            written["id"] = SQL("gen_random_uuid()")
        dropped = written | {
            "state_type": SQL("a.state_type"),
            "new_data": _document("NULL", there.get("new_data")),
            "change_type": SQL("'delete'"),
        }
        columns, values = _listed(there, written)
        return {"history": columns, "written": values, "dropped": _listed(there, dropped)[1]}

    # --- checkpoints

    @property
    def workflow_is_uuid(self) -> bool:
        """Whether checkpoints are filed under the UUID of the namespace, and not its name."""
        return self._tables[CHECKPOINTS]["workflow_id"].type == "uuid"

    @cached_property
    def checkpoints(self) -> bytes:
        """Read of all checkpoints of %(workflow)s the id, moment, metadata and size, and nothing of their content."""
        return self._on_checkpoints(_CHECKPOINTS, at=self._seconds(CHECKPOINTS, "c.created_at"))

    @cached_property
    def read_checkpoint(self) -> bytes:
        """Read the content of the checkpoint %(id)s."""
        kept: LiteralString = "c.checkpoint_data::text"
        if not self.layout.has(DOCUMENTS):
            return self._on_checkpoints(_READ_CHECKPOINT, exact=SQL(kept), beside=_NONE)
        return self._on_checkpoints(
            _READ_CHECKPOINT,
            exact=SQL("coalesce(d.document_text, c.checkpoint_data::text)"),
            beside=SQL(_CHECKPOINT_BESIDE).format(digest=_digest(kept)),
        )

    @cached_property
    def write_checkpoint(self) -> bytes:
        """Insert the checkpoint %(id)s of %(workflow)s, made at %(at)s, with %(metadata)s; content as in `write`."""
        there = self._tables[CHECKPOINTS]
        columns: Pieces = {
            "workflow_id": _cast("%(workflow)s", there["workflow_id"]),
            "checkpoint_data": SQL("g.data"),
            "created_at": SQL("to_timestamp(%(at)s)"),
            "metadata": _cast("%(metadata)s", there["metadata"]),
        }
        if there["id"].type not in ("integer", "bigint"):  # these count by themselves
            columns["id"] = _cast("%(id)s", there["id"])
        names, values = _listed(there, columns)
        return self._on_checkpoints(_WRITE_CHECKPOINT, names=names, values=values, digest=_digest("kept"))

    @cached_property
    def edit_checkpoint(self) -> bytes:
        """Give the checkpoint %(id)s %(metadata)s."""
        return self._on_checkpoints(_EDIT_CHECKPOINT)

    @cached_property
    def delete_checkpoint(self) -> bytes:
        """Delete the checkpoint %(id)s, and what is left of those that other tools have deleted."""
        return self._on_checkpoints(_DELETE_CHECKPOINT)

    def _on_checkpoints(self, template: LiteralString, **pieces: Composable) -> bytes:
        there = self._tables[CHECKPOINTS]
        casts = {
            "id": there["id"].cast,
            "workflow": there["workflow_id"].cast,
            "metadata": there["metadata"].cast,
            "json": there["checkpoint_data"].cast,
        }
        return SQL(template).format(**casts, **pieces).as_bytes()

    def _seconds(self, table: str, column: LiteralString) -> Composable:
        """Return a moment in seconds since the epoch; one without a zone is in the session's, as now() would be."""
        found = self._tables[table].get(column.partition(".")[2])
        if found is None or found.type not in _MOMENTS:
            return SQL("NULL::float8")
        return SQL("extract(epoch FROM {}::timestamptz)::float8").format(SQL(column))


def _listed(there: Mapping[str, Column], wanted: Pieces) -> tuple[Composable, Composable]:
    """Return the names of those of *wanted* that are there, and their values."""
    kept = {name: value for name, value in wanted.items() if name in there}
    return SQL(", ").join(map(Identifier, kept)), SQL(", ").join(kept.values())


def _cast(value: LiteralString, column: Column) -> Composable:
    return SQL("({})::{}").format(SQL(value), column.cast)


def _document(value: LiteralString, column: Column | None) -> Composable:
    if column is None or not column.required:
        return SQL(value) if column is None else _cast(value, column)
    return SQL("coalesce({}, 'null')").format(_cast(value, column))


def _cut(value: LiteralString, column: Column | None) -> Composable:
    if column is None or column.length is None:
        return SQL(value)
    return SQL("left({}, {})").format(SQL(value), Literal(column.length))


def _digest(text: LiteralString) -> Composable:
    """Return the SHA-256 of a text, by a function of every server since version 11, and of those in FIPS mode."""
    return SQL("encode(sha256(convert_to({}, 'UTF8')), 'hex')").format(SQL(text))

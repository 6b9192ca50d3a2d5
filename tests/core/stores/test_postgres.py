"""What is special about the store in PostgreSQL: tables that other tools share, sessions, locks, lost connections."""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.core.errors import (
    LockedError,
    RefusedError,
    SourceError,
    StatewatchError,
    UnavailableError,
)
from statewatch.core.stores.base import Revision
from statewatch.core.stores.postgres import PostgresStore
from statewatch.core.stores.postgres.layout import storable
from statewatch.core.stores.transaction import Transaction
from statewatch.core.stores.urls import open_store
from statewatch.documents.values import JSON, same
from tests.servers import PostgresServer
from tests.support import until

AGENT = "0b6f2c1e-52a1-4a7e-9d3e-3c1f3b1c9a11"

SAMPLE = """
    CREATE TABLE agent_state (
        agent_id UUID NOT NULL, state_type VARCHAR(50) NOT NULL, state_data JSONB NOT NULL, version INTEGER DEFAULT 1,
        created_at TIMESTAMP DEFAULT NOW(), updated_at TIMESTAMP DEFAULT NOW(), PRIMARY KEY (agent_id, state_type));
    CREATE TABLE state_history (
        id SERIAL PRIMARY KEY, agent_id UUID NOT NULL, state_type VARCHAR(50) NOT NULL, old_data JSONB, new_data JSONB,
        change_type VARCHAR(20), changed_by VARCHAR(12), timestamp TIMESTAMP DEFAULT NOW());
    CREATE TABLE workflow_checkpoints (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(), workflow_id UUID NOT NULL, checkpoint_data JSONB NOT NULL,
        created_at TIMESTAMP DEFAULT NOW(), metadata JSONB)"""
"""The tables as a tool makes them that knows nothing of statewatch."""

BARE = """
    CREATE TABLE agent_state (agent_id TEXT, state_type TEXT, state_data JSON, PRIMARY KEY (agent_id, state_type));
    CREATE TABLE state_history (
        id UUID NOT NULL, agent_id TEXT, state_type TEXT, old_data TEXT, new_data JSON NOT NULL, change_type TEXT);
    CREATE TABLE workflow_checkpoints (
        id BIGSERIAL, workflow_id TEXT, checkpoint_data TEXT, created_at TIMESTAMPTZ, metadata TEXT)"""
"""The same with other types, fewer columns and no defaults."""


class Tool:
    """Another program that shares the tables."""

    def __init__(self, url: str, tables: str = "") -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True)
        if tables:
            self.do(tables)

    def do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        cursor = self.connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []

    def save(self, key: str, value: JSON, agent: str = AGENT) -> None:
        """Save a state as the tools that own the layout do."""
        with self.connection.transaction():
            self.do(
                "INSERT INTO agent_state (agent_id, state_type, state_data, version) VALUES (%s, %s, %s, 1) "
                "ON CONFLICT (agent_id, state_type) DO UPDATE SET state_data = EXCLUDED.state_data, "
                "version = agent_state.version + 1, updated_at = NOW()",
                agent,
                key,
                json.dumps(value),
            )
            self.do(
                "INSERT INTO state_history (agent_id, state_type, new_data, change_type) VALUES (%s, %s, %s, 'save')",
                agent,
                key,
                json.dumps(value),
            )


@pytest.fixture
def opened() -> Iterator[Callable[..., PostgresStore]]:
    """Return what opens stores, which are closed in the end."""
    stores: list[PostgresStore] = []

    def opener(url: str, namespace: str = AGENT, timeout: float = 30.0) -> PostgresStore:
        stores.append(PostgresStore(url, namespace, timeout))
        return stores[-1]

    yield opener
    for store in stores:
        store.close()


@pytest.fixture
def tool(postgres_url: str) -> Iterator[Tool]:
    """Return another tool, with the tables as it has made them."""
    tool = Tool(postgres_url, SAMPLE)
    yield tool
    tool.connection.close()


@pytest.fixture
def store(postgres_url: str, opened: Callable[..., PostgresStore]) -> PostgresStore:
    """Return a store for the namespace of the tool."""
    return opened(postgres_url)


# --- tables that other tools own


def test_what_a_tool_has_saved_is_read(tool: Tool, store: PostgresStore) -> None:
    tool.save("progress", {"done": 3, "of": 10})
    tool.save("note", "größer")
    assert store.keys() == ["note", "progress"]
    assert store.load("progress") == {"done": 3, "of": 10}
    assert store.snapshot().document == {"note": "größer", "progress": {"done": 3, "of": 10}}


def test_reading_makes_no_table(tool: Tool, store: PostgresStore) -> None:
    tool.save("key", 1)
    store.load("key")
    store.keys()
    store.snapshot()
    store.checkpoints()
    store.wait("", 0.0)
    store.holders()
    assert tool.do("SELECT relname FROM pg_class WHERE relname LIKE 'statewatch%'") == []


def test_a_write_counts_the_version_and_fills_the_history_in(tool: Tool, store: PostgresStore) -> None:
    tool.save("progress", {"done": 3})
    store.save("progress", {"done": 4})
    store.save("other", [])
    store.delete("other")
    assert tool.do("SELECT state_type, state_data, version FROM agent_state") == [("progress", {"done": 4}, 2)]
    assert tool.do("SELECT state_type, old_data, new_data, change_type, changed_by FROM state_history ORDER BY id") == [
        ("progress", None, {"done": 3}, "save", None),
        ("progress", {"done": 3}, {"done": 4}, "update", "statewatch r"),
        ("other", None, [], "insert", "statewatch r"),
        ("other", [], None, "delete", "statewatch r"),
    ]


def test_a_write_leaves_the_moment_of_creation_and_moves_that_of_the_update(tool: Tool, store: PostgresStore) -> None:
    tool.do("INSERT INTO agent_state VALUES (%s, 'key', '1', 7, '2026-01-01', '2026-01-02')", AGENT)
    assert store.snapshot().at == datetime(2026, 1, 2, tzinfo=UTC).timestamp()
    store.save("key", 2)
    assert tool.do("SELECT version, created_at, updated_at > '2026-11-01' FROM agent_state") == [
        (8, datetime(2026, 1, 1), True)
    ]


def test_the_columns_of_the_tool_stay_as_they_are(tool: Tool, store: PostgresStore) -> None:
    columns = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_name = ANY(%s)"
    theirs = ["agent_state", "state_history", "workflow_checkpoints"]
    before = sorted(tool.do(columns, theirs))
    store.save("key", {"b": 1, "a": -0.0})
    store.checkpoint("release")
    assert sorted(tool.do(columns, theirs)) == before
    ours = "FROM pg_class WHERE relname LIKE 'statewatch%' AND relkind = 'r' ORDER BY 1"
    assert tool.do(f"SELECT relname, obj_description(oid) {ours}") == [
        ("statewatch_checkpoints", "statewatch layout 1"),
        ("statewatch_namespaces", "statewatch layout 1"),
        ("statewatch_sessions", "statewatch layout 1"),
        ("statewatch_values", "statewatch layout 1"),
    ]


def test_tables_of_other_types_do_as_well(postgres_url: str, opened: Callable[..., PostgresStore]) -> None:
    tool = Tool(postgres_url, BARE)
    tool.do("INSERT INTO agent_state VALUES (%s, 'theirs', %s)", AGENT, '{"b": 1, "a": 2}')
    store = opened(postgres_url)
    assert json.dumps(store.snapshot().document) == '{"theirs": {"b": 1, "a": 2}}'
    values: list[JSON] = [{"z": 1, "a": [-0.0, 1e22, "\0", "\ud800", 10**400]}, None, "ü"]
    for value in values:
        store.save("ours", value)
        assert same(store.load("ours"), value)
        made = store.checkpoint(replacing=True, name="release", note="with a \0")
        assert store.checkpoints() == [made]
        assert store.read_checkpoint("release") == Revision.of(store.snapshot().document, made.created_at)
    store.delete("ours")
    assert [change for (change,) in tool.do("SELECT change_type FROM state_history")] == [
        "insert",
        "update",
        "update",
        "delete",
    ]
    store.edit_checkpoint("release", new_name="shipped", pinned=True)
    assert [(made.name, made.pinned) for made in store.checkpoints()] == [("shipped", True)]
    tool.connection.close()


def test_a_tool_can_use_the_tables_that_were_made_here(postgres_url: str, store: PostgresStore) -> None:
    store.save("progress", {"done": 3})
    tool = Tool(postgres_url)
    tool.save("progress", {"done": 4})
    tool.save("theirs", 1)
    tool.do("INSERT INTO agent_state (agent_id, state_type, state_data) VALUES (%s, 'least', '2')", AGENT)
    tool.do("INSERT INTO workflow_checkpoints (workflow_id, checkpoint_data) VALUES (%s, '{\"a\": 1}')", AGENT)
    assert store.snapshot().document == {"least": 2, "progress": {"done": 4}, "theirs": 1}
    (made,) = store.checkpoints()
    assert store.read_checkpoint(made.name).document == {"a": 1}
    assert abs(made.created_at - time.time()) < 100
    tool.connection.close()


def test_a_null_of_a_tool_is_null(postgres_url: str, opened: Callable[..., PostgresStore]) -> None:
    tool = Tool(postgres_url, BARE)
    tool.do("INSERT INTO agent_state VALUES (%s, 'key', NULL)", AGENT)
    store = opened(postgres_url)
    assert store.load("key") is None
    store.save("key", 1)
    assert store.load("key") == 1
    tool.connection.close()


def test_what_is_no_json_is_named(postgres_url: str, opened: Callable[..., PostgresStore]) -> None:
    tool = Tool(postgres_url, BARE.replace("state_data JSON", "state_data TEXT"))
    tool.do("INSERT INTO agent_state VALUES (%s, 'bad', '{\"a\": 1, \"a\": 2}'), (%s, 'good', '1')", AGENT, AGENT)
    store = opened(postgres_url)
    with pytest.raises(SourceError, match=r"'bad' cannot be read: .*'a' occurs twice") as caught:
        store.load("bad")
    assert store.url in str(caught.value)
    assert store.load("good") == 1
    with pytest.raises(SourceError):
        store.snapshot()
    tool.do("UPDATE agent_state SET state_data = '{half' WHERE state_type = 'bad'")
    store.save("bad", 2)
    assert store.snapshot().document == {"bad": 2, "good": 1}
    tool.do("UPDATE agent_state SET state_data = '{half' WHERE state_type = 'bad'")
    store.delete("bad")
    assert store.keys() == ["good"]
    tool.connection.close()


def test_a_number_too_large_for_a_float_is_an_error_and_not_infinity(tool: Tool, store: PostgresStore) -> None:
    tool.do("INSERT INTO agent_state VALUES (%s, 'key', '1.5e400')", AGENT)
    assert store.load("key") == 15 * 10**399  # numeric has no exponent
    tool.do("UPDATE agent_state SET state_data = '[1.5e-400, 1e300, 2.50]'")
    assert store.load("key") == [0.0, 10**300, 2.5]


def test_a_table_of_the_same_name_that_is_another_is_refused(
    postgres_url: str, opened: Callable[..., PostgresStore]
) -> None:
    tool = Tool(postgres_url, "CREATE TABLE agent_state (id serial, name text)")
    store = opened(postgres_url)
    for use in (store.keys, store.snapshot, lambda: store.save("key", 1)):
        with pytest.raises(SourceError, match=r"agent_state is another tool's: it has no column agent_id"):
            use()
    tool.do("DROP TABLE agent_state; CREATE VIEW agent_state AS SELECT 1 AS x")
    with pytest.raises(SourceError, match="no table"):
        store.save("key", 1)
    tool.connection.close()


def test_tables_of_a_newer_statewatch_are_not_touched(tool: Tool, store: PostgresStore) -> None:
    store.save("key", 1)
    store.close()
    tool.do("COMMENT ON TABLE statewatch_values IS 'statewatch layout 2'")
    for use in (store.keys, store.checkpoints, lambda: store.save("key", 2)):
        with pytest.raises(SourceError, match="newer statewatch"):
            use()
    assert tool.do("SELECT state_data FROM agent_state") == [(1,)]


def test_tables_that_are_made_anew_are_seen(tool: Tool, store: PostgresStore) -> None:
    store.save("key", {"z": 1, "a": 2})
    tool.do("DROP TABLE agent_state, state_history, workflow_checkpoints, statewatch_values")
    assert store.keys() == []
    store.save("key", {"z": 2, "a": 2})
    assert json.dumps(store.load("key")) == '{"z": 2, "a": 2}'
    tool.do("ALTER TABLE agent_state ALTER state_data TYPE json, ALTER agent_id TYPE text")
    store.save("key", {"z": 3, "a": 2})
    assert json.dumps(store.load("key")) == '{"z": 3, "a": 2}'


def test_a_key_that_the_column_is_too_short_for_is_refused(tool: Tool, store: PostgresStore) -> None:
    with pytest.raises(RefusedError, match="too short"):
        store.save("k" * 51, 1)
    assert store.keys() == []


def test_the_schema_of_the_user_is_respected(
    postgres_url: str, tool: Tool, opened: Callable[..., PostgresStore]
) -> None:
    tool.do("CREATE SCHEMA mine")
    tool.save("key", "public")
    store = opened(f"{postgres_url}?options=-csearch_path%3Dmine")
    store.save("key", "mine")
    assert store.load("key") == "mine"
    assert tool.do("SELECT state_data FROM mine.agent_state") == [("mine",)]
    assert tool.do("SELECT state_data FROM public.agent_state") == [("public",)]


def test_a_namespace_is_a_uuid_or_becomes_one_that_is_noted(
    postgres_url: str, tool: Tool, opened: Callable[..., PostgresStore]
) -> None:
    opened(postgres_url, "wf-1").save("key", 1)
    opened(postgres_url, AGENT).save("key", 2)
    assert opened(postgres_url, AGENT.upper()).load("key") == 2
    derived = "8769fcc9-78f3-5a80-8f13-b86b7c6c03aa"  # for ever: else nobody would find it any more
    assert tool.do("SELECT agent_id::text, state_data FROM agent_state ORDER BY 2") == [(derived, 1), (AGENT, 2)]
    assert sorted(tool.do("SELECT agent_id::text, name FROM statewatch_namespaces")) == [
        (AGENT, AGENT),
        (derived, "wf-1"),
    ]


# --- values that jsonb cannot hold


def test_a_value_is_exact_until_a_tool_writes_another(tool: Tool, store: PostgresStore) -> None:
    value: JSON = {"zeta": [-0.0, 1e22, 1e-7], "a": "\0\ud800", "b": {"a\0": 1, "a\ufffd": 2}}
    store.save("key", value)
    assert json.dumps(store.load("key")) == json.dumps(value)
    tool.do("UPDATE agent_state SET version = version + 1")
    assert json.dumps(store.load("key")) == json.dumps(value)
    tool.do("UPDATE agent_state SET state_data = state_data || '{\"c\": 1}'")
    assert store.load("key") == {"zeta": [0.0, 10**22, 1e-07], "a": "\ufffd\ufffd", "b": {"a\ufffd": 2}, "c": 1}
    store.update("key", lambda found: {**found, "d": 2} if isinstance(found, dict) else None)
    assert [*json.loads(json.dumps(store.load("key")))] == ["a", "b", "c", "zeta", "d"]


def test_what_jsonb_takes_for_equal_is_told_apart(tool: Tool, store: PostgresStore) -> None:
    values: list[JSON] = [1e22, 10**22, -0.0, 0.0, 0, {"bb": 1, "a": 2}, "\0", "\ufffd", 1.0, 1]
    for value in values:
        store.save("key", value)
        assert same(store.load("key"), value)
        assert json.dumps(store.load("key")) == json.dumps(value)
        assert same(store.snapshot().document, {"key": value})
    store.save("key", 1e22)
    store.delete("key")
    tool.save("key", 10**22)
    assert same(store.load("key"), 10**22)


def test_only_what_is_not_exact_is_kept_twice(tool: Tool, store: PostgresStore) -> None:
    store.transact(
        lambda transaction: transaction.save_all({"plain": {"a": [1, 0.5, "x"]}, "moved": {"bb": 1, "a": 2}})
    )
    assert tool.do("SELECT state_type FROM statewatch_values") == [("moved",)]
    store.save("moved", 1)
    assert tool.do("SELECT state_type FROM statewatch_values") == []


def test_a_database_that_is_not_of_unicode_holds_every_value(
    postgres_server: PostgresServer, opened: Callable[..., PostgresStore]
) -> None:
    admin = Tool(postgres_server.url)
    admin.do("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        store = opened(postgres_server.url_of("latin"), "wf-1")
        store.save("größe", "größer als 日本 😀 \0 \ud800")
        assert store.load("größe") == "größer als 日本 😀 \0 \ud800"
        store.checkpoint("größer", note="日本")
        assert store.read_checkpoint("größer").document == store.snapshot().document
        assert store.checkpoints()[0].note == "日本"
        with pytest.raises(RefusedError, match="encoding"):
            store.save("日本", 1)
        store.close()
    finally:
        admin.do("DROP DATABASE latin WITH (FORCE)")
        admin.connection.close()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
HALVES = st.characters(codec=None, categories=["Cs", "Lu", "Cc"])


@given(JSON_VALUES | st.text(HALVES | st.sampled_from("\\u0\ud83d\ude00\0")))
def test_what_stands_in_for_a_text_is_the_same_but_for_what_jsonb_cannot_hold(value: JSON) -> None:
    text = json.dumps(value)
    stored = storable(text, unicode=True)
    expected = re.sub("[\ud800-\udfff]", "\ufffd", json.loads(text)) if isinstance(value, str) else None
    if stored is None:
        assert not re.search(
            "[\0\ud800-\udfff]", json.dumps(json.loads(text), ensure_ascii=False).replace("\\u0000", "\0")
        )
    else:
        json.loads(stored)
        if expected is not None:
            assert json.loads(stored) == expected.replace("\0", "\ufffd")
    plain = storable(text, unicode=False)
    assert plain is None or not re.search(r"[^\x01-\x7f]", json.dumps(json.loads(plain), ensure_ascii=False))


# --- other programs write at the same time


def test_a_writer_that_knows_no_lock_waits_for_a_row_that_a_transaction_has_read(
    tool: Tool, store: PostgresStore
) -> None:
    tool.save("count", 1)
    with ThreadPoolExecutor(1) as pool:

        def body(transaction: Transaction) -> None:
            count = transaction.load("count")
            assert isinstance(count, int)
            theirs.append(
                pool.submit(tool.do, "UPDATE agent_state SET state_data = to_jsonb(state_data::int + 10) RETURNING 1")
            )
            until(lambda: waiting(store) == 1, "the other program waits")
            transaction.save("count", count + 1)

        theirs: list[Any] = []
        store.transact(body)
        assert theirs[0].result() == [(1,)]
    assert store.load("count") == 12


def waiting(store: PostgresStore) -> int:
    """Count who waits for a lock in the database of a store."""
    return store._database.read(
        lambda session: int(session.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0]), "look"
    )


def test_a_transaction_waits_for_a_writer_that_knows_no_lock(tool: Tool, store: PostgresStore) -> None:
    tool.save("count", 1)
    with ThreadPoolExecutor(1) as pool:
        with tool.connection.transaction():
            tool.do("UPDATE agent_state SET state_data = '10'")
            ours = pool.submit(store.update, "count", lambda count: [count, "and one"])
            until(lambda: waiting(store) == 1, "the store waits")
        assert ours.result() == [10, "and one"]


@pytest.mark.parametrize("read", ["load", "keys", "document"])
def test_a_key_that_another_program_inserts_meanwhile_makes_the_transaction_run_again(
    tool: Tool, store: PostgresStore, read: str
) -> None:
    seen: list[bool] = []

    def body(transaction: Transaction) -> None:
        found = {
            "load": lambda: transaction.load("theirs", 0) == 1,
            "keys": lambda: transaction.keys() == ["theirs"],
            "document": lambda: "theirs" in transaction.document(),
        }[read]()
        if not seen:
            tool.save("theirs", 1)
        seen.append(found)
        transaction.save("ours", found)

    store.transact(body)
    assert seen == [False, True]
    assert store.snapshot().document == {"ours": True, "theirs": 1}


def test_a_key_that_both_insert_is_inserted_once_and_then_changed(tool: Tool, store: PostgresStore) -> None:
    runs = []

    def body(transaction: Transaction) -> None:
        runs.append(transaction.load("count", 0))
        if len(runs) == 1:
            tool.save("count", 5)
        transaction.save("count", [runs[-1]])

    store.transact(body)
    assert runs == [0, 5]
    assert store.load("count") == [5]
    assert tool.do("SELECT version FROM agent_state") == [(2,)]


def test_a_key_that_another_program_deletes_after_the_keys_were_listed_is_noticed(
    tool: Tool, store: PostgresStore
) -> None:
    tool.save("one", 1)
    tool.save("two", 2)
    seen = []

    def body(transaction: Transaction) -> None:
        seen.append(transaction.keys())
        tool.do("DELETE FROM agent_state WHERE state_type = 'two'")
        transaction.save("count", len(seen[-1]))

    store.transact(body)
    assert seen == [["one", "two"], ["one"]]
    assert store.load("count") == 1


def test_a_body_sees_one_state_of_things_or_runs_again(tool: Tool, store: PostgresStore) -> None:
    runs = []

    def body(transaction: Transaction) -> None:
        runs.append(transaction.load("theirs", None))
        if len(runs) == 1:
            tool.save("theirs", 1)
        pairs.append((runs[-1], transaction.document().get("theirs")))

    pairs: list[tuple[JSON, JSON]] = []
    store.transact(body)
    assert runs == [None, 1]
    assert pairs == [(1, 1)]  # the first run ended before it could see both


@pytest.mark.parametrize("writes", [True, False])
def test_a_body_that_takes_no_notice_runs_again_all_the_same(tool: Tool, store: PostgresStore, writes: bool) -> None:
    runs = []

    def body(transaction: Transaction) -> None:
        runs.append(transaction.load("theirs", None))
        if len(runs) == 1:
            tool.save("theirs", 1)
        with suppress(StatewatchError):
            transaction.document()
        if writes:
            transaction.save("ours", runs[-1])

    store.transact(body)
    assert runs == [None, 1]
    assert store.load("ours", 1) == 1


def test_a_body_that_takes_no_notice_of_a_lock_is_not_half_done(
    tool: Tool, postgres_url: str, opened: Callable[..., PostgresStore]
) -> None:
    tool.save("held", 1)
    store = opened(postgres_url, timeout=0.2)

    def body(transaction: Transaction) -> None:
        with suppress(StatewatchError):
            transaction.load("held")
        transaction.save("ours", 1)

    with tool.connection.transaction():
        tool.do("UPDATE agent_state SET state_data = '2'")
        with pytest.raises(LockedError):
            store.transact(body)
    assert store.keys() == ["held"]


def test_a_reader_that_sees_no_tables_of_ours_sees_no_values_that_need_them(tool: Tool, store: PostgresStore) -> None:
    tool.save("key", "theirs")
    with store._database._sessions.lend() as session, session.one_moment() as statements:
        with PostgresStore(tool.url, AGENT, 30) as other:
            other.save("key", {"b": -0.0, "a": 1})
        rows = session.execute(statements.load_all, {"agent": uuid.UUID(AGENT)})
    assert [row[:2] for row in rows] == [("key", '"theirs"')]
    assert json.dumps(store.load("key")) == '{"b": -0.0, "a": 1}'


def test_a_deadlock_with_another_program_is_resolved(tool: Tool, store: PostgresStore) -> None:
    tool.do("SET deadlock_timeout = '1h'")  # so that it is the store that is sacrificed
    tool.save("one", 1)
    tool.save("two", 1)
    runs = []

    def body(transaction: Transaction) -> None:
        runs.append(transaction.load("one"))
        if len(runs) == 1:
            begun.set()
            until(lambda: waiting(store) == 1, "the other program waits for the first row")
        transaction.save("two", [transaction.load("two"), runs[-1]])

    def theirs() -> None:
        with tool.connection.transaction():
            tool.do("UPDATE agent_state SET state_data = '2' WHERE state_type = 'two'")
            assert begun.wait(30)
            tool.do("UPDATE agent_state SET state_data = '2' WHERE state_type = 'one'")

    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(theirs)
        until(lambda: bool(store.snapshot()) and row_is_locked(store), "the other program has the second row")
        store.transact(body)
        other.result()
    assert runs == [1, 2]
    assert store.snapshot().document == {"one": 2, "two": [2, 2]}


def row_is_locked(store: PostgresStore) -> bool:
    """Tell whether another program has changed rows and not committed."""
    return store._database.read(
        lambda session: bool(
            session.execute(
                "SELECT 1 FROM pg_locks WHERE relation = 'agent_state'::regclass AND mode = 'RowExclusiveLock'"
            )
        ),
        "look",
    )


def test_a_row_that_a_trigger_keeps_from_being_written_is_no_success(tool: Tool, store: PostgresStore) -> None:
    tool.do(
        "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER skip BEFORE INSERT ON agent_state FOR EACH ROW EXECUTE FUNCTION skip()"
    )
    with pytest.raises(RefusedError, match="0 of 1 rows"):
        store.save("key", 1)


# --- errors of the server


def failing(tool: Tool, state: str, times: int) -> None:
    """Make the next *times* writes fail with that SQLSTATE."""
    tool.do(
        f"""CREATE SEQUENCE failures;
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('failures') <= {times} THEN
                RAISE EXCEPTION 'as the test wants' USING ERRCODE = '{state}';
            END IF;
            RETURN NEW; END $$;
        CREATE TRIGGER fail BEFORE INSERT ON agent_state FOR EACH ROW EXECUTE FUNCTION fail()"""
    )


@pytest.mark.parametrize("state", ["40001", "40P01", "57P03", "53300"])
def test_what_may_pass_is_tried_again_and_done_once(tool: Tool, store: PostgresStore, state: str) -> None:
    failing(tool, state, 2)
    store.save("key", 1)
    assert tool.do("SELECT version FROM agent_state") == [(1,)]
    assert tool.do("SELECT count(*) FROM state_history") == [(1,)]
    assert tool.do("SELECT last_value FROM failures") == [(3,)]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("53100", "disk of the server is full"),
        ("42501", "GRANT"),
        ("25006", "takes no writes"),
        ("23514", "as the test wants"),
        ("P0001", "as the test wants"),
        ("42804", "as the test wants"),
    ],
)
def test_what_does_not_pass_is_refused_at_once(tool: Tool, store: PostgresStore, state: str, said: str) -> None:
    failing(tool, state, 1_000)
    began = time.monotonic()
    with pytest.raises(RefusedError, match=said) as caught:
        store.save("key", 1)
    assert time.monotonic() - began < 10
    assert str(caught.value).startswith(f"{store.url}: cannot save key: ")
    assert "Nothing was changed" in str(caught.value)
    assert store.keys() == []
    assert tool.do("SELECT last_value <= 2 FROM failures") == [(True,)]


def test_what_does_not_pass_in_time_is_given_up(
    tool: Tool, opened: Callable[..., PostgresStore], postgres_url: str
) -> None:
    failing(tool, "40001", 1_000_000)
    with pytest.raises(UnavailableError, match="as the test wants"):
        opened(postgres_url, timeout=0.3).save("key", 1)


def test_a_user_without_rights_is_told_what_to_ask_for(
    tool: Tool, postgres_url: str, opened: Callable[..., PostgresStore]
) -> None:
    tool.save("key", 1)
    tool.do(
        "DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN; GRANT SELECT ON agent_state TO guest;"
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    )
    try:
        guest = opened(postgres_url.replace("postgres@", "guest@"))
        assert guest.load("key") == 1
        with pytest.raises(RefusedError, match=r"cannot save key: .*GRANT.*permission denied"):
            guest.save("key", 2)
        with pytest.raises(SourceError, match="permission denied"):
            guest.checkpoints()
        guest.close()
    finally:
        tool.do("DROP OWNED BY guest; DROP ROLE guest")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url + "_not", "does not exist"),
        (lambda url: url.replace("postgres@", "nobody_known:hunter2@"), "nobody_known"),
        (lambda url: url.replace("127.0.0.1", "no.such.host.invalid"), "resolve host"),
        (lambda url: re.sub(":[0-9]+/", ":port/", url.replace("postgres@", "user:hunter2@")), "invalid integer"),
    ],
)
def test_an_address_that_leads_nowhere_is_said_at_once(
    postgres_url: str, opened: Callable[..., PostgresStore], change: Callable[[str], str], said: str
) -> None:
    store = opened(change(postgres_url))
    for use in (store.keys, lambda: store.save("key", 1)):
        with pytest.raises(SourceError, match=said) as caught:
            use()
        assert not isinstance(caught.value, UnavailableError)
        assert "hunter2" not in str(caught.value)


def test_options_of_the_address_reach_the_server_as_they_are_written(postgres_url: str) -> None:
    url = f"{postgres_url}?namespace=a+b&options=-c%20work_mem%3D77kB%20-c%20search_path%3Dpublic&application_name=x+y"
    with open_store(url) as store:
        assert isinstance(store, PostgresStore)
        assert store.namespace == "a b"
        assert store.url.startswith(url.replace("namespace=a+b&", ""))
        assert store._database.read(lambda session: session.execute("SHOW work_mem"), "look") == [("77kB",)]
        store.save("key", 1)
        with open_store(store.url) as again:
            assert again.load("key") == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@host/x?nonsense=1",
        "postgresql://user:hunt@er2@host/x",
        "postgresql://user:%zzhunter2@host/x",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(RefusedError) as caught:
        PostgresStore(url, "wf", 1.0)
    assert "hunt" not in str(caught.value)
    assert "er2" not in str(caught.value)


def test_a_database_that_is_read_only_can_be_read(
    tool: Tool, postgres_url: str, opened: Callable[..., PostgresStore]
) -> None:
    tool.save("key", 1)
    store = opened(f"{postgres_url}?options=-cdefault_transaction_read_only%3Don")
    assert store.load("key") == 1
    assert store.wait(store.snapshot().digest, 0.01) is False
    with pytest.raises(RefusedError, match="takes no writes"):
        store.save("key", 2)


def test_the_environment_names_the_server(
    postgres_url: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(postgres_server.port))
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("PGDATABASE", postgres_url.rpartition("/")[2])
    with open_store("postgresql://?namespace=wf") as store:
        assert store.url == "postgresql://?namespace=wf"
        store.save("key", 1)
    with open_store(f"{postgres_url}?namespace=wf") as other:
        assert other.load("key") == 1

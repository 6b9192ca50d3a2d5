"""The SQLite store shares its tables with tools that know nothing of it, and keeps what it adds beside theirs."""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from statewatch.core.errors import RefusedError
from statewatch.core.stores.base import Checkpoint
from statewatch.core.stores.sqlite import SqliteStore, located
from statewatch.core.stores.urls import open_store
from tests.core.stores.sqlite_tool import Tool


def schema(tool: Tool) -> list[Any]:
    return tool.rows("SELECT name, sql FROM sqlite_master WHERE name IN ('state', 'checkpoints') ORDER BY name")


# --- together with the tools of the layout


def test_what_a_tool_wrote_is_there_and_it_reads_what_we_write(store: SqliteStore, tool: Tool) -> None:
    tool.save("phase", {"name": "bäuen", "step": 2})
    tool.save("nothing", None)
    assert store.snapshot().document == {"nothing": None, "phase": {"name": "bäuen", "step": 2}}
    assert abs((store.snapshot().at or 0) - time.time()) < 60, "its times are in UTC"
    store.save("phase", {"name": "prüfen", "step": 3})
    store.save("done", value=True)
    store.delete("nothing")
    assert tool.rows("SELECT key, value FROM state ORDER BY key") == [
        ("done", "true"),
        ("phase", '{"name": "pr\\u00fcfen", "step": 3}'),
    ]


def test_a_value_that_changes_keeps_its_row_and_the_others_are_left_alone(store: SqliteStore, tool: Tool) -> None:
    for key in ("a", "b", "c"):
        tool.save(key, 1)
    before = tool.rows("SELECT rowid, * FROM state ORDER BY key")
    store.save("b", 2)
    after = tool.rows("SELECT rowid, * FROM state ORDER BY key")
    assert [row[:2] for row in after] == [row[:2] for row in before]
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1][3] > before[1][3]
    assert len(after[1][3]) in (19, 26)
    assert after[1][3][10] == "T"


def test_the_tables_of_the_layout_are_never_altered(store: SqliteStore, tool: Tool) -> None:
    before = schema(tool)
    store.save("key", 1)
    store.checkpoint("before-deploy", note="mine")
    assert schema(tool) == before
    ours = {name for (name,) in tool.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert ours - {"state", "checkpoints"} == {"statewatch_meta", "statewatch_checkpoints"}


def test_no_table_of_ours_is_made_before_there_is_something_in_it(store: SqliteStore, tool: Tool) -> None:
    store.save("key", 1)
    assert store.checkpoints() == []
    assert tool.rows("SELECT count(*) FROM sqlite_master WHERE name LIKE 'statewatch%'") == [(0,)]


def test_a_database_we_made_has_the_tables_that_a_tool_makes(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    store.save("key", 1)
    theirs = Tool(tmp_path / "theirs.db")
    ours = Tool(path)
    assert [(name, sql.replace('"', "")) for name, sql in schema(ours)] == schema(theirs)
    ours.close()
    theirs.close()


def test_a_tool_restores_our_checkpoint_and_we_read_its(store: SqliteStore, tool: Tool) -> None:
    tool.save("key", [1, 2])
    store.checkpoint("ours")
    tool.checkpoint("theirs")
    store.save("key", "changed")
    store.save("later", 1)
    tool.restore("ours")
    assert store.snapshot().document == {"key": [1, 2]}
    assert store.read_checkpoint("theirs").document == {"key": [1, 2]}
    assert store.verify_checkpoint("theirs")


def test_the_checkpoint_of_a_tool_is_listed_without_what_it_does_not_say(store: SqliteStore, tool: Tool) -> None:
    tool.save("key", 1)
    tool.checkpoint("theirs")
    made = store.find_checkpoint("theirs")
    assert made == Checkpoint("theirs", made.created_at)
    assert abs(made.created_at - time.time()) < 60
    assert not made.foreign, "it is of this layout, so it may be renamed, pinned and deleted"
    store.edit_checkpoint("theirs", new_name="known good", note="before the deploy", pinned=True)
    assert store.find_checkpoint("known good") == Checkpoint(
        "known good", made.created_at, "before the deploy", pinned=True
    )
    assert tool.rows("SELECT name FROM checkpoints") == [("known good",)]


def test_a_checkpoint_that_a_tool_replaced_is_no_longer_what_we_said_about_it(store: SqliteStore, tool: Tool) -> None:
    """SQLite gives the row of the newest one the same number again, if it gave that itself."""
    tool.save("key", 1)
    for name in ("first", "second", "newest"):
        tool.checkpoint(name)
        store.edit_checkpoint(name, note="mine")
    for name in ("made first", "made second", "made newest"):
        store.checkpoint(name, note="mine", pinned=True)
    assert {made.note for made in store.checkpoints()} == {"mine"}
    for made in store.checkpoints():
        tool.save("key", made.name)
        tool.checkpoint(made.name)
        tool.checkpoint("another")
        found = store.find_checkpoint(made.name)
        assert (found.note, found.pinned, found.digest) == ("", False, "")
        assert store.read_checkpoint(made.name).document == {"key": made.name}


def test_what_we_say_about_checkpoints_survives_a_copy_that_numbers_the_rows_anew(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    store.save("key", 1)
    made = [store.checkpoint(name, note=f"note on {name}", by="ada", pinned=True) for name in ("one", "two")]
    store.close()
    copied = tmp_path / "copy.db"
    with sqlite3.connect(path) as old, sqlite3.connect(copied) as new:
        new.executescript("\n".join(old.iterdump()))
    old.close()
    new.close()
    with SqliteStore(copied) as copy:
        assert copy.checkpoints() == made
        copy.delete("key")
        assert copy.read_checkpoint("two").document == {"key": 1}


def test_tables_of_a_newer_statewatch_are_left_alone(store: SqliteStore, tool: Tool) -> None:
    store.save("key", 1)
    store.checkpoint("one", note="mine")
    tool.connection.execute("UPDATE statewatch_meta SET schema_version = 9")
    tool.connection.commit()
    assert [made.name for made in store.checkpoints()] == ["one"]
    with pytest.raises(RefusedError, match="version 9"):
        store.checkpoint("two")
    with pytest.raises(RefusedError, match="version 9"):
        store.edit_checkpoint("one", note="new")
    store.save("key", 2)
    assert store.read_checkpoint("one").document == {"key": 1}


def test_a_note_may_hold_what_utf8_cannot(store: SqliteStore) -> None:
    store.save("key", 1)
    made = store.checkpoint("one", note="from a file name: \udcff\0", by="ada")
    store.close()
    assert store.checkpoints() == [made]


def test_json_of_a_checkpoint_is_what_the_layout_says(store: SqliteStore, tool: Tool) -> None:
    tool.save("key", {"a": "ä"})
    store.checkpoint("one")
    ((state, created_at),) = tool.rows("SELECT state, created_at FROM checkpoints")
    assert json.loads(state) == [list(row) for row in tool.rows("SELECT key, value, timestamp FROM state")]
    assert created_at[10] == "T"
    assert "+" not in created_at
    assert store.checkpoints()[0].size == len(state)


# --- where a namespace is


@pytest.mark.parametrize(
    ("place", "namespace", "expected", "table"),
    [
        ("new", "wf-1", "new/wf-1/state.db", '"state"'),
        ("directory.d", "default", "directory.d/default/state.db", '"state"'),
        ("new.db", "default", "new.db", '"state"'),
        ("new.db", "wf-1", "new.db", '"state:wf-1"'),
        ("file", "default", "file", '"state"'),
        ("wf-1/state.db", "default", "wf-1/state.db", '"state"'),
        ("wf-1/state.db", "wf-1", "wf-1/state.db", '"state"'),
        ("wf-1/state.db", "WF-1", "wf-1/state.db", '"state:^w^f-1"'),
        ("wf-1/other.db", "wf-1", "wf-1/other.db", '"state:wf-1"'),
    ],
)
def test_the_place_tells_file_and_tables(tmp_path: Path, place: str, namespace: str, expected: str, table: str) -> None:
    (tmp_path / "directory.d").mkdir()
    (tmp_path / "file").touch()
    path, tables = located(tmp_path / place, namespace)
    assert (path, tables.state) == (tmp_path / expected, table)


def test_one_file_may_hold_namespaces_that_differ_only_in_case(tmp_path: Path) -> None:
    """None such is made, but they are told apart where they are there already."""
    with sqlite3.connect(tmp_path / "all.db") as connection:
        for name in ("wf", "^wf", "^w^f"):
            connection.execute(f'CREATE TABLE "state:{name}" (key TEXT PRIMARY KEY, value TEXT, timestamp TEXT)')
    connection.close()
    stores = [SqliteStore(tmp_path / "all.db", name) for name in ("default", "wf", "Wf", "WF")]
    for store in stores:
        store.save("name", store.namespace)
        store.checkpoint("one", note=store.namespace)
    for store in stores:
        assert store.snapshot().document == {"name": store.namespace}
        assert [made.note for made in store.checkpoints()] == [store.namespace]
        store.close()


@pytest.mark.parametrize("place", ["state", "state/wf-1/state.db", "all.db"])
def test_the_url_opens_the_same_namespace_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with SqliteStore(Path(place), "wf-1") as store:
        monkeypatch.chdir("/")
        for url in (store.url, store.source):
            with open_store(url) as before:
                assert before.keys() == []
        store.save("key", url)
        for url in (store.url, store.source):
            with open_store(url) as again:
                assert again.load("key") == store.source
                assert again.source == store.source


def test_a_namespace_has_one_source_however_it_is_named(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    store.save("key", 1)
    (tmp_path / "link").symlink_to(path)
    for other in (path, tmp_path / "link"):
        assert SqliteStore(other).source == store.source
    assert SqliteStore(path, "other").source != store.source


def test_a_symbolic_link_is_written_through(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere / "real.db")
    store.save("key", 1)
    assert path.is_symlink()
    with SqliteStore(elsewhere / "real.db") as real:
        assert real.load("key") == 1


def test_a_name_no_file_can_have_is_refused() -> None:
    with pytest.raises(RefusedError, match="cannot be the name of a file"):
        open_store("sqlite:/tmp/a%00b.db")

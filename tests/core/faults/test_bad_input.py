"""Whatever is in a file, or comes as a value or a name: it is told, never with a traceback, and damages nothing."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from statewatch.cli.main import cli
from statewatch.core.actions import perform, preview
from statewatch.core.errors import MissingCheckpointError, RefusedError, StatewatchError
from statewatch.core.migration import migrate
from statewatch.core.restoring import candidates, damage, restore, restore_action
from statewatch.core.stores.base import Checkpoint
from statewatch.core.undo import last_action, undo_action
from statewatch.documents.values import JSON, same
from tests.core.faults.inputs import BROKEN, LARGE, NO_NAMES, NOT_JSON, ODD
from tests.core.faults.operations import World, setting


def snapshot(world: World) -> dict[str, bytes]:
    """Return all that is in the world but locks and our own log."""
    return {
        name: (world.root / name).read_bytes()
        for name in world.files()
        if name.startswith(("data", "own", ".claude")) and not name.endswith("-lock") and "audit" not in name
    }


EVERYTHING: dict[str, Callable[[World], object]] = {
    "load": lambda world: world.store().load("a"),
    "keys": lambda world: world.store().keys(),
    "snapshot": lambda world: world.store().snapshot(),
    "save": lambda world: world.store().save("new", 1),
    "delete": lambda world: world.store().delete("a"),
    "update": lambda world: world.store().update("a", lambda value: value),
    "swap": lambda world: world.store().compare_and_swap("0" * 64, lambda transaction: transaction.save("a", 1)),
    "checkpoint": lambda world: world.store().checkpoint("new"),
    "preview": lambda world: preview(setting(world.store(), "a", 5)),
    "act": lambda world: perform(setting(world.store(), "a", 5), settle_for=0),
    "restore": lambda world: restore(restore_action(world.store(), "first"), settle_for=0),
    "undo": lambda world: perform(undo_action(last_action([world.store().source])), settle_for=0),
    "migrate": lambda world: migrate(world.store(), world.open("other")),
    "migrate to it": lambda world: migrate(world.open("empty"), world.store(), overwrite=True),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, "keyed")
    with made.entered():
        made.furnish()
    return made


def run(world: World, *arguments: str) -> Result:
    """Run the program in this process, and make sure that it ended as programs should."""
    result = CliRunner().invoke(cli, arguments, input="")
    crashed = result.exception is not None and not isinstance(result.exception, SystemExit)
    assert not crashed, f"{arguments}: {result.exception!r}"
    assert "Traceback" not in result.output
    assert result.exit_code in range(8), result.output
    return result


def commands(world: World, url: str) -> list[tuple[str, ...]]:
    """Return what somebody may type who has that file."""
    path = str(world.path)
    return [
        ("show", path),
        ("show", f"{url}#/a"),
        ("status", path),
        ("hooks", "list", path),
        ("state", "load", "a", "--address", url),
        ("state", "save", "new", "1", "--address", url),
        ("state", "keys", "--address", url),
        ("state", "delete", "a", "--yes", "--address", url),
        ("checkpoint", "create", url, "new"),
        ("restore", f"{url}@first", "--yes"),
    ]


@pytest.mark.parametrize("what", [*BROKEN, "100 MB"])
def test_a_file_that_is_broken_is_told_by_everything_and_changed_by_nothing(what: str, world: World) -> None:
    if what in BROKEN:
        world.path.write_bytes(BROKEN[what])
    else:
        os.truncate(world.path, LARGE)
    before = world.path.stat()
    with world.entered():
        store = world.store()
        kept = [each.name for each in store.checkpoints()]
        for name, act in EVERYTHING.items():
            with pytest.raises(StatewatchError) as told:
                act(world)
            assert str(world.path) in str(told.value) or store.url in str(told.value), name
            assert "\n" not in str(told.value)
            assert len(str(told.value)) < 500
        for arguments in commands(world, store.url):
            result = run(world, *arguments)
            assert result.exit_code != 0, arguments
            assert len(result.output) < 2_000, arguments
        assert [each.name for each in store.checkpoints()] == kept
        assert damage(store) is not None
        assert {"first", "second"} <= {each.name for each in candidates(store)}
    after = world.path.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("name", ["first.json", ".statewatch-index.json", "state_20261121_040000.json"])
def test_a_broken_checkpoint_index_or_backup_spoils_nothing_else(name: str, what: str, world: World) -> None:
    """The others are still there and can be restored; the broken one is told, and is no candidate to recover with."""
    shelf = world.path.parent / "checkpoints"
    path = (world.path.parent if name.startswith("state_") else shelf) / name
    path.write_bytes(BROKEN[what])
    with world.entered():
        store = world.store()
        before = store.snapshot().document
        assert {"first", "second"} <= {each.name for each in store.checkpoints()}
        good = {each.name for each in candidates(store)}
        assert path.stem not in good
        assert "second" in good
        for each in store.checkpoints():
            if each.name == path.stem:
                with pytest.raises(StatewatchError, match=re.escape(str(path))):
                    restore(restore_action(store, each.name), settle_for=0)
            else:
                restore(restore_action(store, each.name), settle_for=0)
        store.transact(lambda transaction: transaction.replace(before))  # type: ignore[arg-type]
        store.checkpoint("new", note="and on")
        assert store.find_checkpoint("new").note == "and on"
        for arguments in (("checkpoint", "list", store.url), ("checkpoint", "verify", store.url)):
            run(world, *arguments)


@pytest.mark.parametrize("what", ODD)
def test_an_odd_value_goes_through_everything_and_stays_what_it_is(what: str, world: World) -> None:
    value = ODD[what]
    with world.entered():
        store = world.store()
        perform(setting(store, "odd", value), settle_for=0)
        store.save("other", 1)
        store.checkpoint("odd")
        store.save("odd", "gone")
        restore(restore_action(store, "odd"), settle_for=0)
        assert same(store.load("odd"), value)
        perform(undo_action(last_action([store.source])), settle_for=0)
        assert store.load("odd") == "gone"
        there = world.open("there", "sqlite")
        restore(restore_action(store, "odd", [("odd",)]), settle_for=0)
        migrate(store, there)
        assert same(there.load("odd"), value)
        migrate(there, world.open("back"))
        assert same(world.open("back").load("odd"), value)
        shown = run(world, "show", f"{store.url}#/odd")
        assert same(json.loads(shown.stdout), value)
        run(world, "state", "save", "odd", json.dumps(value), "--address", world.open("typed").url)
        assert same(world.open("typed").load("odd"), value)


def test_the_line_breaks_of_another_system_stay(world: World) -> None:
    text = json.dumps({"a": {"value": 1, "timestamp": ""}, "b": {"value": "x\r\ny", "timestamp": ""}}, indent=4)
    world.path.write_bytes(text.replace("\n", "\r\n").encode())
    with world.entered():
        world.store().save("a", 2)
        assert world.store().load("b") == "x\r\ny"
    lines = world.path.read_bytes().split(b"\n")
    assert all(line.endswith(b"\r") for line in lines[:-1])


@pytest.mark.parametrize("what", NOT_JSON)
def test_what_json_cannot_hold_is_refused_by_all_that_write(what: str, world: World) -> None:
    value: JSON = NOT_JSON[what]  # type: ignore[assignment]
    before = snapshot(world)
    with world.entered():
        store = world.store()
        acts: list[Callable[[], object]] = [
            lambda: store.save("new", value),
            lambda: store.update("a", lambda _: value),
            lambda: store.transact(lambda transaction: transaction.replace({"x": value})),
            lambda: store.put_checkpoint(Checkpoint("new", 1.0), {"x": value}),
            lambda: preview(setting(store, "new", value)),
            lambda: perform(setting(store, "new", value), settle_for=0),
        ]
        for act in acts:
            with pytest.raises(RefusedError) as told:
                act()
            assert "\n" not in str(told.value)
    assert snapshot(world) == before


@pytest.mark.parametrize("what", ["NaN", "[1, Infinity]", "{", '{"a": 1, "a": 2}', "[" * 5_000, "1e999", "'x'", ""])
def test_what_is_no_json_is_refused_on_the_command_line(what: str, world: World) -> None:
    before = snapshot(world)
    with world.entered():
        assert run(world, "state", "save", "new", what, "--address", world.store().url).exit_code != 0
    assert snapshot(world) == before


@pytest.mark.parametrize("what", NO_NAMES)
def test_what_cannot_be_a_name_makes_nothing(
    what: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = NO_NAMES[what]
    monkeypatch.chdir(tmp_path)
    before = snapshot(world)
    with world.entered():
        store = world.store()
        for act in (
            lambda: store.checkpoint(name),
            lambda: store.edit_checkpoint("first", new_name=name),
            lambda: store.put_checkpoint(Checkpoint(name, 1.0), {}),
            lambda: world.open(name),
            lambda: world.open(name, "sqlite"),
        ):
            with pytest.raises(RefusedError):
                act()
        for read in (
            lambda: store.find_checkpoint(name),
            lambda: store.read_checkpoint(name),
            lambda: store.verify_checkpoint(name),
            lambda: store.delete_checkpoint(name),
            lambda: restore_action(store, name),
        ):
            with pytest.raises(MissingCheckpointError):
                read()
        if "\0" not in name and "\ud800" not in name:  # which no command line can hold
            assert run(world, "checkpoint", "create", store.url, "--", name).exit_code != 0
            assert run(world, "state", "save", "a", "1", "--namespace", name).exit_code != 0
    assert snapshot(world) == before


@pytest.mark.parametrize("name", ["First", "FIRST", "fіrst", "ｆirst", "ﬁrst"])
def test_a_name_that_could_be_taken_for_another_is_refused(name: str, world: World) -> None:
    before = snapshot(world)
    with world.entered():
        store = world.store()
        with pytest.raises(RefusedError):
            store.checkpoint(name)
        with pytest.raises(RefusedError):
            store.edit_checkpoint("second", new_name=name)
    assert snapshot(world) == before

"""A state file that is damaged comes back from a version that somebody chose; what was damaged is kept to the byte."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from statewatch.core import audit
from statewatch.core.actions import perform, preview
from statewatch.core.copies import copies_of
from statewatch.core.errors import ConflictError, NotFoundError, RefusedError, SourceError
from statewatch.core.restoring import candidates, damage, recover_action, restore
from statewatch.core.stores.file import FileStore
from statewatch.core.undo import last_action, undo_action
from tests.core.faults.inputs import BROKEN
from tests.core.faults.operations import World


@pytest.fixture(params=["keyed", "plain"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, request.param).entered() as made:
        made.furnish()
        yield made


@pytest.fixture
def backup(world: World) -> Path:
    """Return a backup that another tool has left beside the file."""
    left = world.path.with_name(f"{world.path.stem}_20261120_120000.json")
    left.write_bytes(world.path.read_bytes())
    return left


@pytest.mark.parametrize("what", BROKEN)
def test_the_version_that_was_chosen_comes_back_and_the_damaged_one_is_kept(what: str, world: World) -> None:
    world.path.write_bytes(BROKEN[what])
    store = world.store()
    assert damage(store) is not None
    checkpoints = store.checkpoints()
    done = restore(recover_action(store, "first"), settle_for=0)
    assert done.outcome.changed
    assert done.safety is None, "nobody could come back to what is damaged"
    assert damage(store) is None
    assert world.path.read_bytes() == store.kept("first").data
    assert BROKEN[what] in [copy.read_bytes() for copy in copies_of(store.source)]
    assert store.checkpoints() == checkpoints
    record = next(iter(audit.records()))
    assert (record.action, record.targets[0], record.outcome) == ("recover", "first", "done")
    with pytest.raises(RefusedError, match="that is not put back") as told:
        perform(undo_action(last_action([store.source])), settle_for=0)
    assert record.copy in str(told.value)


def test_checkpoints_copies_and_backups_are_offered_newest_first(world: World, backup: Path) -> None:
    whole = world.path.read_bytes()
    world.path.write_bytes(b"{")
    store = world.store()
    offered = candidates(store)
    assert {each.what for each in offered} == {"checkpoint", "backup", "safety copy"}
    assert [each.at for each in offered] == sorted((each.at for each in offered), reverse=True)
    assert world.path.read_bytes() == b"{", "to look is not to take"
    for each in offered:
        world.path.write_bytes(b"{")
        restore(recover_action(store, each.name), settle_for=0)
        assert world.path.read_bytes() == each.version.data
    assert whole in [each.version.data for each in offered]


def test_a_name_that_is_no_good_says_why_and_what_there_is(world: World) -> None:
    world.path.write_bytes(b"{")
    store = world.store()
    with pytest.raises(NotFoundError, match=r"no good version 'frist' .*; there is .*\bsecond\b") as told:
        recover_action(store, "frist")
    assert str(world.path) in str(told.value) or store.url in str(told.value)
    assert isinstance(store, FileStore)
    spoilt = store._shelf()._path("first")
    spoilt.write_bytes(b'{"a": ')
    with pytest.raises(NotFoundError, match=r"no good version 'first' .*first\.json: not JSON"):
        recover_action(store, "first")
    spoilt.write_bytes(b"{}")
    with pytest.raises(NotFoundError, match=r"'first' is not as it was made"):
        recover_action(store, "first")
    assert world.path.read_bytes() == b"{"


def test_what_somebody_else_has_put_right_meanwhile_is_left_alone(world: World) -> None:
    whole = world.path.read_bytes()
    world.path.write_bytes(b"{")
    action = recover_action(world.store(), "first")
    seen = preview(action)
    world.path.write_bytes(whole)
    with pytest.raises(ConflictError, match="it has changed since you looked"):
        restore(action, seen, settle_for=0)
    assert world.path.read_bytes() == whole


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to(path)])
def test_what_is_no_file_at_all_is_not_replaced(make: "object", world: World) -> None:
    world.path.unlink()
    assert callable(make)
    make(world.path)
    before = world.path.lstat()
    with pytest.raises(SourceError):
        restore(recover_action(world.store(), "first"), settle_for=0)
    assert world.path.lstat() == before

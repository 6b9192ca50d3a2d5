"""Taking picked changes back: only what was picked is written, and nothing that has moved on is trampled."""

import json
from pathlib import Path
from typing import Any

import pytest

from statewatch.core.actions import Action, perform, preview
from statewatch.core.errors import ConflictError, RefusedError
from statewatch.core.picking_back import picking_back
from statewatch.core.restoring import restore
from statewatch.core.stores.urls import open_store
from statewatch.core.undo import last_action, undo_action
from statewatch.kinds.registry import changes
from tests.core.files import load, write
from tests.support import SAMPLE

BEFORE: dict[str, Any] = {"title": "a", "queue": [{"id": 1, "n": 1}, {"id": 2, "n": 1}], "left": 3, "gone": True}
AFTER: dict[str, Any] = {"left": 5, "title": "b", "queue": [{"id": 9, "n": 0}, {"id": 2, "n": 7}]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "state.json", AFTER)


def picks(*pointers: str) -> set[int]:
    found = changes(BEFORE, AFTER)
    names = [f"{change.op} {change.pointer}" for change in found]
    return {names.index(name) for name in pointers}


def action(path: Path, *pointers: str) -> Action:
    return picking_back(path, BEFORE, changes(BEFORE, AFTER), picks(*pointers), "@then", why="wrong run", via="test")


def test_only_what_was_picked_is_what_it_was_again(path: Path) -> None:
    perform(action(path, "replace /title", "remove /queue/0"), settle_for=0)
    assert load(path) == {**AFTER, "title": "a", "queue": [{"id": 1, "n": 1}, {"id": 9, "n": 0}, {"id": 2, "n": 7}]}
    assert list(load(path)) == list(AFTER)  # nothing else moves in the file


def test_it_says_what_is_restored_from_when(path: Path) -> None:
    plan = preview(action(path, "replace /title", "remove /gone"))
    assert plan.change.name == "restore"
    assert plan.change.targets == ("@then", "/title", "/gone")
    assert {change.pointer for change in plan.differences} == {"/title", "/gone"}


def test_everything_makes_the_whole_document_what_it_was(path: Path) -> None:
    whole = picking_back(path, BEFORE, changes(BEFORE, AFTER), range(len(changes(BEFORE, AFTER))), "@then")
    perform(whole, settle_for=0)
    assert load(path) == BEFORE


def test_a_checkpoint_is_made_first_and_undo_takes_it_back(path: Path) -> None:
    before = path.read_bytes()
    picked = action(path, "replace /left")
    done = restore(picked, preview(picked), settle_for=0)
    assert done.safety is not None
    assert open_store(path).kept(done.safety.name).document() == AFTER
    perform(undo_action(last_action([path])), settle_for=0)
    assert path.read_bytes() == before


def test_what_others_changed_elsewhere_since_stays(path: Path) -> None:
    write(path, {**AFTER, "queue": [{"id": 5, "n": 5}, *AFTER["queue"]], "more": 1})
    perform(action(path, "remove /queue/0", "replace /left"), settle_for=0)
    assert load(path)["left"] == 3
    assert load(path)["more"] == 1
    assert [record["id"] for record in load(path)["queue"]] == [5, 1, 9, 2]


def test_where_others_changed_the_same_place_again_it_is_refused(path: Path) -> None:
    write(path, {**AFTER, "left": 6})
    before = path.read_bytes()
    with pytest.raises(RefusedError, match=r"these places have changed again since: /left\. Compare"):
        preview(action(path, "replace /left"))
    assert path.read_bytes() == before


def test_what_was_shown_is_done_to_that_version_only(path: Path) -> None:
    picked = action(path, "replace /left")
    seen = preview(picked)
    write(path, {**AFTER, "more": 1})
    with pytest.raises(ConflictError, match="changed since you looked"):
        restore(picked, seen, settle_for=0)
    assert load(path) == {**AFTER, "more": 1}


def test_a_pick_that_is_so_already_changes_nothing(path: Path) -> None:
    write(path, {**AFTER, "left": 3})
    assert not preview(action(path, "replace /left")).changed


def test_what_follows_from_the_rest_is_brought_up_to_date(tmp_path: Path) -> None:
    def hooks(state: str, opened: int) -> dict[str, Any]:
        record = {"state": state, "failure_count": 3, "consecutive_failures": 0, "consecutive_successes": 0}
        return {"hooks": {"h": record}, "global_stats": {"hooks_disabled": opened, "total_executions": 5}}

    before, after = hooks("open", 1), hooks("closed", 0)
    found = changes(before, after)
    path = write(tmp_path / "hook_state.json", after)
    state = next(index for index, change in enumerate(found) if change.pointer == "/hooks/h/state")
    perform(picking_back(path, before, found, [state], "@then"), settle_for=0)
    assert load(path)["global_stats"]["hooks_disabled"] == 1


def test_what_is_signed_is_never_changed(tmp_path: Path) -> None:
    after = json.loads((SAMPLE / "project/.claude/local/implement_pipeline_state.json").read_bytes())
    path = write(tmp_path / "implement_pipeline_state.json", after)
    before = {**after, "mode": "another one"}
    found = changes(before, after)
    with pytest.raises(RefusedError, match="signed"):
        preview(picking_back(path, before, found, range(len(found)), "@then"))

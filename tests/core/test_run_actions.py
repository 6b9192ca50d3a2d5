"""What operators do to runs and batches: through the core, about what they saw, undone to the byte."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import workflow_actions as runs
from statewatch.core.actions import Action, perform, preview
from statewatch.core.batch_actions import SeenBatch, batch_action, item_action
from statewatch.core.errors import RefusedError
from statewatch.core.undo import to_undo, undo_actions
from tests.core.files import load, write
from tests.support import SAMPLE

WORKFLOW = "project/.claude/workflows/adw-63f8bd05/state.json"
STUCK = "project/.claude/workflows/adw-81aa02fe/state.json"
SESSION = "project/docs/sessions/20261115-090030-pipeline.json"
SUMMED_UP = "project/docs/sessions/b71c09aa41f2d3e8-pipeline.json"
CHECKPOINT = "project/.claude/artifacts/20261114_144200/checkpoint.json"
PIPELINE = "tmp/pipeline_state_20261114-144200.json"
BATCH = "project/.claude/batch_state.json"
BATCH_ID = "batch-20261115-090000-369009"
SENTINEL = "project/.claude/local/implement_pipeline_state.json"


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    """Return what makes a copy of a file of the sample that may be written."""

    def made(name: str) -> Path:
        path = tmp_path / Path(name).name
        shutil.copyfile(SAMPLE / name, path)
        path.chmod(0o600)
        return path

    return made


def did(action: Action) -> Any:
    """Do an action and return what is in the file then; undone, the file is what it was, to the byte."""
    path = action.source
    assert isinstance(path, Path)
    before = path.read_bytes()
    perform(action, settle_for=0)
    after = load(path)
    for undoing in undo_actions(to_undo(sources=[path])):
        perform(undoing, settle_for=0)
    assert path.read_bytes() == before
    assert after != json.loads(before)
    return after


def refused(action: Action) -> str:
    """Return why an action is refused; nothing is changed then."""
    assert isinstance(action.source, Path)
    before = action.source.read_bytes()
    with pytest.raises(RefusedError) as caught:
        perform(action, settle_for=0)
    assert action.source.read_bytes() == before
    return str(caught.value)


Copy = Callable[[str], Path]


class TestRuns:
    """Phases, agents, checkpoints and steps."""

    def test_a_failed_phase_is_let_run_again(self, copy: Copy) -> None:
        after = did(runs.retry_phase_action(copy(WORKFLOW), "build", "adw-63f8bd05"))
        assert "build" not in after["phases"]
        assert (after["status"], after["error"]) == ("initialized", None)

    def test_a_stuck_phase_is_marked_as_failed_with_the_reason(self, copy: Copy) -> None:
        after = did(runs.fail_phase_action(copy(STUCK), "plan", "adw-81aa02fe", why="the machine was restarted"))
        assert after["phases"]["plan"]["error"] == after["error"] == "the machine was restarted"

    def test_a_stuck_agent_is_marked_as_failed(self, copy: Copy) -> None:
        after = did(runs.fail_agent_action(copy(SESSION), "implementer", "20261115-090030", why="gone"))
        assert (after["agents"][3]["status"], after["agents"][3]["message"]) == ("failed", "gone")

    def test_a_checkpoint_is_rolled_back_to_an_agent(self, copy: Copy) -> None:
        after = did(runs.roll_back_action(copy(CHECKPOINT), "planner", "20261114_144200"))
        assert after["completed_agents"] == ["orchestrator", "researcher"]
        assert after["current_agent"] == "planner"

    @pytest.mark.parametrize("outcome", ["failed", "skipped"])
    def test_a_step_of_a_pipeline_is_ended(self, copy: Copy, outcome: runs.Ending) -> None:
        action = runs.end_step_action(copy(PIPELINE), "acceptance_tests", outcome, "20261114-144200", why="no time")
        step = did(action)["steps"]["acceptance_tests"]
        assert (step["status"], step["error"]) == (outcome, "no time")

    def test_what_has_ended_in_a_session_is_never_changed(self, copy: Copy) -> None:
        said = refused(runs.fail_agent_action(copy(SESSION), "planner", "20261115-090030"))
        assert "has ended already (completed)" in said

    def test_what_was_kept_of_an_ended_run_is_never_changed(self, copy: Copy) -> None:
        said = refused(runs.end_step_action(copy(SUMMED_UP), "plan", "failed", "b71c09aa41f2d3e8"))
        assert "what has ended is never changed again" in said

    def test_a_file_that_holds_another_run_by_now_is_left_alone(self, copy: Copy) -> None:
        said = refused(runs.retry_phase_action(copy(WORKFLOW), "build", "adw-of-yesterday"))
        assert "another workflow now, 'adw-63f8bd05' in place of 'adw-of-yesterday'" in said

    def test_a_file_that_turned_into_something_else_is_left_alone(self, copy: Copy) -> None:
        said = refused(runs.retry_phase_action(copy(SESSION), "build", "x"))
        assert "it holds no workflow any more" in said

    def test_a_signed_file_is_never_changed(self, copy: Copy) -> None:
        assert "it holds no pipeline" in refused(runs.end_step_action(copy(SENTINEL), "plan", "failed", "x"))


class TestBatches:
    """Items, and the batch as a whole."""

    def test_only_the_batch_that_was_seen_is_changed(self, copy: Copy) -> None:
        path = copy(BATCH)
        seen = SeenBatch(BATCH_ID, {6: "Add audit log for admin actions"})
        after = did(item_action("retry", path, [6], seen=seen))
        assert 6 not in {each["feature_index"] for each in after["failed_features"]}
        assert after["current_index"] == 6
        assert "another batch now" in refused(item_action("retry", path, [6], seen=SeenBatch("batch-of-yesterday")))
        assert "another batch now" in refused(batch_action("pause", path, seen=SeenBatch("batch-of-yesterday")))

    def test_other_items_under_the_same_numbers_are_left_alone(self, copy: Copy) -> None:
        seen = SeenBatch(BATCH_ID, {6: "Something else"})
        assert "item 6 is another one now" in refused(item_action("retry", copy(BATCH), [6], seen=seen))

    def test_a_batch_without_an_id_is_called_the_same_by_whoever_saw_it(self, tmp_path: Path) -> None:
        document = {"batch_id": "", "features": ["a"], "total_features": 1, "current_index": 0, "status": "running"}
        path = write(tmp_path / "batch_state.json", document)
        assert preview(batch_action("pause", path, seen=SeenBatch("unnamed"))).changed

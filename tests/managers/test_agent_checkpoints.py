"""The checkpoints of workflows: made, looked at, gone on from, rolled back, deleted; and those that cannot be used."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from statewatch import CheckpointManager, StateException
from statewatch.core import copies
from tests.support import SAMPLE

ARTIFACTS = SAMPLE / "project" / ".claude" / "artifacts"
TRUTH: dict[str, int] = json.loads((SAMPLE / "truth.json").read_bytes())["checkpoints"]


@pytest.fixture
def manager(tmp_path: Path) -> CheckpointManager:
    """Return a manager of the workflows of the sample."""
    shutil.copytree(ARTIFACTS, tmp_path / "artifacts")
    return CheckpointManager(tmp_path / "artifacts")


def test_the_resumable_workflows_of_the_sample_are_the_unfinished_ones_latest_first(manager: CheckpointManager) -> None:
    found = manager.list_resumable_workflows()
    unfinished = sorted((name for name, done in TRUTH.items() if done < 8), reverse=True)
    assert [each["workflow_id"] for each in found] == unfinished
    assert [each["progress"] for each in found] == [f"{TRUTH[name]}/8 agents" for name in unfinished]


def test_a_resume_plan_names_who_is_next_and_what_is_missing(manager: CheckpointManager) -> None:
    (manager.artifacts_dir / "20261114_144200" / "research.json").unlink()
    plan = manager.get_resume_plan("20261114_144200")
    assert plan["next_agent"] == "reviewer"
    assert plan["remaining_agents"] == ["reviewer", "security-auditor", "doc-master"]
    assert (plan["progress_percentage"], plan["can_resume"]) == (62, True)
    assert plan["missing_artifacts"] == ["research.json"]
    assert manager.get_resume_plan("20261113_101500")["can_resume"] is False
    assert "there is no checkpoint" in str(manager.get_resume_plan("20200101_000000")["error"])


def test_a_checkpoint_is_made_where_the_project_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    manager = CheckpointManager()
    path = manager.create_checkpoint("20261120_140000", ["orchestrator"], "researcher", ["manifest.json"], {"n": 1})
    assert path == tmp_path / ".claude" / "artifacts" / "20261120_140000" / "checkpoint.json"
    assert path.stat().st_mode & 0o777 == 0o600
    document = json.loads(path.read_bytes())
    assert list(document) == list(json.loads((ARTIFACTS / "20261116_081700" / "checkpoint.json").read_bytes()))
    assert path.read_bytes() == json.dumps(document, indent=2).encode()
    assert manager.load_checkpoint("20261120_140000") == document
    assert manager.validate_checkpoint("20261120_140000") == (True, None)


def test_the_next_checkpoint_keeps_what_it_does_not_know(manager: CheckpointManager) -> None:
    path = manager.artifacts_dir / "20261116_081700" / "checkpoint.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "branch": "main"}))
    manager.create_checkpoint("20261116_081700", ["orchestrator", "researcher"], "planner", [])
    document: Any = manager.load_state("20261116_081700")
    assert (document["branch"], document["completed_agents"]) == ("main", ["orchestrator", "researcher"])


def test_rolling_back_and_deleting_keep_a_copy(manager: CheckpointManager) -> None:
    path = manager.artifacts_dir / "20261114_144200" / "checkpoint.json"
    before = path.read_bytes()
    manager.roll_back("20261114_144200", "planner")
    assert manager.get_resume_plan("20261114_144200")["next_agent"] == "planner"
    assert [copy.read_bytes() for copy in copies.copies_of(path)] == [before]
    rolled_back = path.read_bytes()
    assert manager.delete_checkpoint("20261114_144200")
    assert not manager.checkpoint_exists("20261114_144200")
    assert not manager.delete_checkpoint("20261114_144200")
    assert rolled_back in [copy.read_bytes() for copy in copies.copies_of(path)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "the file is empty"),
        ('{"version": "2.0", "workflow_id": "w1", "comp', "not JSON at line 1"),
        ("[]", "/version: expected a text"),
        ('{"version": "2.0", "workflow_id": "w1", "completed_agents": "all", "current_agent": "x"}', "expected a list"),
        ('{"version": "3.0", "workflow_id": "w1", "completed_agents": [], "current_agent": "x"}', "2.0 or older"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_told_as_such(tmp_path: Path, content: str, says: str) -> None:
    manager = CheckpointManager(tmp_path)
    (tmp_path / "w1").mkdir()
    (tmp_path / "w1" / "checkpoint.json").write_text(content)
    valid, why = manager.validate_checkpoint("w1")
    assert not valid
    assert says in str(why)
    assert manager.load_checkpoint("w1") is None
    assert manager.list_resumable_workflows() == []
    with pytest.raises(StateException, match=r"checkpoint\.json"):
        manager.load_state("w1")


def test_one_of_a_newer_version_is_not_overwritten_and_a_damaged_one_is_kept_as_a_copy(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    path = tmp_path / "w1" / "checkpoint.json"
    path.parent.mkdir()
    newer = '{"version": "3.0", "workflow_id": "w1", "completed_agents": [], "current_agent": "x"}'
    path.write_text(newer)
    with pytest.raises(StateException, match=r"version 3\.0"):
        manager.create_checkpoint("w1", ["orchestrator"], "researcher", [])
    assert path.read_text() == newer
    path.write_text('{"half')
    manager.create_checkpoint("w1", ["orchestrator"], "researcher", [])
    assert manager.validate_checkpoint("w1") == (True, None)
    assert [copy.read_bytes() for copy in copies.copies_of(path)] == [b'{"half']


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 129, "a\0b", "a..b", None])
def test_what_cannot_be_a_workflow_is_refused(tmp_path: Path, name: Any) -> None:
    manager = CheckpointManager(tmp_path / "artifacts")
    with pytest.raises(StateException, match="cannot be the id of a workflow"):
        manager.create_checkpoint(name, [], "researcher", [])
    assert not (tmp_path / "artifacts").exists()


def test_one_name_is_no_list_of_names(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path / "artifacts")
    with pytest.raises(StateException, match="the agents are a list, not str"):
        manager.create_checkpoint("w1", "planner", "implementer", [])
    with pytest.raises(StateException, match="the artifacts are a list, not str"):
        manager.create_checkpoint("w1", ["planner"], "implementer", "plan.md")
    assert not (tmp_path / "artifacts").exists()


def test_what_cannot_be_an_artifact_is_refused_and_links_are_not_followed(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path / "artifacts")
    with pytest.raises(StateException, match="artifact"):
        manager.create_checkpoint("w1", [], "researcher", ["../../.ssh/id"])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "w1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateException, match="symbolic link"):
        manager.create_checkpoint("w1", [], "researcher", [])
    assert list((tmp_path / "elsewhere").iterdir()) == []

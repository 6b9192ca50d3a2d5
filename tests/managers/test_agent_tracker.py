"""Agents tell their session: from any directory, at the same time, twice, and never so that the agent breaks."""

import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from statewatch import AgentTracker, StateException, save_agent_checkpoint
from statewatch.kinds.session import EXPECTED, KIND
from tests.managers.running import at_once

KNOWN = {"session_id", "claude_session_id", "started", "github_issue", "agents"}
ENTRY = {
    *("agent", "status", "started_at", "message", "completed_at", "failed_at"),
    *("tools_used", "github_issue", "duration_seconds"),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project in whose deepest directory we stand."""
    monkeypatch.delenv("CLAUDE_SESSION_ID", raising=False)
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    deep = tmp_path / "shop" / "src" / "cart"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    return tmp_path / "shop"


def the_session(project: Path) -> Any:
    (file,) = (project / "docs" / "sessions").glob("*-pipeline.json")
    return json.loads(file.read_bytes())


def test_an_agent_saves_its_checkpoint_from_deep_inside_a_project(project: Path) -> None:
    assert save_agent_checkpoint("researcher", "Found 3 patterns", ["Grep", "Read"])
    (entry,) = the_session(project)["agents"]
    assert (entry["agent"], entry["status"], entry["message"]) == ("researcher", "completed", "Found 3 patterns")
    assert entry["tools_used"] == ["Grep", "Read"]
    assert AgentTracker().is_agent_tracked("researcher")


def test_what_is_written_is_what_the_tool_that_owns_it_writes(project: Path) -> None:
    tracker = AgentTracker()
    tracker.start_agent("planner", "planning")
    tracker.complete_agent("planner", "7 steps", tools_used=["Read"], github_issue=101)
    tracker.fail_agent("implementer", "no context left")
    tracker.set_github_issue(131)
    document = the_session(project)
    assert KIND.faults(document) == []
    assert document.keys() <= KNOWN
    assert all(entry.keys() <= ENTRY for entry in document["agents"])
    assert tracker.session_file.name == f"{document['session_id']}-pipeline.json"
    assert tracker.session_file.stat().st_mode & 0o777 == 0o600
    data = tracker.session_file.read_bytes()
    assert data == json.dumps(document, indent=2).encode()


def test_telling_twice_that_an_agent_is_done_changes_nothing(project: Path) -> None:
    tracker = AgentTracker()
    tracker.start_agent("planner", "go")
    tracker.complete_agent("planner", "7 steps")
    before = tracker.session_file.read_bytes()
    tracker.complete_agent("planner", "told by the hook, too")
    tracker.fail_agent("planner", "or not?")
    assert tracker.session_file.read_bytes() == before


def test_how_long_agents_took_and_how_far_the_run_is(project: Path) -> None:
    tracker = AgentTracker()
    tracker.complete_agent("researcher", "ok", started_at=datetime.now() - timedelta(seconds=90))
    tracker.complete_agent("planner", "ok", started_at=datetime.now() - timedelta(seconds=30))
    tracker.start_agent("implementer", "go")
    assert tracker.get_average_agent_duration() == 60
    assert tracker.get_running_agent() == "implementer"
    assert tracker.get_pending_agents() == ["test-master", "reviewer", "security-auditor", "doc-master"]
    assert tracker.estimate_remaining_time() == 240
    assert tracker.calculate_progress() == 28
    assert tracker.get_parallel_agents() == [("researcher", "planner")]
    assert not tracker.is_pipeline_complete()
    for name in EXPECTED:
        tracker.complete_agent(name, "ok")
    assert tracker.is_pipeline_complete()


def test_agents_in_many_processes_lose_nothing_of_each_other(project: Path) -> None:
    AgentTracker()
    at_once([[str(project), "agent", f"helper{number}", "20"] for number in range(4)])
    document = the_session(project)
    done = [entry["agent"] for entry in document["agents"] if entry["status"] == "completed"]
    assert sorted(done) == sorted(f"helper{number}-{count}" for number in range(4) for count in range(20))
    assert len(document["agents"]) == 80


def test_each_claude_session_has_its_own_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = AgentTracker().session_file
    monkeypatch.setenv("CLAUDE_SESSION_ID", "sess-a1")
    first.rename(first.with_name("20200101-000000-pipeline.json"))  # so that the next one has another second
    mine = AgentTracker()
    assert json.loads(mine.session_file.read_bytes())["claude_session_id"] == "sess-a1"
    assert AgentTracker().session_file == mine.session_file


def test_the_summary_of_a_pipeline_under_such_a_name_is_left_alone(project: Path) -> None:
    sessions = project / "docs" / "sessions"
    sessions.mkdir(parents=True)
    summary = sessions / f"{datetime.now():%Y%m%d}-235959-pipeline.json"
    summary.write_text('{"run_id": "r", "pipeline_steps": {}}')
    assert save_agent_checkpoint("researcher", "ok")
    assert summary.read_text() == '{"run_id": "r", "pipeline_steps": {}}'
    with pytest.raises(StateException, match="holds no session of agents"):
        AgentTracker(summary)


@pytest.mark.parametrize(
    ("agent", "message", "more"),
    [
        ("../../etc/passwd", "ok", {}),
        ("", "ok", {}),
        ("a b", "ok", {}),
        ("x" * 256, "ok", {}),
        (None, "ok", {}),
        ("planner", "x" * 10_001, {}),
        ("planner", "\x1b[2J", {}),
        ("planner", "half \ud800", {}),
        ("planner", None, {}),
        ("planner", "ok", {"tools_used": "Grep"}),
        ("planner", "ok", {"tools_used": [object()]}),
        ("planner", "ok", {"github_issue": 0}),
        ("planner", "ok", {"github_issue": "1"}),
        ("planner", "ok", {"started_at": "yesterday"}),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_cannot_be_is_answered_with_no_and_nothing_is_written(
    project: Path, agent: Any, message: Any, more: Any
) -> None:
    assert save_agent_checkpoint("researcher", "ok")
    before = the_session(project)
    assert save_agent_checkpoint(agent, message, **more) is False
    assert the_session(project) == before


def test_outside_of_a_project_it_says_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/") as nowhere:  # no directory above it is a project
        monkeypatch.chdir(nowhere)
        assert save_agent_checkpoint("planner", "ok") is False
        assert list(Path(nowhere).iterdir()) == []
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".claude").mkdir()
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path / "notes")
    assert save_agent_checkpoint("planner", "ok") is False  # everybody has ~/.claude


def test_in_a_directory_that_was_deleted_it_says_no(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = project / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert save_agent_checkpoint("planner", "ok") is False


def test_a_symbolic_link_on_the_way_is_not_followed(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (project / "docs").mkdir()
    (project / "docs" / "sessions").symlink_to(elsewhere)
    assert save_agent_checkpoint("planner", "ok") is False
    assert list(elsewhere.iterdir()) == []
    target = tmp_path / "target.json"
    target.write_text("{}")
    (tmp_path / "link.json").symlink_to(target)
    with pytest.raises(StateException, match="symbolic link"):
        AgentTracker(tmp_path / "link.json")
    with pytest.raises(StateException, match=r"'\.\.'"):
        AgentTracker(tmp_path / "x" / ".." / "session.json")


def test_a_damaged_session_is_left_as_it_is(project: Path) -> None:
    tracker = AgentTracker()
    tracker.session_file.write_text('{"session_id": "x", "agents": [')
    with pytest.raises(StateException, match="not JSON at line 1"):
        tracker.start_agent("planner", "go")
    assert tracker.session_file.read_text() == '{"session_id": "x", "agents": ['


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a while")
def test_the_session_of_another_user_is_not_written() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as shared:
        root = Path(shared)
        root.chmod(0o755)
        (root / ".git").mkdir()
        sessions = root / "docs" / "sessions"
        sessions.mkdir(parents=True)
        theirs = sessions / f"{datetime.now():%Y%m%d}-235959-pipeline.json"
        theirs.write_text('{"session_id": "theirs", "started": "2026-11-16T10:00:00", "agents": []}')
        theirs.chmod(0o600)
        child = os.fork()
        if child == 0:
            os.chdir(root)
            os.setuid(65_534)
            os._exit(save_agent_checkpoint("planner", "ok"))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert list(sessions.glob("*.json")) == [theirs]
        assert '"agents": []' in theirs.read_text()


def test_the_environment_names_the_agent_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = AgentTracker()
    assert not tracker.auto_track_from_environment()
    monkeypatch.setenv("CLAUDE_AGENT_NAME", "reviewer")
    assert tracker.auto_track_from_environment()
    assert not tracker.auto_track_from_environment()
    assert tracker.get_running_agent() == "reviewer"


def test_no_program_is_started(project: Path) -> None:
    script = (
        "import sys\n"
        "sys.addaudithook(lambda name, _: name in {'subprocess.Popen', 'os.fork', 'os.posix_spawn', 'os.system', "
        "'os.exec'} and sys.exit(f'{name}!'))\n"
        "from statewatch import save_agent_checkpoint\n"
        "sys.exit(0 if save_agent_checkpoint('planner', 'ok') else 'not saved')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")

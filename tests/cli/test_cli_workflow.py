"""Runs in phases on the command line: finding them, putting one right, and taking away what is over."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ROOT, Stage

SAMPLE = ROOT / "tests" / "data" / "sample"
SESSION = "docs/sessions/20261115-090030-pipeline.json"


@pytest.fixture
def runs(stage: Stage) -> Stage:
    """Return a project with all that the field's tools leave of their runs."""
    shutil.copytree(SAMPLE / "project", stage.project, dirs_exist_ok=True)
    shutil.copytree(SAMPLE / "tmp", stage.project / "tmp")
    for path in stage.project.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o600)
    return stage


def phase(stage: Stage, run: str, name: str) -> Any:
    [found] = [each for each in stage.json("workflow", "show", run)["phases"] if each["phase"] == name]
    return found


def quiet(*words: str) -> tuple[str, ...]:
    return (*words, "--yes", "--settle", "0")


def test_every_kind_of_run_is_listed_the_running_ones_first(runs: Stage) -> None:
    rows = runs.json("workflow", "list")
    assert {row["kind"] for row in rows} == {"session", "workflow", "run", "checkpoint"}
    states = [row["status"] for row in rows]
    assert states == sorted(
        states, key=lambda each: ["running", "failed"].index(each) if each in "running failed" else 2
    )
    assert "adw-81aa02fe" in runs.run("workflow", "list").stdout


def test_a_failed_phase_is_let_run_again_and_back(runs: Stage) -> None:
    file = runs.project / ".claude/workflows/adw-63f8bd05/state.json"
    before = file.read_bytes()
    assert phase(runs, "adw-63f8bd05", "build")["status"] == "failed"
    assert runs.run(*quiet("workflow", "retry", "adw-63", "build")).exit_code == 0
    assert phase(runs, "adw-63f8bd05", "build")["status"] != "failed"
    assert runs.run(*quiet("undo")).exit_code == 0
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("run", "part", "said"),
    [("adw-81aa02fe", "plan", "box died"), (SESSION, "implementer", "box died")],
)
def test_what_never_ends_is_marked_as_failed_with_the_reason(runs: Stage, run: str, part: str, said: str) -> None:
    assert phase(runs, run, part)["status"] == "in_progress"
    assert runs.run(*quiet("workflow", "fail", run, part, "--why", said)).exit_code == 0
    ended = phase(runs, run, part)
    assert (ended["status"], said in f"{ended['error']}{ended['note']}") == ("failed", True)


def test_what_has_ended_stays_as_it_is(runs: Stage) -> None:
    result = runs.run(*quiet("workflow", "fail", SESSION, "researcher"))
    assert result.exit_code == 4
    assert phase(runs, SESSION, "researcher")["status"] == "completed"


def test_a_step_of_a_pipeline_is_left_out(runs: Stage) -> None:
    path = next(
        each
        for each in sorted((runs.project / "tmp").glob("pipeline_state_*"))
        if any(step["status"] == "running" for step in json.loads(each.read_bytes())["steps"].values())
    )
    [step] = [
        each["phase"] for each in runs.json("workflow", "show", str(path))["phases"] if each["status"] == "in_progress"
    ]
    assert runs.run(*quiet("workflow", "skip", str(path), step, "--why", "no CI here")).exit_code == 0
    there = json.loads(path.read_bytes())["steps"][step]
    assert (there["status"], there["error"]) == ("skipped", "no CI here")


def test_a_workflow_goes_on_from_an_earlier_agent(runs: Stage) -> None:
    path = runs.project / ".claude/artifacts/20261113_101500/checkpoint.json"
    assert runs.run(*quiet("workflow", "roll-back", "20261113_101500", "implementer")).exit_code == 0
    document = json.loads(path.read_bytes())
    assert "implementer" not in document["completed_agents"]
    assert document["current_agent"] == "implementer"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "nope"), 1, "there is no run 'nope'"),
        (
            ("show", str(SAMPLE / "broken" / "batch_hand_edited.json")),
            1,
            "it is of the kind batch, not a run in phases",
        ),
        (("show", "2026"), 2, "name one by its file"),
        (("retry", "20261113_101500", "build"), 1, "can be done to a workflow only"),
        (("fail", "adw-81aa02fe", "nope"), 4, "there is no phase 'nope'"),
        (("show", ".claude/nothere.json"), 3, "no such file"),
    ],
)
def test_what_is_not_there_is_told(runs: Stage, words: tuple[str, ...], code: int, said: str) -> None:
    result = runs.run("workflow", *words)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr


def test_a_pause_is_lifted_by_removing_its_files_and_comes_back_with_one_undo(runs: Stage) -> None:
    (runs.project / ".claude/PAUSE").touch()
    (runs.project / ".claude/HUMAN_INPUT.md").write_text("wait for me\n")
    names = [".claude/PAUSE", ".claude/HUMAN_INPUT.md", ".claude/pause_checkpoint.json"]
    files = [Path(runs.project, name) for name in names]
    before = [file.read_bytes() for file in files]
    shown = runs.run("remove", *names, "--dry-run")
    assert "would take the file away" in shown.stderr
    assert runs.run(*quiet("remove", *names)).exit_code == 0
    assert not any(file.exists() for file in files)
    assert runs.run(*quiet("undo")).exit_code == 0
    assert [file.read_bytes() for file in files] == before


def test_what_is_signed_stays(runs: Stage) -> None:
    result = runs.run(*quiet("remove", ".claude/local/implement_pipeline_state.json"))
    assert (result.exit_code, "signed" in result.stderr) == (4, True)
    assert (runs.project / ".claude/local/implement_pipeline_state.json").exists()

"""State files of agents on the command line: each in one line, and the signed one left alone."""

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Stage
from tests.support import SAMPLE

FILES = sorted(path for path in SAMPLE.rglob("*") if path.is_file())
SENTINEL = SAMPLE / "project" / ".claude" / "local" / "implement_pipeline_state.json"


def test_every_file_of_the_sample_is_shown_or_reported_in_one_line(stage: Stage) -> None:
    result = stage.run("status", *FILES)
    assert result.exit_code == 1, result.output
    table = result.stdout.split("\n\n")[-1].splitlines()[1:]
    assert len(table) == len(FILES)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.stdout)


def test_how_sessions_checkpoints_and_pipelines_stand(stage: Stage) -> None:
    shutil.copytree(SAMPLE / "project" / "docs", stage.project / "docs")
    shutil.copytree(SAMPLE / "project" / ".claude" / "artifacts", stage.project / ".claude" / "artifacts")
    shown = stage.json("status", code=1)
    stands = {Path(source["label"]).parts[2]: (source["kind"], source["status"]) for source in shown["sources"]}
    assert stands == {
        "20261113_101500": ("checkpoint", "completed"),
        "20261114_144200": ("checkpoint", "resumable"),
        "20261115_090100": ("checkpoint", "resumable"),
        "20261116_081700": ("checkpoint", "resumable"),
        "20261113-100211-pipeline.json": ("session", "completed"),
        "20261114-144000-pipeline.json": ("session", "failed"),
        "20261114-144200-pipeline.json": ("run", "partial"),
        "20261115-090030-pipeline.json": ("session", "running"),
        "20261116-081500-pipeline.json": ("session", "initialized"),
        "20261116-093000-pipeline.json": ("session", "running"),
        "a3f1b2c4d5e67890-pipeline.json": ("run", "completed"),
        "b71c09aa41f2d3e8-pipeline.json": ("run", "failed"),
    }
    needs = {need["subject"]: need["what"] for need in shown["needs_attention"]}
    assert set(needs) == {"20261114-144000", "20261115-090030", "20261116-093000", "b71c09aa41f2d3e8"}
    assert re.fullmatch(r"stalled \d+d in implementer", needs["20261115-090030"])


def test_a_session_that_would_paint_the_screen_does_not(stage: Stage) -> None:
    sessions = stage.project / "docs" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / "20261116-100000-pipeline.json").write_text(
        '{"session_id": "\\u001b[2J", "started": "\\u001b]0;x\\u0007", "agents": '
        '[{"agent": "\\u001b[31mred", "status": "failed", "started_at": "x", "message": "\\u202egnp"}]}'
    )
    result = stage.run("status")
    assert "failed" in result.stdout
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", result.stdout)


@pytest.mark.parametrize("value", ['"quick"', '"full"'])
def test_a_signed_file_is_never_changed(stage: Stage, value: str) -> None:
    file = stage.project / "implement_pipeline_state.json"
    shutil.copy(SENTINEL, file)
    result = stage.run("state", "save", "mode", value, "--address", file)
    assert file.read_bytes() == SENTINEL.read_bytes()
    assert (result.exit_code, "it is signed" in result.stderr) == ((4, True) if value == '"quick"' else (0, False))


def test_a_key_that_pipelines_are_signed_with_is_not_shown(stage: Stage) -> None:
    key = stage.home / ".claude" / "pipeline_secrets" / "c0ffee.key"
    key.parent.mkdir(parents=True)
    key.write_text('"5ecret"')
    result = stage.run("show", key)
    assert result.exit_code == 3
    assert "never read" in result.stderr
    assert "5ecret" not in result.output

"""`patch`: somebody hands over a change as a file, and it is tried, shown, written and taken back."""

import json
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import audit
from tests.cli.conftest import Stage, write_json

SPELT = '{\n    "a": 1.50,\n    "l": [1, 2],\n    "s": "\\u00e9"\n}\n'


@pytest.fixture
def file(stage: Stage) -> Path:
    """Return a file in a spelling of its own."""
    path = stage.project / "x.json"
    path.write_text(SPELT)
    return path


def written(stage: Stage, patch: Any) -> Path:
    return write_json(stage.project / "fix.json", patch)


ADD = [{"op": "test", "path": "/a", "value": 1.5}, {"op": "add", "path": "/l/-", "value": 3}]


def test_the_kind_of_a_patch_is_seen_by_what_it_is(stage: Stage, file: Path) -> None:
    assert stage.json("patch", file, written(stage, ADD)) == {"a": 1.5, "l": [1, 2, 3], "s": "é"}
    assert stage.json("patch", file, written(stage, {"a": None, "n": {"x": 1}})) == {
        "l": [1, 2],
        "s": "é",
        "n": {"x": 1},
    }
    assert stage.json("patch", file, written(stage, [1]), "--merge") == [1]
    assert stage.run("patch", file, written(stage, {}), "--json-patch").exit_code == 1
    neither = stage.run("patch", file, written(stage, 7))
    assert (neither.exit_code, neither.stdout) == (2, "")
    assert "--merge" in neither.stderr
    assert file.read_text() == SPELT


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ([*ADD, {"op": "remove", "path": "/no"}], "operation 3 (remove '/no'): nothing at '/no'"),
        ([{"op": "test", "path": "/a", "value": 2}], "operation 1 (test '/a'): the test failed: there is 1.5, not 2"),
        ([{"op": "jump", "path": "/a"}], "operation 1 ('/a'): there is no operation \"jump\""),
        ([{"op": "add", "path": "a", "value": 1}], "operation 1 (add 'a'): a pointer starts with '/'"),
    ],
)
def test_a_patch_that_does_not_apply_changes_nothing_and_says_why(
    stage: Stage, file: Path, patch: Any, said: str
) -> None:
    for more in ((), ("--in-place", "--yes"), ("--in-place", "--dry-run")):
        result = stage.run("patch", file, written(stage, patch), *more)
        assert (result.exit_code, result.stdout) == (1, "")
        assert said in result.stderr
        assert "fix.json does not apply to" in result.stderr
        assert file.read_text() == SPELT


def test_in_place_it_is_an_action_that_keeps_the_spelling_and_can_be_undone(stage: Stage, file: Path) -> None:
    patch = written(stage, ADD)
    shown = stage.run("patch", file, patch, "--in-place", "--dry-run")
    assert (shown.exit_code, shown.stdout) == (0, "+ /l/2: 3\n")
    done = stage.run("patch", file, patch, "-i", "--yes", "--why", "it was lost", "--settle", "0")
    assert done.exit_code == 0, done.stderr
    assert "1 place changed" in done.stdout
    assert file.read_text().startswith('{\n    "a": 1.50,\n    "l": [1, 2, 3]')
    (record,) = audit.records()
    assert (record.action, record.why, record.via) == ("patch", "it was lost", "cli")
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    assert file.read_text() == SPELT


def test_somebody_has_to_agree(stage: Stage, file: Path) -> None:
    result = stage.run("patch", file, written(stage, ADD), "--in-place")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert file.read_text() == SPELT


def test_what_would_not_be_valid_is_refused(stage: Stage) -> None:
    path = stage.write_batch()
    result = stage.run("patch", path, written(stage, {"features": "none"}), "-i", "--yes")
    assert result.exit_code == 4
    assert "/features: expected a list" in result.stderr
    assert json.loads(path.read_text())["total_features"] == 4


def test_nothing_is_brought_up_to_date_besides(stage: Stage) -> None:
    path = stage.write_batch()
    patch = written(stage, {"status": "paused"})
    printed = stage.json("patch", path, patch)
    assert stage.run("patch", path, patch, "-i", "--yes", "--settle", "0").exit_code == 0
    assert json.loads(path.read_text()) == printed
    assert printed["updated_at"] == "2026-11-15T10:30:00Z"


def test_a_place_can_be_patched_as_if_it_were_all(stage: Stage, file: Path) -> None:
    patch = written(stage, [{"op": "replace", "path": "/0", "value": "x"}])
    assert stage.json("patch", f"{file}#/l", patch) == ["x", 2]
    assert stage.run("patch", f"{file}#/l", patch, "-i", "--yes", "--settle", "0").exit_code == 0
    assert json.loads(file.read_text())["l"] == ["x", 2]
    assert stage.run("patch", f"{file}#/no", patch).exit_code == 1


def test_pipes_lead_from_a_diff_to_a_patch(stage: Stage, file: Path) -> None:
    after = write_json(stage.project / "after.json", {"a": 1, "l": [2], "s": "é", "t": None})
    patch = stage.run("diff", file, after, "--format", "json-patch").stdout
    assert json.loads(stage.run("patch", file, "-", typed=patch).stdout) == json.loads(after.read_text())
    assert stage.run("patch", "-", written(stage, ADD), typed=SPELT).exit_code == 0


def test_a_moment_can_be_patched_but_not_written(stage: Stage, file: Path) -> None:
    stage.run("checkpoint", "create", file, "good")
    file.write_text("{}")
    assert stage.json("patch", f"{file}@good", written(stage, ADD))["l"] == [1, 2, 3]
    result = stage.run("patch", f"{file}@good", written(stage, ADD), "--in-place", "--yes")
    assert (result.exit_code, file.read_text()) == (2, "{}")
    assert "what was cannot be changed" in result.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("-", "-"), 2),
        (("x.json", "fix.json", "--yes"), 2),
        (("x.json", "fix.json", "--dry-run"), 2),
        (("-", "fix.json", "--in-place", "--yes"), 2),
        (("no.json", "fix.json"), 3),
        (("x.json", "no.json"), 3),
        (("x.json", "broken.json"), 3),
    ],
)
def test_slips_and_what_cannot_be_read(stage: Stage, file: Path, words: tuple[str, ...], code: int) -> None:
    written(stage, ADD)
    (stage.project / "broken.json").write_text("[{")
    result = stage.run("patch", *words, typed=SPELT)
    assert (result.exit_code, result.stdout) == (code, "")
    assert "Traceback" not in result.stderr
    assert file.read_text() == SPELT

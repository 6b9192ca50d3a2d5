"""`blame`: when a value changed, from what to what, and who did it."""

from pathlib import Path

import pytest

from tests.cli.conftest import Stage
from tests.cli.recording import HOUR, MINUTE, Recording, recording

__all__ = ["recording"]

ROW = "seen_at written_at op path before after dropped problem user host via action why id source address"


@pytest.fixture
def file(stage: Stage, recording: Recording) -> Path:
    """Return a file in which one value changed twice, and another one never."""
    path = stage.project / "x.json"
    for phase, ago in (("plan", 2 * HOUR), ("build", HOUR), ("review", 10 * MINUTE)):
        recording.add(path, {"run": {"phase": phase, "id": "r1"}}, ago)
    return path


def test_the_last_change_comes_first(stage: Stage, file: Path) -> None:
    rows = stage.json("blame", f"{file}#/run/phase")
    assert [(row["op"], row["path"], row["before"], row["after"]) for row in rows] == [
        ("replace", "/run/phase", "build", "review"),
        ("replace", "/run/phase", "plan", "build"),
    ]
    assert set(rows[0]) == set(ROW.split())
    assert stage.json("show", rows[1]["address"]) == "build"
    lines = stage.run("blame", f"{file}#/run/phase").stdout.splitlines()
    assert lines[0].split() == ["when", "age", "place", "before", "after", "who", "action"]
    assert lines[1].split()[1:5] == ["10m", "/run/phase", '"build"', '"review"']
    assert len(stage.json("blame", f"{file}#/run/phase", "-n", "1")) == 1


def test_changes_inside_a_value_count(stage: Stage, file: Path, recording: Recording) -> None:
    assert [row["path"] for row in stage.json("blame", f"{file}#/run")] == ["/run/phase"] * 2
    recording.add(file, {"other": 1}, MINUTE)
    gone = stage.json("blame", f"{file}#/run/phase", "-n", "1")[0]
    assert (gone["op"], gone["before"], gone["after"]) == ("remove", "review", None)
    assert "(gone)" in stage.run("blame", f"{file}#/run/phase").stdout


def test_a_revision_that_cannot_be_read_has_taken_nothing_away(stage: Stage, file: Path, recording: Recording) -> None:
    recording.add(file, b'{"run": ', MINUTE)
    [broken] = stage.json("blame", f"{file}#/run/phase", "-n", "1")
    assert (broken["op"], "line 1" in broken["problem"]) == ("remove", True)
    assert "(no JSON)" in stage.run("blame", f"{file}#/run/phase").stdout
    assert [row["problem"] for row in stage.json("blame", f"{file}#/run/phase")][1:] == [None, None]


def test_what_never_changed_is_told_since_when_that_is_known(stage: Stage, file: Path) -> None:
    result = stage.run("blame", f"{file}#/run/id")
    assert (result.exit_code, result.stdout) == (0, "")
    assert '/run/id has been "r1" since the history of' in result.stderr
    assert "2h ago, 3 revisions" in result.stderr
    assert stage.json("blame", f"{file}#/run/id") == []


def test_a_place_in_a_namespace_is_called_as_everywhere(stage: Stage, recording: Recording) -> None:
    """In the file that is recorded each key has an entry, with the time; nobody who asks for the key needs to know."""
    path = stage.project / ".claude/state/default/state.json"
    for number, ago in ((1, HOUR), (2, MINUTE)):
        entry = {"value": {"x": number, "y": 0}, "timestamp": f"2026-11-2{number}T10:00:00"}
        recording.add(path, {"k": entry}, ago)
    source = "json:.claude/state?namespace=default"
    [row] = stage.json("blame", f"{source}#/k/x")
    assert (row["path"], row["before"], row["after"]) == ("/k/x", 1, 2)
    assert stage.json("show", row["address"]) == 2
    assert "/k/y has been 0 since" in stage.run("blame", f"{source}#/k/y").stderr
    assert [each["summary"][0]["text"] for each in stage.json("log", f"{source}#/k", "-n", "1")] == ["/x 1 → 2"]


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("x.json#/run/none", 1, "nothing at '/run/none'; there is 'phase', 'id'"),
        ("x.json", 2, "name a place in a source"),
        ("x.json@10m#/run", 2, "name a place in a source"),
        ("nosuch.json#/a", 1, "no history of it is kept"),
    ],
)
def test_what_cannot_be_blamed(stage: Stage, file: Path, address: str, code: int, says: str) -> None:
    result = stage.run("blame", address)
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert says in result.stderr

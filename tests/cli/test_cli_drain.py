"""Pausing a drain queue for a while: its tool sees the flag, and undo leaves no trace of it."""

import json
from pathlib import Path

import pytest

from statewatch.kinds.times import instant
from tests.cli.conftest import Stage


@pytest.fixture
def flag(stage: Stage) -> Path:
    return stage.project / ".claude" / "local" / "drain_paused.flag"


def quiet(*words: str) -> tuple[str, ...]:
    return (*words, "--yes", "--settle", "0")


def state_of(stage: Stage) -> str:
    [row] = stage.json("circuits", "list", ".claude/local/drain_paused.flag")
    return str(row["state"])


def test_a_drain_is_paused_for_two_hours_and_goes_on(stage: Stage, flag: Path) -> None:
    assert stage.run(*quiet("drain", "pause", "--for", "2h", "--why", "release")).exit_code == 0
    said = json.loads(flag.read_bytes())
    assert (said["reason"], said["triggered_by"]) == ("release", "operator")
    until, since = instant(said["until_iso"]), instant(said["triggered_at"])
    assert until is not None
    assert since is not None
    assert until - since == pytest.approx(7_200, abs=0.01)
    assert state_of(stage) == "open"
    assert stage.run(*quiet("drain", "resume")).exit_code == 0
    assert state_of(stage) == "closed"


def test_undo_of_a_first_pause_takes_its_flag_away_and_redo_brings_it_back(stage: Stage, flag: Path) -> None:
    stage.run(*quiet("drain", "pause"))
    made = flag.read_bytes()
    assert stage.run(*quiet("undo")).exit_code == 0
    assert not flag.exists()
    assert stage.run(*quiet("redo")).exit_code == 0
    assert flag.read_bytes() == made


def test_a_pause_that_was_there_is_replaced_and_comes_back_to_the_byte(stage: Stage, flag: Path) -> None:
    flag.parent.mkdir(parents=True)
    theirs = b'{"until_iso": "2026-11-16T10:00:00Z", "triggered_by": "circuit_breaker", "extra": 1}'
    flag.write_bytes(theirs)
    stage.run(*quiet("drain", "pause", "--for", "1d"))
    said = json.loads(flag.read_bytes())
    assert (said["triggered_by"], said["extra"], said["until_iso"][-1]) == ("operator", 1, "Z")
    assert stage.run(*quiet("undo")).exit_code == 0
    assert flag.read_bytes() == theirs


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("pause", "--for", "soon"), 2, "not a duration"),
        (("pause", "--for", "90d"), 4, "at most 30 days"),
        (("pause", "--for", "0s"), 4, "longer than nothing"),
        (("resume",), 3, "no such file"),
        (("pause", "--in", "nosuch"), 2, "does not exist"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    stage: Stage, flag: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    result = stage.run("drain", *words, "--yes")
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert not flag.exists()
    assert not (stage.project / "nosuch").exists(), "a slip makes no directories"


def test_a_link_that_means_a_pause_by_itself_is_not_written_through(stage: Stage, flag: Path) -> None:
    flag.parent.mkdir(parents=True)
    target = stage.project / "elsewhere.json"
    target.write_text("{}")
    flag.symlink_to(target)
    assert stage.run(*quiet("drain", "pause")).exit_code == 4
    assert target.read_text() == "{}"

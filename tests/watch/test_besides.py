"""What lies beside a run: logs and artifacts of other tools, whatever is in them."""

import json
import os
from pathlib import Path

import pytest

from statewatch.watch.besides import NOTHING, Besides, events_of
from tests.support import SAMPLE


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the log of a workflow's events, which is not there yet."""
    return tmp_path / "events.jsonl"


def state(log: Path) -> str:
    return str(log.with_name("state.json"))


def line(what: str, phase: str = "plan", **data: str) -> str:
    return json.dumps({"event_type": what, "data": {"phase": phase, **data}, "timestamp": "2026-11-15T13:02:00.1"})


def test_events_come_newest_first_and_new_ones_are_seen(log: Path) -> None:
    besides = Besides()
    assert besides.of(state(log), "workflow") == NOTHING
    log.write_text(line("phase_started") + "\n")
    assert [event.what for event in besides.of(state(log), "workflow").events] == ["phase_started"]
    with log.open("a") as file:
        file.write(line("phase_failed", error="boom") + "\n")
    newest = besides.of(state(log), "workflow").events[0]
    assert (newest.what, newest.subject, newest.data) == ("phase_failed", "plan", {"phase": "plan", "error": "boom"})


def test_a_log_that_stays_as_it_is_is_read_once(log: Path) -> None:
    log.write_text(line("phase_started"))
    besides = Besides()
    assert besides.of(state(log), "workflow") is besides.of(state(log), "workflow")


def test_half_a_line_and_lines_of_others_are_counted_and_do_no_harm(log: Path) -> None:
    log.write_text("\n".join((line("phase_started"), "[1, 2]", '{"no": "event"}', "", '{"event_type": "phase_comp')))
    beside = Besides().of(state(log), "workflow")
    assert [event.what for event in beside.events] == ["phase_started"]
    assert beside.skipped == 3


def test_the_partial_log_of_the_sample() -> None:
    lines = (SAMPLE / "broken" / "events_partial.jsonl").read_bytes().split(b"\n")
    events, skipped = events_of(iter(lines))
    assert len(events) + skipped == len([each for each in lines if each.strip()])
    assert skipped >= 1


@pytest.mark.parametrize("odd", ["pipe", "directory", "link"])
def test_what_is_no_log_is_no_log(log: Path, odd: str) -> None:
    if odd == "pipe":
        os.mkfifo(log)
    elif odd == "directory":
        log.mkdir()
    else:
        log.symlink_to("/etc/hostname")
    assert Besides().of(state(log), "workflow").events == ()


def test_artifacts_beside_a_checkpoint_and_one_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "research.json").write_text('{"summary": "4 patterns"}')
    (tmp_path / "docs.json").write_text("{")
    (tmp_path / "else.json").write_text("{}")
    beside = Besides().of(str(tmp_path / "checkpoint.json"), "checkpoint")
    assert beside.files == {"research.json", "docs.json", "else.json"}
    assert beside.artifacts == {"research.json": {"summary": "4 patterns"}}


def test_an_artifact_written_in_place_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "research.json"
    path.write_text('{"summary": "4 patterns"}')
    besides, key = Besides(), str(tmp_path / "checkpoint.json")
    besides.of(key, "checkpoint")
    path.write_text('{"summary": "5 good patterns"}')
    assert besides.of(key, "checkpoint").artifacts["research.json"] == {"summary": "5 good patterns"}


def test_nothing_is_read_beside_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(line("phase_started"))
    assert Besides().of(str(tmp_path / "x.json"), "session") is NOTHING

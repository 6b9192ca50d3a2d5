"""`batch create`, `next`, `done`, `fail`, `skip`, `retry`, `pause` …: previewed, audited, undoable."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import audit
from tests.cli.conftest import ROOT, Stage

ID = "batch-20261115-090000-369009"
BROKEN = ROOT / "tests" / "data" / "sample" / "broken"


def on_disk(stage: Stage) -> Any:
    return json.loads(stage.batch_state.read_bytes())


def outcomes(stage: Stage, which: str = ID) -> list[str]:
    return [item["outcome"] for item in stage.json("batch", "show", which)["items"]]


def quiet(*words: str) -> tuple[str, ...]:
    return (*words, "--yes", "--settle", "0")


def test_a_list_becomes_a_batch(stage: Stage) -> None:
    (stage.project / "ITEMS.txt").write_text("first\r\n\nsecond \n  \nthird 日本")
    row = stage.json("batch", "create", "--id", "nightly", "ITEMS.txt")
    assert (row["batch_id"], row["total"], row["pending"]) == ("nightly", 3, 3)
    path = stage.project / ".claude" / "batch_state_nightly.json"
    assert row["source"] == str(path)
    document = json.loads(path.read_bytes())
    assert (document["features"], document["features_file"]) == (["first", "second ", "third 日本"], "ITEMS.txt")
    assert stage.run("batch", "next", "nightly").stdout == "0\tfirst\n"
    assert [each["batch_id"] for each in stage.json("batch", "list")] == ["nightly"]
    assert stage.run("batch", "create", "--id", "nightly", "ITEMS.txt").exit_code == 4
    piped = stage.run("batch", "create", "--file", "elsewhere.json", "-", typed="one\n")
    assert piped.exit_code == 0, piped.output
    assert json.loads((stage.project / "elsewhere.json").read_bytes())["features"] == ["one"]


def test_a_list_may_come_from_a_pipe_of_the_shell(stage: Stage) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo\n")
    os.close(writing)
    row = stage.json("batch", "create", "--id", "piped", f"/dev/fd/{reading}")
    os.close(reading)
    assert row["total"] == 2


@pytest.mark.parametrize(
    ("data", "options", "code", "said"),
    [
        (b"\n \n", [], 4, "there is no item in it"),
        (b"ok\n\xff\n", [], 3, "line 2 is not UTF-8"),
        (b"a", ["--id", "../up"], 4, "cannot be the id"),
        (None, [], 3, "there is no such file"),
    ],
)
def test_a_list_that_makes_no_batch_is_refused(
    stage: Stage, data: bytes | None, options: list[str], code: int, said: str
) -> None:
    if data is not None:
        (stage.project / "I").write_bytes(data)
    result = stage.run("batch", "create", *options, "I")
    assert (result.exit_code, said in result.stderr) == (code, True)
    assert not (stage.project / ".claude").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("done", ID, "3"), ["completed", "failed", "skipped", "completed"]),
        (("done", ID, "Add logout", "#3"), ["completed", "completed", "skipped", "completed"]),
        (("fail", ID, "3", "--error", "no"), ["completed", "failed", "skipped", "failed"]),
        (("fail", ID, "0"), ["failed", "failed", "skipped", "pending"]),
        (("skip", ID, "3", "--reason", "later"), ["completed", "failed", "skipped", "skipped"]),
        (("skip", ID, "2", "--undo"), ["completed", "failed", "pending", "pending"]),
        (("retry", ID, "1"), ["completed", "pending", "skipped", "pending"]),
        (("retry", ID, "--failed"), ["completed", "pending", "skipped", "pending"]),
    ],
)
def test_each_verb_is_one_action_that_undo_takes_back(
    stage: Stage, words: tuple[str, ...], expected: list[str]
) -> None:
    stage.write_batch(notes="kept")
    before = on_disk(stage)
    dry = stage.json("batch", *words, "--dry-run")
    assert (dry["changed"], on_disk(stage)) == (False, before)
    result = stage.json("batch", *quiet(*words), "--why", "because")
    assert result["changed"]
    assert outcomes(stage) == expected
    assert on_disk(stage)["notes"] == "kept"
    assert on_disk(stage).keys() == before.keys()
    (record,) = audit.records()
    assert (record.id, record.via, record.why) == (result["id"], "cli", "because")
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    assert outcomes(stage) == ["completed", "failed", "skipped", "pending"]


def test_a_retry_goes_back_to_the_item_and_its_counts_can_be_reset(stage: Stage) -> None:
    stage.write_batch(status="failed", current_index=4)
    stage.json("batch", *quiet("retry", ID, "--failed"))
    assert (on_disk(stage)["status"], on_disk(stage)["current_index"]) == ("in_progress", 1)
    stage.json("batch", *quiet("retry", ID, "1", "--reset-counts"))
    assert on_disk(stage)["retry_attempts"] == {}
    again = stage.run("batch", *quiet("retry", ID, "--failed"))
    assert (again.exit_code, "Nothing has failed" in again.stderr) == (0, True)
    assert stage.run("batch", "retry", ID).exit_code == 2


def test_a_batch_is_paused_and_goes_on(stage: Stage) -> None:
    stage.write_batch()
    assert stage.run("batch", *quiet("pause", ID)).exit_code == 0
    assert on_disk(stage)["status"] == "paused"
    assert "nothing to change" in stage.run("batch", *quiet("pause", ID)).stderr
    assert stage.run("batch", *quiet("resume", ID)).exit_code == 0
    assert on_disk(stage)["status"] == "in_progress"


def test_next_says_that_the_batch_is_paused(stage: Stage) -> None:
    stage.write_batch(status="paused")
    result = stage.run("batch", "next", ID)
    assert (result.exit_code, result.stdout[:2], "The batch is paused" in result.stderr) == (0, "3\t", True)


def test_the_summary_says_what_came_of_it_and_what_is_next(stage: Stage) -> None:
    stage.write_batch(batch_id="b; rm -rf \x1b[2J")
    told = stage.run("batch", "summary", stage.batch_state).stdout
    for line in ("completed  1/4", "failed     1", "skipped    1", "left       1", "Issues left: #102, #104"):
        assert line in told
    assert "'b; rm -rf" in told
    assert "\x1b" not in told
    row = stage.json("batch", "summary", stage.batch_state)
    assert (row["completed_count"], row["failed_features"]) == (1, [["Add logout", "Tests failed again"]])


def test_next_says_when_there_is_none_and_why(stage: Stage) -> None:
    stage.write_batch(feature_dependencies={"3": [1]})
    result = stage.run("batch", "next", ID)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "1 item wait for others" in result.stderr or "wait" in result.stderr
    assert stage.json("batch", "next", ID, code=1)["waiting"] == [3]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("done", ID, "9"), 4, "there is no item 9"),
        (("done", ID, "nine"), 4, "there is no item 'nine'"),
        (("done", ID), 2, "name at least one item"),
        (("skip", ID, "0"), 4, "is done"),
        (("retry", ID, "3"), 4, "has not failed"),
        (("done", "nobody", "1"), 1, "there is no batch 'nobody'"),
        (("retry", ID, "1", "--failed"), 2, "name items, or give one of"),
        (("done", ID, "3"), 2, "there is nobody to ask"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changes(
    stage: Stage, words: tuple[str, ...], code: int, said: str
) -> None:
    before = stage.write_batch().read_bytes()
    options = () if "nobody to ask" in said else ("--yes",)
    result = stage.run("batch", *words, *options)
    assert (result.exit_code, said in result.stderr) == (code, True), result.output
    assert stage.batch_state.read_bytes() == before


@pytest.mark.parametrize("name", ["batch_names_not_indices.json", "batch_features_dicts.json"])
def test_a_batch_in_the_layout_of_another_tool_is_shown_and_not_changed(stage: Stage, name: str) -> None:
    path = stage.project / ".claude" / "batch_state.json"
    path.parent.mkdir()
    path.write_bytes((BROKEN / name).read_bytes())
    assert stage.run("batch", "show", path).exit_code == 0
    result = stage.run("batch", "done", path, "0", "--yes")
    assert (result.exit_code, "but not changed" in result.stderr) == (4, True)
    assert path.read_bytes() == (BROKEN / name).read_bytes()


def test_an_item_out_of_range_in_a_file_does_not_keep_operators_from_acting(stage: Stage) -> None:
    path = stage.project / ".claude" / "batch_state.json"
    path.parent.mkdir()
    path.write_bytes((BROKEN / "batch_index_out_of_range.json").read_bytes())
    assert stage.run("batch", *quiet("done", str(Path(path)), "3")).exit_code == 0
    assert 99 in on_disk(stage)["completed_features"]

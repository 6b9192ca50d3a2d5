"""`log`: the recorded revisions of a source, and what each of them changed."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Stage, hook
from tests.cli.recording import HOUR, MINUTE, Recording, recording

__all__ = ["recording"]

ROW = (
    "seen_at written_at size digest before back dropped bookmark summary problem user host via action why id source "
    "address"
)


@pytest.fixture
def hooks(stage: Stage, recording: Recording) -> Path:
    """Return a hook state: a hook opened an hour ago, another one came and one opened since."""
    steps = (
        (2 * HOUR, {"fmt": hook(), "lint": hook()}),
        (HOUR, {"fmt": hook("open"), "lint": hook()}),
        (30 * MINUTE, {"fmt": hook("open"), "lint": hook(), "new": hook()}),
        (10 * MINUTE, {"fmt": hook("half_open"), "lint": hook("open"), "new": hook()}),
    )
    for ago, records in steps:
        path = stage.write_hooks(**records)
        recording.add(path, path.read_bytes(), ago)
    return path


def backs(stage: Stage, *arguments: str | Path) -> list[int]:
    return [row["back"] for row in stage.json("log", *arguments)]


def whats(stage: Stage, source: str | Path) -> list[str]:
    """Return the last column of a log."""
    return [line.split("  ")[-1].strip() for line in stage.run("log", source).stdout.splitlines()[1:]]


def test_every_revision_is_told_in_words_newest_first(stage: Stage, hooks: Path) -> None:
    lines = stage.run("log", hooks).stdout.splitlines()
    assert lines[0].split() == ["at", "seen", "age", "size", "who", "what"]
    assert [line.split()[0] for line in lines[1:]] == ["-0", "-1", "-2", "-3"]
    assert "10m" in lines[1]
    assert "lint" in lines[1]
    assert "open" in lines[1]
    assert "fmt" in lines[3]
    assert "closed → open" in lines[3]
    assert "recorded for the first time" in lines[4]


def test_the_names_of_the_json_form_are_stable(stage: Stage, hooks: Path) -> None:
    rows = stage.json("log", hooks)
    assert [set(row) for row in rows] == [set(ROW.split())] * 4
    newest, before = rows[0], rows[1]
    assert (newest["before"], newest["size"], newest["source"]) == (before["digest"], hooks.stat().st_size, str(hooks))
    assert rows[3]["before"] is None
    told = {(each["subject"], each["tone"]) for each in rows[2]["summary"]}
    assert ("fmt", "bad") in told
    assert stage.json("show", before["address"])["hooks"].keys() == {"fmt", "lint", "new"}


def test_only_those_that_changed_a_place(stage: Stage, hooks: Path) -> None:
    assert backs(stage, f"{hooks}#/hooks/fmt") == [0, 2]
    assert backs(stage, f"{hooks}#/hooks/new") == [1]
    assert backs(stage, hooks, "--path", "/hooks/*/state") == [0, 1, 2], "a hook that comes has a state, too"
    assert backs(stage, hooks, "--path", "/hooks/l*/state") == [0]
    assert backs(stage, hooks, "--path", "/hooks/lint", "--path", "/hooks/new") == [0, 1]
    assert stage.run("log", hooks, "--path", "/none").exit_code == 1
    assert stage.run("log", hooks, "--path", "hooks").exit_code == 2


def test_only_those_of_a_time_and_so_many(stage: Stage, hooks: Path) -> None:
    assert backs(stage, hooks, "--since", "45m") == [0, 1]
    assert backs(stage, hooks, "--until", "45m") == [2, 3]
    assert backs(stage, hooks, "--since", "90m", "--until", "20m") == [1, 2]
    assert backs(stage, hooks, "-n", "2") == [0, 1]
    assert backs(stage, hooks, "-n", "2", "--reverse") == [1, 0]
    result = stage.run("log", hooks, "--since", "5m")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "None of 4 revisions that are kept is like that" in result.stderr
    assert stage.run("log", hooks, "--since", "teatime").exit_code == 2


def test_more_than_are_shown_is_said(stage: Stage, recording: Recording) -> None:
    path = stage.project / "x.json"
    for number in range(25):
        recording.add(path, {"n": number}, HOUR - number)
    result = stage.run("log", path)
    assert len(result.stdout.splitlines()) == 21
    assert "There is more" in result.stderr
    assert len(stage.json("log", path)) == 25


def test_a_line_says_what_it_is_about_unless_that_was_asked_for(stage: Stage, recording: Recording) -> None:
    plain, batch = stage.project / "x.json", stage.project / "b.json"
    for number in range(3):
        recording.add(plain, {"n": number}, HOUR - number)
        recording.add(batch, {"batch_id": "nightly", "total_features": 3, "current_index": number}, HOUR - number)
    assert whats(stage, plain)[:2] == ["/n 1 → 2", "/n 0 → 1"]
    assert whats(stage, f"{plain}#/n") == ["1 → 2", "0 → 1"]
    assert {each["subject"] for row in stage.json("log", batch)[:2] for each in row["summary"]} == {"nightly"}
    assert not any("nightly" in what for what in whats(stage, batch))


def test_with_the_changes_themselves(stage: Stage, hooks: Path) -> None:
    told = stage.run("log", hooks, "-p", "-n", "1").stdout
    assert '~ /hooks/lint/state: "closed" → "open"' in told
    changes = stage.json("log", hooks, "-p", "-n", "1")[0]["changes"]
    assert {"op": "replace", "path": "/hooks/lint/state", "before": "closed", "after": "open"} in changes


def test_who_did_it_is_known_of_what_went_through_the_core(stage: Stage, hooks: Path, recording: Recording) -> None:
    stage.run("hooks", "reset", "lint", "--state-file", hooks, "--yes", "--settle", "0", "--why", "disk is back")
    written = hooks.stat().st_mtime
    recording.history.record(str(hooks), hooks.read_bytes(), at=written, seen_at=written)
    mine, foreign = stage.json("log", hooks, "-n", "2")
    audited = stage.json("audit")[0]
    assert (mine["user"], mine["action"], mine["why"]) == (audited["user"], "reset", "disk is back")
    assert mine["id"] == audited["id"]
    assert foreign["user"] is None
    assert f" {mine['user']}, reset " in stage.run("log", hooks).stdout.splitlines()[1]
    again = stage.json("blame", f"{hooks}#/hooks/lint/state")[0]
    assert (again["before"], again["after"], again["action"]) == ("open", "closed", "reset")


def test_a_symbolic_link_and_its_file_are_one_history(stage: Stage, hooks: Path) -> None:
    link = stage.project / "link.json"
    link.symlink_to(hooks)
    assert backs(stage, link) == [0, 1, 2, 3]


def test_what_is_no_json_is_listed_too(stage: Stage, recording: Recording) -> None:
    path = stage.project / "x.json"
    recording.add(path, {"a": 1}, HOUR)
    recording.add(path, b'{"a": ', 30 * MINUTE)
    recording.add(path, b'{"a":  1}', MINUTE)
    rows = stage.json("log", path)
    assert [bool(row["problem"]) for row in rows] == [False, True, False]
    assert rows[0]["summary"] == [{"subject": "", "text": "can be read again", "tone": "good"}]
    assert "ends" in rows[1]["problem"] or "line" in rows[1]["problem"] or "byte" in rows[1]["problem"]
    result = stage.run("restore", "x.json@-2", "--yes", "--settle", "0")
    assert result.exit_code == 0, result.output
    assert json.loads(path.read_bytes()) == {"a": 1}


def test_each_is_listed_under_what_goes_behind_the_at_also_while_nobody_records(
    stage: Stage, hooks: Path, recording: Recording
) -> None:
    """Whoever types the number that the list shows gets the revision of that line, whatever the file holds by now."""
    recording.write(hooks, {"hooks": {}, "global_stats": {}}, MINUTE)
    result = stage.run("log", hooks)
    assert "what is there now is not recorded" in result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == ["-1", "-2", "-3", "-4"]
    for row in stage.json("log", hooks):
        assert stage.json("show", f"{hooks}@-{row['back']}") == stage.json("show", row["address"])


def test_marks_are_told(stage: Stage, recording: Recording) -> None:
    path = stage.project / "x.json"
    first = recording.add(path, {"a": 1}, HOUR)
    recording.history.record(str(path), b'{"a": 2}', at=recording.now - 9, seen_at=recording.now - 9, dropped=3)
    recording.history.bookmark(first, "good")
    told = stage.run("log", path).stdout.splitlines()
    assert "(3 between not kept)" in told[1]
    assert "[good] recorded" in told[2]
    assert [row["bookmark"] for row in stage.json("log", path)] == [None, "good"]


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("x.json@10m", 2, "give the source without '@'"),
        ("nosuch.json", 1, "no history of it is kept"),
        ("sqlite:state.db?namespace=a", 1, "only files that are watched have one"),
        ("x.json#a", 1, "no history"),
    ],
)
def test_what_has_no_log(stage: Stage, recording: Recording, address: str, code: int, says: str) -> None:
    recording.add(stage.project / "x.json", {"a": 1}, HOUR)
    result = stage.run("log", address)
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert says in result.stderr


def test_the_commands_of_the_readme_work_as_they_are_written(stage: Stage, recording: Recording) -> None:
    """`diff` says 1 where something differs; whatever else goes wrong is said on standard error."""
    for index, minutes in enumerate((60, 40, 20, 5, 4, 3, 2)):
        failed = [{"feature_index": each, "error_message": "no"} for each in range(index % 3)]
        path = stage.write_batch(current_index=min(index, 3), completed_features=[], failed_features=failed)
        recording.add(path, path.read_bytes(), minutes * MINUTE)
    before = path.read_bytes()
    done = stage.follow_readme("then", to_the_end=False)
    assert not re.search("^statewatch: |Usage|Traceback", done.stderr, re.MULTILINE), done.stderr
    assert path.read_bytes() == before

"""Past moments on the command line: `show` and `restore` of SOURCE@WHEN, and `--at` of every command that reads."""

import json
import re
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from statewatch.cli.arguments import past_moment_of
from statewatch.core import audit
from tests.cli.conftest import Stage, hook, states, write_json
from tests.cli.recording import DAY, HOUR, MINUTE, Recording, recording

__all__ = ["recording"]

OLD, MIDDLE, NEW = b'{"a":  1, "by": "x"}\n', b'{\n "a": 2\n}', b'{"a": 3, "c": [1, 2]}'


@pytest.fixture
def file(stage: Stage, recording: Recording) -> Path:
    """Return a file that held three things: two hours, an hour and ten minutes ago."""
    path = stage.project / "x.json"
    for data, ago in ((OLD, 2 * HOUR), (MIDDLE, HOUR), (NEW, 10 * MINUTE)):
        recording.add(path, data, ago)
    return path


@pytest.mark.parametrize(
    ("when", "value"),
    [("-0", 3), ("-1", 2), ("-2", 1), ("1m", 3), ("11m", 2), ("59m", 2), ("61m", 1), ("1h 30m", 1)],
)
def test_a_moment_is_so_many_revisions_back_or_so_long_ago(stage: Stage, file: Path, when: str, value: int) -> None:
    result = stage.run("show", f"x.json@{when}#/a")
    assert (result.exit_code, result.stdout) == (0, f"{value}\n"), result.output
    assert result.stderr.startswith("(as seen ")


def test_a_moment_is_a_time_and_the_address_of_a_revision_means_it_for_ever(stage: Stage, file: Path) -> None:
    for row in stage.json("log", "x.json"):
        assert stage.json("show", row["address"]) == json.loads([NEW, MIDDLE, OLD][row["back"]])
        day, clock = row["seen_at"][:10], row["seen_at"][11:19]
        later = stage.run("show", f"x.json@{day} {clock}.999999Z", "--json")
        assert later.stdout == stage.run("show", row["address"], "--json").stdout


def test_a_time_of_day_is_the_last_one(recording: Recording) -> None:
    noon = datetime(2026, 11, 20, 12, 0, 0).timestamp()
    for text, hours in (("12:00", 0), ("09:30", 2.5), ("11:59:30.5", 29.5 / 3600), ("12:00:01", 24 - 1 / 3600)):
        found = past_moment_of(text, noon)
        assert found == pytest.approx(noon - hours * HOUR), text
    assert past_moment_of("25:00", noon) is None
    assert past_moment_of("9:30", noon) is None


def test_a_time_of_day_is_a_moment_everywhere(stage: Stage, file: Path, recording: Recording) -> None:
    then = datetime.fromtimestamp(recording.now - 30 * MINUTE).strftime("%H:%M:%S")
    assert stage.json("show", f"x.json@{then}#/a") == 2
    assert stage.json("show", "x.json#/a", "--at", then) == 2
    assert [row["back"] for row in stage.json("log", "x.json", "--since", then)] == [0]


def test_a_checkpoint_comes_before_a_bookmark_and_both_before_a_time(
    stage: Stage, file: Path, recording: Recording
) -> None:
    for name, back in (("10m", 2), ("monday", 1), ("deploy", 0)):
        entry = recording.history.back(str(file), back)
        assert entry is not None
        recording.history.bookmark(entry, name)
    assert stage.json("show", "x.json@10m#/a") == 1
    assert stage.json("show", "x.json@monday#/a") == 2
    assert stage.json("show", "x.json@deploy#/a") == 3
    write_json(file, {"a": 4})
    stage.run("checkpoint", "create", "x.json", "deploy")
    stage.run("checkpoint", "create", "x.json", "11m")
    assert stage.json("show", "x.json@deploy#/a") == 4
    result = stage.run("show", "x.json@11m#/a")
    assert result.stdout == "4\n"
    assert "'11m' is a checkpoint of that name" in result.stderr


def test_what_is_there_now_but_not_recorded_counts_as_a_revision(stage: Stage, file: Path) -> None:
    write_json(file, {"a": 4})
    result = stage.run("show", "x.json@-1#/a")
    assert result.stdout == "3\n"
    assert "what is there now is not recorded" in result.stderr
    assert stage.run("show", "x.json@-3#/a").stdout == "1\n"
    assert stage.run("show", "x.json@-4#/a").exit_code == 1


def test_a_file_that_is_gone_is_still_shown_as_it_was(stage: Stage, file: Path) -> None:
    file.unlink()
    assert stage.json("show", "x.json@-0#/a") == 3
    assert stage.json("show", "x.json@1h#/a") == 2


@pytest.mark.parametrize(
    ("when", "code", "says"),
    [
        ("3h", 1, r"its history begins [\d:\- ]+ \(2h ago\)\. The nearest is \S+/x\.json@20\S+Z$"),
        ("2001-01-01", 1, "is not known: its history begins"),
        ("-3", 1, r"holds 3 revisions; the oldest is \S+/x\.json@20\S+Z$"),
        ("2093-01-01T10:00", 2, r"is in \d+d: what will be then is not known yet"),
        ("2026-13-45", 1, "there is no checkpoint '2026-13-45'.* A moment is written as 10m"),
        ("10 minutes", 1, "A moment is written as"),
        ("nightly", 1, "there is no checkpoint 'nightly'"),
    ],
)
def test_a_moment_that_is_not_known_is_never_another_one(
    stage: Stage, file: Path, when: str, code: int, says: str
) -> None:
    for command in ("show", "restore"):
        result = stage.run(command, f"x.json@{when}")
        assert (result.exit_code, result.stdout) == (code, ""), result.output
        assert len(result.stderr.splitlines()) == 1
        assert re.search(says, result.stderr.strip()), result.stderr
    assert file.read_bytes() == NEW


def test_the_nearest_that_is_named_can_be_shown(stage: Stage, file: Path) -> None:
    told = stage.run("show", "x.json@3h").stderr
    nearest = told.split("The nearest is ")[1].split()[0]
    assert stage.json("show", nearest) == json.loads(OLD)


def test_what_was_not_kept_is_said(stage: Stage, recording: Recording) -> None:
    path = stage.project / "x.json"
    recording.add(path, {"a": 1}, HOUR)
    recording.history.record(str(path), b'{"a": 9}', at=recording.now - 60, seen_at=recording.now - 60, dropped=7)
    path.write_bytes(b'{"a": 9}')
    result = stage.run("show", "x.json@30m#/a")
    assert result.stdout == "1\n"
    assert "the nearest kept revision before that moment; 7 between it and the next" in result.stderr
    assert "7 revisions since were seen but not kept" in stage.run("show", "x.json@-1").stderr


def test_what_was_written_while_nobody_recorded_is_said(stage: Stage, file: Path, recording: Recording) -> None:
    recording.write(file, {"a": 4}, 5 * MINUTE)
    result = stage.run("show", "x.json@1m#/a")
    assert result.stdout == "3\n"
    assert "the file was written again" in result.stderr
    assert "that is not recorded" in result.stderr
    recording.add(file, {"a": 5}, 2 * MINUTE, written=4 * MINUTE)
    result = stage.run("show", "x.json@3m#/a")
    assert result.stdout == "3\n"
    nearer = re.search(r"says that it was written .*, before that moment: (\S+)\)", result.stderr)
    assert nearer
    assert stage.json("show", nearer[1] + "#/a") == 5


def test_a_restore_of_a_past_moment_is_exact_to_the_byte_and_can_be_undone(stage: Stage, file: Path) -> None:
    asked = stage.run("restore", "x.json@61m", "--dry-run")
    assert asked.exit_code == 0
    assert "~ /a: 3 → 1" in asked.stdout
    assert file.read_bytes() == NEW
    done = stage.json("restore", "x.json@61m", "--yes", "--settle", "0", "--why", "wrong run")
    assert done["changed"]
    assert done["checkpoint"]
    assert file.read_bytes() == OLD
    record = next(audit.records())
    assert (record.action, record.why, record.targets[0][:2]) == ("restore", "wrong run", "20")
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    assert file.read_bytes() == NEW


def test_a_part_of_a_past_moment_comes_back_and_the_rest_stays(stage: Stage, file: Path) -> None:
    result = stage.run("restore", "x.json@-2#/by", "--yes", "--settle", "0")
    assert result.exit_code == 0, result.output
    assert json.loads(file.read_bytes()) == {"a": 3, "c": [1, 2], "by": "x"}
    assert stage.run("restore", "x.json@-2", "--only", "/zz", "--yes").exit_code == 4


def test_a_deleted_file_comes_back_from_its_history(stage: Stage, file: Path) -> None:
    file.unlink()
    result = stage.run("restore", "x.json@61m", "--yes", "--settle", "0")
    assert result.exit_code == 0, result.output
    assert file.read_bytes() == OLD


# --- --at


@pytest.fixture
def day(stage: Stage, recording: Recording) -> Stage:
    """Return a stage where a hook failed and a batch went on in the last two hours."""
    steps: tuple[tuple[float, dict[str, Any]], ...] = (
        (2 * HOUR, {"fmt": hook()}),
        (HOUR, {"fmt": hook("open"), "lint": hook()}),
        (MINUTE, {"lint": hook()}),
    )
    for ago, hooks in steps:
        data = stage.write_hooks(**hooks).read_bytes()
        recording.add(stage.hook_state, data, ago)
    for ago, done in ((90 * MINUTE, [0]), (30 * MINUTE, [0, 1, 2, 3])):
        status = "completed" if len(done) == 4 else "in_progress"
        batch = stage.write_batch(completed_features=done, failed_features=[], skipped_features=[], status=status)
        recording.add(batch, batch.read_bytes(), ago)
    return stage


def test_status_as_it_was(day: Stage) -> None:
    assert day.run("status").exit_code == 0
    then = day.json("status", "--at", "31m", code=1)
    assert "fmt" in {need["subject"] for need in then["needs_attention"]}
    assert day.json("status", "--at", "100m")["needs_attention"] == []
    told = day.run("status", "--at", "31m")
    assert "As of " in told.stderr
    assert "31m ago; circuit policies are those of now" in told.stderr


def test_hooks_and_circuits_as_they_were(day: Stage) -> None:
    assert states(day.hook_state) == {"lint": "closed"}
    rows = day.json("hooks", "list", "--at", "31m")
    assert {row["hook"]: row["state"] for row in rows} == {"fmt": "open", "lint": "closed"}
    assert [row["state"] for row in day.json("circuits", "list", "--at", "31m")] == ["open", "closed"]
    assert day.json("hooks", "show", "fmt", "--at", "31m")["state"] == "open"
    assert day.run("hooks", "show", "fmt").exit_code == 1
    assert day.run("hooks", "health", "--at", "31m").exit_code == 1
    assert day.run("hooks", "health").exit_code == 0
    day.hook_state.unlink()
    assert len(day.json("hooks", "list", "--at", "31m")) == 2


def test_batches_as_they_were(day: Stage) -> None:
    assert day.json("batch", "list")[0]["completed"] == 4
    assert day.json("batch", "list", "--at", "40m")[0]["completed"] == 1
    assert day.json("batch", "show", "--at", "40m")["status"] in {"in_progress", "running", "stalled"}
    assert day.json("batch", "show", day.batch_state, "--at", "40m")["completed"] == 1
    assert day.json("batch", "summary", day.batch_state)["completed_count"] == 4
    assert day.json("batch", "summary", day.batch_state, "--at", "40m")["completed_count"] == 1


def test_places_keys_and_differences_as_they_were(day: Stage, recording: Recording) -> None:
    assert set(day.json("show", f"{day.hook_state}#/hooks", "--at", "31m")) == {"fmt", "lint"}
    path = day.project / "keys.json"
    recording.add(path, {"phase": "plan", "old": 1}, HOUR)
    recording.add(path, {"phase": "build"}, 5 * MINUTE)
    at = ("--address", path, "--at", "10m")
    assert day.json("state", "load", "phase", *at) == "plan"
    assert day.json("state", "keys", *at) == ["phase", "old"]
    assert day.run("state", "load", "new", *at).exit_code == 1
    assert day.json("state", "load", "new", "--default", "5", *at) == 5
    day.run("checkpoint", "create", path, "good")
    assert day.run("checkpoint", "diff", path, "good").exit_code == 0
    changed = day.json("checkpoint", "diff", path, "good", "--at", "10m", code=1)
    assert {row["path"] for row in changed} == {"/phase", "/old"}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("status --at 3h", 1, "nothing was recorded by then: what is there is recorded since"),
        ("hooks list --at 3h", 1, r"nothing was recorded of it by then; its history begins .* \S+@20\S+Z$"),
        ("batch show .claude/batch_state.json --at 100m", 1, "its history begins"),
        ("status other.json --at 5m", 1, "no history of it is kept: `statewatch record`"),
        ("show other.json --at 5m", 1, "no history of it is kept"),
        ("status --at 2093-01-01", 2, "not known yet"),
        ("status --at teatime", 2, "no bookmark, no duration"),
        ("show .claude/batch_state.json@40m --at 5m", 2, "give one moment"),
    ],
)
def test_a_time_before_the_history_is_told(day: Stage, arguments: str, code: int, says: str) -> None:
    write_json(day.project / "other.json", {})
    result = day.run(*arguments.split())
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert re.search(says, result.stderr.strip()), result.stderr


def test_what_is_recorded_only_later_is_counted(day: Stage) -> None:
    assert "1 source more recorded only later" in day.run("status", "--at", "100m").stderr


def test_a_bookmark_is_a_moment_for_all(day: Stage, recording: Recording) -> None:
    entry = recording.history.at(str(day.hook_state), recording.now - 31 * MINUTE)
    assert entry is not None
    recording.history.bookmark(entry, "lunch")
    assert {row["hook"] for row in day.json("hooks", "list", "--at", "lunch")} == {"fmt", "lint"}


@pytest.mark.parametrize("arguments", ["log x.json", "blame x.json#/a", "status --at 5m"])
def test_without_a_history_it_is_told_how_to_have_one(stage: Stage, arguments: str) -> None:
    write_json(stage.project / "x.json", {"a": 1})
    result = stage.run(*arguments.split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no history is kept in " in result.stderr
    assert "statewatch record" in result.stderr
    assert not (stage.state / "history.db").exists(), "who only reads makes nothing"


def test_another_history_is_named_by_option_or_variable(
    day: Stage, recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.db"
    recording.history.close()
    (day.state / "history.db").rename(other)
    assert day.run("log", day.hook_state).exit_code == 1
    assert len(day.json("log", day.hook_state, "--history", other)) == 3
    mistyped = day.run("show", f"{day.hook_state}@-1", "--history", tmp_path / "othr.db")
    assert (mistyped.exit_code, f"there is no history {tmp_path / 'othr.db'}, and" in mistyped.stderr) == (1, True)
    monkeypatch.setenv("STATEWATCH_HISTORY", str(other))
    assert len(day.json("log", day.hook_state)) == 3
    assert day.json("show", f"{day.hook_state}@-2#/hooks/fmt/state") == "closed"
    assert day.json("restore", f"{day.hook_state}@-1", "--dry-run")["dry_run"]


def test_a_history_that_is_damaged_or_newer_is_told_and_left_alone(day: Stage, recording: Recording) -> None:
    recording.history.close()
    store = day.state / "history.db"
    with sqlite3.connect(store) as link:
        link.execute("PRAGMA user_version = 9999")
    link.close()
    before = store.read_bytes()
    told = day.run("log", day.hook_state)
    assert (told.exit_code, told.stdout) == (3, ""), told.output
    for beside in day.state.glob("history.db-*"):
        beside.unlink()
    store.write_bytes(b"no database at all, whatever its name says" * 100)
    told = day.run("status", "--at", "5m")
    assert (told.exit_code, told.stdout) == (3, ""), told.output
    assert before
    assert day.run("status").exit_code == 0, "what is about now needs no history"


def test_the_past_is_as_harmless_as_the_present(stage: Stage, recording: Recording) -> None:
    nasty = "nl\nred\x1b[31m \x1b]0;title\x07 \u202eback"
    path = stage.project / "x.json"
    recording.add(path, {nasty: 1}, HOUR)
    recording.add(path, {nasty: nasty}, MINUTE)
    for arguments in (
        ["log", path],
        ["log", path, "-p"],
        ["blame", f"{path}#/{nasty}"],
        ["status", path, "--at", "5m"],
    ):
        result = stage.run(*arguments)
        assert result.exit_code == 0, result.output
        assert not set("\x1b\x07\u202e") & set(result.output)


def test_times_as_far_as_days_back(stage: Stage, recording: Recording) -> None:
    path = stage.project / "x.json"
    recording.add(path, {"a": 1}, 3 * DAY)
    recording.add(path, {"a": 2}, DAY)
    assert stage.json("show", "x.json@2d#/a") == 1
    assert "d ago" in stage.run("show", "x.json@2d").stderr


READING = (
    "status",
    "show x.json",
    "hooks list",
    "hooks health",
    "hooks show fmt",
    "circuits list",
    "circuits show fmt",
    "batch list",
    "batch show",
    "batch summary x",
    "workflow list",
    "workflow show x",
    "state load x",
    "state keys",
    "checkpoint diff x.json x",
)


@pytest.mark.parametrize("command", READING)
def test_every_command_that_reads_sources_takes_a_time(stage: Stage, command: str) -> None:
    result = stage.run(*command.split(), "--at", "2093-01-01")
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert "what will be then is not known yet" in result.stderr


def test_an_audit_log_that_cannot_be_read_hides_no_revision(stage: Stage, file: Path) -> None:
    (stage.state / "audit.jsonl").mkdir()
    result = stage.run("log", "x.json")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 4), result.output
    assert "who did it is not known" in result.stderr

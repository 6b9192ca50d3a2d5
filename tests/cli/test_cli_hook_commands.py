"""`hooks show`, `history`, `config`, `watch`, `mode`; names, patterns and stores in all commands about circuits."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statewatch.core.recording import Circuits, Run
from tests.cli.conftest import OPENED, Stage, hook, states, told_in_the_readme
from tests.support import PATIENCE, replace

THREE = {"lint-js": hook("open"), "lint-py": hook("open"), "guard": hook("open")}
QUIET = ("--yes", "--settle", "0")


def recorded(stage: Stage, *runs: Run) -> Circuits:
    stage.hook_state.parent.mkdir(parents=True, exist_ok=True)
    circuits = Circuits(stage.hook_state)
    for run in runs:
        circuits.record([run])
    return circuits


def shown(stage: Stage, name: str, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = stage.json("hooks", "show", name, *more)
    return found


# --- which hooks are meant


@pytest.mark.parametrize("verb", ["reset", "enable"])
def test_a_pattern_that_matches_several_does_nothing(stage: Stage, verb: str) -> None:
    path = stage.write_hooks(**THREE)
    before = path.read_bytes()
    done = stage.run("hooks", verb, "lint-*", *QUIET)
    assert done.exit_code == 2
    assert "2 hooks match 'lint-*':\n  lint-js\n  lint-py\n" in done.stderr
    assert "--all-matching" in done.stderr
    assert path.read_bytes() == before
    assert stage.run("hooks", verb, "lint-*", "--all-matching", *QUIET).exit_code == 0
    assert states(path) == {"lint-js": "closed", "lint-py": "closed", "guard": "open"}


def test_a_pattern_that_matches_one_means_it(stage: Stage) -> None:
    path = stage.write_hooks(**THREE)
    assert stage.run("hooks", "reset", "gu?rd", *QUIET).exit_code == 0
    assert states(path)["guard"] == "closed"
    done = stage.run("hooks", "reset", "x*", *QUIET)
    assert (done.exit_code, "no hook matches 'x*'" in done.stderr) == (1, True)


def test_a_name_with_a_star_is_that_name_first(stage: Stage) -> None:
    path = stage.write_hooks(**{"a*": hook("open"), "ab": hook("open")})
    assert stage.run("hooks", "reset", "a*", *QUIET).exit_code == 0
    assert states(path) == {"a*": "closed", "ab": "open"}


@pytest.mark.parametrize(("verb", "state"), [("enable", "closed"), ("half-open", "half_open"), ("reset", "closed")])
def test_all_of_them(stage: Stage, verb: str, state: str) -> None:
    path = stage.write_hooks(**THREE)
    assert stage.run("hooks", verb, "--all", *QUIET).exit_code == 0
    assert set(states(path).values()) == {state}


@pytest.mark.parametrize("arguments", [(), ("a", "--all")])
@pytest.mark.parametrize("verb", ["reset", "enable", "disable", "half-open"])
def test_names_or_all_but_not_both(stage: Stage, verb: str, arguments: tuple[str, ...]) -> None:
    stage.write_hooks(a=hook("open"))
    done = stage.run("hooks", verb, *arguments, "--yes")
    assert (done.exit_code, "or give --all, not both" in done.stderr) == (2, True)


@pytest.mark.parametrize("scheme", ["sqlite:{}/state?namespace=fleet", "json:{}?namespace=fleet"])
def test_a_store_is_as_good_as_a_file(stage: Stage, tmp_path: Path, scheme: str) -> None:
    url = scheme.format(tmp_path)
    Circuits(url).record([Run("a", "no such table")] * 3)
    at = ("--state-file", url)
    assert [(row["hook"], row["state"]) for row in stage.json("hooks", "list", *at)] == [("a", "open")]
    assert stage.json("hooks", "health", *at, code=1)["open"] == 1
    assert shown(stage, "a", *at)["metrics"]["openings"] == 1
    assert stage.run("hooks", "reset", "a", *at, *QUIET).exit_code == 0
    assert shown(stage, "a", *at)["state"] == "closed"
    assert "failed: no such table" in stage.run("hooks", "history", "a", *at).stdout
    assert stage.run("hooks", "mode", "skip", "a", *at, "--yes").exit_code == 0
    assert not Circuits(url).ask("a").should_execute


# --- one circuit


def test_all_about_one_circuit(stage: Stage) -> None:
    recorded(stage, *[Run("a", "first line\n\x1b]0;evil\x07second")] * 3, Run("b"))
    row = shown(stage, "a")
    assert (row["state"], row["failure_count"], row["mode"]) == ("open", 3, None)
    assert (row["metrics"]["failures"], row["metrics"]["openings"]) == (3, 1)
    assert sum(period["failures"] for period in row["metrics"]["last_day"]) == 3
    text = stage.run("hooks", "show", "a").stdout
    assert "first line" in text
    assert "\x1b" not in text
    assert "]0;evil" in text
    assert "3 failures, 1 opening, 0 recoveries" in text
    missing = stage.run("hooks", "show", "aa")
    assert (missing.exit_code, "near it: a" in missing.stderr) == (1, True)


def test_what_happened_and_who_did_it(stage: Stage) -> None:
    circuits = recorded(stage, *[Run("a", "bad")] * 3, Run("b", "other"))
    stage.run("hooks", "reset", "a", *QUIET, "--why", "path fixed")
    told = [json.loads(line) for line in stage.run("hooks", "history", "a", "--json").stdout.splitlines()]
    assert [each["event"] for each in told] == ["action", "opened", "failed", "failed", "failed"]
    assert (told[0]["action"], told[0]["why"]) == ("reset", "path fixed")
    assert len(stage.run("hooks", "history", "-n", "2").stdout.splitlines()) == 2
    text = stage.run("hooks", "history").stdout
    assert "b  failed: other" in text
    assert "path fixed" in text
    assert [each["hook"] for each in circuits.history()].count("b") == 1


def test_no_history_is_no_error(stage: Stage) -> None:
    done = stage.run("hooks", "history")
    assert (done.exit_code, done.stdout) == (0, "")


# --- modes


def test_a_hook_that_is_switched_off_for_a_while(stage: Stage) -> None:
    circuits = recorded(stage, Run("a"))
    before = stage.hook_state.read_bytes()
    assert stage.run("hooks", "disable", "a", "--for", "2h", "--yes").exit_code == 0
    assert stage.hook_state.read_bytes() == before, "the file of other tools is left alone"
    decision = circuits.ask("a")
    assert not decision.should_execute
    assert decision.retry_in is not None
    assert 7100 < decision.retry_in <= 7200
    (row,) = stage.json("hooks", "list")
    assert row["mode"] == "skip"
    assert "skip" in stage.run("hooks", "list").stdout
    done = stage.run("hooks", "enable", "a", *QUIET)
    assert "it was skip" in done.stderr
    assert circuits.ask("a").should_execute


@pytest.mark.parametrize(
    ("word", "runs", "opens"), [("always-run", True, False), ("count-only", True, True), ("skip", False, True)]
)
def test_each_mode(stage: Stage, word: str, runs: bool, opens: bool) -> None:
    circuits = recorded(stage)
    assert stage.json("hooks", "mode", word, "new", "--yes")["changed"] is True
    circuits.record([Run("new", "bad")] * 3)
    assert circuits.ask("new").should_execute is runs
    assert (states(stage.hook_state)["new"] == "open") is opens
    assert shown(stage, "new")["mode"] == word
    assert stage.json("hooks", "mode", "normal", "--all", "--yes")["targets"] == ["new"]
    assert shown(stage, "new")["mode"] is None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--for", "2"), "not a duration"),
        (("--until", "2020-01-01"), "no time to come"),
        (("--until", "tomorrow"), "no time to come"),
        (("--for", "2h", "--forever"), "give one of"),
    ],
)
def test_times_that_cannot_be_meant(stage: Stage, arguments: tuple[str, ...], reason: str) -> None:
    stage.write_hooks(a=hook())
    done = stage.run("hooks", "disable", "a", "--yes", *arguments)
    assert (done.exit_code, reason in done.stderr) == (2, True)


def test_a_mode_is_rehearsed_and_asked_for(stage: Stage) -> None:
    circuits = recorded(stage, Run("a"))
    assert stage.run("hooks", "mode", "skip", "a", "--dry-run").exit_code == 0
    assert stage.run("hooks", "mode", "skip", "a").exit_code == 2, "there is nobody to ask"
    assert circuits.mode("a") is None


def test_a_mode_is_in_the_audit_log_and_can_be_undone(stage: Stage) -> None:
    circuits = recorded(stage, Run("a"))
    stage.run("hooks", "mode", "skip", "a", "--yes", "--why", "hangs on large files")
    (entry,) = stage.json("audit")
    assert (entry["action"], entry["targets"], entry["why"]) == ("mode skip", ["a"], "hangs on large files")
    assert "mode skip by " in (told := stage.run("hooks", "history", "a").stdout)
    assert told.count("hangs on large files") == 1
    assert stage.run("undo", "--yes").exit_code == 0
    assert circuits.ask("a").should_execute
    assert stage.run("redo", "--yes").exit_code == 0
    assert not circuits.ask("a").should_execute


@pytest.mark.parametrize("command", [("hooks", "reset"), ("hooks", "enable"), ("circuits", "reset")])
def test_a_reset_forgets_the_mode_and_an_undo_brings_it_back(stage: Stage, command: tuple[str, ...]) -> None:
    circuits = recorded(stage, *[Run("a", "bad")] * 3)
    circuits.set_mode(["a", "b"], "forced_open")
    before = circuits.extras()
    done = stage.run(*command, "a", *QUIET)
    assert (done.exit_code, "a is in no mode any more; it was skip" in done.stderr) == (0, True)
    assert circuits.ask("a").should_execute
    assert not circuits.ask("b").should_execute, "nobody has asked for that"
    assert stage.run("undo", "--yes").exit_code == 0
    assert circuits.extras() == before
    assert states(stage.hook_state)["a"] == "open"


def test_a_reset_in_a_store_is_one_action_with_its_modes(stage: Stage, tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/state?namespace=fleet"
    circuits = Circuits(url)
    circuits.record([Run("a", "bad")] * 3)
    circuits.set_mode(["a"], "forced_open", why="noisy")
    before = circuits.extras()
    assert stage.run("hooks", "reset", "--all", "--state-file", url, *QUIET).exit_code == 0
    assert circuits.ask("a").decision == "execute"
    assert stage.run("undo", url, "--yes").exit_code == 0
    assert circuits.extras() == before
    assert circuits.hooks()["a"]["state"] == "open"  # type: ignore[index,call-overload]
    actions = [event["action"] for event in circuits.history("a") if "action" in event]
    assert actions == ["undo reset all", "undo reset all", "reset all", "reset all", "mode"], "records, and modes"


def test_what_is_beside_a_hook_state_and_broken_does_not_keep_it_from_being_reset(stage: Stage) -> None:
    recorded(stage, *[Run("a", "bad")] * 3)
    stage.hook_state.with_name(".hook_state.json.statewatch-circuits.json").write_text("{")
    done = stage.run("hooks", "reset", "a", *QUIET)
    assert (done.exit_code, "modes and back-off are left as they are" in done.stderr) == (0, True)
    assert states(stage.hook_state)["a"] == "closed"
    refused = stage.run("hooks", "mode", "skip", "a", "--yes")
    assert (refused.exit_code, "not JSON" in refused.stderr) == (3, True)


@pytest.mark.parametrize("text", ["[]", '{"hooks": []}', '{"features": []}'])
def test_what_is_no_hook_state_gets_no_modes(stage: Stage, text: str) -> None:
    stage.hook_state.parent.mkdir(parents=True, exist_ok=True)
    stage.hook_state.write_text(text)
    done = stage.run("hooks", "mode", "skip", "a", "--yes")
    assert (done.exit_code, "it is not a hook state" in done.stderr) == (4, True)


def test_a_history_tells_what_an_undo_did(stage: Stage) -> None:
    recorded(stage, *[Run("a", "bad")] * 3)
    stage.run("hooks", "reset", "a", *QUIET)
    stage.run("undo", "--yes")
    told = [json.loads(line) for line in stage.run("hooks", "history", "a", "-n", "2", "--json").stdout.splitlines()]
    assert [(each["action"], each["from"], each["to"]) for each in told] == [
        ("undo reset", "closed", "open"),
        ("reset", "open", "closed"),
    ]


# --- settings


def test_settings_and_where_they_come_from(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stage.home / ".claude" / "guardrails.yaml"
    path.parent.mkdir()
    path.write_text("circuit_breaker:\n  failure_threshold: 5\n  cooldown_seconds: 60\n  exclude: [guard]\n")
    monkeypatch.setenv("GUARDRAILS_CIRCUIT_BREAKER_COOLDOWN_SECONDS", "90")
    said = stage.json("hooks", "config")
    found = {row["key"]: (row["value"], row["from"]) for row in said["settings"]}
    assert found["circuit_breaker.failure_threshold"] == (5, "~/.claude/guardrails.yaml")
    assert found["circuit_breaker.cooldown_seconds"] == (90, "$GUARDRAILS_CIRCUIT_BREAKER_COOLDOWN_SECONDS")
    assert found["circuit_breaker.success_threshold"] == (2, "default")
    assert found["circuit_breaker.exclude"] == (["guard"], "~/.claude/guardrails.yaml")
    assert said["mistakes"] == []
    assert "failure_threshold" in stage.run("hooks", "config").stdout


def test_every_mistake_is_named_and_the_rest_holds(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stage.project / "own.yaml"
    path.write_text("circuit_breaker: {failure_treshold: 5, cooldown_seconds: -1, success_threshold: 4}\nlog: 1\n")
    monkeypatch.setenv("GUARDRAILS_CIRCUIT_BREAKER_ENABLED", "maybe")
    said = stage.json("hooks", "config", "--file", str(path), code=1)
    assert len(said["mistakes"]) == 4
    assert "Did you mean failure_threshold?" in said["mistakes"][0]
    found = {row["key"]: row["value"] for row in said["settings"]}
    assert (found["circuit_breaker.cooldown_seconds"], found["circuit_breaker.success_threshold"]) == (300, 4)
    path.write_text("a: [")
    assert stage.run("hooks", "config", "--file", path).exit_code == 3
    assert stage.run("hooks", "config", "--file", "none.yaml").exit_code == 3


# --- as it happens


def lines_while(stage: Stage, act: Callable[[], None], *arguments: str) -> list[str]:
    """Return what `hooks watch` prints while *act* is done; it begins when watching does."""
    pipe = subprocess.PIPE
    command = stage.command("hooks", "watch", *arguments)
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, env=stage.environment(), cwd=stage.project
    ) as process:
        stopper = threading.Timer(PATIENCE, process.kill)
        stopper.start()
        assert process.stderr is not None
        assert process.stderr.readline().startswith("watching")
        act()
        out, _ = process.communicate()
        stopper.cancel()
    return out.splitlines()


def test_watching_a_file(stage: Stage) -> None:
    path = stage.write_hooks(a=hook(), b=hook())

    def fail() -> None:
        record = hook(failure_count=1, consecutive_failures=1, last_error="bad", last_failure=OPENED)
        replace(path, json.dumps({"hooks": {"a": record, "b": hook("open")}, "global_stats": {}}))

    assert len(lines_while(stage, fail, "-n", "2", "--failures")) == 2
    stage.write_hooks(a=hook(), b=hook())
    (line,) = lines_while(stage, fail, "-n", "1", "--json")
    assert json.loads(line)["kind"] == "hooks"


def test_watching_a_store(stage: Stage, tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/state?namespace=fleet"
    circuits = Circuits(url)
    circuits.record([Run("a")])

    def fail() -> None:
        circuits.record([Run("a", "bad")])

    (line,) = lines_while(stage, fail, "-n", "1", "--state-file", url)
    assert "a  failed (1 in a row): bad" in line


# --- what the manual says


def test_the_commands_of_the_readme_work_as_they_are_written(stage: Stage) -> None:
    done = stage.follow_readme("hooks")
    assert done.returncode == 0, done.stderr
    assert "linted\nfailed with 3\n" in done.stdout
    assert states(stage.hook_state) == {"echo": "closed", "lint": "closed"}


def test_the_program_of_the_readme_works_as_it_is_written(stage: Stage) -> None:
    program = "def run_the_hook():\n    raise OSError('boom')\n" + told_in_the_readme("breaker", "python")
    for _ in range(4):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=stage.environment(),
            cwd=stage.project,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert states(stage.hook_state) == {"lint": "open", "format": "closed", "tests": "open"}

"""`hooks reset` and its like, and `undo`: the same core as everywhere, asked for once and reported exactly."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pexpect
import pytest

from statewatch.core import audit
from statewatch.core.lock import locked
from tests.cli.conftest import ROOT, Stage, hook, states

RESULT = "action source targets changed overwritten applied id base copy checkpoint displaced dry_run notes changes"


@contextlib.contextmanager
def foreign(*command: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a foreign writer until the block ends."""
    with subprocess.Popen(
        [sys.executable, *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def putter(path: Path, times: int) -> "contextlib.AbstractContextManager[subprocess.Popen[str]]":
    return foreign(ROOT / "tests" / "cli" / "putter.py", path, str(times))


def changes_of(result: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {change["path"]: (change["before"], change["after"]) for change in result["changes"]}


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("reset", "open", "closed"),
        ("reset", "half_open", "closed"),
        ("enable", "open", "closed"),
        ("disable", "closed", "open"),
        ("half-open", "open", "half_open"),
    ],
)
def test_each_action(stage: Stage, verb: str, before: str, after: str) -> None:
    path = stage.write_hooks(a=hook(before, note="kept"), b=hook("open"))
    result = stage.json("hooks", verb, "a", "--yes", "--why", "because", "--settle", "0")
    assert set(result) == set(RESULT.split())
    assert (result["action"], result["source"], result["targets"]) == (verb, str(path), ["a"])
    assert (result["changed"], result["overwritten"], result["applied"]) == (True, False, 1)
    assert changes_of(result)["/hooks/a/state"] == (before, after)
    assert all(change["op"] == "replace" for change in result["changes"])
    assert states(path) == {"a": after, "b": "open"}
    assert json.loads(path.read_text())["hooks"]["a"]["note"] == "kept"
    assert json.loads(Path(result["copy"]).read_text())["hooks"]["a"]["state"] == before
    (record,) = audit.records()
    assert (record.id, record.via, record.why) == (result["id"], "cli", "because")


def test_several_and_all(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"), b=hook("open"), c=hook("open"))
    assert stage.run("hooks", "reset", "a", "b", "--yes", "--settle", "0").exit_code == 0
    assert states(path) == {"a": "closed", "b": "closed", "c": "open"}
    result = stage.run("hooks", "reset", "--all", "--yes", "--settle", "0")
    assert "reset all (3 hooks)" in result.stdout
    assert json.loads(path.read_text())["global_stats"]["total_failures"] == 0


def test_human_words(stage: Stage) -> None:
    stage.write_hooks(a=hook("open"))
    result = stage.run("hooks", "reset", "a", "--yes", "--settle", "0")
    assert result.stdout == "reset a in ~/.claude/hook_state.json: 9 places changed.\n"
    (record,) = audit.records()
    assert f"statewatch undo --id {record.id}" in result.stderr
    assert record.copy in result.stderr


def test_a_dry_run_shows_everything_and_writes_nothing(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"))
    before = path.read_bytes()
    result = stage.run("hooks", "reset", "a", "--dry-run")
    assert result.exit_code == 0
    assert '~ /hooks/a/state: "open" → "closed"' in result.stdout.splitlines()
    shown = stage.json("hooks", "reset", "a", "--dry-run")
    assert (shown["dry_run"], shown["changed"], shown["id"]) == (True, False, None)
    assert len(shown["changes"]) == len(result.stdout.splitlines())
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert not stage.state.exists()


def test_without_anybody_to_ask_nothing_is_done(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"))
    result = stage.run("hooks", "reset", "a", typed="y\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--yes" in result.stderr
    assert states(path) == {"a": "open"}


def test_nothing_to_change(stage: Stage) -> None:
    path = stage.write_hooks(a=hook())
    before = path.read_bytes()
    result = stage.run("hooks", "enable", "a")
    assert result.exit_code == 0
    assert "nothing to change" in result.stderr
    assert stage.json("hooks", "reset", "a", "--yes")["changed"] is False
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("reset valdate-file --yes", 1, "near it: validate-file"),
        ("reset validate-file other --yes", 1, "there is no hook 'other'"),
        ("half-open validate-file --yes", 4, "it is closed"),
        ("reset", 2, "--all"),
        ("reset --all validate-file", 2, "not both"),
        ("disable", 2, "name the hooks to disable"),
        ("reset a --state-file missing.json --yes", 3, "there is no such file"),
        ("reset a --state-file . --yes", 3, "it is a directory"),
        ("reset a --state-file plain.json --yes", 4, "not a hook state"),
        ("reset plain.json#/x/y --yes", 1, "there is no hook"),
        ("reset a --yes --reapply x", 2, "--reapply"),
    ],
)
def test_what_cannot_be_done(stage: Stage, arguments: str, code: int, says: str) -> None:
    path = stage.write_hooks(**{"validate-file": hook()})
    (stage.project / "plain.json").write_text("{}")
    before = path.read_bytes()
    result = stage.run("hooks", *arguments.split())
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["-x", "--yes", "a b && c", "/x/y.py --flag", "日本", "", "a#/hooks/b", "[/x]"])
def test_a_hook_may_be_called_anything(stage: Stage, name: str) -> None:
    path = stage.write_hooks(**{name: hook("open"), "b": hook("open")})
    result = stage.run("hooks", "reset", "--yes", "--settle", "0", "--", name)
    assert result.exit_code == 0, result.stderr
    assert states(path) == {name: "closed", "b": "open"}


def test_a_hook_by_its_address(stage: Stage) -> None:
    other = stage.write_hooks(stage.project / "other.json", **{"a/b": hook("open")})
    (row,) = stage.json("hooks", "list", other)
    assert stage.run("hooks", "reset", row["address"], "--yes", "--settle", "0").exit_code == 0
    assert states(other) == {"a/b": "closed"}
    stage.write_hooks(a=hook("open"))
    assert stage.run("hooks", "reset", row["address"], "a", "--yes").exit_code == 2


def test_a_read_only_file_is_left_alone(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"))
    path.chmod(0o444)
    result = stage.run("hooks", "reset", "a", "--yes")
    assert result.exit_code == 4
    assert "read-only" in result.stderr


def test_a_lock_says_who_holds_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = partial(locked, timeout=0.01)
    monkeypatch.setattr("statewatch.core.stores.file.locked", lambda path, name, _timeout: impatient(path, name))
    path = stage.write_hooks(a=hook("open"))
    with locked(path, "a long operation"):
        result = stage.run("hooks", "reset", "a", "--yes")
    assert result.exit_code == 6
    assert "a long operation" in result.stderr
    assert f"process {os.getpid()}" in result.stderr


def test_an_overwritten_action_says_so(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"))
    with putter(path, times=1):
        result = stage.run("hooks", "reset", "a", "--yes", "--json", "--settle", "20")
    assert result.exit_code == 5
    assert "overwritten" in result.stderr
    assert f"statewatch hooks reset --reapply 3 --state-file {path} a" in result.stderr
    value = json.loads(result.stdout)
    assert (value["overwritten"], value["changed"]) == (True, True)
    assert value["copy"] in result.stderr
    assert states(path) == {"a": "open"}


def test_reapply_does_it_again(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"))
    with putter(path, times=1):
        result = stage.run("hooks", "reset", "a", "--yes", "--reapply", "3", "--settle", "1")
    assert result.exit_code == 0
    assert "applied 2 times" in result.stdout
    assert states(path) == {"a": "closed"}


def test_an_action_while_another_program_writes(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"), busy=hook())
    with foreign(ROOT / "tests" / "foreign.py", path, "busy", "100", "0.001") as writer:
        result = stage.run("hooks", "reset", "a", "--yes", "--reapply", "10")
        assert result.exit_code == 0, result.stderr
        assert writer.stdin is not None
        writer.stdin.close()
        writer.wait(10)
    assert states(path)["a"] == "closed"


def test_undo_takes_the_last_action_back(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"), b=hook("open"))
    before = path.read_bytes()
    stage.run("hooks", "reset", "a", "--yes", "--settle", "0")
    assert stage.run("undo").exit_code == 2
    assert '"closed" → "open"' in stage.run("undo", "--dry-run").stdout
    result = stage.json("undo", path, "--yes", "--settle", "0")
    assert (result["action"], result["changed"]) == ("undo reset", True)
    assert path.read_bytes() == before
    result = stage.run("undo", "--yes")
    assert result.exit_code == 1
    assert "nothing to undo" in result.stderr


def test_undo_of_a_named_action(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"), b=hook("open"))
    first = stage.json("hooks", "reset", "a", "--yes", "--settle", "0")["id"]
    stage.json("hooks", "reset", "b", "--yes", "--settle", "0")
    undo = stage.json("undo", "--id", first[:8], "--yes", "--settle", "0")
    assert states(path) == {"a": "open", "b": "closed"}
    for identity, code in ((first, 4), (undo["id"], 4), ("nothing", 1), ("", 1)):
        assert stage.run("undo", "--id", identity, "--yes").exit_code == code


def test_undo_is_refused_when_things_have_moved_on(stage: Stage) -> None:
    stage.write_hooks(a=hook("open"))
    stage.json("hooks", "reset", "a", "--yes", "--settle", "0")
    stage.write_hooks(a=hook("open", last_error="new trouble"))
    result = stage.run("undo", "--yes")
    assert result.exit_code == 4
    assert "moved on" in result.stderr


@pytest.mark.parametrize(
    ("typed", "code", "state"),
    [
        ("y\r", 0, "closed"),
        ("yes\r", 0, "closed"),
        ("\r", 4, "open"),
        ("n\r", 4, "open"),
        ("\x04", 4, "open"),
        ("\x03", 130, "open"),
    ],
)
def test_on_a_terminal_it_asks_once(stage: Stage, typed: str, code: int, state: str) -> None:
    path = stage.write_hooks(a=hook("open"))
    command, *arguments = stage.command("hooks", "reset", "a", "--settle", "0")
    child = pexpect.spawn(
        str(command), [str(each) for each in arguments], env=stage.environment(), encoding="utf-8", timeout=20
    )
    child.expect(r'state: "open" → "closed"')
    child.expect(r"Do this\? \[y/N\] ")
    child.send(typed)
    child.expect(pexpect.EOF)
    child.close()
    assert "Traceback" not in (child.before or "")
    assert child.exitstatus == code
    assert states(path) == {"a": state}

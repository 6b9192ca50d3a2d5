"""`hooks install` and `uninstall`: a settings file with its hooks behind their circuits, and as it was."""

import json
import subprocess
from pathlib import Path

import pytest

from statewatch.core import audit
from tests.cli.conftest import Stage, states

SETTINGS = """{
  "permissions": {"allow": ["Bash(ls:*)"]},   "unknown": 1.50,
  "hooks": {
    "PreToolUse": [ {"matcher": "Bash", "hooks": [
      {"type": "command", "command": "echo \\"$WHO\\" && test -t 0 || ./guard.sh 'a b'", "timeout": 5},
      {"type": "prompt", "prompt": "is it safe?"} ] } ],
    "Stop": [{"hooks": [{"type": "command", "command": "echo caf\\u00e9"}]}]
  }
}
"""


@pytest.fixture
def settings(stage: Stage) -> Path:
    path = stage.project / "settings.json"
    path.write_text(SETTINGS)
    return path


def commands(path: Path) -> list[str]:
    events = json.loads(path.read_text())["hooks"].values()
    return [hook["command"] for groups in events for group in groups for hook in group["hooks"] if "command" in hook]


def act(stage: Stage, verb: str, path: Path, *more: str) -> str:
    done = stage.run("hooks", verb, path, "--yes", "--settle", "0", *more)
    assert done.exit_code == 0, done.output
    return done.output


def test_there_and_back_to_the_byte(stage: Stage, settings: Path) -> None:
    said = act(stage, "install", settings)
    assert "install guard, echo in" in said
    assert 'a hook of the type "prompt" runs no command' in said
    assert all("--key" in command for command in commands(settings))
    installed = settings.read_text()
    assert '"unknown": 1.50' in installed
    assert "caf\\u00e9" in installed
    assert "nothing to change" in act(stage, "install", settings)
    assert settings.read_text() == installed
    act(stage, "uninstall", settings)
    assert settings.read_text() == SETTINGS
    assert [record.action for record in audit.records()] == ["uninstall", "install"]


def test_undo_takes_it_back_too(stage: Stage, settings: Path) -> None:
    act(stage, "install", settings)
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    assert settings.read_text() == SETTINGS


def test_what_is_edited_meanwhile_stays(stage: Stage, settings: Path) -> None:
    act(stage, "install", settings)
    settings.write_text(settings.read_text().replace('"unknown": 1.50', '"unknown": 2'))
    act(stage, "uninstall", settings)
    assert settings.read_text() == SETTINGS.replace("1.50", "2")


def test_a_dry_run_shows_the_difference_and_writes_nothing(stage: Stage, settings: Path) -> None:
    done = stage.run("hooks", "install", settings, "--dry-run")
    assert done.exit_code == 0
    (first, second) = done.stdout.splitlines()
    assert first.startswith("~ /hooks/PreToolUse/0/hooks/0/command: ")
    assert "→" in second
    assert "statewatch-hook" in second
    assert settings.read_text() == SETTINGS
    assert stage.run("hooks", "install", settings).exit_code == 2, "there is nobody to ask"
    assert settings.read_text() == SETTINGS


def test_what_is_installed_does_the_same_and_is_counted(stage: Stage, settings: Path) -> None:
    guard = stage.project / "guard.sh"
    guard.write_text('#!/bin/sh\necho "guarded $1"\n')
    guard.chmod(0o755)
    before = [_run(stage, command) for command in commands(settings)]
    act(stage, "install", settings)
    assert [_run(stage, command) for command in commands(settings)] == before == ["you\nguarded a b\n", "café\n"]
    assert states(stage.hook_state) == {"guard": "closed", "echo": "closed"}


def _run(stage: Stage, command: str) -> str:
    environment = stage.environment(WHO="you")
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment,
        cwd=stage.project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def test_options_go_into_every_command(stage: Stage, settings: Path) -> None:
    act(stage, "install", settings, "--state", "a b.json", "--success-codes", "0,2", "--timeout", "20", "--shell", "sh")
    state = stage.project / "a b.json"
    options = f"--state '{state}' --timeout 20 --success-codes 0,2 -- sh -c '"
    assert all(options in command for command in commands(settings))


@pytest.mark.parametrize("arguments", [("--success-codes", "x"), ("--timeout", "0"), ("--success-codes", "0,256")])
def test_options_that_the_wrapper_would_not_take(stage: Stage, settings: Path, arguments: tuple[str, str]) -> None:
    assert stage.run("hooks", "install", settings, "--yes", *arguments).exit_code == 2
    assert settings.read_text() == SETTINGS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{\n  // my hooks\n  "hooks": {}\n}', "a comment, at line 2"),
        ('{"hooks": {},}', "not JSON at line 1"),
        ('{"hooks": []}', "expected an object of events, found a list"),
        ('{"a": 1}', "it has no hooks"),
        ("[]", "a settings file is an object"),
        ('{"hooks": {"a": [], "a": []}}', "occurs twice"),
        ("\ufeff{}", "byte order mark"),
        ("", "empty"),
    ],
)
@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_what_cannot_be_read_stays_as_it_is(stage: Stage, settings: Path, verb: str, text: str, reason: str) -> None:
    settings.write_text(text)
    done = stage.run("hooks", verb, settings, "--yes")
    assert done.exit_code == 3
    assert reason in done.stderr
    assert settings.read_text() == text


def test_a_link_to_the_settings_stays_one(stage: Stage, settings: Path) -> None:
    link = stage.project / "link.json"
    link.symlink_to(settings)
    act(stage, "install", link)
    assert link.is_symlink()
    assert "statewatch" in settings.read_text()

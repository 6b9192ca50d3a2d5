"""A stage for the command line: a home, a project and our own state, all in a temporary directory."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from statewatch.cli.main import cli

ROOT = Path(__file__).parents[2]
OPENED = "2026-11-16T08:00:00.000000+00:00"
ERROR = "PermissionError: [Errno 13] Permission denied"


@dataclass(frozen=True)
class Stage:
    """Where a test acts, and the ways to run the program there."""

    project: Path
    home: Path
    state: Path

    @property
    def hook_state(self) -> Path:
        """Return the hook state of the home."""
        return self.home / ".claude" / "hook_state.json"

    @property
    def batch_state(self) -> Path:
        """Return the batch state of the project."""
        return self.project / ".claude" / "batch_state.json"

    def run(self, *args: str | Path, typed: str | bytes | None = None) -> Result:
        """Run the program in this process, as from a pipe."""
        return CliRunner().invoke(cli, [str(arg) for arg in args], input=typed)

    def json(self, *args: str | Path, code: int = 0) -> Any:
        """Run the program, demand that exit code, and return what its output means."""
        result = self.run(*args, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def command(self, *args: str | bytes | Path) -> list[str | bytes]:
        """Return the command line of a process of its own."""
        return [sys.executable, "-m", "statewatch", *(arg if isinstance(arg, bytes) else str(arg) for arg in args)]

    def spawn(self, *args: str | bytes | Path, **variables: str) -> "subprocess.CompletedProcess[bytes]":
        """Run the program as a process of its own, with no terminal."""
        return subprocess.run(
            self.command(*args),
            env=self.environment(**variables),
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )

    def follow_readme(self, mark: str, *, to_the_end: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run the commands that the README has under *mark* in a shell, as they are written."""
        program = (
            f'statewatch() {{ {shlex.quote(sys.executable)} -m statewatch "$@"; }}\n'
            'statewatch-hook() { statewatch hook "$@"; }\n'
        )
        return subprocess.run(
            ["bash", "-c", program + ("set -e\n" if to_the_end else "") + told_in_the_readme(mark, "sh")],
            env=self.environment(),
            cwd=self.project,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the environment of a process here."""
        return {**os.environ, "PYTHONPATH": str(ROOT), **variables}

    def write_hooks(self, path: Path | None = None, /, **hooks: Any) -> Path:
        """Write a hook state with these records."""
        target = path or self.hook_state
        document = {
            "hooks": hooks,
            "global_stats": {
                "total_executions": 40,
                "total_failures": 10,
                "hooks_disabled": sum(record["state"] == "open" for record in hooks.values()),
                "last_updated": OPENED,
            },
        }
        return write_json(target, document)

    def write_batch(self, path: Path | None = None, /, **fields: Any) -> Path:
        """Write a batch state; *fields* replace those of the usual one."""
        document = {
            "batch_id": "batch-20261115-090000-369009",
            "features_file": "",
            "total_features": 4,
            "features": ["Add login", "Add logout", "日本語", "Write docs"],
            "current_index": 3,
            "completed_features": [0],
            "failed_features": [
                {"feature_index": 1, "error_message": "Tests failed\nsecond line", "timestamp": "2026-11-15T10:10:38Z"},
                {"feature_index": 1, "error_message": "Tests failed again", "timestamp": "2026-11-15T10:12:38Z"},
            ],
            "skipped_features": [{"feature_index": 2, "reason": "later", "category": "manual"}],
            "status": "in_progress",
            "created_at": "2026-11-15T09:00:00Z",
            "updated_at": "2026-11-15T10:30:00Z",
            "issue_numbers": [101, 102, None, 104],
            "retry_attempts": {"1": 2},
            "git_operations": {
                "0": {"commit": {"success": True, "sha": "15ceb3a10b", "timestamp": "2026-11-15T09:30:00Z"}}
            },
            **fields,
        }
        return write_json(path or self.batch_state, document)


def told_in_the_readme(mark: str, language: str) -> str:
    """Return the block of code that the README has under *mark*."""
    found = re.search(rf"<!-- {mark} -->\n```{language}\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def hook(state: str = "closed", **fields: Any) -> dict[str, Any]:
    """Return the record of a circuit as its tool would have written it."""
    failed = state != "closed"
    return {
        "state": state,
        "failure_count": 3 if failed else 0,
        "consecutive_failures": 3 if state == "open" else 0,
        "consecutive_successes": 0,
        "first_failure": OPENED if failed else None,
        "last_failure": OPENED if failed else None,
        "last_success": None,
        "last_error": ERROR if failed else None,
        "disabled_at": OPENED if failed else None,
        "retry_after": "2026-11-16T08:05:00.000000+00:00" if failed else None,
        **fields,
    }


def write_json(path: Path, document: Any) -> Path:
    """Write *document* as most tools lay it out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2))
    return path


def states(path: Path) -> dict[str, str]:
    """Return the state of every circuit in the file."""
    return {name: record["state"] for name, record in json.loads(path.read_text())["hooks"].items()}


@pytest.fixture(autouse=True)
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Stand in an empty project, with an empty home and nothing set."""
    for name in list(os.environ):
        if name.startswith("GUARDRAILS_") or name in {"NO_COLOR", "COLUMNS", "PYTHONIOENCODING", "STATEWATCH_DEBUG"}:
            monkeypatch.delenv(name)
    place = Stage(tmp_path / "project", tmp_path / "home", tmp_path / "state")
    (place.project / ".git").mkdir(parents=True)
    place.home.mkdir()
    monkeypatch.setenv("HOME", str(place.home))
    monkeypatch.setenv("STATEWATCH_STATE_DIR", str(place.state))
    monkeypatch.chdir(place.project)
    monkeypatch.setattr("statewatch.watch.settling.BELIEVED_AFTER", 0.01)  # nobody writes in place here
    monkeypatch.setattr("statewatch.cli.arguments._PATIENCE", (0.01,))
    return place

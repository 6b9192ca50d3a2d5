"""The files that the dashboard is measured on: a copy of the sample, and a project with hundreds of state files."""

import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support import SAMPLE

ROOT = Path(__file__).parents[2]
HOOKS = 120


class Many:
    """A project of *count* files: one hook state, the others batch states; one in ten runs, one in three is done.

    Every change is one rename and puts a word on the screen that was not there before: the name of a hook, or the
    number at the head of the title of an item.
    """

    def __init__(self, directory: Path, count: int) -> None:
        """Write the files."""
        self.project = directory
        self._tree = directory / ".claude"
        self._tree.mkdir(parents=True)
        self._hooks: dict[str, dict[str, Any]] = {f"hook-{n:03}": _hook(is_open=n < 6) for n in range(HOOKS)}
        self._batches = [_batch(n) for n in range(count - 1)]
        self._paused = [batch for batch in self._batches if batch["status"] == "paused"]
        self._changed = [0, 6]  # batches and hooks that have had their change: the first hooks are open
        for n, batch in enumerate(self._batches):
            self._ready(batch, f"batch_state_{n:03}.json")()
        self._ready(self._state(), "hook_state.json")()

    @property
    def shown(self) -> tuple[str, ...]:
        """Return what is on the first screen: a tripped hook and a batch that runs."""
        return ("hook-000", "batch-000")

    def change(self, number: int) -> tuple[str, "Rename"]:
        """Prepare a change, of the hook state and of a batch state by turns; return what it makes visible."""
        return self._fail_hook() if number % 2 == 0 else self._advance_batch()

    def _fail_hook(self) -> tuple[str, "Rename"]:
        name = f"hook-{self._changed[1]:03}"
        self._changed[1] += 1
        record = self._hooks[name]
        record.update(failure_count=1, consecutive_failures=1, last_failure=_now(), last_error=f"exit 1 from {name}")
        return name, self._ready(self._state(), "hook_state.json")

    def _advance_batch(self) -> tuple[str, "Rename"]:
        batch = self._paused[self._changed[0]]
        self._changed[0] += 1
        done = batch["completed_features"]
        done.append(len(done))
        batch.update(current_index=len(done), updated_at=_now())
        title: str = batch["features"][len(done) - 1]
        name: str = batch["batch_id"]
        return title.split(maxsplit=1)[0], self._ready(batch, f"batch_state_{name.removeprefix('batch-')}.json")

    def _state(self) -> dict[str, Any]:
        stats = {"total_executions": 9, "total_failures": 9, "hooks_disabled": 6, "last_updated": _now()}
        return {"hooks": self._hooks, "global_stats": stats}

    def _ready(self, state: dict[str, Any], name: str) -> "Rename":
        temporary = self._tree / f".{name}.tmp"
        temporary.write_bytes(json.dumps(state, indent=2).encode())
        return Rename(temporary, self._tree / name)


class Rename:
    """A temporary file that is ready to take the place of the real one."""

    def __init__(self, temporary: Path, final: Path) -> None:
        """Hold both names."""
        self._names = (temporary, final)

    def __call__(self) -> None:
        """Rename it."""
        os.replace(*self._names)  # noqa: PTH105


def sample(directory: Path) -> tuple[Path, tuple[str, ...]]:
    """Copy the sample's project with the hook state beside its batches; return it and what its first screen shows."""
    project = directory / "project"
    shutil.copytree(SAMPLE / "project", project)
    shutil.copy(SAMPLE / "home" / ".claude" / "hook_state.json", project / ".claude")
    hooks = json.loads((project / ".claude" / "hook_state.json").read_bytes())["hooks"]
    tripped = next(name for name, record in hooks.items() if record["state"] == "open")
    batch: str = json.loads((project / ".claude" / "batch_state.json").read_bytes())["batch_id"]
    return project, (tripped, batch)


def environment(directory: Path) -> dict[str, str]:
    """Return the variables for programs under measurement: a home of their own, a terminal with all colours."""
    home = directory / "home"
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return kept | {
        "COLORTERM": "truecolor",
        "HOME": str(home),
        "LANG": kept.get("LANG", "C.UTF-8"),
        "PYTHONPATH": str(ROOT),
        "STATEWATCH_STATE_DIR": str(directory / "own"),
        "TERM": "xterm-256color",
    }


def dashboard(project: Path) -> list[str]:
    """Return the command that opens the dashboard on *project*."""
    return [sys.executable, "-m", "statewatch", str(project)]


def bare() -> list[str]:
    """Return the command that starts the program it is compared with."""
    return [sys.executable, str(Path(__file__).with_name("bare_app.py"))]


def _hook(*, is_open: bool) -> dict[str, Any]:
    now = _now()
    return {
        "state": "open" if is_open else "closed",
        "failure_count": 3 if is_open else 0,
        "consecutive_failures": 3 if is_open else 0,
        "consecutive_successes": 0 if is_open else 4,
        "first_failure": now if is_open else None,
        "last_failure": now if is_open else None,
        "last_success": now,
        "last_error": "FileNotFoundError: [Errno 2] No such file or directory" if is_open else None,
        "disabled_at": now if is_open else None,
        "retry_after": None,
    }


def _batch(number: int) -> dict[str, Any]:
    done = 40 if number % 3 == 1 else number % 30
    return {
        "batch_id": f"batch-{number:03}",
        "features_file": "",
        "total_features": 40,
        "features": [f"{number:03}.{index:02} of the plan" for index in range(40)],
        "current_index": done,
        "completed_features": list(range(done)),
        "failed_features": [],
        "status": "completed" if done == 40 else "in_progress" if number % 10 == 0 else "paused",
        "updated_at": _now(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat()

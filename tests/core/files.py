"""Hook state files and processes for the tests of the core."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EARLIER = "2026-11-16T11:00:00.123456+00:00"


def tripped(**fields: Any) -> dict[str, Any]:
    """Return the record of an open circuit."""
    return {
        "state": "open",
        "failure_count": 3,
        "consecutive_failures": 3,
        "consecutive_successes": 0,
        "first_failure": EARLIER,
        "last_failure": EARLIER,
        "last_success": None,
        "last_error": "boom: für",
        "disabled_at": EARLIER,
        "retry_after": EARLIER,
        **fields,
    }


def small() -> dict[str, Any]:
    """Return the record of an open circuit as a writer of few words has it."""
    return {"state": "open", "failure_count": 3, "disabled_at": EARLIER}


def document(hooks: int = 3, record: Callable[[], dict[str, Any]] = tripped, **fields: Any) -> dict[str, Any]:
    """Return a hook state of so many open circuits, `h0`, `h1` …"""
    stats = {"total_executions": 9, "hooks_disabled": hooks, "last_updated": EARLIER}
    return {"hooks": {f"h{index}": record() for index in range(hooks)}, "global_stats": stats, **fields}


def write(path: Path, value: Any) -> Path:
    """Write a document in the style of the tools, dated to a while ago: nobody is at work on it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2))
    date_back(path)
    return path


def date_back(path: Path) -> None:
    """Make a file look as if it had been written a while ago."""
    then = path.stat().st_mtime - 60
    os.utime(path, (then, then))


def load(path: Path) -> Any:
    """Return what is in the file now."""
    return json.loads(path.read_bytes())


def hook(path: Path, name: str) -> Any:
    """Return the record of a hook as it is in the file now."""
    return load(path)["hooks"][name]


def command(*arguments: object, module: str = "workers") -> list[str]:
    """Return the command line that runs a worker (see `workers`, and `lockers`)."""
    return [sys.executable, "-m", f"tests.core.{module}", *map(str, arguments)]


@contextmanager
def process(*arguments: object, module: str = "workers") -> Iterator[subprocess.Popen[str]]:
    """Run a worker, and end it when the block is left."""
    worker = subprocess.Popen(
        command(*arguments, module=module),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        yield worker
    finally:
        worker.kill()
        worker.communicate()


def line(worker: subprocess.Popen[str]) -> str:
    """Return the next line that a worker prints."""
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def tell(worker: subprocess.Popen[str], text: str = "") -> None:
    """Give a worker a line."""
    assert worker.stdin is not None
    worker.stdin.write(text + "\n")
    worker.stdin.flush()

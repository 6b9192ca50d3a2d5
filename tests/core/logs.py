"""Records for the tests of the audit log, and processes that write it: `python -m tests.core.logs` is their nursery.

For each line `NAME FILE` it starts a process that begins and finishes actions `NAME-NUMBER` for ever, and tells that
file of each when it has begun and ended; it prints the number of that process.
"""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from statewatch.core import audit, rotating
from statewatch.core.audit import Record
from statewatch.kinds.times import iso
from tests.core.files import ROOT, line, tell

CHANGE: list[dict[str, Any]] = [{"op": "add", "path": ["x", 0], "before": None, "after": 1}]


def record(identity: str, source: str = "/a", **fields: Any) -> Record:
    """Return a record as an action of this moment would have it."""
    usual: dict[str, Any] = {
        "id": identity,
        "at": iso(time.time()),
        "user": "ünal",
        "host": os.uname().nodename,
        "pid": os.getpid(),
        "via": "cli",
        "action": "reset",
        "targets": ["a b", "c/d"],
        "why": "because\nof \udcff",
        "source": source,
        "before": f"before {identity}",
        "after": f"after {identity}",
        "copy": "/copy",
        "inverse": CHANGE,
    }
    return Record(**{**usual, **fields})


class Nursery:
    """Starts processes that write the log, and knows what they said."""

    def __init__(self, process: "subprocess.Popen[str]", directory: Path) -> None:
        self._process, self._directory = process, directory

    def start(self, name: str) -> int:
        """Start a process that acts as *name*; return its number."""
        tell(self._process, f"{name} {self._directory / name}")
        return int(line(self._process))

    def said(self, name: str) -> list[tuple[str, str]]:
        """Return what a process said: a word and an id each."""
        try:
            text = (self._directory / name).read_text()
        except FileNotFoundError:
            return []
        return [(word, identity) for word, identity in map(str.split, text.splitlines())]


@contextmanager
def nursery(directory: Path, limit: int) -> Iterator[Nursery]:
    """Run a nursery, whose processes rotate the log at *limit* bytes and drop nothing; end them all with the block."""
    command = [sys.executable, "-m", "tests.core.logs", str(limit)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield Nursery(process, directory)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _act(name: str, file: str) -> None:
    said = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in itertools.count():
        identity = f"{name}-{number}"
        audit.begin(record(identity))
        os.write(said, f"begun {identity}\n".encode())
        audit.finish(identity, "void" if number % 3 == 0 else "done")
        os.write(said, f"ended {identity}\n".encode())


def _run() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that are killed
    audit.ready()
    for asked in sys.stdin:
        child = os.fork()
        if child == 0:
            _act(*asked.split())
        print(child, flush=True)


if __name__ == "__main__":
    rotating.LIMIT = int(sys.argv[1])
    rotating.KEEP = 1_000_000
    _run()

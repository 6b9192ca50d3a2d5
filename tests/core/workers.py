"""Processes that do things to files while a test looks on: `python -m tests.core.workers WHAT ARGUMENT…`."""

import itertools
import os
import signal
import sys
import time
from pathlib import Path

from statewatch.core.actions import perform
from statewatch.core.circuits import circuit_action
from statewatch.core.errors import LockedError, StatewatchError
from statewatch.core.lock import locked
from statewatch.core.undo import last_action, undo_action


def hold(path: Path) -> None:
    """Hold the lock until told to let go."""
    with locked(path, "a long operation"):
        print("held", flush=True)
        sys.stdin.readline()


def count(path: Path, times: str) -> None:
    """Add one to the number in a file, under the lock, so many times."""
    for _ in range(int(times)):
        with locked(path, "count", timeout=30):
            number = int(path.read_text() or 0)
            os.sched_yield()
            path.write_text(str(number + 1))


def contend(path: Path) -> None:
    """Try to get the lock for a moment, each time when told to, and say what came of it."""
    for _ in sys.stdin:
        try:
            with locked(path, "contend", timeout=0.05):
                print("in", flush=True)
        except LockedError as error:
            print(error, flush=True)


def toggle(path: Path, hook: str) -> None:
    """Disable and reset a hook for ever, in a new child process for each line read; say which process that is."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with locked(path, "import what it needs"):
        pass
    print("ready", flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            for number in itertools.count():
                action = circuit_action("disable" if number % 2 else "reset", path, [hook])
                perform(action, settle_for=0, clock=_later)
        print(child, flush=True)


def _later() -> float:
    return time.time() + 10  # so that nothing was written just now, and nothing is waited for


def reset(path: Path, *hooks: str) -> None:
    """Reset hooks, one action each."""
    print("ready", flush=True)
    sys.stdin.readline()
    for hook in hooks:
        perform(circuit_action("reset", path, [hook]), settle_for=0)
    print("done", flush=True)


def once(path: Path, hook: str) -> None:
    """Reset one hook and say what came of it."""
    try:
        print(perform(circuit_action("reset", path, [hook]), settle_for=0).changed)
    except StatewatchError as error:
        print(error)


def undo(path: Path) -> None:
    """Undo the last action on a file and say what came of it."""
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        record = last_action([path])
        perform(undo_action(record), settle_for=0)
        print("undone", flush=True)
    except StatewatchError as error:
        print(error, flush=True)


if __name__ == "__main__":
    what, path, *rest = sys.argv[1:]
    {each.__name__: each for each in (hold, count, contend, toggle, reset, once, undo)}[what](Path(path), *rest)

"""Processes that do things to files while a test looks on: `python -m tests.core.workers WHAT ARGUMENT…`."""

import itertools
import os
import signal
import sys
import time
from pathlib import Path
from unittest import mock

from statewatch.core import audit
from statewatch.core.actions import perform
from statewatch.core.circuits import circuit_action
from statewatch.core.errors import StatewatchError
from statewatch.core.lock import locked
from statewatch.core.undo import last_action, undo_action


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


def die(path: Path, hook: str, when: str) -> None:
    """Reset a hook, and be killed `before` it is done, when that is written down, or `after`, before that is."""
    genuine = audit.begin

    def begin(record: audit.Record) -> None:
        genuine(record)
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    def finish(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with mock.patch.multiple(audit, begin=begin, finish=finish):
        perform(circuit_action("reset", path, [hook]), settle_for=0)


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
    {each.__name__: each for each in (toggle, reset, die, undo)}[what](Path(path), *rest)

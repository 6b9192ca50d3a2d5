"""The process of one simulated tool: `python -m statewatch.demo.tool NAME SEED SPEED`.

Its standard input is a pipe that the demo holds open and writes two lines into, each a JSON value: the demo's directory
as soon as there is one, and the epoch second at which the world starts. When the pipe closes, because the demo ended in
whatever way, the tool removes that directory and ends. It needs nothing but the standard library, so it starts fast.
"""

import json
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from statewatch.demo import disk
from statewatch.demo.script import Clock, Event
from statewatch.demo.world import TOOLS


def main(name: str, seed: str, speed: str) -> None:
    """Be the tool called *name* until the demo ends."""
    if (stage := begun()) is None:
        return
    root, start = stage
    clock = Clock(start, float(speed))
    work(root, TOOLS[name](int(seed), clock), clock)
    disk.remove_tree(root)


def begun() -> tuple[Path, float] | None:
    """Wait for the demo's directory and its start (an epoch second); None where it ended before that."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if not (line := sys.stdin.readline()):
        return None
    root = Path(json.loads(line))
    if start := sys.stdin.readline():
        return root, float(json.loads(start))
    disk.remove_tree(root)
    return None


def work(root: Path, events: Iterator[Event], clock: Clock) -> None:
    """Let the events from the start on happen when they are due, until the demo closes the pipe."""
    coming = next(event for event in events if event.at > 0)
    while not ended(clock.at(coming.at) - time.time()):
        now = time.time()
        due = []
        while clock.at(coming.at) <= now:
            due.append(coming)
            coming = next(events)
        disk.perform(root, due)


def ended(within: float) -> bool:
    """Wait for some seconds, but no longer than the demo lives; tell whether it ended. It writes no third line."""
    return bool(select.select([sys.stdin], [], [], max(0.0, within))[0])


if __name__ == "__main__":
    main(*sys.argv[1:])

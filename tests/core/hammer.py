"""Operators reset hooks while a foreign program hammers the same file: what was lost, overwritten and displaced."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from statewatch.core.actions import Outcome, perform
from statewatch.core.circuits import circuit_action
from tests.core.files import ROOT, hook, load


@dataclass(frozen=True)
class Result:
    """What came of it. `lost` are updates of the foreign writer that its counter does not show in the end."""

    made: int
    lost: int
    resets: int
    overwritten: tuple[str, ...]
    displaced: tuple[bytes, ...]
    still_open: tuple[str, ...]
    repeated: int
    slow: tuple[float, ...]

    @property
    def was_starved(self) -> bool:
        """Tell whether the machine was too busy for the other program to keep its pace."""
        return len(self.slow) > self.made * 0.02

    def unseen(self, settle_for: float) -> int:
        """Return how many resets may have been undone unseen: by updates that took longer than a reset is watched."""
        return sum(int(seconds / settle_for) + 1 for seconds in self.slow if seconds > settle_for * 0.9)


def hammer(path: Path, think: float, *, reapply: int = 2, settle_for: float = 0.02, budget: float = 60) -> Result:
    """Reset every hook of a file, one by one, while another process updates the file 100 times a second.

    On a machine that is too busy it ends after *budget* seconds, with fewer hooks reset.
    """
    foreign = subprocess.Popen(
        [sys.executable, "tests/foreign.py", str(path), "busy", "100", str(think)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert foreign.stdin is not None
    assert foreign.stdout is not None
    names = [name for name in load(path)["hooks"] if name != "busy"]
    outcomes: list[Outcome] = []
    displaced: list[bytes] = []
    try:
        assert foreign.stdout.readline() == "ready\n"
        end = time.monotonic() + budget
        for name in names:
            if time.monotonic() > end:
                break
            action = circuit_action("reset", path, [name])
            outcomes.append(perform(action, settle_for=settle_for, reapply=reapply))
            displaced += [copy.read_bytes() for copy in outcomes[-1].displaced]
        foreign.stdin.close()
        made = int(foreign.stdout.readline())
        slow = tuple(json.loads(foreign.stdout.readline()))
    finally:
        foreign.kill()
        foreign.wait()
        foreign.stdout.close()
    return Result(
        made=made,
        lost=made - load(path)["hooks"]["busy"]["executions"],
        resets=len(outcomes),
        overwritten=tuple(name for name, outcome in zip(names, outcomes, strict=False) if outcome.overwritten),
        displaced=tuple(displaced),
        still_open=tuple(name for name in names[: len(outcomes)] if hook(path, name)["state"] == "open"),
        repeated=sum(outcome.applied - 1 for outcome in outcomes),
        slow=slow,
    )

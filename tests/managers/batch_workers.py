"""Processes that work through a batch together: `python -m tests.managers.batch_workers WHAT PATH ARGUMENT…`.

Each says that it is ready, waits for a line, does its work, and prints what came of it.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from statewatch import BatchStateManager, mark_feature_status


def ready() -> None:
    """Say so, and wait until all others are."""
    print("ready", flush=True)
    sys.stdin.readline()


def mark(path: str, first: str, count: str) -> None:
    """Mark items by index, through the class and through the function in turn."""
    manager = BatchStateManager.load(Path(path), timeout=60)
    ready()
    for index in range(int(first), int(first) + int(count)):
        if index % 2:
            manager.mark_completed(index)
        else:
            mark_feature_status(path, index, "completed")


def take(path: str) -> None:
    """Take items until there is none, and say which they were."""
    manager = BatchStateManager.load(Path(path), timeout=60)
    ready()
    while (feature := manager.get_next_feature()) is not None:
        manager.mark_completed(feature)
        print(feature, flush=True)


def die(path: str) -> None:
    """Take an item, and be killed at it."""
    print(BatchStateManager.load(Path(path)).get_next_feature(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    work: dict[str, Callable[..., None]] = {"mark": mark, "take": take, "die": die}
    work[sys.argv[1]](*sys.argv[2:])

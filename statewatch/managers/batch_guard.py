"""Ends what a run has started when the run itself is gone, however it went: run as a program of its own.

Its standard input is a pipe from the run, which says `+GROUP` of each process group it starts and `-GROUP` of each that
has ended. When the pipe closes, those that are left are ended. It needs the standard library only.

A run may be killed between the start of a command and the word about it. So each command carries the mark of the run in
its environment, given to the guard as its argument, and where the system tells the environment of processes (Linux's
/proc) those are ended too.
"""

import contextlib
import os
import signal
import sys
import time

MARK = "STATEWATCH_BATCH_RUN"
"""The variable that holds the mark of the run."""
OVER = b"over\n"
"""What a run says that ends by itself: what its commands left behind on purpose stays."""
GRACE = 2.0
"""Seconds that a command has, after SIGTERM, before SIGKILL."""
_GLANCE = 0.02


def main() -> None:
    """Follow what the run says until it is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    is_over = False
    for line in sys.stdin.buffer:
        if line == OVER:
            is_over = True
            continue
        group = int(line[1:])
        (groups.add if line[:1] == b"+" else groups.discard)(group)
    end(groups if is_over else groups | marked(f"{MARK}={sys.argv[1]}".encode()))


def marked(entry: bytes) -> set[int]:
    """Return the process groups of all whose environment has an entry."""
    found = set()
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:  # noqa: PTH112, PTH208 - no module is loaded for it
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as environment:  # noqa: PTH123
                if entry in environment.read().split(b"\0"):
                    found.add(os.getpgid(int(name)))
    return found


def end(groups: set[int]) -> None:
    """End process groups: politely, and for good after a while."""
    left = {group for group in groups if tell(group, signal.SIGTERM)}
    deadline = time.monotonic() + GRACE
    while left and time.monotonic() < deadline:
        time.sleep(_GLANCE)
        left = {group for group in left if tell(group, 0)}
    for group in left:
        tell(group, signal.SIGKILL)


def tell(group: int, number: int) -> bool:
    """Send a signal to a process group; tell whether it was there."""
    with contextlib.suppress(OSError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()

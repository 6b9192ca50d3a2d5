"""Ends what a run has started when the run itself is gone, however it went: run as a program of its own.

Its standard input is a pipe from the run, which says `+GROUP` of each process group it starts and `-GROUP` of each that
has ended. When the pipe closes, those that are left are ended. It needs the standard library only.
"""

import contextlib
import os
import signal
import sys
import time

GRACE = 2.0
"""Seconds that a command has, after SIGTERM, before SIGKILL."""
_GLANCE = 0.02


def main() -> None:
    """Follow what the run says until it is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        group = int(line[1:])
        (groups.add if line[:1] == b"+" else groups.discard)(group)
    end(groups)


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

"""Other processes of this machine."""

import os
import time
from pathlib import Path

_CLOCK_MOVES = 2.0
"""Seconds by which the clock may have been set while a process ran, before another is taken for it."""


def is_running(process: int) -> bool:
    """Tell whether there is a process of that number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def still_runs(process: int, since: float) -> bool:
    """Tell whether the process that had that number at the instant *since* is still at work.

    A process that began later has only been given the number anew; where the system does not say when it began (it does
    in Linux's /proc) the number alone must do.
    """
    if process <= 0 or not is_running(process):
        return False
    try:
        state, *fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[18]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return True
    return state != b"Z" and time.time() - age <= since + _CLOCK_MOVES

"""Exclusion on an open file, in the order of arrival: what the lock of a source is made of.

On Linux the lock is a byte of the file, locked as an open file description lock (fcntl(2)): it keeps threads and
processes apart and ends with the process. The bytes after it are the doors of a corridor that leads to it: who finds
somebody there goes in at the last door and takes each next one before leaving the one before, so that the lock goes
round in the order of arrival and nobody waits for ever. The range that a holder locks begins as many bytes before the
lock as the number of its process, so that the system itself says who holds it. Where bytes cannot be locked like that,
the lock is flock(2), in whatever order the system gives.
"""

import errno
import fcntl
import os
import struct
import sys
import time
from contextlib import suppress
from typing import NamedTuple

DOORS = 16
"""How many wait in order; those beyond wait before the last door, and go in as it happens."""

_A_TURN = 0.0001
_LATE = 1 / 32
_LONGEST_PAUSE = 0.05

_LOCK = 1 << 30
"""The byte that is the lock: no number of a process is larger."""
_GET: int | None = getattr(fcntl, "F_OFD_GETLK", None) if sys.platform == "linux" else None
_SET: int | None = getattr(fcntl, "F_OFD_SETLK", None) if sys.platform == "linux" else None
_RANGE = "hhqqi0q"
"""Linux's `struct flock`: kind, origin, first byte, count (0 is all that follow), process."""


def _range(kind: int, first: int, count: int) -> bytes:
    return struct.pack(_RANGE, kind, os.SEEK_SET, first, count, 0)


_TAKE_DOOR = [_range(fcntl.F_WRLCK, _LOCK + door, 1) for door in range(DOORS + 1)]
_LEAVE_DOOR = [_range(fcntl.F_UNLCK, _LOCK + door, 1) for door in range(DOORS + 1)]
_LEAVE_DOORS = _range(fcntl.F_UNLCK, _LOCK + 1, DOORS)
_LEAVE_ALL = _range(fcntl.F_UNLCK, 0, 0)


class Claim(NamedTuple):
    """The bytes that a process locks: the lock with its doors where nobody is there, else the lock alone."""

    everything: bytes
    lock: bytes


def claim(process: int) -> Claim:
    """Return what the process of that number locks."""
    first = _LOCK - process
    return Claim(_range(fcntl.F_WRLCK, first, process + 1 + DOORS), _range(fcntl.F_WRLCK, first, process + 1))


def enter(descriptor: int, own: Claim, deadline: float) -> bool:
    """Take the lock of an open file; tell whether it could be had by the *deadline*, an instant of `time.monotonic`.

    The file must be open for writing. Where it could not be had, or this raises, `leave` takes back what was begun.
    Raises OSError where there are no locks.
    """
    if _take(descriptor, own.everything):  # nobody holds it and nobody waits
        _leave(descriptor, _LEAVE_DOORS)
        return True
    for door in range(DOORS, -1, -1):
        wanted = _TAKE_DOOR[door] if door else own.lock
        begun = time.monotonic()
        while not _take(descriptor, wanted):
            now = time.monotonic()
            if now >= deadline:
                return False
            time.sleep(min(_pause(door, now - begun), deadline - now))
        if door < DOORS:
            _leave(descriptor, _LEAVE_DOOR[door + 1])
    return True


def leave(descriptor: int) -> None:
    """Let go of the lock, or of one's place in the corridor.

    Closing the file alone would not do where another process has been given the open file unbeknown to us.
    """
    try:
        if _SET is not None:
            fcntl.fcntl(descriptor, _SET, _LEAVE_ALL)
            return
    except OSError:
        pass
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def taken_by(descriptor: int) -> int | None:
    """Return the number of the process that holds the lock, 0 when that is not known, None when nobody does.

    Raises OSError where there are no locks.
    """
    if _GET is not None:
        try:
            found: bytes = fcntl.fcntl(descriptor, _GET, _TAKE_DOOR[0])
            kind, _, first, _, _ = struct.unpack(_RANGE, found)
            return None if kind == fcntl.F_UNLCK else max(_LOCK - first, 0)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
    try:  # look by taking it for a moment, shared, so that those who look do not get into each other's way
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return None


def _pause(door: int, waited: float) -> float:
    """Return for how many seconds not to try a door again, after having *waited* so many at it.

    Nobody comes later than by a small share of what it took anyway, and who does not let go is asked but seldom.
    Farther from the lock it is not one's turn yet; though at first it may only be somebody who walks in just ahead.
    """
    return max(min(door * _A_TURN, waited), min(waited * _LATE, _LONGEST_PAUSE))


def _take(descriptor: int, which: bytes) -> bool:
    """Lock bytes of the file, or all of it where bytes cannot be locked; tell whether they were free."""
    try:
        if _SET is not None:
            try:
                fcntl.fcntl(descriptor, _SET, which)
                return True
            except OSError as error:
                if error.errno != errno.EINVAL:  # it is a system, or a file system, that has only flock
                    raise
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except (BlockingIOError, PermissionError):  # POSIX lets a system say either
        return False


def _leave(descriptor: int, which: bytes) -> None:
    if _SET is not None:
        try:  # noqa: SIM105 - what is quicker to read takes longer to run, and every writer does
            fcntl.fcntl(descriptor, _SET, which)
        except OSError:
            pass

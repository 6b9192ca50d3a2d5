"""Getting along with writers that take no lock: the right moment to act, and whether it held."""

import time
from collections.abc import Callable
from pathlib import Path

from statewatch.core.errors import SourceError
from statewatch.core.reading import Signature, Snapshot, read, signature
from statewatch.documents.values import JSON
from statewatch.kinds.base import Change, put_back

_PAUSE = 0.001  # seconds; a stat costs 2 µs, so looking this often costs nothing
_SHORT_PAUSE = 0.000_2  # before an action every moment counts: the other writer soon reads again
_BUSY = 0.5
"""A file written within so many seconds has a writer at work."""
_PATIENCE = 0.1
"""Seconds to wait for that writer's next write."""


def after_a_write(path: Path, clock: Callable[[], float] = time.time) -> Snapshot:
    """Return the file as it is, at the best moment to act on it.

    A writer at work reads, thinks, writes, rests. What we write while it thinks it puts back; right after it wrote it
    is least likely to be thinking. So where one is at work its next write is waited for, a little while.
    """
    found = read(path)
    if abs(clock() - found.modified_at) < _BUSY:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if signature(path) != found.signature:
                return read(path)
            time.sleep(_SHORT_PAUSE)
    return found


def was_put_back(path: Path, change: Change, before: JSON, seconds: float) -> bool:
    """Watch the file for so many seconds; return True as soon as it shows what was there before the change again."""
    deadline = time.monotonic() + seconds
    seen: Signature | None = None
    while True:
        now = signature(path)
        if now != seen:
            try:
                document = read(path).document()
            except SourceError:
                document, now = None, None  # half written, or between two renames: look again
            if now is not None and put_back(change, before, document):
                return True
            seen = now
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE)

"""Getting along with writers that take no lock: the right moment to act, and whether it held."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from statewatch.core.errors import SourceError
from statewatch.core.reading import Snapshot, read, signature
from statewatch.kinds.base import put_back

if TYPE_CHECKING:
    from statewatch.core.actions import Preview
    from statewatch.core.stores.base import Store, Version

_SHORT_PAUSE = 0.000_2  # seconds; a stat costs 2 µs, and the other writer soon reads again
_BUSY = 0.5
"""A file written within so many seconds has a writer at work."""
_PATIENCE = 0.1
"""Seconds to wait for that writer's next write."""


def after_a_write(path: Path, look: Callable[[Path], Snapshot] = read) -> Snapshot:
    """Return the file as it is, read by *look*, at the best moment to act on it.

    A writer at work reads, thinks, writes, rests. What we write while it thinks it puts back; right after it wrote it
    is least likely to be thinking. So where one is at work its next write is waited for, a little while.
    """
    found = look(path)
    if abs(time.time() - found.modified_at) < _BUSY:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if signature(path) != found.signature:
                return look(path)
            time.sleep(_SHORT_PAUSE)
    return found


def was_put_back(store: "Store", plan: "Preview", seconds: float) -> bool:
    """Watch a store for so many seconds; return True as soon as it shows what was there before the plan again."""
    deadline = time.monotonic() + seconds
    version: Version | None
    while True:
        try:
            version = store.version()
            if version.digest != plan.digest and put_back(plan.change, plan.before, version.document()):
                return True
        except SourceError:
            version = None  # half written, or between two renames: look again
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        store.await_other(version, left)

"""Whether notification can be trusted here. Pure; ticks are of the monotonic clock, in seconds.

On network and bind mounts, under some containers and on WSL notification is simply silent. So what the sweep finds
changed is compared with what the alarm rang for; when that never rings, the alarm is taken to be deaf for a while.
"""

MISSES = 3
"""Changes in a row that went unheard before the alarm is taken to be deaf."""

GRACE = 0.9
"""Seconds in which the alarm may still ring for a change that a sweep was quicker to find."""

DEAF_FOR = 60.0
"""Seconds after which it is given another chance."""


class Hearing:
    """Counts the changes for which the alarm did not ring."""

    def __init__(self) -> None:
        self._open: dict[str, float] = {}
        self._missed = 0
        self._deaf_until = 0.0

    def found(self, paths: set[str], tick: float) -> None:
        """Take note of changes that a sweep found by itself."""
        late = [path for path, since in self._open.items() if tick - since > GRACE]
        self._missed += len(late)
        for path in late:
            del self._open[path]
        for path in paths:
            self._open.setdefault(path, tick)
        if self._missed >= MISSES:
            self._missed = 0
            self._deaf_until = tick + DEAF_FOR

    def heard(self, paths: set[str]) -> None:
        """Take note of what the alarm rang for."""
        if self._open.keys() & paths:
            self._missed = 0
        for path in paths:
            self._open.pop(path, None)

    def begin(self) -> None:
        """Forget what is open: the alarm listens anew, and could not hear meanwhile."""
        self._open.clear()

    def is_deaf(self, tick: float) -> bool:
        """Tell whether the alarm is taken to be deaf."""
        return tick < self._deaf_until

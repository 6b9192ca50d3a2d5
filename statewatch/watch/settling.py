"""When to believe that a file is broken or gone. Pure; all times are ticks of a monotonic clock in seconds.

Writers that work in place show an empty or half file for a moment, and a rename dance shows none. So a failure is a
doubt first: the file is read again soon, and the failure is believed when the same content has stayed for a while.
"""

from dataclasses import dataclass

BELIEVED_AFTER = 0.15
"""Seconds for which the same failure must last."""

LONGEST_DOUBT = 3.0
"""Seconds after which a failure is believed although the content keeps changing."""

_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.08


@dataclass(frozen=True, slots=True)
class Doubt:
    """A failure that is not believed yet. `content` tells one failure from another."""

    content: str
    since: float
    same_since: float
    tried_at: float
    tries: int = 1

    @property
    def next_try(self) -> float:
        """Return when to read again: 20, 40, 80, 80 … ms after the last time, at the latest when belief is due."""
        wait = min(_FIRST_WAIT * 2.0 ** min(self.tries - 1, 10), _LONGEST_WAIT)
        return min(self.tried_at + wait, self.same_since + BELIEVED_AFTER, self.since + LONGEST_DOUBT)

    @property
    def is_believed(self) -> bool:
        """Tell whether the failure had lasted long enough to be reported when it was last seen."""
        return (
            self.tried_at - self.same_since >= BELIEVED_AFTER - 1e-6
            or self.tried_at - self.since >= LONGEST_DOUBT - 1e-6
        )


def doubt(before: Doubt | None, content: str, tick: float, untouched: float = 0.0) -> Doubt:
    """Return the doubt after a failed reading at *tick*; *before* is the doubt so far, if any.

    *untouched* are the seconds for which nobody is known to have written there: a file that was broken long ago is
    believed to be so at once.
    """
    if before is None:
        return Doubt(content, tick, tick - untouched, tick)
    same_since = before.same_since if before.content == content else tick
    return Doubt(content, before.since, same_since, tick, before.tries + 1)

"""Pausing a drain queue: the flag that its tool looks for, `.claude/local/drain_paused.flag`, which is JSON."""

from typing import Final

from statewatch.documents.values import JSON
from statewatch.kinds.base import Change, RefusedError, mapping
from statewatch.kinds.times import stamp

FLAG: Final = (".claude", "local", "drain_paused.flag")
"""Where the flag is, below the root of a project."""

LONGEST: Final = 30 * 24 * 3600.0
"""Seconds of the longest pause that is taken for meant."""


def paused(document: JSON, seconds: float, reason: str, now: float) -> Change:
    """Return the change that pauses the drain for so many *seconds*; an earlier pause is replaced by it.

    Raises RefusedError for a time that cannot be meant.
    """
    if not 0 < seconds <= LONGEST:
        raise RefusedError(f"a pause is longer than nothing and at most {LONGEST / 86_400:.0f} days")
    like = mapping(document).get("until_iso") or mapping(document).get("triggered_at") or _LIKE
    said: dict[str, JSON] = {
        "reason": reason,
        "until_iso": stamp(now + seconds, like),
        "triggered_by": "operator",
        "triggered_at": stamp(now, like),
    }
    return Change("pause", ("drain",), {**mapping(document), **said}, ((("until_iso",),),))


_LIKE: Final = "2026-11-16T06:00:00.081972+00:00"
"""A time as the tool that owns the flag writes it."""

"""Timestamps as state files hold them, and durations as people read them.

An instant is a `float`: seconds since the Unix epoch. The styles are those found in real files: aware or naive
ISO 8601, `Z`, a missing or a nine-digit fraction, a space instead of `T`, and epoch seconds.
"""

import math
import re
from datetime import UTC, datetime
from typing import Literal

from statewatch.documents.values import JSON

Zone = Literal["utc", "local"]

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_EPOCHS = (0.0, 253_402_300_799.0)  # 1970 to the end of the year 9999


def instant(value: JSON, naive: Zone = "utc") -> float | None:
    """Return the instant that a value from a file means, or None when it means none.

    *naive* is the zone of a text without an offset; only the kind of file knows it.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) and _EPOCHS[0] < value <= _EPOCHS[1] else None
    if not isinstance(value, str):
        return None
    found = _ISO.fullmatch(value.strip())
    if not found:
        return None
    day, clock, fraction, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{_offset(offset)}")
        if moment.tzinfo is None and naive == "utc":
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _offset(text: str | None) -> str:
    return "+00:00" if text in {"Z", "z"} else text or ""


def stamp(now: float, like: JSON = None) -> str:
    """Return *now* in the style of *like*, a timestamp the file already has; ISO 8601 UTC with an offset otherwise."""
    utc = datetime.fromtimestamp(now, UTC)
    text = utc.strftime("%Y-%m-%dT%H:%M:%S")
    example = like if isinstance(like, str) else ""
    found = _ISO.fullmatch(example.strip())
    digits = len(found[3] or "") if found else 7
    fraction = f".{utc.microsecond:06d}" if digits else ""
    zulu = bool(found and found[4] in {"Z", "z"})
    return text + fraction + ("Z" if zulu else "+00:00")


def clock(moment: float, now: float | None = None) -> str:
    """Return *moment* as local time of day; with the date in front when it is not the day of *now*."""
    local = datetime.fromtimestamp(moment)
    if now is not None and local.date() != datetime.fromtimestamp(now).date():
        return local.strftime("%m-%d %H:%M")
    return local.strftime("%H:%M:%S")


def iso(moment: float | None) -> str | None:
    """Return *moment* as ISO 8601 in UTC, or None for None: the form of every time in JSON output."""
    return None if moment is None else stamp(moment)


def span(seconds: float) -> str:
    """Return a duration in its largest unit or two, short enough for a column: `45s`, `12m`, `3h`, `6d`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 48 * 3600:
        return f"{whole // 3600}h"
    return f"{whole // 86400}d"


def countdown(seconds: float) -> str:
    """Return the time left as `m:ss` or `h:mm:ss`, counting so that `0:00` is reached and never passed."""
    whole = max(0, math.ceil(seconds))
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"

"""Timestamps as state files hold them, and durations as people read them.

An instant is a `float`: seconds since the Unix epoch. The styles are those found in real files: aware or naive
ISO 8601, `Z`, a missing or a nine-digit fraction, a space instead of `T`, and epoch seconds.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from statewatch.documents.values import JSON

Zone = Literal["utc", "local"]

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(?:\.(\d+))?\s*(Z|z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_MARKS, _UTC = "--T::.", {"Z", "+00:00"}
"""What stands at every third place of a time with six digits of a fraction, and behind it."""
_DURATION = re.compile(r"(?:(\d{1,6})w)? ?(?:(\d{1,6})d)? ?(?:(\d{1,6})h)? ?(?:(\d{1,6})m)? ?(?:(\d{1,6})s)?", re.ASCII)
_UNITS = (604_800, 86_400, 3_600, 60, 1)
_LAST = 253_402_128_000.0  # 30 December 9999: beyond it some time zones are in the year 10000, which Python has not


def instant(value: JSON, naive: Zone = "utc") -> float | None:
    """Return the instant that a value from a file means, or None when it means none.

    *naive* is the zone of a text without an offset; only the kind of file knows it.
    """
    if value is None or isinstance(value, bool):
        return None
    seconds = _parsed(value, naive) if isinstance(value, str) else value
    if isinstance(seconds, (int, float)) and 0 < seconds <= _LAST:  # the "zero time" of some tools is no time
        return float(seconds)
    return None


def _parsed(text: str, naive: Zone) -> float | None:
    zone = text[26:]
    if text[4:20:3] == _MARKS and text[20:26].isdigit() and (zone in _UTC or (not zone and naive == "utc")):
        return _exact(text if zone else f"{text}Z")  # what nearly all are
    found = _ISO.fullmatch(text.strip())
    if not found:
        return None
    day, _, clock, fraction, offset = found.groups()
    digits = f"{fraction or ''}000000"[:6]  # Python 3.11 wants three or six
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{digits}{(offset or '').upper()}")
        if moment.tzinfo is None and naive == "utc":
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=8_192)
def _exact(text: str) -> float | None:
    """Return the instant of an aware time; from one revision of a file to the next most of them stay."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def stamp(now: float, like: JSON = None) -> str:
    """Return *now* in the style of *like*, a timestamp in UTC that the file already has.

    The separator, the digits of the fraction and the form of the zone are kept. A time in another zone, or none at all,
    gives ISO 8601 in UTC with an offset.
    """
    if like is None or (isinstance(like, str) and len(like) == 32 and like[10] == "T" and like.endswith("+00:00")):
        return _usual(now)  # what nearly all have: one that looks so is none, or of that style
    utc = datetime.fromtimestamp(now, UTC)
    found = _ISO.fullmatch(like.strip()) if isinstance(like, str) else None
    separator, fraction, zone = found.group(2, 4, 5) if found else ("T", "000000", "+00:00")
    text = utc.strftime(f"%Y-%m-%d{separator}%H:%M:%S")
    if fraction:
        text += f".{utc.microsecond:06d}000"[: 1 + len(fraction)]
    return text + (zone or "" if zone in {None, "Z", "z", "+0000"} else "+00:00")


@lru_cache(maxsize=4)
def _usual(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds")


def restamp(now: float, like: JSON) -> JSON:
    """Return *now* as what *like* is: a number of seconds where the file has numbers, else a text in its style."""
    if isinstance(like, bool) or not isinstance(like, int | float):
        return stamp(now, like)
    return type(like)(now)


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
    """Return a duration in its largest unit, short enough for a column: `45s`, `12m`, `3h`, `6d`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 48 * 3600:
        return f"{whole // 3600}h"
    return f"{whole // 86400}d"


def duration(text: str) -> int:
    """Return the seconds that a text like `45s`, `10m`, `2h`, `3d`, `1w` or `1d 12h` means.

    Raises ValueError for anything else: a number without a unit is not guessed at.
    """
    found = _DURATION.fullmatch(text.strip())
    if not found or not found[0]:
        raise ValueError(f"not a duration: {text!r}; one looks like 45s, 10m, 2h, 3d, 1w or 1d 12h")
    return sum(int(number or 0) * unit for number, unit in zip(found.groups(), _UNITS, strict=True))


def countdown(seconds: float) -> str:
    """Return the time left as `m:ss` or `h:mm:ss`, counting so that `0:00` is reached and never passed."""
    whole = max(0, math.ceil(seconds))
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"

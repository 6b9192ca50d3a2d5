"""Which of many names somebody may have meant: bounded, since a namespace can have very many keys."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice
from typing import Final

_FEW: Final = 400
"""Names that are all compared: one comparison costs tens of microseconds."""
_LONGEST: Final = 200
"""Characters from which on a name is not compared: that takes the square of the length."""


def near(name: str, names: Sequence[str], count: int = 3) -> list[str]:
    """Return at most *count* of *names* that are like *name*, the likest first.

    Where there are many, only those are compared that share its beginning or its end.
    """
    import difflib  # noqa: PLC0415 - only for a message

    if len(name) > _LONGEST:
        return []
    some = names if len(names) <= _FEW else _likely(name, names)
    return difflib.get_close_matches(name, [each for each in some if len(each) <= _LONGEST], n=count, cutoff=0.6)


def _likely(name: str, names: Sequence[str]) -> list[str]:
    """Return some that begin as *name* does, which are its neighbours when sorted, and some that end as it does."""
    ordered = sorted(names)
    at, half = bisect_left(ordered, name), (len(name) + 1) // 2
    around = ordered[max(0, at - _FEW // 4) : at + _FEW // 4]
    ending = islice((each for each in names if each.endswith(name[half:])), _FEW // 4) if name[half:] else ()
    return list(dict.fromkeys([*around, *ending]))

"""Finding quickly which of many pairs of values may differ: types count, as everywhere.

Python's own comparison finds `True`, `1` and `1.0` equal. Serialised text does not, and orjson writes it faster than
Python could look at the values one by one; so the same text settles that two values are the same. Texts are made of a
few values at a time, since the whole document in one piece would be wasted wherever anything in it differs.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Final

from statewatch.documents.values import JSON, same

_GRAIN: Final = 192
"""Leaves, roughly, that are looked at together."""
_LARGE: Final = 768
"""Leaves, roughly, from which on a container is not looked at as a whole."""
_FEW: Final = 64
_MOST_TOGETHER: Final = 256
_PROBED: Final = 16


def differing(before: Sequence[JSON], after: Sequence[JSON]) -> Iterator[int]:
    """Yield, in order, the positions at which two sequences of one length may differ.

    All others hold the same values. A large container is yielded whether it differs or not: look into it. Where nearly
    all differ, pairs are looked at one by one, since a text of many would be made in vain.
    """
    start, end = 0, len(before)
    all_the_same = True
    while start < end:
        size = _together(before[start]) if end > _FEW or all_the_same else 1
        stop = min(start + max(size, 1), end)
        ours, theirs = before[start:stop], after[start:stop]
        if all_the_same and size > 1 and (end > _FEW or not _holds_large(ours)) and texts_equal(ours, theirs):
            start = stop
            continue
        found = 0
        for at in range(start, stop):
            if not settled(before[at], after[at], likely=all_the_same):
                found += 1
                yield at
        all_the_same = 2 * found <= stop - start
        start = stop


def settled(one: JSON, other: JSON, *, likely: bool = True) -> bool:
    """Tell whether two values are known to be the same; False says that one must look into them.

    Unless it is *likely* that they are, Python's comparison goes first, which ends at the first difference.
    """
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is not dict and kind is not list:
        return scalars_same(one, other)
    if likely:
        return len(one) == len(other) and weight(one) < _LARGE and texts_equal(one, other)  # type: ignore[arg-type]
    return maybe_same(one, other) and texts_equal(one, other)


def maybe_same(one: JSON, other: JSON) -> bool:
    """Tell whether two containers of one type are small and equal, apart from what Python takes for equal."""
    try:
        return len(one) == len(other) and weight(one) < _LARGE and one == other  # type: ignore[arg-type]
    except RecursionError:
        return False


def unequal_texts(pairs: Sequence[tuple[JSON, JSON]]) -> list[int]:
    """Return the positions of those pairs whose values may differ."""
    if texts_equal([one for one, _ in pairs], [other for _, other in pairs]):
        return []
    return [at for at, (one, other) in enumerate(pairs) if not texts_equal(one, other)]


def scalars_same(one: JSON, other: JSON) -> bool:
    """Tell whether two scalars are the same, types and the sign of zero included."""
    if type(one) is type(other):
        return one == other and (one != 0 or type(one) is not float or repr(one) == repr(other))
    return same(one, other)


def texts_equal(one: object, other: object) -> bool:
    """Tell whether two values serialise to the same text; False too where they cannot be serialised fast."""
    dumps = dumper()
    try:
        return dumps(one) == dumps(other)
    except TypeError:  # integers beyond 64 bits, halves of surrogate pairs, deep nesting
        return False


@cache
def dumper() -> Callable[[object], bytes]:
    """Return the fast serialiser, which is imported when it is first needed."""
    import orjson  # noqa: PLC0415 - 10 ms that a program which compares nothing should not pay

    return orjson.dumps


def weight(value: JSON) -> int:
    """Return roughly how many leaves a value has, as if everything in it were like the first thing in it."""
    total = 1
    for _ in range(_PROBED):
        if type(value) is dict:
            total *= len(value)
            if not value or total >= _LARGE:
                return total
            value = next(iter(value.values()))
        elif type(value) is list:
            total *= len(value)
            if not value or total >= _LARGE:
                return total
            value = value[0]
        else:
            return total
    return _LARGE  # very deep


def _together(value: JSON) -> int:
    """Return how many values like this one are looked at together: 0 for one that is large."""
    leaves = weight(value) or 1
    return min(_GRAIN // leaves or leaves < _LARGE, _MOST_TOGETHER)


def _holds_large(values: Sequence[JSON]) -> bool:
    return any(weight(value) >= _LARGE for value in values)

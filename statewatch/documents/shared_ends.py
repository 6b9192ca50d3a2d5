"""How much two texts begin and end with alike: found by halving, since slices are compared faster than characters."""

from typing import AnyStr


def shared_start(one: AnyStr, other: AnyStr, most: int | None = None) -> int:
    """Return how long the common beginning of two texts is, in characters or bytes; *most* bounds what is looked at."""
    low, high = 0, min(len(one), len(other)) if most is None else most
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def shared_end(one: AnyStr, other: AnyStr) -> int:
    """Return how long the common end of two texts is, in characters or bytes."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low

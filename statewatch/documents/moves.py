"""Bringing items of a list into another order, with as few moves as can be."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from statewatch.documents.sequences import increasing


def moves(wanted: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield the moves that bring sorted numbers into the *wanted* order, all different: from where, to where, and what.

    What is moved is given as its position in *wanted*. A move takes an item out and puts it in at a position counted
    without it, as in RFC 6902. The items of a longest increasing subsequence stay where they are; every other is put
    behind the one that it follows in *wanted*, from first to last.
    """
    rank = {number: place for place, number in enumerate(sorted(wanted))}
    stays = set(increasing(wanted))
    loose = sorted(rank[number] for place, number in enumerate(wanted) if place not in stays)
    waiting = loose.copy()
    placed: list[int] = []  # for each item that was moved: the rank of the last item before it that stays
    anchor = -1
    for place, number in enumerate(wanted):
        start = rank[number]
        if place in stays:
            anchor = start
            continue
        behind = bisect_left(waiting, start)
        source = start - bisect_left(loose, start) + behind + bisect_left(placed, start)
        del waiting[behind]
        yield source, place + bisect_left(waiting, anchor), place
        placed.append(anchor)

"""Which revisions of a source to keep: all of the latest, ever fewer the longer ago."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from statewatch.watch.history.deltas import base_of

DENSE: Final = 4_096
"""The latest revisions of a source that are all kept. Of as many before them every second one is, and so on."""

RECENT: Final = 3_600.0
"""Seconds for which every revision is kept, however many there are."""


class Kept(NamedTuple):
    """A revision as thinning sees it. `age` is in seconds."""

    position: int
    age: float
    is_pinned: bool


def to_drop(revisions: Sequence[Kept], *, max_age: float, dense: int = DENSE, recent: float = RECENT) -> list[int]:
    """Return which of the *revisions* of a source, oldest first, to drop, as their places in that sequence.

    The last one stays, and those that are pinned. Where it is thinned, the positions stay that are multiples of a power
    of two, as what remains then leans on nothing that goes.
    """
    if not revisions:
        return []
    newest = revisions[-1].position
    dropped = []
    for at, (position, age, is_pinned) in enumerate(revisions[:-1]):
        if is_pinned:
            continue
        step = 1 << ((newest - position) // dense).bit_length()
        if age > max_age or (age > recent and position % step):
            dropped.append(at)
    return dropped


def unneeded(dropped: Iterable[int], kept: Iterable[int]) -> list[int]:
    """Return the positions whose content nobody needs any more, once those of *dropped* are gone and *kept* stay."""
    return sorted(_with_bases(dropped) - _with_bases(kept))


def _with_bases(positions: Iterable[int]) -> set[int]:
    """Return the positions, and all that they lean on."""
    found: set[int] = set()
    for position in positions:
        at: int | None = position
        while at is not None and at not in found:
            found.add(at)
            at = base_of(at)
    return found

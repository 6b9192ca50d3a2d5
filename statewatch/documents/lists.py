"""Which item of a list is which item of the other: by identity where items have one, else by content."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from statewatch.documents.alike import differing, settled
from statewatch.documents.sequences import common
from statewatch.documents.values import JSON, pieces

Identity: TypeAlias = str | tuple[str, ...] | None
"""The key, or keys together, by whose values the objects in a list are told apart; None where nothing does."""

IDENTITIES: Final = ("id", "uuid", "key", "name", "index", "feature_index", "batch_id", "session_id", "run_id")
"""Keys that identify an object where nothing was declared, the first that does so for all of a list; then `…_id`."""

_MOST_SIMILAR: Final = 2_500
_NOTHING: Final = -1


class Matching(NamedTuple):
    """How a list became another: their common head and tail aside, where each new item was before.

    `origins` has the old position of every item between head and tail, counted from the head, or -1 for a new one.
    `unlike` are those new positions whose item replaces the old one and is not worth a comparison with it.
    """

    head: int
    before: Sequence[JSON]
    after: Sequence[JSON]
    origins: list[int]
    changed: list[int]
    unlike: frozenset[int] = frozenset()


def matched(before: list[JSON], after: list[JSON], identity: Identity | bool = True) -> Matching:
    """Match the items of two lists; *identity* is what was declared for them, True where nothing was."""
    shorter = min(len(before), len(after))
    head = next(differing(before[:shorter], after[:shorter]), shorter)
    room = shorter - head
    ends = before[len(before) - room :][::-1], after[len(after) - room :][::-1]
    tail = next(differing(*ends), room)
    ours, theirs = before[head : len(before) - tail], after[head : len(after) - tail]
    if not ours or not theirs:
        return Matching(head, ours, theirs, [_NOTHING] * len(theirs), [])
    names = identified(ours, theirs, identity)
    if names is None:
        return _by_content(head, ours, theirs)
    where = dict(zip(names[0], range(len(ours)), strict=True))
    origins = [where.get(name, _NOTHING) for name in names[1]]
    return Matching(head, ours, theirs, origins, _changed(ours, theirs, origins))


def origins_of(before: list[JSON], after: list[JSON], identity: Identity | bool = True) -> list[int]:
    """Return where each item of *after* was in *before*, or -1 for one that is new."""
    found = matched(before, after, identity)
    middle = [_NOTHING if i < 0 or j in found.unlike else found.head + i for j, i in enumerate(found.origins)]
    tail = len(before) - found.head - len(found.before)
    return [*range(found.head), *middle, *range(len(before) - tail, len(before))]


def identified(
    before: Sequence[JSON], after: Sequence[JSON], identity: Identity | bool = True
) -> tuple[list[Hashable], list[Hashable]] | None:
    """Return what identifies each item of two lists, or None where nothing tells all of them apart."""
    if not before or set(map(type, before)) | set(map(type, after)) != {dict}:
        return None
    if identity is True:
        first = before[0]
        assert isinstance(first, dict)
        candidates: list[Any] = [key for key in IDENTITIES if key in first]
        candidates += [key for key in first if key.endswith("_id") and key not in IDENTITIES]
    else:
        candidates = [identity] if identity else []
    for candidate in candidates:
        ours = _names(before, candidate)
        theirs = ours and _names(after, candidate)
        if ours and theirs is not None:
            return ours, theirs
    return None


def _names(items: Sequence[JSON], identity: str | tuple[str, ...]) -> list[Hashable] | None:
    keys = (identity,) if isinstance(identity, str) else identity
    try:
        columns = [list(map(itemgetter(key), items)) for key in keys]  # type: ignore[arg-type]
    except KeyError:
        return None
    for column in columns:
        if not set(map(type, column)) <= {str, int}:  # a text and a number are never equal
            return None
    names: list[Hashable] = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
    return names if len(set(names)) == len(names) else None


def _changed(before: Sequence[JSON], after: Sequence[JSON], origins: list[int]) -> list[int]:
    """Return the new positions of the items that were there before and may differ."""
    kept = [j for j, i in enumerate(origins) if i >= 0]
    ours = [before[origins[j]] for j in kept]
    theirs = [after[j] for j in kept]
    return [kept[at] for at in differing(ours, theirs)]


def _by_content(head: int, before: list[JSON], after: list[JSON]) -> Matching:
    if len(before) == len(after) and (places := _in_place(before, after)) is not None:
        unlike = frozenset(at for at in places if not _akin(before[at], after[at]))
        return Matching(head, before, after, list(range(len(after))), places, unlike)
    ours, theirs = _tokens(before, after)
    origins = [_NOTHING] * len(after)
    for i, j in common(ours, theirs):
        origins[j] = i
    _add_moves(origins, ours, theirs)
    in_place = len(before) == len(after) and [j for j in range(len(after)) if ours[j] != theirs[j]]
    if in_place and len(in_place) <= _steps(origins, len(before)):
        origins = list(range(len(after)))
        changed = in_place
    else:
        changed = sorted(_pair_in_gaps(origins, before, after))
    unlike = frozenset(j for j in changed if not _akin(before[origins[j]], after[j]))
    return Matching(head, before, after, origins, changed, unlike)


def _in_place(before: list[JSON], after: list[JSON]) -> list[int] | None:
    """Return the positions of the items that changed, if none of them is seen at another of these positions again."""
    places = list(differing(before, after))
    if len(before) == 1:
        return places
    ours, theirs = _tokens([before[at] for at in places], [after[at] for at in places])
    changed = [at for at, one, other in zip(places, ours, theirs, strict=True) if one != other]
    here = {one for one, other in zip(ours, theirs, strict=True) if one != other}
    return changed if here.isdisjoint(theirs) else None


def _tokens(before: Sequence[JSON], after: Sequence[JSON]) -> tuple[list[Hashable], list[Hashable]]:
    """Return something to compare for each item: equal for the same values only, and never large."""
    if set(map(type, before)) | set(map(type, after)) in ({str}, {int}):
        return list(before), list(after)  # type: ignore[arg-type]
    return [token(item) for item in before], [token(item) for item in after]


def token(item: JSON) -> bytes:
    """Return at most 64 bytes that are equal for the same values only."""
    from hashlib import blake2b  # noqa: PLC0415 - as orjson: not for those who compare nothing

    import orjson  # noqa: PLC0415

    try:
        text = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        text = "".join(pieces(item)).encode()
    return text if len(text) < 64 else blake2b(text).digest()


def _add_moves(origins: list[int], ours: list[Hashable], theirs: list[Hashable]) -> None:
    """Find the items that went elsewhere: only what occurs once on either side is surely the same thing."""
    if all(i >= 0 for i in origins):
        return
    there = Counter(theirs)
    missing = {theirs[j]: j for j, i in enumerate(origins) if i < 0 and there[theirs[j]] == 1}
    here = Counter(item for item in ours if item in missing)
    for i, item in enumerate(ours):
        if here[item] == 1:
            origins[missing[item]] = i


def _steps(origins: list[int], length: int) -> int:
    """Return how many operations a matching takes, with new items in the place of old ones where that can be."""
    kept = [i for i in origins if i >= 0]
    rising = sum(one > other for one, other in pairwise(kept))
    return rising + sum(max(len(old), len(new)) for old, new in _gaps(origins, length))


def _gaps(origins: list[int], length: int) -> Iterator[tuple[list[int], list[int]]]:
    """Yield what is gone and what is new between each two items that are still beside each other."""
    used = set(origins)
    last, new = -1, []
    for j, i in enumerate([*origins, length]):
        if i < 0:
            new.append(j)
        elif i > last:
            yield [old for old in range(last + 1, i) if old not in used], new
            last, new = i, []


def _pair_in_gaps(origins: list[int], before: Sequence[JSON], after: Sequence[JSON]) -> Iterator[int]:
    """Take new items between the same neighbours as old ones for these, changed."""
    for old, new in list(_gaps(origins, len(before))):
        for i, j in _aligned(old, new, before, after):
            origins[j] = i
            yield j


def _aligned(
    old: list[int], new: list[int], before: Sequence[JSON], after: Sequence[JSON]
) -> Iterator[tuple[int, int]]:
    if len(old) == len(new) or len(old) * len(new) > _MOST_SIMILAR:
        yield from zip(old, new, strict=False)
        return
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    likeness = [[1.0 + _similarity(before[i], after[j]) for j in new] for i in old]
    for x in range(len(old) - 1, -1, -1):
        for y in range(len(new) - 1, -1, -1):
            best[x][y] = max(best[x + 1][y], best[x][y + 1], best[x + 1][y + 1] + likeness[x][y])
    x = y = 0
    while x < len(old) and y < len(new):
        if best[x][y] == best[x + 1][y + 1] + likeness[x][y]:
            yield old[x], new[y]
            x, y = x + 1, y + 1
        elif best[x][y] == best[x + 1][y]:
            x += 1
        else:
            y += 1


def _similarity(one: JSON, other: JSON) -> float:
    """Return from 0 to 1 how much two different values have in common."""
    if isinstance(one, dict) and isinstance(other, dict):
        shared = sum(key in other and settled(value, other[key]) for key, value in one.items())
        return shared / max(len(one), len(other), 1)
    return 0.25 if type(one) is type(other) else 0.0


def _akin(one: JSON, other: JSON) -> bool:
    """Tell whether a comparison of two values says more than that the one replaced the other."""
    if isinstance(one, dict) and isinstance(other, dict):
        return 2 * len(one.keys() & other.keys()) >= len(one.keys() | other.keys())
    return True

"""The differences between two documents."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, TypeAlias

from statewatch.documents.alike import differing, maybe_same, scalars_same, unequal_texts
from statewatch.documents.changes import Change, ConflictError, Operation, apply, compose, invert
from statewatch.documents.lists import Identity, Matching, matched
from statewatch.documents.moves import moves
from statewatch.documents.patterns import first_match
from statewatch.documents.values import JSON, Path

__all__ = ["Change", "ConflictError", "Identities", "Operation", "apply", "compose", "diff", "invert"]

Identities: TypeAlias = Mapping[str, Identity]
"""Which keys identify the objects in the lists at the places that a pattern, as `/agents/*/runs`, matches."""

_Step: TypeAlias = "Change | tuple[JSON, JSON, Path]"

_WIDE: Final = 64


def diff(before: JSON, after: JSON, identities: Identities | None = None) -> list[Change]:
    """Return the changes that turn *before* into *after*, in an order in which they can be applied one by one.

    Types count (`true` is not `1`, `1` is not `1.0`). Objects in lists are matched by what identifies them, as declared
    in *identities* or else found, all other items by content, so that an insertion, a removal and a move are one change
    each. In a list, changes inside of items come first and have the positions of *before*, as have removals; then come
    moves, and then additions, which have the positions of *after*.
    """
    changes: list[Change] = []
    todo: list[_Step] = [(before, after, ())]
    while todo:
        step = todo.pop()
        if isinstance(step, Change):
            changes.append(step)
            continue
        old, new, path = step
        if isinstance(old, dict) and isinstance(new, dict):
            steps = (_in_wide_objects if len(old) > _WIDE else _in_objects)(old, new, path)
        elif isinstance(old, list) and isinstance(new, list):
            steps = _in_lists(old, new, path, identity_at(identities, path))
        else:
            steps = [] if scalars_same(old, new) else [Change("replace", path, old, new)]
        if all(type(one) is Change for one in steps):
            changes += steps  # type: ignore[arg-type]
        else:
            steps.reverse()
            todo += steps
    return changes


def _in_objects(old: dict[str, JSON], new: dict[str, JSON], path: Path) -> list[_Step]:
    steps: list[_Step] = []
    doubtful: list[str] = []  # equal, but perhaps not in types
    for key, one in old.items():
        if key not in new:
            steps.append(Change("remove", (*path, key), one, None))
            continue
        other = new[key]
        kind = type(one)
        if one is other:
            continue
        if kind is not type(other):
            steps.append((one, other, (*path, key)))
        elif kind is dict or kind is list:
            if maybe_same(one, other):
                doubtful.append(key)
            else:
                steps.append((one, other, (*path, key)))
        elif one != other or (kind is float and not one and repr(one) != repr(other)):
            steps.append(Change("replace", (*path, key), one, other))
    if doubtful:
        pairs = [(old[key], new[key]) for key in doubtful]
        steps += [(*pairs[at], (*path, doubtful[at])) for at in unequal_texts(pairs)]
    if new.keys() != old.keys():
        steps += [Change("add", (*path, key), None, value) for key, value in new.items() if key not in old]
    return steps


def _in_wide_objects(old: dict[str, JSON], new: dict[str, JSON], path: Path) -> list[_Step]:
    kept = list(old) if old.keys() == new.keys() else [key for key in old if key in new]
    ours = list(map(old.__getitem__, kept))
    theirs = list(map(new.__getitem__, kept))
    steps: list[_Step] = []
    for at in differing(ours, theirs):
        steps += _into(ours[at], theirs[at], (*path, kept[at]))
    if len(kept) < len(old):
        steps += [Change("remove", (*path, key), value, None) for key, value in old.items() if key not in new]
    if len(kept) < len(new):
        steps += [Change("add", (*path, key), None, value) for key, value in new.items() if key not in old]
    return steps


def _into(one: JSON, other: JSON, path: Path) -> list[_Step]:
    """Look into two values that may differ, one level deep at once where that is little."""
    if type(one) is type(other) is dict and len(one) <= _WIDE:
        return _in_objects(one, other, path)
    return [(one, other, path)]


def _in_lists(old: list[JSON], new: list[JSON], path: Path, identity: Identity | bool) -> list[_Step]:
    found = matched(old, new, identity)
    steps: list[_Step] = []
    for i, j in sorted((found.origins[j], j) for j in found.changed):
        place = (*path, found.head + i)
        if j in found.unlike:
            steps.append(Change("replace", place, found.before[i], found.after[j]))
        else:
            steps += _into(found.before[i], found.after[j], place)
    steps += _rearranged(found, path)
    return steps


def identity_at(identities: Identities | None, path: Path) -> Identity | bool:
    """Return what was declared to identify the items of the list at a place; True where nothing was."""
    choices: Mapping[str, Identity | bool] = identities or {}
    return first_match(choices, path, default=True)


def _rearranged(found: Matching, path: Path) -> list[_Step]:
    """Return the removals, moves and additions of a list, whose items that stay are already what they shall be."""
    head, kept = found.head, [i for i in found.origins if i >= 0]
    steps: list[_Step] = []
    if len(kept) < len(found.before):
        used = set(kept)
        gone = (i for i in range(len(found.before) - 1, -1, -1) if i not in used)  # so that positions stay true
        steps += [Change("remove", (*path, head + i), found.before[i], None) for i in gone]
    if any(one > other for one, other in pairwise(kept)):
        values = [found.after[j] for j, i in enumerate(found.origins) if i >= 0]
        for source, target, place in moves(kept):
            value = values[place]
            steps.append(Change("move", (*path, head + target), value, value, (*path, head + source)))
    if len(kept) < len(found.after):
        new = (j for j, i in enumerate(found.origins) if i < 0)
        steps += [Change("add", (*path, head + j), None, found.after[j]) for j in new]
    return steps

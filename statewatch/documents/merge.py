"""Three-way merge: what two writers made of one document, put together."""

from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Literal, TypeAlias, cast

from statewatch.documents import pointer
from statewatch.documents.alike import texts_equal
from statewatch.documents.diff import Identities, identity_at
from statewatch.documents.lists import identified, origins_of, token
from statewatch.documents.noise import is_time
from statewatch.documents.values import JSON, Path, same

Strategy = Literal["last_write_wins", "first_write_wins", "merge", "manual"]
"""What becomes of a place that both have changed, each in another way.

`first_write_wins` takes *ours*, `last_write_wins` takes *theirs*. `merge` keeps both where both can be kept (what both
added to a list), a change rather than a removal, the later of two times, and otherwise takes theirs. `manual` leaves
the choice to whoever asked; the document has ours there meanwhile.
"""


class Absent(Enum):
    """Stands for no value, where null is one."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

_EVERY_LEVEL: Final = 16
_END: Final = -2
"""Where items go that one side has behind all that both have: there they stay, in whatever order that comes."""

Maybe: TypeAlias = "JSON | Absent"
_Versions: TypeAlias = "tuple[Maybe, Maybe, Maybe, Path]"
_Work: TypeAlias = Generator["_Versions", "Maybe", "Maybe"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A place that both have changed, each in another way, and what the merged document has there.

    `path` is the place in ours, or in theirs where ours does not have it. Where both added items at the same point of a
    list, it is that of the list, and the values are the items; where both put a list in another order, the lists.
    """

    path: Path
    base: Maybe
    ours: Maybe
    theirs: Maybe
    result: Maybe

    @property
    def pointer(self) -> str:
        """The place as an RFC 6901 pointer."""
        return pointer.render(self.path)


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged document and the conflicts on the way to it; `settled` says that nobody need look at these."""

    document: JSON
    conflicts: tuple[Conflict, ...]
    settled: bool


def merge(
    base: JSON, ours: JSON, theirs: JSON, strategy: Strategy = "manual", identities: Identities | None = None
) -> Merged:
    """Put together what became of *base* in two hands: *ours* was written first, *theirs* last.

    Objects are merged member by member, lists item by item (see `diff` for what identifies one). What only one of them
    changed is taken over; what both changed in the same way, too.
    """
    merger = _Merger(strategy, identities)
    document = merger.run((base, ours, theirs, ()))
    conflicts = tuple(merger.conflicts)
    assert not isinstance(document, Absent)
    return Merged(document, conflicts, settled=strategy != "manual" or not conflicts)


class _Merger:
    """Merges values; a value inside of another is asked for with `yield`, so that depth needs no recursion."""

    def __init__(self, strategy: Strategy, identities: Identities | None) -> None:
        self._strategy = strategy
        self._identities = identities
        self.conflicts: list[Conflict] = []

    def run(self, versions: _Versions) -> Maybe:
        """Merge one value, and all within it."""
        stack = [self._value(*versions)]
        answer: Maybe = None
        fresh = True
        while stack:
            try:
                wanted = next(stack[-1]) if fresh else stack[-1].send(answer)
                stack.append(self._value(*wanted))
                fresh = True
            except StopIteration as done:
                stack.pop()
                answer = cast("Maybe", done.value)
                fresh = False
        return answer

    def _value(self, base: Maybe, ours: Maybe, theirs: Maybe, path: Path) -> _Work:
        alike = isinstance(ours, dict | list) and type(ours) is type(theirs)
        if not alike or _worth_comparing(len(path)):
            if _same(ours, theirs) or _same(base, theirs):
                return ours
            if _same(base, ours):
                return theirs
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return (yield from self._objects(base if isinstance(base, dict) else {}, ours, theirs, path))
        if isinstance(ours, list) and isinstance(theirs, list):
            return (yield from self._lists(base if isinstance(base, list) else [], ours, theirs, path))
        return self._conflict(base, ours, theirs, path)

    def _objects(self, base: dict[str, JSON], ours: dict[str, JSON], theirs: dict[str, JSON], path: Path) -> _Work:
        result: dict[str, JSON] = {}
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            value = yield base.get(key, ABSENT), ours.get(key, ABSENT), theirs.get(key, ABSENT), (*path, key)
            if not isinstance(value, Absent):
                result[key] = value
        return result

    def _lists(self, base: list[JSON], ours: list[JSON], theirs: list[JSON], path: Path) -> _Work:
        identity = identity_at(self._identities, path)
        first = _Side(ours, origins_of(base, ours, identity))
        last = _Side(theirs, origins_of(base, theirs, identity))
        values: dict[int, JSON] = {}
        for i, item in enumerate(base):
            one, other = first.item(i), last.item(i)
            value = yield item, one, other, (*path, first.where.get(i, last.where.get(i, 0)))
            if not isinstance(value, Absent):
                values[i] = value
        shared = {i for i in values if i in first.where and i in last.where}
        order = self._order(base, ours, theirs, path, first.order(shared), last.order(shared))
        added, others = first.added(values, shared), last.added(values, shared)
        names = identified(ours, theirs, identity)
        if names is not None:
            yield from _joined(added, others, names, path)
        result: list[JSON] = []
        for i in (-1, *order, _END):
            result += [values[i]] if i in shared else []
            result += self._together(_left(added.get(i)), _left(others.get(i)), path, named=names is not None)
        return result

    def _order(self, base: JSON, ours: JSON, theirs: JSON, path: Path, first: list[int], last: list[int]) -> list[int]:
        """Return in which order to leave what both have kept."""
        before = sorted(first)
        if last in (first, before):
            return first
        if first == before:
            return last
        take_first = self._strategy in {"first_write_wins", "manual"}
        self.conflicts.append(Conflict(path, base, ours, theirs, ours if take_first else theirs))
        return first if take_first else last

    def _together(self, ours: list[JSON], theirs: list[JSON], path: Path, *, named: bool) -> list[JSON]:
        """Return what both added at one point: what has an identity of its own is no conflict."""
        if not ours or not theirs or named:
            return ours + theirs
        if _same(ours, theirs):
            return ours
        result = self._conflict([], ours, theirs, path)
        assert isinstance(result, list)
        return result

    def _conflict(self, base: Maybe, ours: Maybe, theirs: Maybe, path: Path) -> Maybe:
        result: Maybe = ours
        if self._strategy == "last_write_wins":
            result = theirs
        elif self._strategy == "merge":
            result = _both(ours, theirs)
        self.conflicts.append(Conflict(path, base, ours, theirs, result))
        return result


@dataclass(slots=True)
class _Item:
    """An item that one of the two has and the other, or the base, has not; `new` when it was not in the base."""

    index: int
    value: JSON
    new: bool
    joined: bool = False


class _Side:
    """A list as one of the two left it, and where its items were in the base."""

    def __init__(self, items: list[JSON], origins: list[int]) -> None:
        self._items = items
        self._origins = origins
        self.where = {i: j for j, i in enumerate(origins) if i >= 0}

    def item(self, origin: int) -> Maybe:
        """Return what became of an item of the base."""
        return self._items[self.where[origin]] if origin in self.where else ABSENT

    def order(self, among: set[int]) -> list[int]:
        """Return items of the base in the order they have here."""
        return [i for i in self._origins if i in among]

    def added(self, values: dict[int, JSON], shared: set[int]) -> dict[int, list[_Item]]:
        """Return what only this side has, by the item before it that both have: see _END, and -1 at the beginning."""
        found: dict[int, list[_Item]] = {}
        anchor = -1
        for j, i in enumerate(self._origins):
            if i in shared:
                anchor = i
            elif i < 0:
                found.setdefault(anchor, []).append(_Item(j, self._items[j], new=True))
            elif i in values:
                found.setdefault(anchor, []).append(_Item(j, values[i], new=False))
        if anchor in found:
            found[_END] = found.pop(anchor)
        return found


def _joined(
    ours: dict[int, list[_Item]],
    theirs: dict[int, list[_Item]],
    names: tuple[Sequence[Hashable], Sequence[Hashable]],
    path: Path,
) -> Generator[_Versions, Maybe, None]:
    """Merge what both added under the same identity, where ours has it."""
    twins = {names[1][item.index]: item for items in theirs.values() for item in items if item.new}
    for item in (each for items in ours.values() for each in items if each.new):
        twin = twins.get(names[0][item.index])
        if twin is not None:
            value = yield ABSENT, item.value, twin.value, (*path, item.index)
            assert not isinstance(value, Absent)
            item.value, twin.joined = value, True


def _left(items: list[_Item] | None) -> list[JSON]:
    return [item.value for item in items or () if not item.joined]


def _both(ours: Maybe, theirs: Maybe) -> Maybe:
    """Keep both of two values as far as that can be; otherwise theirs."""
    if isinstance(ours, Absent) or isinstance(theirs, Absent):
        return theirs if isinstance(ours, Absent) else ours
    if isinstance(ours, list) and isinstance(theirs, list):
        there = {token(item) for item in ours}
        return [*ours, *(item for item in theirs if token(item) not in there)]
    if isinstance(ours, str) and isinstance(theirs, str) and is_time(ours) and is_time(theirs):
        return ours if _is_later(ours, theirs) else theirs
    return theirs


def _is_later(one: str, other: str) -> bool:
    try:
        return datetime.fromisoformat(one) > datetime.fromisoformat(other)
    except (ValueError, TypeError):  # no such date; one with a zone and one without
        return False


def _worth_comparing(depth: int) -> bool:
    """Tell whether to compare whole values at a depth: at each of a thousand levels it would take for ever."""
    return depth < _EVERY_LEVEL or not depth & (depth - 1)


def _same(one: Maybe, other: Maybe) -> bool:
    if isinstance(one, Absent) or isinstance(other, Absent):
        return one is other
    return texts_equal(one, other) or same(one, other)

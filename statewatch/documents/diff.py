"""The differences between two documents, and putting them on or taking them back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from statewatch.documents import pointer
from statewatch.documents.values import JSON, Path, same

Operation = Literal["add", "remove", "replace"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference at one place: an RFC 6902 operation that also knows the value before."""

    op: Operation
    path: Path
    before: JSON
    after: JSON

    @property
    def pointer(self) -> str:
        """The place as an RFC 6901 pointer."""
        return pointer.render(self.path)


class ConflictError(ValueError):
    """Changes that no longer apply; `pointers` names the places where the document has moved on."""

    def __init__(self, pointers: list[str]) -> None:
        self.pointers = pointers
        super().__init__("changed since: " + ", ".join(pointers))


def diff(before: JSON, after: JSON) -> list[Change]:
    """Return the changes that turn *before* into *after*, in an order in which they can be applied one by one.

    Types count (`true` is not `1`, `1` is not `1.0`). Lists are compared after their common head and tail are set
    aside, so that an insertion is one change and not one for every item behind it.
    """
    changes: list[Change] = []
    _walk(before, after, (), changes)
    return changes


def invert(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that take *changes* back."""
    swapped: dict[Operation, Operation] = {"add": "remove", "remove": "add", "replace": "replace"}
    return [Change(swapped[c.op], c.path, c.after, c.before) for c in reversed(list(changes))]


def apply(document: JSON, changes: Iterable[Change]) -> JSON:
    """Return *document* with *changes* made; the original is left as it is.

    Raises ConflictError, naming every place, when a value is not what a change expects to find there.
    """
    conflicts: list[str] = []
    for change in changes:
        try:
            document = _apply_one(document, change)
        except _ConflictHereError:
            conflicts.append(change.pointer)
    if conflicts:
        raise ConflictError(conflicts)
    return document


def _walk(before: JSON, after: JSON, path: Path, out: list[Change]) -> None:
    if same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key, old in before.items():
            if key in after:
                _walk(old, after[key], (*path, key), out)
            else:
                out.append(Change("remove", (*path, key), old, None))
        out.extend(Change("add", (*path, key), None, new) for key, new in after.items() if key not in before)
    elif isinstance(before, list) and isinstance(after, list):
        head = _common(zip(before, after, strict=False))
        limit = min(len(before), len(after)) - head
        tail = min(limit, _common(zip(reversed(before), reversed(after), strict=False)))
        old_middle = before[head : len(before) - tail]
        new_middle = after[head : len(after) - tail]
        shared = min(len(old_middle), len(new_middle))
        for offset in range(shared):
            _walk(old_middle[offset], new_middle[offset], (*path, head + offset), out)
        for offset in reversed(range(shared, len(old_middle))):  # from the end, so that positions stay true
            out.append(Change("remove", (*path, head + offset), old_middle[offset], None))
        for offset in range(shared, len(new_middle)):
            out.append(Change("add", (*path, head + offset), None, new_middle[offset]))
    else:
        out.append(Change("replace", path, before, after))


def _common(pairs: Iterable[tuple[JSON, JSON]]) -> int:
    count = 0
    for left, right in pairs:
        if not same(left, right):
            break
        count += 1
    return count


class _ConflictHereError(Exception):
    pass


def _apply_one(document: JSON, change: Change) -> JSON:
    if not change.path:
        if change.op != "replace" or not same(document, change.before):
            raise _ConflictHereError
        return change.after
    way: list[tuple[JSON, str | int]] = []
    here = document
    for token in change.path[:-1]:
        way.append((here, token))
        here = _inside(here, token)
    result = _changed(here, change.path[-1], change)
    for container, token in reversed(way):  # no recursion: two frames a level would not do for the deepest documents
        result = _with(container, token, result)
    return result


def _changed(here: JSON, token: str | int, change: Change) -> JSON:
    if change.op == "add":
        if isinstance(here, dict) and isinstance(token, str) and token not in here:
            return {**here, token: change.after}
        if isinstance(here, list) and isinstance(token, int) and 0 <= token <= len(here):
            return [*here[:token], change.after, *here[token:]]
        raise _ConflictHereError
    if not same(_inside(here, token), change.before):
        raise _ConflictHereError
    if change.op == "replace":
        return _with(here, token, change.after)
    if isinstance(here, dict):
        return {name: value for name, value in here.items() if name != token}
    assert isinstance(here, list)
    return [value for index, value in enumerate(here) if index != token]


def _inside(here: JSON, token: str | int) -> JSON:
    try:
        return pointer.get(here, (token,))
    except pointer.PointerError:
        raise _ConflictHereError from None


def _with(container: JSON, token: str | int, value: JSON) -> JSON:
    if isinstance(container, dict):
        assert isinstance(token, str)
        return {**container, token: value}
    assert isinstance(container, list)
    assert isinstance(token, int)
    return [*container[:token], value, *container[token + 1 :]]

"""JSON Patch (RFC 6902): reading, making and writing it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from statewatch.documents import pointer
from statewatch.documents.changes import Change
from statewatch.documents.edit import Editor
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON, Path

_OPERATIONS: Final = ("add", "remove", "replace", "move", "copy", "test")
_MOST_COPIED: Final = 1_000_000
"""Values that the copies of one patch may hold: what is copied into itself twenty times grows a million times."""


class PatchError(ValueError):
    """A patch that is not well-formed, or does not apply.

    `index` is the position of the operation in the patch, from 0, or None where the patch as a whole is no patch; `op`
    and `path` are what the operation says, as far as it says it; `reason` is why.
    """

    def __init__(self, reason: str, index: int | None = None, op: str = "", path: str | None = None) -> None:
        self.reason = reason
        self.index = index
        self.op = op
        self.path = path
        named = " ".join(part for part in (op, None if path is None else repr(path)) if part)
        where = "" if index is None else f"operation {index + 1}{named and f' ({named})'}: "
        super().__init__(where + reason)


class Patched(NamedTuple):
    """A document after a patch, and the changes that made it so; `invert` takes them back."""

    document: JSON
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class _Operation:
    op: str
    path: tuple[str, ...]
    value: JSON = None
    source: tuple[str, ...] = ()


def write_patch(changes: Iterable[Change], *, tests: bool = False) -> list[JSON]:
    """Return *changes* as a JSON Patch; with *tests* it also checks that it meets the values that it replaces."""
    patch: list[JSON] = []
    for change in changes:
        place, place_before = change.pointer, change.pointer if change.source is None else pointer.render(change.source)
        if tests and change.op != "add":
            patch.append({"op": "test", "path": place_before, "value": change.before})
        if change.op == "move":
            patch.append({"op": "move", "from": place_before, "path": place})
        elif change.op == "remove":
            patch.append({"op": "remove", "path": place})
        else:
            patch.append({"op": change.op, "path": place, "value": change.after})
    return patch


def apply_patch(document: JSON, patch: JSON) -> Patched:
    """Return what a JSON Patch makes of *document*, which is left as it is.

    Numbers are compared by value in a `test`, as the standard has it. Raises PatchError, naming the operation, when the
    patch is not well-formed or does not apply as a whole; every operation is read before the first is made.
    """
    if not isinstance(patch, list):
        raise PatchError("a JSON Patch is a list of operations")
    operations = [_read(index, entry) for index, entry in enumerate(patch)]
    editor = Editor(document)
    changes: list[Change] = []
    room = _MOST_COPIED
    for index, operation in enumerate(operations):
        try:
            if operation.op == "copy":
                room = _less_room(room, _at(editor, operation.source)[1])
            changes += _MAKE[operation.op](editor, operation)
        except (PointerError, _NotAppliedError) as error:
            path = pointer.render(operation.path)
            raise PatchError(str(error), index, operation.op, path) from None
    return Patched(editor.document, changes)


class _NotAppliedError(Exception):
    pass


def _read(index: int, entry: JSON) -> _Operation:
    if not isinstance(entry, dict):
        raise PatchError("an operation is an object", index)
    op, path = entry.get("op"), entry.get("path")
    named = op if isinstance(op, str) else ""
    place = path if isinstance(path, str) else None
    if op not in _OPERATIONS:
        missing = "it has no 'op'" if "op" not in entry else f"there is no operation {_short(op)}"
        raise PatchError(f"{missing}; there is {', '.join(_OPERATIONS)}", index, "", place)
    if op in {"add", "replace", "test"} and "value" not in entry:
        raise PatchError("it has no 'value'", index, named, place)
    source = _tokens(entry, "from", index, named) if op in {"move", "copy"} else ()
    return _Operation(named, _tokens(entry, "path", index, named), entry.get("value"), source)


def _tokens(entry: dict[str, JSON], member: str, index: int, op: str) -> tuple[str, ...]:
    text, path = entry.get(member), entry.get("path")
    place = path if isinstance(path, str) else None
    if not isinstance(text, str):
        what = f"it has no {member!r}" if member not in entry else f"its {member!r} is not a text"
        raise PatchError(what, index, op, place)
    try:
        return pointer.parse(text)
    except PointerError as error:
        raise PatchError(str(error), index, op, place) from None


def _at(editor: Editor, tokens: tuple[str, ...]) -> tuple[Path, JSON]:
    path = pointer.locate(editor.document, tokens)
    return path, editor.get(path)


def _target(document: JSON, tokens: tuple[str, ...]) -> Path:
    """Return the place at which something is to be added: it need not be there, what shall hold it must."""
    parent = pointer.locate(document, tokens[:-1])
    holder, last = pointer.get(document, parent), tokens[-1]
    if isinstance(holder, dict):
        return (*parent, last)
    if not isinstance(holder, list):
        raise PointerError(f"what is at {pointer.render(parent)!r} is neither an object nor a list")
    if last == "-":
        return (*parent, len(holder))
    if last == str(len(holder)):
        return (*parent, len(holder))
    return pointer.locate(document, tokens)


def _add(editor: Editor, operation: _Operation) -> list[Change]:
    return [_added(editor, operation.path, operation.value)]


def _added(editor: Editor, tokens: tuple[str, ...], value: JSON) -> Change:
    if not tokens:
        return _replaced(editor, (), value)
    path = _target(editor.document, tokens)
    holder = editor.get(path[:-1])
    if isinstance(holder, dict) and path[-1] in holder:
        return _replaced(editor, path, value)
    editor.insert(path, value)
    return Change("add", path, None, value)


def _replaced(editor: Editor, path: Path, value: JSON) -> Change:
    before = editor.get(path)
    editor.put(path, value)
    return Change("replace", path, before, value)


def _remove(editor: Editor, operation: _Operation) -> list[Change]:
    path, before = _at(editor, operation.path)
    editor.take(path)
    return [Change("remove", path, before, None)]


def _replace(editor: Editor, operation: _Operation) -> list[Change]:
    return [_replaced(editor, pointer.locate(editor.document, operation.path), operation.value)]


def _move(editor: Editor, operation: _Operation) -> list[Change]:
    source, value = _at(editor, operation.source)
    if operation.source == operation.path:
        return []
    if operation.path[: len(source)] == operation.source:
        raise _NotAppliedError(f"what is at {pointer.render(source)!r} cannot be moved into itself")
    editor.take(source)
    added = _added(editor, operation.path, value)
    editor.share()  # the change holds the value, which must not change with the document
    if added.op == "add":
        return [Change("move", added.path, value, value, source)]
    return [Change("remove", source, value, None), added]


def _copy(editor: Editor, operation: _Operation) -> list[Change]:
    added = _added(editor, operation.path, _at(editor, operation.source)[1])
    editor.share()
    return [added]


def _test(editor: Editor, operation: _Operation) -> list[Change]:
    found = _at(editor, operation.path)[1]
    if not _equal(found, operation.value):
        raise _NotAppliedError(f"the test failed: there is {_short(found)}, not {_short(operation.value)}")
    return []


_MAKE: Final[dict[str, Callable[[Editor, _Operation], list[Change]]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _equal(one: JSON, other: JSON) -> bool:
    """Compare as the standard does: numbers by value, and otherwise what is the same. Needs no recursion."""
    todo: list[tuple[JSON, JSON]] = [(one, other)]
    while todo:
        left, right = todo.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            todo += [(value, right[key]) for key, value in left.items()]
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            todo += zip(left, right, strict=True)
        elif isinstance(left, bool) is not isinstance(right, bool) or left != right:
            return False
    return True


def _less_room(room: int, value: JSON) -> int:
    """Return how many values may still be copied after this one."""
    todo = [value]
    while todo:
        here = todo.pop()
        room -= 1
        if room < 0:
            raise _NotAppliedError("with this copy the document would become far too large")
        if isinstance(here, dict):
            todo += here.values()
        elif isinstance(here, list):
            todo += here
    return room


def _short(value: JSON) -> str:
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"

"""Changes of a document: what one is, making them, taking them back, and putting two lists of them together."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from statewatch.documents import pointer
from statewatch.documents.edit import Editor
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON, Path, same

Operation = Literal["add", "remove", "replace", "move"]


class Change(NamedTuple):
    """One difference at one place: an RFC 6902 operation that also knows the value before.

    A `move` takes the value at `source` (`before` and `after` are that value) away and puts it in at `path`, a place in
    the document without it. `noise` says that a rule found it not worth a look.
    """

    op: Operation
    path: Path
    before: JSON
    after: JSON
    source: Path | None = None
    noise: bool = False

    @property
    def pointer(self) -> str:
        """The place as an RFC 6901 pointer."""
        return pointer.render(self.path)


class ConflictError(ValueError):
    """Changes that no longer apply; `pointers` names the places where the document has moved on."""

    def __init__(self, pointers: list[str]) -> None:
        self.pointers = pointers
        super().__init__("changed since: " + ", ".join(pointers))


def invert(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that take *changes* back."""
    return [_inverse(change) for change in reversed(list(changes))]


def apply(document: JSON, changes: Iterable[Change]) -> JSON:
    """Return *document* with *changes* made; the original is left as it is.

    Raises ConflictError, naming every place, when a value is not what a change expects to find there.
    """
    conflicts: list[str] = []
    editor = Editor(document)
    for change in changes:
        try:
            _make(editor, change)
        except PointerError:
            conflicts.append(change.pointer)
    if conflicts:
        raise ConflictError(conflicts)
    return editor.document


def compose(first: Iterable[Change], second: Iterable[Change]) -> list[Change]:
    """Return one list of changes that does what *first* and then *second* do.

    A place that both change is changed once, and what the one adds and the other takes away is left out, as far as that
    can be told without the document. The result applies to the same documents as *first*.
    """
    folded = _Folded()
    for change in (*first, *second):
        folded.add(change)
    return [change for change in folded.changes if change is not None]


def _inverse(change: Change) -> Change:
    if change.op == "move":
        assert change.source is not None
        return change._replace(path=change.source, source=change.path)
    swapped: dict[Operation, Operation] = {"add": "remove", "remove": "add", "replace": "replace"}
    return Change(swapped[change.op], change.path, change.after, change.before, None, change.noise)


def _make(editor: Editor, change: Change) -> None:
    path = change.path
    if change.op == "replace":
        _expect(editor, path, change.before)
        editor.put(path, change.after)
    elif change.op == "add":
        editor.insert(path, change.after)
    elif change.op == "remove":
        _expect(editor, path, change.before)
        editor.take(path)
    else:
        source = change.source or ()
        _expect(editor, source, change.before)
        editor.move(source, path)


def _expect(editor: Editor, path: Path, value: JSON) -> None:
    if not same(editor.get(path), value):
        raise PointerError("another value is there")


class _Folded:
    """Changes in order, in which a later one is folded into an earlier one at the same place or above it.

    `_open` names, for each place, the change that a later one there may be folded into: those behind it neither look at
    that place nor shift it.
    """

    def __init__(self) -> None:
        self.changes: list[Change | None] = []
        self._open: dict[Path, int] = {}

    def add(self, change: Change) -> None:
        """Take one more change in."""
        if change.op == "move" or not self._folds(change):
            self._close(change)
            if change.op in {"add", "replace"} or not _is_item(change.path):
                self._open[change.path] = len(self.changes)
            self.changes.append(change)

    def _folds(self, change: Change) -> bool:
        path = change.path
        if (at := self._open.get(path)) is not None and self._merges(at, change):
            return True
        for length in range(len(path) - 1, -1, -1):
            at = self._open.get(path[:length])
            earlier = None if at is None else self.changes[at]
            if earlier is None or earlier.op not in {"add", "replace"}:
                continue
            assert at is not None
            try:
                inner = apply(earlier.after, [change._replace(path=path[length:])])
            except ConflictError:
                return False
            self._put(at, earlier._replace(after=inner))
            return True
        return False

    def _merges(self, at: int, change: Change) -> bool:
        """Fold two changes at the very same place, where what is between them lets that be."""
        earlier = self.changes[at]
        assert earlier is not None
        pair = (earlier.op, change.op)
        if not same(earlier.after, change.before):
            return False  # they do not follow one another: whoever makes them shall be told
        if pair in {("replace", "replace"), ("add", "replace")}:
            self._put(at, earlier._replace(after=change.after))
        elif _is_item(change.path):
            return False
        elif pair == ("remove", "add"):
            self._put(at, Change("replace", change.path, earlier.before, change.after))
        elif pair == ("add", "remove"):
            self._drop(at, change.path)
        elif pair == ("replace", "remove"):
            self.changes[at] = Change("remove", change.path, earlier.before, None)
        else:
            return False
        return True

    def _put(self, at: int, change: Change) -> None:
        self.changes[at] = change
        if change.op == "replace" and same(change.before, change.after):
            self._drop(at, change.path)

    def _drop(self, at: int, path: Path) -> None:
        self.changes[at] = None
        self._open.pop(path, None)

    def _close(self, change: Change) -> None:
        """Forget which earlier changes could take another one in, where *change* comes between."""
        for place in (change.path,) if change.source is None else (change.path, change.source):
            scope = place[:-1] if _is_item(place) and change.op != "replace" else place
            for path in list(self._open):
                if path[: len(scope)] == scope or scope[: len(path)] == path:
                    del self._open[path]


def _is_item(path: Path) -> bool:
    return bool(path) and isinstance(path[-1], int)

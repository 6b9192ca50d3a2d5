"""What is shown of one row of the diff: the record or value before beside the one after."""

from itertools import islice

from statewatch.documents import pointer
from statewatch.documents.diff import Change, ConflictError
from statewatch.documents.merge import ABSENT, Maybe
from statewatch.documents.partly import partly
from statewatch.documents.pointer import PointerError
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.tui.models import cells
from statewatch.tui.models.diff_rows import DiffModel, DiffRow, GroupRow, Listed, title_of
from statewatch.tui.models.diff_text import Pair, pairs
from statewatch.tui.widgets.table_model import Cell

_LARGE = 200
"""Members or items of a record from which on only those that changed are shown."""


def place(model: DiffModel, row: Listed) -> Cell:
    """Return where a row is, and what people call what is there."""
    path = row.path if isinstance(row, GroupRow) else row.change.path
    record = path if isinstance(row, GroupRow) else row.within or path[:-1]
    title = title_of(model.before, record) if record else ""
    noise = "   noise" if isinstance(row, DiffRow) and row.change.noise else ""
    return (*cells.say(pointer.render(path) or "/", "strong"), (f"  {title}", ""), (noise, "muted"))


def detail(model: DiffModel, row: Listed, *, folded: bool = True) -> tuple[Pair, ...]:
    """Return the lines of both sides of a row; what is long and the same is *folded* away."""
    if isinstance(row, DiffRow):
        return _of_change(row.change, folded=folded)
    record = _record(model, row)
    if record is not None:
        found = pairs(*record, folded=folded)
        if any(pair.differs for pair in found):
            return found
    return _of_each(row)  # too large to be shown as a whole, or the changes lie too far behind


def _of_change(change: Change, *, folded: bool) -> tuple[Pair, ...]:
    if change.op == "move":
        source = harmless(pointer.render(change.source or ()))
        moved = Pair(((f"at {source}", "bad"),), ((f"at {harmless(change.pointer)}", "good"),))
        return (moved, *pairs(change.before, change.after, folded=folded))
    before: Maybe = ABSENT if change.op == "add" else change.before
    after: Maybe = ABSENT if change.op == "remove" else change.after
    last = change.path[-1] if change.path else ""
    found = pairs(before, after, folded=folded, name=last if isinstance(last, str) else "")
    nothing: Cell = (("nothing here before" if change.op == "add" else "nothing here now", "muted"),)
    if change.op == "add":
        return (Pair(nothing, found[0].after), *found[1:])
    return (Pair(found[0].before, nothing), *found[1:]) if change.op == "remove" else found


def _record(model: DiffModel, row: GroupRow) -> tuple[JSON, JSON] | None:
    """Return the record of a group before, and with what is listed of the group changed; None where it is large."""
    indexes = next(indexes for path, indexes in model.groups if path == row.path)
    start = len(row.path)
    changes = [
        change._replace(path=change.path[start:], source=None if change.source is None else change.source[start:])
        for change in map(model.changes.__getitem__, indexes)
    ]
    wanted = set(row.indexes)
    try:
        before = pointer.get(model.before, row.path)
        if isinstance(before, dict | list) and len(before) > _LARGE:
            return None
        return before, partly(before, changes, lambda at: indexes[at] in wanted)
    except (PointerError, ConflictError):
        return None


def _of_each(row: GroupRow) -> tuple[Pair, ...]:
    """Return the changes of a group one after the other, each under its place."""
    start = len(row.path)
    lines: list[Pair] = []
    for change in islice(row.listed, _LARGE):
        told: Cell = ((harmless(pointer.render(change.path[start:])), "muted"),)
        lines += [Pair(told, told, differs=False), *_of_change(change, folded=True)]
    if (more := len(row.indexes) - _LARGE) > 0:
        told = ((f"… and {more:,} more", "muted"),)
        lines.append(Pair(told, told, differs=False))
    return tuple(lines)


def whole(model: DiffModel, row: Listed) -> tuple[Cell, ...]:
    """Return all of both sides of a row, one after the other, for a screen of its own."""
    found = detail(model, row, folded=False)
    before = (pair.before for pair in found if pair.before is not None)
    after = (pair.after for pair in found if pair.after is not None)
    return (cells.own("BEFORE", "muted"), *before, (), cells.own("AFTER", "muted"), *after)

"""What is in force by the audit log: which action is next to be undone, which undo next to be taken back. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from statewatch.core.audit import Record

Role: TypeAlias = Literal["action", "undo", "redo", "note", "keeping"]

UNDO, REDO = "undo ", "redo "
"""What the names of records begin with that take an action back, or an undo."""
OVERWRITTEN = " was overwritten by another program"
"""What the names of notes end with; they have no inverse."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A record, and what became of it.

    `by` is the record that took it back, or says that it was overwritten. `top` is what one takes back to change how
    the action stands: of an action, its undos and redos the newest that holds; None when none does.
    """

    record: Record
    in_force: bool
    by: Record | None
    top: Record | None

    @property
    def is_top(self) -> bool:
        """Tell whether it is in force and nothing came after it."""
        return self.in_force and self.top is self.record


def role(record: Record) -> Role:
    """Tell what a record is.

    A note says that an action was overwritten, and is no action itself; what was done to a checkpoint is keeping, and
    changes no document that could be changed back.
    """
    if record.checkpoint is not None:
        return "keeping"
    if record.undoes is None:
        return "action"
    if not record.inverse and record.action.endswith(OVERWRITTEN):
        return "note"
    return "redo" if record.action.startswith(REDO) else "undo"


def plain_name(record: Record) -> str:
    """Return the name of the action that a record, its undo or its redo is about."""
    return record.action if record.undoes is None else record.action.removeprefix(UNDO).removeprefix(REDO)


def standings(records: Iterable[Record], happened: Callable[[Record], bool]) -> Iterator[Standing]:
    """Yield how each record stands; *records* are newest first, and so is what comes.

    Whether an action happened that was interrupted is told by what the next one on its source found there, else by
    *happened*, which looks at the source.
    """
    by: dict[str, Record] = {}
    tops: dict[str, Record] = {}
    found: dict[str, str] = {}  # the revision that the next action on a source found there
    for record in records:
        if record.checkpoint is not None:
            yield Standing(record, in_force=record.outcome == "done", by=None, top=None)
            continue
        if not _is_so(record, found.get(record.source), happened):
            yield Standing(record, in_force=False, by=None, top=None)
            continue
        found[record.source] = record.before
        taken_by = by.pop(record.id, None)
        is_note = role(record) == "note"
        top = tops.pop(record.id, None if taken_by or is_note else record)
        if record.undoes is not None:
            if taken_by is None:
                by[record.undoes] = record
            if top is not None:
                tops.setdefault(record.undoes, top)
        yield Standing(record, in_force=taken_by is None and not is_note, by=taken_by, top=top)


def next_undo(standing: Iterable[Standing], sources: Collection[str] | None = None) -> Standing | None:
    """Return the newest action or redo in force, on some sources or on all."""
    for each in standing:
        is_meant = sources is None or each.record.source in sources
        if is_meant and each.in_force and role(each.record) not in ("undo", "keeping"):
            return each
    return None


def next_redo(standing: Iterable[Standing], sources: Collection[str] | None = None) -> Standing | None:
    """Return the newest undo in force, on some sources or on all, that no new action on its source has followed."""
    left = None if sources is None else set(sources)
    moved_on: set[str] = set()
    for each in standing:
        source = each.record.source
        if not each.in_force or source in moved_on or (left is not None and source not in left):
            continue
        if role(each.record) == "undo":
            return each
        if role(each.record) == "action":
            moved_on.add(source)
            if left is not None and left <= moved_on:
                return None
    return None


def _is_so(record: Record, found: str | None, happened: Callable[[Record], bool]) -> bool:
    if record.outcome in {"done", "void"}:
        return record.outcome == "done"
    if found is not None and found in {record.before, record.after}:
        return found == record.after
    return happened(record)

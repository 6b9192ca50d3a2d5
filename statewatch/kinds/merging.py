"""Merging documents of which it is known what they mean: what only follows from the rest is no conflict."""

from statewatch.documents import merge as merging
from statewatch.documents.changes import Change
from statewatch.documents.edit import Editor
from statewatch.documents.merge import Conflict, Merged, Strategy
from statewatch.documents.noise import is_time
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON, same
from statewatch.kinds import registry
from statewatch.kinds.times import instant

__all__ = ["Merged", "Strategy", "merged"]


def merged(base: JSON, ours: JSON, theirs: JSON, strategy: Strategy = "manual") -> tuple[Merged, int]:
    """Put together what became of *base* in two hands, and tell how many conflicts were only noise.

    Objects in lists are told apart as the kinds of the documents declare it. With the strategy `manual` places that are
    noise, as `registry.noise` has it, are no conflicts: the later of two times is taken, and the larger of two numbers.
    """
    identities = {**registry.identities(base, ours), **registry.identities(base, theirs)}
    result = merging.merge(base, ours, theirs, strategy, identities)
    if strategy != "manual":
        return result, 0
    noise = registry.noise(ours)
    editor = Editor(result.document)
    left: list[Conflict] = []
    for conflict in result.conflicts:
        mine, other = conflict.ours, conflict.theirs
        if (
            isinstance(mine, merging.Absent)
            or isinstance(other, merging.Absent)
            or not noise.covers(Change("replace", conflict.path, mine, other))
            or not _settled(editor, conflict, mine, other)
        ):
            left.append(conflict)
    settled = len(result.conflicts) - len(left)
    return Merged(editor.document, tuple(left), settled=not left), settled


def _settled(editor: Editor, conflict: Conflict, ours: JSON, theirs: JSON) -> bool:
    """Put the later of two times, or the larger of two numbers, at the place of a conflict; tell whether it is done."""
    later = _is_later(ours, theirs)
    try:
        if later is None or not same(editor.get(conflict.path), ours):  # it stands elsewhere in the merged document
            return False
        editor.put(conflict.path, theirs if later else ours)
    except PointerError:
        return False
    return True


def _is_later(ours: JSON, theirs: JSON) -> bool | None:
    """Tell whether the second is the later time, or the larger number; None where they are neither."""
    if isinstance(ours, str) and isinstance(theirs, str) and is_time(ours) and is_time(theirs):
        first, last = instant(ours), instant(theirs)
        return None if first is None or last is None else last > first
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return None
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return theirs > ours
    return None

"""What the diff screen copies: a JSON Patch, or the command that shows or restores the same."""

import shlex
from collections.abc import Collection

from statewatch.core.address import Address
from statewatch.documents.changes import Change
from statewatch.documents.partly import partly
from statewatch.documents.patch import write_patch
from statewatch.documents.values import JSON
from statewatch.kinds.registry import changes as changes_between
from statewatch.tui.models.comparison import Comparison
from statewatch.tui.models.diff_rows import DiffModel

MOST_COPIED = 500_000
"""Characters that terminals take for the clipboard."""
_MOST_PLACES = 50


def patch(model: DiffModel, picked: Collection[int]) -> list[JSON]:
    """Return the JSON Patch that makes what is picked, or all where nothing is, to the document before."""
    if not picked:
        return write_patch(model.changes)
    after = partly(model.before, model.changes, lambda index: index in picked)
    return write_patch(changes_between(model.before, after))


def show_command(comparison: Comparison) -> str | None:
    """Return the command that shows the difference, or None where a moment cannot be named on the command line."""
    before, after = comparison.before, comparison.after
    there = after.address or (str(Address(comparison.key)) if after.is_now else None)
    return (
        None if before.address is None or there is None else shlex.join(["statewatch", "diff", before.address, there])
    )


def restore_command(model: DiffModel, picked: Collection[int]) -> str | None:
    """Return the command that makes what is picked again what it was, or None where no command can say that."""
    address = model.comparison.before.address
    if address is None or len(picked) > _MOST_PLACES:
        return None
    changes = [model.changes[index] for index in sorted(picked)]
    if any(_has_moved(change) for change in changes):
        return None
    return shlex.join(
        ["statewatch", "restore", address, *(word for each in changes for word in ("--only", each.pointer))]
    )


def _has_moved(change: Change) -> bool:
    """Tell whether a change is about an item of a list that need not have the same position before and after."""
    return change.op != "replace" and any(isinstance(token, int) for token in change.path)

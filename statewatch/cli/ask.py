"""Asking the operator once, with everything that would be written."""

import sys
from collections.abc import Sequence

from statewatch.cli import output
from statewatch.documents import pointer
from statewatch.documents.diff import Change
from statewatch.documents.text import harmless
from statewatch.kinds.plain import brief

_MOST_LINES = 200
_VALUE = 400
_SIGNS = {"add": "+", "remove": "-", "replace": "~", "move": ">"}


def difference_lines(changes: Sequence[Change]) -> list[str]:
    """Return a harmless line for each change: its place, the value before and the value after."""
    return [
        harmless(f"{_SIGNS[change.op]} {change.pointer or '/'}: {_values(change)}", 4 * _VALUE) for change in changes
    ]


def show(title: str, changes: Sequence[Change], notes: Sequence[str] = ()) -> None:
    """Show what would be written."""
    output.note(title)
    lines = difference_lines(changes)
    for line in lines[:_MOST_LINES]:
        output.note(f"  {line}")
    if len(lines) > _MOST_LINES:
        output.note(f"  … and {len(lines) - _MOST_LINES:,} more places; --dry-run shows all")
    for note in notes:
        output.note(f"  Note: {harmless(note)}.")


def agreed() -> bool:
    """Ask whether to do what was shown, and tell whether the answer was yes. No is the default."""
    sys.stderr.write("Do this? [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        output.note("")
    return answer.strip().lower() in {"y", "yes"}


def _values(change: Change) -> str:
    if change.op == "add":
        return brief(change.after, _VALUE)
    if change.op == "remove":
        return brief(change.before, _VALUE)
    if change.source is not None:
        return f"{brief(change.after, _VALUE)}, moved from {pointer.render(change.source)}"
    return f"{brief(change.before, _VALUE)} → {brief(change.after, _VALUE)}"

"""Changes in few words, for whoever lists them: signs, values, the lines of a question before an action."""

from itertools import groupby

from statewatch.documents import pointer
from statewatch.documents.diff import Change, Operation
from statewatch.documents.shared_ends import shared_end, shared_start
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.plain import brief
from statewatch.tui.models import cells
from statewatch.tui.widgets.table_model import Cell, Role, Span

SIGNS: dict[Operation, Span] = {
    "add": ("+", "good"),
    "remove": ("−", "bad"),
    "replace": ("~", "warn"),
    "move": ("⇄", "info"),
}
"""What stands for an operation, by glyph and by colour."""

_MOST_LINES = 1_000
_SHARED = 12  # characters from which on what two texts begin with is left out
_KEPT = 6
_QUOTED = 60


def change_lines(changes: tuple[Change, ...]) -> tuple[Cell, ...]:
    """Return changes as lines of text, for the question before an action: those at one place under its name."""
    lines: list[Cell] = []
    for place, group in groupby(changes[:_MOST_LINES], key=lambda change: change.pointer.rpartition("/")[0]):
        together = list(group)
        if len(together) == 1 or not place:
            lines += [_change_line(change, change.pointer) for change in together]
        else:
            lines.append(cells.say(place, "muted"))
            lines += [(("  ", ""), *_change_line(change, change.pointer[len(place) + 1 :])) for change in together]
    if len(changes) > _MOST_LINES:
        lines.append(cells.own(f"… and {len(changes) - _MOST_LINES:,} more changes", "muted"))
    return tuple(lines)


def values(change: Change, role: Role | None = None) -> Cell:
    """Return what a change did to the value at its place, in few words; all in one *role* where one is given."""
    if change.op == "move":
        return _from(change)
    if change.op == "add":
        return ((_brief(change.after), role or "good"),)
    if change.op == "remove":
        return ((_brief(change.before), role or "bad"),)
    before, after = _apart(change.before, change.after)
    return ((before, role or "bad"), (" → ", "muted"), (after, role or "good"))


def _from(change: Change) -> Cell:
    source = harmless(pointer.render(change.source or ()))
    return ((f"from {source}  ", "muted"), (_brief(change.after), ""))


def _change_line(change: Change, place: str) -> Cell:
    sign, role = SIGNS[change.op]
    return ((f"{sign} ", role), (f"{harmless(place) or '/'}  ", ""), *values(change))


def _brief(value: JSON) -> str:
    return harmless(brief(value))


def _apart(before: JSON, after: JSON) -> tuple[str, str]:
    """Return two values in few words, without most of what long texts share at their beginning and their end."""
    if not isinstance(before, str) or not isinstance(after, str) or max(len(before), len(after)) <= _QUOTED // 2:
        return _brief(before), _brief(after)
    head = shared_start(before, after)
    tail = shared_end(before[head:], after[head:])
    start = head - _KEPT if head >= _SHARED else 0
    left_out = tail - _KEPT if tail >= _SHARED else 0
    return _part(before, start, left_out), _part(after, start, left_out)


def _part(text: str, start: int, left_out: int) -> str:
    """Return a text from *start* on and without so many characters at its end; `…` stands for what is left out."""
    quoted = _brief(text[start : len(text) - left_out])
    whole = quoted.endswith('"')  # else it is so long that it was cut
    end = "" if not whole else "…" if left_out else '"'
    return ("…" if start else '"') + (quoted[1:-1] if whole else quoted[1:]) + end

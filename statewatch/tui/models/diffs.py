"""The model of the diff screen: what changed from one revision to the next, place by place."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from statewatch.documents import pointer
from statewatch.documents.diff import Change, diff
from statewatch.documents.text import harmless, harmless_lines
from statewatch.documents.values import JSON
from statewatch.kinds import times
from statewatch.kinds.plain import brief
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec
from statewatch.tui.widgets.table_model import Cell, Column, Role
from statewatch.watch.picture import ChangeLine

_SIGNS: dict[str, tuple[str, Role]] = {
    "add": ("+", "good"),
    "remove": ("−", "bad"),
    "replace": ("~", "warn"),
    "move": ("↕", "info"),
}
_MOST_LINES = 2_000


@dataclass(frozen=True)
class DiffRow:
    """One place that changed."""

    change: Change

    @property
    def key(self) -> str:
        """Return what identifies the change within the diff."""
        return f"{self.change.op} {self.change.pointer} {self.change.source or ''}"

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return {"path": harmless(self.change.pointer)}


@dataclass(frozen=True)
class DiffModel:
    """The changes of one revision; `missing` says why there are none to show."""

    line: ChangeLine
    rows: tuple[DiffRow, ...] = ()
    missing: str = ""

    def title(self, now: float) -> Cell:
        """Return the line above the diff: which source, when, and how many places."""
        counts = {op: sum(row.change.op == op for row in self.rows) for op in _SIGNS}
        shown = [op for op in _SIGNS if counts[op] or op != "move"]  # few lists are ever put in another order
        return (
            (f" {self.line.label}  ", "strong"),
            (f"{times.clock(self.line.at, now)}  ", "muted"),
            *((f"{_SIGNS[op][0]}{counts[op]}  ", _SIGNS[op][1] if counts[op] else "muted") for op in shown),
        )


def load(line: ChangeLine, recall: Callable[[str], JSON]) -> DiffModel:
    """Return the model for the revision that *line* belongs to; *recall* gives None for what is not kept."""
    if line.before is None or line.after is None:
        return DiffModel(line, missing="there is no revision on the other side to compare with")
    before, after = recall(line.before), recall(line.after)
    if before is None or after is None:
        return DiffModel(line, missing="this revision is no longer kept: only the latest ones are")
    rows = sorted(map(DiffRow, diff(before, after)), key=lambda row: _is_a_time(row.change))
    return DiffModel(line, tuple(rows))


def _is_a_time(change: Change) -> bool:
    """Tell whether only a timestamp moved on: nearly every revision has some, so they are shown after the rest."""
    return all(isinstance(value, str) and times.instant(value) is not None for value in (change.before, change.after))


def change_lines(changes: tuple[Change, ...]) -> tuple[Cell, ...]:
    """Return changes as lines of text, for the question before an action: those at one place under its name."""
    lines: list[Cell] = []
    for place, group in groupby(changes, key=lambda change: change.pointer.rpartition("/")[0]):
        together = list(group)
        if len(together) == 1 or not place:
            lines += [_change_line(change, change.pointer) for change in together]
        else:
            lines.append(cells.say(place, "muted"))
            lines += [(("  ", ""), *_change_line(change, change.pointer[len(place) + 1 :])) for change in together]
    return tuple(lines)


def sides(change: Change) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Return the value before and the value after a change as lines, whole."""
    before = () if change.op == "add" else _pretty(change.before, "bad")
    after = () if change.op == "remove" else _pretty(change.after, "good")
    return before or (cells.own("nothing here before", "muted"),), after or (cells.own("nothing here now", "muted"),)


def _change_line(change: Change, place: str) -> Cell:
    sign, role = _SIGNS[change.op]
    return ((f"{sign} ", role), (f"{harmless(place) or '/'}  ", ""), *_values(change))


def _values(change: Change) -> Cell:
    before, after = harmless(brief(change.before)), harmless(brief(change.after))
    if change.op == "add":
        return ((after, "good"),)
    if change.op == "remove":
        return ((before, "bad"),)
    if change.source is not None:
        return ((f"from {harmless(pointer.render(change.source))}  ", "muted"), (after, ""))
    return ((before, "bad"), (" → ", "muted"), (after, "good"))


def _pretty(value: JSON, role: Role) -> tuple[Cell, ...]:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    lines = harmless_lines(text)
    shown = [cells.own(line, role) for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append(cells.own(f"… {len(lines) - _MOST_LINES} more lines", "muted"))
    return tuple(shown)


def _sign(row: DiffRow, _now: float) -> Cell:
    return (_SIGNS[row.change.op],)


SPEC: TableSpec[DiffRow] = TableSpec(
    columns=(
        Column("op", "", _sign, width=1, minimum=1),
        Column("path", "PLACE", lambda row, _now: cells.say(row.change.pointer or "/"), width=30, minimum=14, flex=2),
        Column("values", "BEFORE → AFTER", lambda row, _now: _values(row.change), width=30, minimum=12, flex=3),
    ),
    empty="no difference",
)

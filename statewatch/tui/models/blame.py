"""Rows about who touched a place: when it changed, and from what to what."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from statewatch.documents import pointer
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON, Path
from statewatch.kinds.masking import shown
from statewatch.kinds.plain import brief
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec
from statewatch.tui.models.travel import ago, moment
from statewatch.tui.widgets.table_model import Cell, Column, Role

if TYPE_CHECKING:
    from statewatch.watch.history.model import Touch

_LONGEST = 300
_SIGNS: dict[str, tuple[str, Role]] = {
    "add": ("+", "good"),
    "remove": ("−", "bad"),
    "replace": ("~", "warn"),
    "move": ("⇄", "info"),
}


@dataclass(frozen=True)
class TouchRow:
    """One change of the place, of something in it, or of what it is in. `within` is the place that was asked about."""

    touch: "Touch"
    within: Path
    number: int
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return what identifies it."""
        return str(self.number)

    @property
    def place(self) -> str:
        """Return where the change was: below the place that was asked about, or in full."""
        path = self.touch.path
        shown = path[len(self.within) :] if path[: len(self.within)] == self.within else path
        return harmless(pointer.render(shown), _LONGEST)


def rows(touches: "list[Touch]", within: Path, until: float | None = None, kind: str = "") -> tuple[TouchRow, ...]:
    """Return the rows, newest first; those until a moment where that is given. Private values of *kind* are hidden."""
    known = [_masked(touch, kind) for touch in touches if until is None or touch.entry.seen_at <= until]
    return tuple(TouchRow(touch, within, number) for number, touch in enumerate(known))


def _masked(touch: "Touch", kind: str) -> "Touch":
    before, after = (shown(value, kind, at=touch.path) for value in (touch.before, touch.after))
    return touch if before is touch.before and after is touch.after else replace(touch, before=before, after=after)


def headline(found: tuple[TouchRow, ...], now: float) -> Cell:
    """Return when it changed last and to what before, in a line."""
    if not found:
        return cells.own("It has not changed since recording began.", "muted")
    touch = found[0].touch
    return (
        ("last changed ", "muted"),
        (f"{moment(touch.entry.seen_at, now)}, {ago(now - touch.entry.seen_at)}", "strong"),
        (": ", "muted"),
        *_values(found[0], now),
        (f" at {found[0].place}" if found[0].place else "", "muted"),
    )


def lines(row: TouchRow, now: float) -> tuple[Cell, ...]:
    """Return all there is to say about a touch."""
    touch = row.touch
    entry = touch.entry
    head: list[Cell] = [
        cells.own(f"seen {moment(entry.seen_at, now)}, {ago(now - entry.seen_at)}"),
        cells.own(f"written {moment(entry.at, now)}, as the source says"),
        cells.own(f"revision {entry.digest[:12]}", "muted"),
    ]
    if entry.dropped:
        head.append(
            cells.own(f"{entry.dropped} revisions before it are no longer kept: it may have been one of them", "warn")
        )
    before = () if touch.op == "add" else cells.lines(_text(touch.before), "bad")
    after = () if touch.op == "remove" else cells.lines(_text(touch.after), "good")
    nothing = (cells.own("nothing", "muted"),)
    return (
        *head,
        (),
        cells.own("BEFORE", "muted"),
        *(before or nothing),
        (),
        cells.own("AFTER", "muted"),
        *(after or nothing),
    )


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _values(row: TouchRow, _now: float) -> Cell:
    touch = row.touch
    before, after = harmless(brief(touch.before), _LONGEST), harmless(brief(touch.after), _LONGEST)
    if touch.op == "add":
        return (("added ", "muted"), (after, "good"))
    if touch.op == "remove":
        return (("removed ", "muted"), (before, "bad"))
    return ((before, "bad"), (" → ", "muted"), (after, "good"))


SPEC: TableSpec[TouchRow] = TableSpec(
    columns=(
        Column("at", "WHEN", lambda row, now: cells.own(moment(row.touch.entry.seen_at, now)), width=14, minimum=8),
        Column(
            "age",
            "",
            lambda row, now: cells.own(ago(now - row.touch.entry.seen_at), "muted"),
            width=10,
            minimum=10,
            align="right",
            priority=2,
        ),
        Column("op", "", lambda row, _now: (_SIGNS[row.touch.op],), width=1, minimum=1),
        Column("values", "BEFORE → AFTER", _values, width=36, minimum=20, flex=2),
        Column(
            "place", "PLACE", lambda row, _now: cells.own(row.place, "muted"), width=24, minimum=12, flex=1, priority=1
        ),
    ),
    empty="no change of it is recorded",
)

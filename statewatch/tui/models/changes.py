"""Rows of the Changes view: one line a change, in words. The watch layer made their text harmless already."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.kinds import times
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec
from statewatch.tui.widgets.table_model import Cell, Column
from statewatch.watch.picture import ChangeLine, Picture


@dataclass(frozen=True)
class ChangeRow:
    """One change."""

    line: ChangeLine

    @property
    def key(self) -> str:
        """Return what identifies the change."""
        return str(self.line.number)

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        said = self.line.sentence
        return {"kind": self.line.kind, "source": self.line.label, "subject": said.subject, "text": said.text}


def news(picture: Picture) -> tuple[ChangeRow, ...]:
    """Return the changes without what happens all the time, newest first."""
    return tuple(row for row in rows(picture) if not row.line.sentence.routine)


def rows(picture: Picture) -> tuple[ChangeRow, ...]:
    """Return the changes, newest first."""
    return tuple(map(ChangeRow, picture.changes))


def _what(row: ChangeRow, _now: float) -> Cell:
    said = row.line.sentence
    who = said.subject or row.line.label  # what is said of a file as a whole needs its name: its column may be gone
    return ((f"{who}  ", "strong"), (said.text, cells.tone(said.tone)))


def _brief(row: ChangeRow, _now: float) -> Cell:
    said, kind = row.line.sentence, row.line.kind
    who = row.line.label if not said.subject else kind if kind == "batch" else said.subject  # a batch id says little
    return ((f"{who}  ", "strong"), (said.text, cells.tone(said.tone)))


BRIEF: TableSpec[ChangeRow] = TableSpec(
    columns=(
        Column("at", "CHANGED", lambda row, now: cells.own(times.clock(row.line.at, now), "muted"), width=8, minimum=8),
        Column("what", "", _brief, width=50, minimum=16, flex=1),
    ),
    empty="nothing yet since the start",
)

SPEC: TableSpec[ChangeRow] = TableSpec(
    columns=(
        Column("at", "TIME", lambda row, now: cells.own(times.clock(row.line.at, now), "muted"), width=8, minimum=8),
        Column("kind", "KIND", lambda row, _now: cells.own(row.line.kind), width=8, minimum=8, priority=1),
        Column("what", "WHAT CHANGED", _what, width=60, minimum=46, flex=1),
        Column(
            "source", "SOURCE", lambda row, _now: cells.own(row.line.label, "muted"), width=30, minimum=30, priority=2
        ),
    ),
    empty="nothing has changed since the start",
    sorts={
        "at": lambda row: -row.line.number,
        "kind": lambda row: row.line.kind,
        "what": lambda row: row.line.sentence.subject,
        "source": lambda row: row.line.label,
    },
)

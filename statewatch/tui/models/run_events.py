"""The log of a run: the events that its tool has written down, else what its own times tell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.text import harmless, harmless_lines
from statewatch.documents.values import JSON
from statewatch.kinds import times
from statewatch.kinds.base import mapping
from statewatch.kinds.hooks import first_line
from statewatch.kinds.plain import brief
from statewatch.kinds.steps import FAILED, SKIPPED
from statewatch.kinds.workflow import Phase
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec
from statewatch.tui.models.run_phases import PhaseRow
from statewatch.tui.models.trees import tree
from statewatch.tui.widgets.table_model import Cell, Column, Role
from statewatch.watch.besides import Beside, Event

_FEW = 8


@dataclass(frozen=True)
class EventRow:
    """One event; `number` counts them from the oldest."""

    number: int
    event: Event

    @property
    def key(self) -> str:
        """Return what identifies the event in its log."""
        return f"{self.number}"

    @cached_property
    def what(self) -> str:
        """Return what happened, as it is shown."""
        return harmless(self.event.what.replace("_", " "), 60)

    @cached_property
    def says(self) -> str:
        """Return what the log says of it in a line."""
        data = self.event.data
        if not isinstance(data, dict):
            return harmless(first_line(data), 500) if isinstance(data, str) else ""
        told = ((name, value) for name, value in data.items() if name != "phase")
        return harmless(", ".join(f"{name} {_brief(value)}" for name, value in told), 500)

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return {"what": self.what, "phase": harmless(self.event.subject, 100), "says": self.says}


def rows(phases: Iterable[PhaseRow], beside: Beside, now: float) -> tuple[EventRow, ...]:
    """Return the events of a run up to *now*, newest first."""
    events = beside.events or _told_by(phases)
    past = [event for event in events if event.at is None or event.at <= now]
    return tuple(EventRow(len(past) - place, event) for place, event in enumerate(past))


def brief_log(found: tuple[EventRow, ...], beside: Beside, now: float) -> list[Cell]:
    """Return the newest events as lines, and how many more there are."""
    lines: list[Cell] = [
        (*_at(row, now), ("  ", ""), (row.what, _role(row)), ("  ", ""), *cells.own(_subject_and_says(row), "muted"))
        for row in found[:_FEW]
    ]
    if len(found) > _FEW:
        lines.append(cells.own(f"… {len(found) - _FEW} more: l shows all", "muted"))
    if beside.skipped:
        count = beside.skipped
        lines.append((("assumed: ", "warn"), (f"{count} line{'s' * (count > 1)} of the log cannot be read", "muted")))
    return lines


def text(row: EventRow) -> tuple[Cell, ...]:
    """Return everything that the log says of an event."""
    event = row.event
    at = "at a time that cannot be read" if event.at is None else times.stamp(event.at)
    lines: list[Cell] = [
        ((row.what, _role(row)), ("  ", ""), *cells.say(event.subject, "strong")),
        cells.own(at, "muted"),
    ]
    if isinstance(event.data, str):
        return (*lines, (), *(cells.own(line) for line in harmless_lines(event.data)))
    return (*lines, (), *tree(event.data)) if event.data is not None else tuple(lines)


def _told_by(phases: Iterable[PhaseRow]) -> list[Event]:
    found: list[Event] = []
    for row in phases:
        phase = row.phase
        if phase.started_at is not None:
            found.append(Event(phase.started_at, "began", phase.name, phase.note if row.running else None))
        if phase.completed_at is not None:
            found.append(Event(phase.completed_at, _ending(phase), phase.name, phase.error or phase.note))
    return sorted(found, key=lambda event: event.at or 0.0, reverse=True)


def _ending(phase: Phase) -> str:
    return phase.status if phase.status in {FAILED, SKIPPED} else "completed"


def _brief(value: JSON) -> str:
    if isinstance(value, str):
        return first_line(value)
    fields = mapping(value)
    if fields and len(fields) <= _FEW:
        return ", ".join(f"{name} {brief(child, 30)}" for name, child in fields.items())
    return brief(value)


def _subject_and_says(row: EventRow) -> str:
    return "  ".join(filter(None, (harmless(row.event.subject, 60), row.says)))


def _role(row: EventRow) -> Role:
    what = row.event.what
    return "bad" if "fail" in what else "good" if "complete" in what else "info" if what.endswith("started") else ""


def _at(row: EventRow, now: float) -> Cell:
    return ((f"{'?' if row.event.at is None else times.clock(row.event.at, now):<11}", "muted"),)


SPEC: TableSpec[EventRow] = TableSpec(
    columns=(
        Column("at", "AT", _at, width=11, minimum=11),
        Column("what", "WHAT", lambda row, _now: cells.own(row.what, _role(row)), width=16, minimum=12),
        Column("phase", "OF", lambda row, _now: cells.say(row.event.subject, "", 100), width=18, minimum=10),
        Column("says", "SAYS", lambda row, _now: cells.own(row.says, "muted"), width=40, minimum=14, flex=1),
    ),
    empty="no event yet",
)

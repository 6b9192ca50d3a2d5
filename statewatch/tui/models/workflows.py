"""Rows of the Workflows view."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.text import harmless, harmless_lines
from statewatch.kinds import times
from statewatch.kinds.workflow import Phase, WorkflowView
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec, changed_column
from statewatch.tui.widgets.table_model import Cell, Column, Role, Span
from statewatch.watch.picture import Picture, Source

_ORDER = {"running": 0, "failed": 1, "initialized": 2, "resumable": 2, "partial": 2}
_NAMED = 6
"""Up to so many phases are named in a line; of more only where it stands is."""
_CHART = 30


@dataclass(frozen=True)
class WorkflowRow:
    """One workflow."""

    source: Source
    view: WorkflowView

    @property
    def key(self) -> str:
        """Return what identifies the workflow: its source."""
        return self.source.key

    @cached_property
    def name(self) -> str:
        """Return the id as it is shown."""
        return harmless(self.view.workflow_id, 200)

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        title = harmless(self.view.title, 200)
        return {
            "workflow": self.name,
            "kind": self.source.kind,
            "status": self.view.status,
            "title": title,
            "source": self.source.label,
        }

    @cached_property
    def about(self) -> str:
        """Return what it is about: its title, else what kind of run it is and how far."""
        facts = ", ".join(f"{name} {text}" for name, text in self.view.facts[:2])
        return harmless(self.view.title or (f"{self.source.kind}: {facts}" if facts else ""))


def rows(picture: Picture) -> tuple[WorkflowRow, ...]:
    """Return all workflows: running ones first, then failed, then by when they began, newest first."""
    found = [WorkflowRow(source, source.view) for source in picture.sources if isinstance(source.view, WorkflowView)]
    return tuple(sorted(found, key=lambda row: (_ORDER.get(row.view.status, 3), -(row.view.started_at or 0))))


def row_of(source: Source) -> WorkflowRow | None:
    """Return the row of a source, None where it is no run."""
    return WorkflowRow(source, source.view) if isinstance(source.view, WorkflowView) else None


def pipeline(view: WorkflowView, now: float) -> Cell:
    """Return the phases as a line: `scout ✓ 2m ─ plan ✓ 5m ─ build ▶ 12m ─ review ·`.

    Of many only the marks are shown, and the one in which it stands: `✓✓✓▶···  implementer ▶ 12m`.
    """
    if len(view.phases) > _NAMED:
        return _strip(view, now)
    spans: list[Span] = []
    for phase in view.phases:
        if spans:
            spans.append((" ─ ", "muted"))
        spans += _phase(phase, now)
    return tuple(spans)


def text(row: WorkflowRow, now: float) -> tuple[Cell, ...]:
    """Return everything there is to say about a workflow: its phases and the whole of its errors."""
    lines: list[Cell] = [(*cells.marked(row.view.status), ("  ", ""), (row.name, "strong"))]
    lines += [cells.say(row.view.title), cells.own(f"in {row.source.label}", "muted"), ()]
    chart = _Chart(row.view, now)
    for phase in row.view.phases:
        began = f"  from {times.clock(phase.started_at, now)}" if phase.started_at is not None else ""
        lines.append((*chart.bar(phase), *_phase(phase, now), (began, "muted")))
        lines += [(("    ", ""), *cells.say(phase.note, "muted"))] if phase.note else []
        lines += [(("    ", ""), *cells.own(line, "bad")) for line in harmless_lines(phase.error or "") if line]
    if row.view.error:
        lines += [(), cells.own("ERROR", "muted"), *(cells.own(line) for line in harmless_lines(row.view.error))]
    if row.view.facts:
        lines += [(), *(((f"{name:<16}", "muted"), *cells.say(said)) for name, said in row.view.facts)]
    lines += [(("assumed: ", "warn"), *cells.say(note, "muted")) for note in row.view.notes]
    return tuple(lines)


def _strip(view: WorkflowView, now: float) -> Cell:
    """Return one mark for each phase, and the phase in which the run stands."""
    spans: list[Span] = []
    for phase in view.phases:
        glyph, role = cells.mark(phase.status)
        if spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + glyph, role)
        else:
            spans.append((glyph, role))
    stands = [phase for phase in view.phases if phase.status in {"in_progress", "failed"}]
    following = [phase for phase in view.phases if phase.status == "pending"]
    for phase in stands or following[:1]:
        spans += [("  ", ""), *_phase(phase, now)]
    return tuple(spans)


class _Chart:
    """When each phase of a run took place, as bars beneath one another (a Gantt chart)."""

    def __init__(self, view: WorkflowView, now: float) -> None:
        begun = [phase.started_at for phase in view.phases if phase.started_at is not None]
        ended = [self._end(phase, now) for phase in view.phases if phase.started_at is not None]
        self._now = now
        self._from = min(begun, default=0.0)
        self._span = max(ended, default=0.0) - self._from
        self._shown = len(view.phases) > _NAMED and len(begun) > 1 and self._span > 0

    @staticmethod
    def _end(phase: Phase, now: float) -> float:
        return (phase.started_at or 0.0) + (phase.seconds(now) or 0.0)

    def bar(self, phase: Phase) -> Cell:
        """Return the bar of a phase; blank for one that has not begun, nothing where there is no chart."""
        if not self._shown:
            return ()
        if phase.started_at is None:
            return ((" " * (_CHART + 2), ""),)
        first = min(_CHART - 1, int((phase.started_at - self._from) / self._span * _CHART))
        last = int((self._end(phase, self._now) - self._from) / self._span * _CHART)
        long = max(1, min(last, _CHART) - first)
        _, role = cells.mark(phase.status)
        return ((" " * first + "━" * long + " " * (_CHART - first - long + 2), role),)


def _phase(phase: Phase, now: float) -> list[Span]:
    glyph, role = cells.mark(phase.status)
    seconds = phase.seconds(now)
    took = "" if seconds is None else f" {times.span(seconds)}"
    name_role: Role = "muted" if phase.status == "pending" else "strong" if phase.status == "in_progress" else ""
    return [(harmless(phase.name, 60) + " ", name_role), (glyph, role), (took, "muted")]


def _name(row: WorkflowRow, _now: float) -> Cell:
    glyph, role = cells.mark(row.view.status)
    return ((f"{glyph} ", role), (row.name, ""))


SPEC: TableSpec[WorkflowRow] = TableSpec(
    columns=(
        Column("workflow", "WORKFLOW", _name, width=18, minimum=15),
        Column(
            "status",
            "STATUS",
            lambda row, _now: cells.say(row.view.status, "muted", 40),
            width=11,
            minimum=9,
            priority=1,
        ),
        Column("phases", "PHASES", lambda row, now: pipeline(row.view, now), width=52, minimum=40, flex=1, ticks=True),
        Column("title", "TITLE", lambda row, _now: cells.own(row.about), width=24, minimum=20, flex=2, priority=2),
        changed_column(priority=3),
        Column(
            "source", "SOURCE", lambda row, _now: cells.own(row.source.label, "muted"), width=30, minimum=30, priority=4
        ),
    ),
    empty="no workflow yet: it appears here as soon as one writes its state",
    sorts={
        "workflow": lambda row: row.name,
        "status": lambda row: row.view.status,
        "title": lambda row: row.view.title.casefold(),
        "age": lambda row: -(row.source.changed_at or 0),
    },
)

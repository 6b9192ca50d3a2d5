"""Rows of the phases of one run: when each took place beside the others, how long, and what was told of it.

Of a session every run of an agent is a row, restarts too, so that one sees who ran when and what ran at the same time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.text import harmless
from statewatch.kinds import steps, times
from statewatch.kinds.agent_checkpoint import ARTIFACTS, CheckpointView
from statewatch.kinds.base import mapping, text
from statewatch.kinds.hooks import first_line
from statewatch.kinds.session import AgentRun, SessionView
from statewatch.kinds.steps import COMPLETED, FAILED, PENDING, RUNNING
from statewatch.kinds.workflow import Phase
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec
from statewatch.tui.models.workflows import WorkflowRow
from statewatch.tui.widgets.table_model import Cell, Column
from statewatch.watch.besides import NOTHING, Beside
from statewatch.watch.picture import Source

WIDTH = 24
"""Terminal cells of the chart: the whole run from its first beginning to its last end."""

_LEAST = 60.0


@dataclass(frozen=True)
class Chart:
    """The time that a run takes up: `begins` and `ends` are instants, the latter of now at most while it runs."""

    begins: float
    ends: float

    @classmethod
    def of(cls, phases: Sequence[Phase], now: float) -> "Chart | None":
        """Return the chart of phases, None where fewer than two have a time."""
        begun = [phase for phase in phases if phase.started_at is not None]
        if len(begun) < 2:
            return None
        begins = min(phase.started_at or 0.0 for phase in begun)
        known = max(at for phase in begun for at in (phase.started_at, phase.completed_at) if at is not None)
        ends = max(begins, *(_end(phase, now) for phase in begun))
        # One that has been stuck for days would leave the others a cell each: it gets half of the room at most.
        return cls(begins, min(ends, known + max(known - begins, _LEAST)))

    def bar(self, phase: Phase, now: float, width: int = WIDTH) -> Cell:
        """Return the bar of a phase: where it began and how long it took, of the whole; blank for one not begun."""
        span = self.ends - self.begins
        if phase.started_at is None or span <= 0:
            return cells.own(" " * width)
        first = min(width - 1, max(0, int((phase.started_at - self.begins) / span * width)))
        last = min(width, round((_end(phase, now) - self.begins) / span * width))
        long = max(1, last - first)
        _, role = cells.mark(phase.status)
        running = phase.status == RUNNING
        bar = "━" * (long - 1) + ("▶" if running else "━")
        return ((" " * first, ""), (bar, role), (" " * (width - first - long), ""))


@dataclass(frozen=True)
class PhaseRow:
    """One phase of a run, or one run of an agent. `number` tells several of one name apart; `chart` is of the whole.

    `says` is what was told of it, `missing` whether the artifact that it should have left is not there.
    """

    source: Source
    run: str
    phase: Phase
    number: int
    chart: Chart | None
    says: str = ""
    missing: bool = False
    is_next: bool = False

    @property
    def key(self) -> str:
        """Return what identifies the phase."""
        return f"{self.source.key}\0{self.number}\0{self.phase.name}"

    @property
    def failed(self) -> bool:
        """Tell whether it failed."""
        return self.phase.status == FAILED

    @property
    def running(self) -> bool:
        """Tell whether it began and has not ended."""
        return self.phase.status == RUNNING

    @property
    def waiting(self) -> bool:
        """Tell whether it has not begun."""
        return self.phase.status == PENDING

    @property
    def completed(self) -> bool:
        """Tell whether it is done."""
        return self.phase.status == COMPLETED

    @cached_property
    def name(self) -> str:
        """Return the name as it is shown."""
        return harmless(self.phase.name, 100)

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return {"phase": self.name, "status": self.phase.status, "says": self.says}


def rows(row: WorkflowRow, now: float, beside: Beside = NOTHING) -> tuple[PhaseRow, ...]:
    """Return the phases of a run in their order; of a session the runs of its agents, as they began, then who is left.

    *beside* is what lies beside the file of the run.
    """
    view = row.view
    if isinstance(view, SessionView):
        phases = [*map(_of_agent, view.runs), *(phase for phase in view.phases if phase.status == PENDING)]
    else:
        phases = list(view.phases)
    chart = Chart.of(phases, now)
    following = view.next_agent if isinstance(view, CheckpointView) else None
    return tuple(
        PhaseRow(
            row.source,
            view.workflow_id,
            phase,
            number,
            chart,
            _says(phase) or _left(phase, beside),
            isinstance(view, CheckpointView) and _lacks(phase, view, beside),
            phase.name == following,
        )
        for number, phase in enumerate(phases)
    )


def _end(phase: Phase, now: float) -> float:
    return (phase.started_at or 0.0) + (phase.seconds(now) or 0.0)


def _of_agent(run: AgentRun) -> Phase:
    failed = run.status == FAILED
    return Phase(
        name=run.agent,
        status=run.status,
        started_at=run.started_at,
        completed_at=run.ended_at,
        error=run.message if failed else None,
        note="" if failed else run.message,
        took=None if run.status == RUNNING else run.seconds,
    )


def _says(phase: Phase) -> str:
    return harmless(first_line(phase.error) if phase.error else first_line(phase.note), 500)


def _left(phase: Phase, beside: Beside) -> str:
    """Return what an agent says that it made, by the artifact that it has left."""
    artifact = mapping(beside.artifacts.get(ARTIFACTS.get(phase.name, "")))
    said = text(artifact.get("summary")) or text(artifact.get("request")) or ""
    status = steps.status_of(artifact.get("status")) if "status" in artifact else COMPLETED
    return harmless(said if status == COMPLETED else f"{status}: {said}", 500)


def _lacks(phase: Phase, view: CheckpointView, beside: Beside) -> bool:
    """Tell whether an agent is done and the artifact that it names is not there; without a look nothing is missing."""
    name = ARTIFACTS.get(phase.name, "")
    return bool(beside.files) and phase.status == COMPLETED and name in view.artifacts and name not in beside.files


def _name(row: PhaseRow, _now: float) -> Cell:
    glyph, role = cells.mark(row.phase.status)
    if row.is_next:
        glyph, role = "▷", "info"
    return ((f"{glyph} ", role), (row.name, "muted" if row.waiting and not row.is_next else ""))


def _status(row: PhaseRow, _now: float) -> Cell:
    said = "next" if row.is_next else row.phase.status.replace("_", " ")
    return cells.say(said, "info" if row.is_next else "muted", 40)


def _when(row: PhaseRow, now: float) -> Cell:
    return row.chart.bar(row.phase, now) if row.chart is not None else ()


def _took(row: PhaseRow, now: float) -> Cell:
    seconds = row.phase.seconds(now)
    return () if seconds is None else cells.own(times.span(seconds), "strong" if row.running else "")


def _began(row: PhaseRow, now: float) -> Cell:
    at = row.phase.started_at
    return () if at is None else cells.own(times.clock(at, now), "muted")


def _told(row: PhaseRow, _now: float) -> Cell:
    lacking: Cell = (("its artifact is missing  ", "warn"),) if row.missing else ()
    return (*lacking, *cells.own(row.says, "bad" if row.failed else "muted" if row.waiting else ""))


SPEC: TableSpec[PhaseRow] = TableSpec(
    columns=(
        Column("phase", "PHASE", _name, width=20, minimum=16),
        Column("status", "STATUS", _status, width=11, minimum=11, priority=5),
        Column("when", "WHO RAN WHEN", _when, width=WIDTH, minimum=WIDTH, ticks=True, priority=3),
        Column("took", "TOOK", _took, width=5, minimum=5, align="right", ticks=True, priority=1),
        Column("began", "BEGAN", _began, width=11, minimum=11, align="right", priority=4),
        Column("says", "SAYS", _told, width=24, minimum=14, flex=1, priority=2),
    ),
    empty="no phase yet",
)

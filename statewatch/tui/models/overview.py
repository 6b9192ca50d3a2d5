"""Rows of the Overview: what needs somebody, what runs, the circuits at a glance."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.text import harmless
from statewatch.kinds import declared_view, hooks, times
from statewatch.kinds.declared_view import Circuit, CircuitsView
from statewatch.kinds.hooks import CLOSED, HALF_OPEN, OPEN, Hook, HooksView
from statewatch.tui.models import batches, cells, workflows
from statewatch.tui.models.batches import BatchRow
from statewatch.tui.models.row import TableSpec
from statewatch.tui.models.workflows import WorkflowRow
from statewatch.tui.widgets.table_model import Cell, Column, Span
from statewatch.watch.attention import Attention, attention, stalled_for
from statewatch.watch.picture import Picture

_GLYPHS: dict[str, Span] = {
    "hook": ("●", "bad"),
    "circuit": ("●", "bad"),
    "batch": ("▲", "warn"),
    "workflow": ("▲", "bad"),
    "file": ("✕", "bad"),
}


@dataclass(frozen=True)
class NeedRow:
    """One thing that needs the operator."""

    need: Attention

    @property
    def key(self) -> str:
        """Return what identifies it."""
        return self.need.key

    @cached_property
    def subject(self) -> str:
        """Return what it is about, as it is shown."""
        return harmless(self.need.subject, 200)

    @cached_property
    def hook(self) -> Hook | Circuit | None:
        """Return the circuit that it is about, if it is about one."""
        view = self.need.source.view
        about_one = self.need.kind in {"hook", "circuit"} and isinstance(view, HooksView | CircuitsView)
        return view.find(self.need.subject) if about_one and isinstance(view, HooksView | CircuitsView) else None

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return {"kind": self.need.kind, "subject": self.subject, "what": harmless(self.need.what, 500)}


@dataclass(frozen=True)
class RunRow:
    """One run that is under way: a batch or a workflow."""

    run: BatchRow | WorkflowRow

    @property
    def key(self) -> str:
        """Return what identifies it."""
        return self.run.key

    @property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return self.run.fields


def need_rows(picture: Picture, now: float) -> tuple[NeedRow, ...]:
    """Return what needs the operator."""
    return tuple(map(NeedRow, attention(picture, now)))


def run_rows(picture: Picture) -> tuple[RunRow, ...]:
    """Return what is under way."""
    running: list[BatchRow | WorkflowRow] = [row for row in batches.rows(picture) if row.view.is_running]
    running += [row for row in workflows.rows(picture) if row.view.is_running]
    return tuple(map(RunRow, running))


def circuits(picture: Picture, now: float) -> tuple[Cell, Cell]:
    """Return the circuits at a glance: how many are in which state, and one dot for each."""
    seen: list[Hook | Circuit] = []
    for source in picture.sources:
        if isinstance(source.view, HooksView):
            seen += source.view.hooks
        elif isinstance(source.view, CircuitsView):
            seen += source.view.at(now).circuits
    counts = {state: sum(hook.state == state for hook in seen) for state in (OPEN, HALF_OPEN, CLOSED)}
    spans: list[Span] = [("CIRCUITS  ", "muted")]
    for state, count in counts.items():
        glyph, role = cells.mark(state)
        spans.append((f"{glyph} {count} {state.replace('_', '-')}  ", role if count else "muted"))
    if unknown := len(seen) - sum(counts.values()):
        spans.append((f"? {unknown} unknown", "muted"))
    dots: list[Span] = []
    for hook in seen:
        glyph, role = cells.mark(hook.state)
        if dots and dots[-1][1] == role:
            dots[-1] = (dots[-1][0] + glyph, role)
        else:
            dots.append((glyph, role))
    return tuple(spans), tuple(dots)


def _what(row: NeedRow, now: float) -> Cell:
    need, hook = row.need, row.hook
    if hook is None or not hook.is_open:
        return cells.say(need.what)
    if isinstance(hook, Hook):
        return cells.say(hooks.open_text(hook, need.source.policy, now))
    return cells.say(declared_view.open_text(hook, now))


def _kind(row: NeedRow, _now: float) -> Cell:
    glyph, role = _GLYPHS[row.need.kind]
    return ((f"{glyph} ", role), (row.need.kind, role))


NEEDS: TableSpec[NeedRow] = TableSpec(
    columns=(
        Column("kind", "NEEDS YOU", _kind, width=10, minimum=10),
        Column("subject", "", lambda row, _now: cells.own(row.subject, "strong"), width=28, minimum=12),
        Column("what", "", _what, width=40, minimum=16, flex=1, ticks=True),
    ),
    empty="✓ nothing needs you",
)


def _run_name(row: RunRow, _now: float) -> Cell:
    return cells.own(row.run.name, "strong")


def _run_kind(row: RunRow, _now: float) -> Cell:
    return (("▶ ", "info"), ("batch" if isinstance(row.run, BatchRow) else "flow", "info"))


def _run_says(row: RunRow, now: float) -> Cell:
    run = row.run
    stalled = stalled_for(run.source, now)
    idle: Cell = () if stalled is None else ((f"stalled {times.span(stalled)}  ", "warn"),)
    if isinstance(run, WorkflowRow):
        return (*idle, *workflows.pipeline(run.view, now))
    spans: list[Span] = [*idle, *batches.progress(run, 10), (f"  {batches.counted(run)}", "")]
    if run.failed:
        spans.append((f"  {run.failed} failed", "bad"))
    if end := batches.eta(run, now):
        spans.append((f"  ETA {end}", ""))
    if rate := batches.rate(run):
        spans.append((f"  {rate}", ""))
    if any(run.source.pace.trend):
        spans.append((f"  {cells.spark(run.source.pace.trend)}", "muted"))
    return (*spans, (f"  {run.current}", "muted"))


RUNS: TableSpec[RunRow] = TableSpec(
    columns=(
        Column("kind", "RUNNING", _run_kind, width=10, minimum=10),
        Column("name", "", _run_name, width=26, minimum=12),
        Column("says", "", _run_says, width=64, minimum=20, flex=1, ticks=True),
    ),
    empty="nothing is running",
)

"""Rows of the State view: every source, whatever it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.kinds import times
from statewatch.kinds.batch import BatchView
from statewatch.kinds.declared_view import CircuitsView
from statewatch.kinds.hooks import HALF_OPEN, OPEN, HooksView
from statewatch.kinds.namespace import NamespaceView
from statewatch.kinds.workflow import WorkflowView
from statewatch.tui.models import cells, other_circuits
from statewatch.tui.models.row import TableSpec, changed_column
from statewatch.tui.widgets.table_model import Cell, Column
from statewatch.watch.discovery import KEYED
from statewatch.watch.picture import Picture, Source


@dataclass(frozen=True)
class SourceRow:
    """One source."""

    source: Source

    @property
    def key(self) -> str:
        """Return what identifies the source."""
        return self.source.key

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        problem = self.source.problem.reason if self.source.problem else ""
        return {"file": self.source.label, "source": self.source.label, "kind": self.source.kind, "problem": problem}


def rows(picture: Picture) -> tuple[SourceRow, ...]:
    """Return all sources, unreadable ones first."""
    return tuple(
        sorted(map(SourceRow, picture.sources), key=lambda row: (row.source.problem is None, row.source.label))
    )


def text(row: SourceRow, now: float) -> tuple[Cell, ...]:
    """Return everything there is to say about a source: above all why it cannot be read."""
    source = row.source
    lines: list[Cell] = [cells.say(source.key, "muted"), ()]
    if source.problem is not None:
        since = f"  since {times.clock(source.problem.since, now)}"
        lines += [(("✕ ", "bad"), *cells.say(source.problem.reason, "bad", 2_000), (since, "muted"))]
    if source.revision is not None:
        when = times.clock(source.revision.modified_at, now)
        what = "last good version" if source.problem else "this version"
        lines.append(cells.own(f"{what} written {when}, {source.revision.size} bytes"))
    else:
        lines.append(cells.own("no good version has been seen since the start", "muted"))
    lines += other_circuits.told(source, now)
    return tuple(lines)


def says(row: SourceRow, now: float) -> Cell:
    """Return what a source says in a line."""
    source, view = row.source, row.source.view
    if source.problem is not None:
        return ((f"✕ {source.problem.reason}", "bad"), ("  showing the last good one" * (view is not None), "muted"))
    if isinstance(view, HooksView):
        return cells.own(f"{len(view.hooks)} circuits, {view.count(OPEN)} open, {view.count(HALF_OPEN)} half-open")
    if isinstance(view, CircuitsView):
        return other_circuits.summary(view.at(now))
    if isinstance(view, BatchView):
        return (*cells.marked(view.status), (f"  {view.processed}/{view.total}", ""))
    if isinstance(view, WorkflowView):
        told = ", ".join(f"{name} {text}" for name, text in view.facts[:2])
        return (*cells.marked(view.status), *cells.say(f"  {told}" if told else ""))
    if isinstance(view, NamespaceView):
        return cells.say(", ".join(f"{name} {text}" for name, text in view.facts))
    if source.kind == KEYED:
        return cells.own(f"{source.key_count} {'key' if source.key_count == 1 else 'keys'}")
    return cells.own("plain JSON", "muted")


def size(row: SourceRow, _now: float) -> Cell:
    """Return how large a source is."""
    revision = row.source.revision
    if revision is None:
        return ()
    return cells.own(f"{revision.size} B" if revision.size < 10_000 else f"{revision.size / 1000:.0f} kB", "muted")


SPEC: TableSpec[SourceRow] = TableSpec(
    columns=(
        Column("source", "SOURCE", lambda row, _now: cells.own(row.source.label), width=44, minimum=27, flex=1),
        Column("kind", "KIND", lambda row, _now: cells.own(row.source.kind), width=9, minimum=9, priority=2),
        Column("says", "SAYS", says, width=36, minimum=20, flex=2),
        Column("size", "SIZE", size, width=9, minimum=9, align="right", priority=3),
        changed_column(priority=1),
    ),
    empty="no source yet",
    sorts={
        "source": lambda row: row.source.label,
        "kind": lambda row: row.source.kind,
        "size": lambda row: -(row.source.revision.size if row.source.revision else 0),
        "age": lambda row: -(row.source.changed_at or 0),
    },
)

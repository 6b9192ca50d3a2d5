"""Rows of the Batches view: the batches. What one of them says besides its counts, and its items, stand beside."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.text import harmless
from statewatch.kinds import batch, times
from statewatch.kinds.batch import BatchView
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec, changed_column
from statewatch.tui.widgets.table_model import Cell, Column
from statewatch.watch.attention import stalled_for
from statewatch.watch.picture import Picture, Source


@dataclass(frozen=True)
class BatchRow:
    """One batch with its counts."""

    source: Source
    view: BatchView
    done: int
    failed: int
    skipped: int
    left: int

    @property
    def key(self) -> str:
        """Return what identifies the batch: its source."""
        return self.source.key

    @cached_property
    def name(self) -> str:
        """Return the id as it is shown."""
        return harmless(self.view.batch_id, 200)

    @cached_property
    def current(self) -> str:
        """Return the title of the next item of a batch that runs."""
        item = self.view.current
        return harmless(item.title, 200) if item and self.view.is_running else ""

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return {"batch": self.name, "status": self.view.status, "current": self.current, "source": self.source.label}

    def eta(self, now: float) -> float | None:
        """Return the instant at which a running batch will be done, or None where nothing says so."""
        if not self.view.is_running or stalled_for(self.source, now) is not None:
            return None
        return self.source.pace.eta(self.left, now)


def rows(picture: Picture) -> tuple[BatchRow, ...]:
    """Return all batches, running ones first, the one that moved last on top."""
    found = [_row(source, source.view) for source in picture.sources if isinstance(source.view, BatchView)]
    return tuple(sorted(found, key=lambda row: (not row.view.is_running, row.source.label)))


def _row(source: Source, view: BatchView) -> BatchRow:
    outcomes = (batch.COMPLETED, batch.FAILED, batch.SKIPPED, batch.PENDING)
    return BatchRow(source, view, *map(view.count, outcomes))


def progress(row: BatchRow, width: int) -> Cell:
    """Return the progress of a batch as a bar."""
    return cells.bar(row.done, row.failed, row.skipped, row.view.total, width)


def rate(row: BatchRow) -> str:
    """Return how long an item takes; `~` where that follows from the file's own times and was not seen."""
    pace = row.source.pace
    if pace.seconds_per_item is None:
        return ""
    return f"{'' if pace.observed else '~'}{times.span(pace.seconds_per_item)}/item"


def eta(row: BatchRow, now: float) -> str:
    """Return when a batch will be done, to the minute: no estimate is better than that."""
    end = row.eta(now)
    if end is None:
        return ""
    text = times.clock(end, now)
    return text[:-3] if text.count(":") == 2 else text


def _eta(row: BatchRow, now: float) -> Cell:
    return cells.own(eta(row, now))


def _status(row: BatchRow, now: float) -> Cell:
    if row.view.status == batch.COMPLETED and row.failed:
        return (("✕ completed", "bad"),)  # its tool says so whatever failed; the next columns say what
    if stalled_for(row.source, now) is not None:
        return (("▲ stalled", "warn"),)
    return cells.marked(row.view.status)


def _progress(row: BatchRow, _now: float) -> Cell:
    return progress(row, 14)


def counted(row: BatchRow) -> str:
    """Return how many items have been dealt with, of how many."""
    return f"{row.view.total - row.left}/{row.view.total}"


def _failed(row: BatchRow, _now: float) -> Cell:
    return cells.number(row.failed, "bad")


def _skipped(row: BatchRow, _now: float) -> Cell:
    return cells.number(row.skipped, "warn")


def _current(row: BatchRow, _now: float) -> Cell:
    return cells.own(row.current)


def _tokens(row: BatchRow, _now: float) -> Cell:
    over = row.view.tokens is not None and row.view.tokens >= batch.TOKEN_LIMIT
    return cells.number(row.view.tokens, "bad" if over else "")


def _source(row: BatchRow, _now: float) -> Cell:
    return cells.own(row.source.label, "muted")


SPEC: TableSpec[BatchRow] = TableSpec(
    columns=(
        Column("batch", "BATCH", lambda row, _now: cells.own(row.name), width=28, minimum=21, flex=1),
        Column("status", "STATUS", _status, width=13, minimum=13, priority=1),
        Column("progress", "PROGRESS", _progress, width=14, minimum=14, priority=4),
        Column("items", "ITEMS", lambda row, _now: cells.own(counted(row)), width=9, minimum=7, align="right"),
        Column("failed", "FAILED", _failed, width=6, minimum=6, align="right"),
        Column("skipped", "SKIPPED", _skipped, width=7, minimum=7, align="right", priority=7),
        Column("done", "DONE", lambda row, _now: cells.number(row.done), width=5, minimum=5, align="right", priority=6),
        Column("left", "LEFT", lambda row, _now: cells.number(row.left), width=5, minimum=5, align="right", priority=5),
        Column("rate", "RATE", lambda row, _now: cells.own(rate(row)), width=9, minimum=9, align="right", priority=3),
        Column("eta", "ETA", _eta, width=11, minimum=11, align="right", ticks=True, priority=2),
        Column("current", "NEXT ITEM", _current, width=24, minimum=16, flex=3, priority=8),
        changed_column(priority=9),
        Column("tokens", "TOKENS", _tokens, width=7, minimum=7, align="right", priority=10),
        Column("source", "SOURCE", _source, width=26, minimum=22, priority=11),
    ),
    empty="no batch yet: it appears here as soon as one writes its state",
    sorts={
        "batch": lambda row: row.name,
        "status": lambda row: row.view.status,
        "progress": lambda row: -((row.view.total - row.left) / row.view.total if row.view.total else 0),
        "items": lambda row: row.left - row.view.total,
        "done": lambda row: -row.done,
        "failed": lambda row: -row.failed,
        "skipped": lambda row: -row.skipped,
        "left": lambda row: row.left,
        "age": lambda row: -(row.source.changed_at or 0),
        "source": lambda row: row.source.label,
    },
)

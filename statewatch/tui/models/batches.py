"""Rows of the Batches view: the batches, and the items of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.text import harmless, harmless_lines
from statewatch.kinds import batch, times
from statewatch.kinds.batch import BatchView, Item
from statewatch.kinds.hooks import first_line
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec
from statewatch.tui.widgets.table_model import Cell, Column
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
        return self.source.pace.eta(self.left, now) if self.view.is_running else None


@dataclass(frozen=True)
class ItemRow:
    """One item of a batch; `is_current` is the one that is next."""

    source: Source
    item: Item
    is_current: bool

    @property
    def key(self) -> str:
        """Return what identifies the item."""
        return f"{self.source.key}\0{self.item.index}"

    @cached_property
    def title(self) -> str:
        """Return the title as it is shown."""
        return harmless(self.item.title, 500)

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return {"title": self.title, "status": self.item.outcome, "error": harmless(self.item.error or "", 500)}


def rows(picture: Picture) -> tuple[BatchRow, ...]:
    """Return all batches, running ones first, the one that moved last on top."""
    found = [_row(source, source.view) for source in picture.sources if isinstance(source.view, BatchView)]
    return tuple(sorted(found, key=lambda row: (not row.view.is_running, row.source.label)))


def items(row: BatchRow) -> tuple[ItemRow, ...]:
    """Return the items of a batch in their order."""
    current = row.view.current
    return tuple(ItemRow(row.source, item, item is current) for item in row.view.items)


def item_text(row: ItemRow) -> tuple[Cell, ...]:
    """Return everything there is to say about an item: its whole error above all."""
    item = row.item
    lines: list[Cell] = [(*cells.marked(item.outcome), ("  ", ""), (f"{item.index}  {row.title}", "strong"))]
    facts = (
        ("issue", None if item.issue is None else f"#{item.issue}"),
        ("tries", None if item.tries is None else str(item.tries)),
        ("commit", item.commit),
        ("recorded", None if item.at is None else times.stamp(item.at)),
        ("took", None if item.duration is None else times.span(item.duration)),
    )
    lines += [((f"{name:<10}", "muted"), (harmless(value, 200), "")) for name, value in facts if value is not None]
    if item.error:
        title = "REASON" if item.outcome == batch.SKIPPED else "ERROR"
        lines += [(), cells.own(title, "muted"), *(cells.own(line) for line in harmless_lines(item.error))]
    return tuple(lines)


def _row(source: Source, view: BatchView) -> BatchRow:
    counts = dict.fromkeys((batch.COMPLETED, batch.FAILED, batch.SKIPPED, batch.PENDING), 0)
    for item in view.items:
        counts[item.outcome] += 1
    return BatchRow(source, view, *counts.values())


def progress(row: BatchRow, width: int) -> Cell:
    """Return the progress of a batch as a bar."""
    return cells.bar(row.done, row.failed, row.skipped, row.view.total, width)


def rate(row: BatchRow) -> str:
    """Return how long an item takes; `~` where that follows from the file's own times and was not seen."""
    pace = row.source.pace
    if pace.seconds_per_item is None:
        return ""
    return f"{'' if pace.observed else '~'}{times.span(pace.seconds_per_item)}/item"


def eta(row: BatchRow, now: float) -> Cell:
    """Return when a batch will be done, as a time of day."""
    end = row.eta(now)
    return () if end is None else cells.own(times.clock(end, now))


def _changed(row: BatchRow, now: float) -> Cell:
    return cells.age(row.source.changed_at, now)


def _status(row: BatchRow, _now: float) -> Cell:
    if row.view.status == batch.COMPLETED and row.failed:
        return (("✕ completed", "bad"),)  # its tool says so whatever failed; the next columns say what
    return cells.marked(row.view.status)


def _progress(row: BatchRow, _now: float) -> Cell:
    return progress(row, 14)


def _done(row: BatchRow, _now: float) -> Cell:
    return cells.own(f"{row.done}/{row.view.total}")


def _failed(row: BatchRow, _now: float) -> Cell:
    return cells.number(row.failed, "bad")


def _skipped(row: BatchRow, _now: float) -> Cell:
    return cells.number(row.skipped, "warn")


def _current(row: BatchRow, _now: float) -> Cell:
    return cells.own(row.current)


def _tokens(row: BatchRow, _now: float) -> Cell:
    return cells.number(row.view.tokens)


def _source(row: BatchRow, _now: float) -> Cell:
    return cells.own(row.source.label, "muted")


def _item_state(row: ItemRow, _now: float) -> Cell:
    if row.is_current:
        return (("▶ ", "info"), ("next", "info"))
    return cells.marked(row.item.outcome)


SPEC: TableSpec[BatchRow] = TableSpec(
    columns=(
        Column("batch", "BATCH", lambda row, _now: cells.own(row.name), width=28, minimum=22, flex=1),
        Column("status", "STATUS", _status, width=13, minimum=13, priority=1),
        Column("progress", "PROGRESS", _progress, width=14, minimum=14, priority=4),
        Column("done", "DONE", _done, width=7, minimum=7, align="right"),
        Column("failed", "FAILED", _failed, width=6, minimum=6, align="right"),
        Column("skipped", "SKIPPED", _skipped, width=7, minimum=7, align="right", priority=6),
        Column("left", "LEFT", lambda row, _now: cells.number(row.left), width=5, minimum=5, align="right", priority=2),
        Column("rate", "RATE", lambda row, _now: cells.own(rate(row)), width=10, minimum=10, align="right", priority=5),
        Column("eta", "ETA", eta, width=11, minimum=8, align="right", ticks=True, priority=3),
        Column("current", "NEXT ITEM", _current, width=24, minimum=16, flex=3, priority=7),
        Column("age", "CHANGED", _changed, width=7, minimum=7, align="right", ticks=True, priority=8),
        Column("tokens", "TOKENS", _tokens, width=7, minimum=7, align="right", priority=9),
        Column("source", "SOURCE", _source, width=26, minimum=22, priority=10),
    ),
    empty="no batch yet: it appears here as soon as one writes its state",
    sorts={
        "batch": lambda row: row.name,
        "status": lambda row: row.view.status,
        "progress": lambda row: -((row.view.total - row.left) / row.view.total if row.view.total else 0),
        "done": lambda row: -row.done,
        "failed": lambda row: -row.failed,
        "skipped": lambda row: -row.skipped,
        "left": lambda row: row.left,
        "age": lambda row: -(row.source.changed_at or 0),
        "source": lambda row: row.source.label,
    },
)

ITEMS: TableSpec[ItemRow] = TableSpec(
    columns=(
        Column(
            "index", "#", lambda row, _now: cells.own(str(row.item.index), "muted"), width=4, minimum=3, align="right"
        ),
        Column("status", "STATUS", _item_state, width=11, minimum=6),
        Column("title", "TITLE", lambda row, _now: cells.own(row.title), width=36, minimum=20, flex=2),
        Column(
            "tries",
            "TRIES",
            lambda row, _now: cells.own(str(row.item.tries)) if row.item.tries else (),
            width=5,
            align="right",
            priority=2,
        ),
        Column(
            "took",
            "TOOK",
            lambda row, _now: cells.own(times.span(row.item.duration)) if row.item.duration else (),
            width=5,
            align="right",
            priority=5,
        ),
        Column(
            "at",
            "RECORDED",
            lambda row, now: cells.own(times.clock(row.item.at, now), "muted") if row.item.at else (),
            width=11,
            minimum=8,
            priority=4,
        ),
        Column(
            "commit", "COMMIT", lambda row, _now: cells.say((row.item.commit or "")[:8], "muted"), width=8, priority=3
        ),
        Column(
            "error",
            "ERROR",
            lambda row, _now: cells.say(first_line(row.item.error)),
            width=30,
            minimum=16,
            flex=3,
            priority=1,
        ),
    ),
    empty="no items",
    sorts={
        "index": lambda row: row.item.index,
        "status": lambda row: row.item.outcome,
        "title": lambda row: row.title.casefold(),
        "tries": lambda row: -(row.item.tries or 0),
        "at": lambda row: -(row.item.at or 0),
        "error": lambda row: not row.item.error,
    },
)

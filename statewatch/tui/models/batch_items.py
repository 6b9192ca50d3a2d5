"""Rows of the Batches view: the items of the batch under the cursor, and all there is to say about one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.text import harmless, harmless_lines
from statewatch.documents.values import JSON
from statewatch.kinds import batch, batch_order, times
from statewatch.kinds.base import items as listed
from statewatch.kinds.base import mapping, text
from statewatch.kinds.batch import BatchView, GitStep, Item
from statewatch.kinds.hooks import first_line
from statewatch.tui.models import cells
from statewatch.tui.models.batches import BatchRow
from statewatch.tui.models.row import TableSpec
from statewatch.tui.widgets.table_model import Cell, Column, Role, Span
from statewatch.watch.picture import Source

_GIT = {"commit": "c", "push": "p", "pr": "r", "issue_close": "i"}
"""The letter of each step of git, in the order in which they are taken."""
_NAME_WIDTH = 12


@dataclass(frozen=True)
class ItemRow:
    """One item of a batch; `is_current` is the one that is next, `waits_for` what must be done before it can begin."""

    source: Source
    item: Item
    is_current: bool
    waits_for: tuple[int, ...] = ()

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
        issue = "" if self.item.issue is None else f"#{self.item.issue}"
        error = harmless(self.item.error or "", 500)
        return {"title": self.title, "status": self.item.outcome, "issue": issue, "error": error}

    @property
    def failed(self) -> bool:
        """Tell whether it failed."""
        return self.item.outcome == batch.FAILED

    @property
    def skipped(self) -> bool:
        """Tell whether it was left out."""
        return self.item.outcome == batch.SKIPPED

    @property
    def done(self) -> bool:
        """Tell whether it is done."""
        return self.item.outcome == batch.COMPLETED


def items(row: BatchRow) -> tuple[ItemRow, ...]:
    """Return the items of a batch in the order in which they are to be done, which is that of the file as a rule."""
    view = row.view
    order = order_of(row)
    current = following(row, order)
    needed = any(item.needs for item in view.items)
    done = {item.index for item in view.items if item.outcome == batch.COMPLETED} if needed else set()
    shown = [view.items[index] for index in order] if order else view.items
    return tuple(ItemRow(row.source, item, item.index == current, unmet(item, done, view)) for item in shown)


def order_of(row: BatchRow) -> list[int]:
    """Return the order of a batch that is to be done in another one than that of its list; else an empty list."""
    document = _document(row.source)
    if not listed(mapping(document).get("feature_order")):
        return []
    order = batch_order.order(document)
    return order if len(order) == row.view.total and order != list(range(len(order))) else []


def following(row: BatchRow, order: list[int]) -> int | None:
    """Return the index of the item that is next: what it builds on is done, and the order of the batch is kept."""
    current = row.view.current
    if order or (current is not None and current.needs):
        return batch_order.next_item(_document(row.source)).item
    return None if current is None else current.index


def item_text(row: ItemRow) -> tuple[Cell, ...]:
    """Return everything there is to say about an item: its whole error above all."""
    item = row.item
    lines: list[Cell] = [(*cells.marked(item.outcome), ("  ", ""), (f"{item.index}  {row.title}", "strong"))]
    document = mapping(_document(row.source))
    facts = (
        ("issue", None if item.issue is None else f"#{item.issue}"),
        ("tries", None if item.tries is None else str(item.tries)),
        ("recorded", None if item.at is None else times.stamp(item.at)),
        ("took", None if item.duration is None else times.span(item.duration)),
        ("why", item.category),
        ("mode", text(mapping(document.get("feature_modes")).get(str(item.index)))),
        ("quality", _told(mapping(mapping(document.get("quality_metrics")).get(str(item.index))))),
    )
    lines += [((f"{name:<{_NAME_WIDTH}}", "muted"), (harmless(value, 200), "")) for name, value in facts if value]
    if item.interrupted:
        lines.append(cells.own("its run ended while it was at work: it may have been done or not", "warn"))
    lines += [((f"{'builds on':<{_NAME_WIDTH}}", "muted"), *_needed(row, index)) for index in item.needs]
    lines += [((f"{_named(step):<{_NAME_WIDTH}}", "muted"), *_step(step)) for step in _steps(item)]
    if item.error:
        title = "REASON" if row.skipped else "ERROR"
        lines += [(), cells.own(title, "muted"), *(cells.own(line) for line in harmless_lines(item.error))]
    return tuple(lines)


def git(item: Item) -> Cell:
    """Return the steps of git as letters with a mark each, which a failed one has in place of a hook: `c✓p✓r✕`."""
    spans: list[Span] = []
    for step in _steps(item):
        role: Role = "good" if step.well else "bad"
        spans.append((f"{_GIT.get(step.name, '?')}{'✓' if step.well else '✕'}", role))
    return tuple(spans)


def unmet(item: Item, done: set[int], view: BatchView) -> tuple[int, ...]:
    """Return what an item still waits for; what is not in the list holds up nothing."""
    if not item.needs or item.outcome != batch.PENDING:
        return ()
    return tuple(each for each in item.needs if each not in done and each != item.index and 0 <= each < view.total)


def _document(source: Source) -> JSON:
    return source.revision.document if source.revision is not None else None


def _steps(item: Item) -> list[GitStep]:
    known = list(_GIT)
    return sorted(item.git, key=lambda step: known.index(step.name) if step.name in _GIT else len(known))


def _named(step: GitStep) -> str:
    return "issue" if step.name == "issue_close" else harmless(step.name, _NAME_WIDTH - 1)


def _step(step: GitStep) -> Cell:
    verdict: Span = ("✓ ", "good") if step.well else ("✕ ", "bad")
    return (verdict, *cells.say(step.what, "" if step.well else "bad"))


def _needed(row: ItemRow, index: int) -> Cell:
    view = row.source.view
    if not isinstance(view, BatchView) or not 0 <= index < view.total:
        return cells.own(f"{index}, which is not in the list", "muted")
    item = view.items[index]
    return (*cells.marked(item.outcome), (f"  {index}  {harmless(item.title, 100)}", ""))


def _told(values: Mapping[str, JSON]) -> str | None:
    plain = [f"{name} {value}" for name, value in values.items() if isinstance(value, str | int | float)]
    return ", ".join(plain[:8]) or None


def _state(row: ItemRow, _now: float) -> Cell:
    if row.is_current:
        return (("▶ ", "info"), ("next", "info"))
    if row.waits_for:
        return (("◌ ", "muted"), ("waits", "muted"))
    if row.item.interrupted:
        return (("✕ ", "bad"), ("cut off", "bad"))
    return cells.marked(row.item.outcome)


def _title(row: ItemRow, _now: float) -> Cell:
    if not row.item.needs:
        return cells.own(row.title)
    named = ",".join(map(str, row.item.needs[:3])) + ("…" if len(row.item.needs) > 3 else "")
    return ((f"←{named} ", "warn" if row.waits_for else "muted"), (row.title, ""))  # a long title must not hide it


def _tries(row: ItemRow, _now: float) -> Cell:
    return cells.own(str(row.item.tries)) if row.item.tries else ()


def _took(row: ItemRow, _now: float) -> Cell:
    return cells.own(times.span(row.item.duration)) if row.item.duration else ()


def _recorded(row: ItemRow, now: float) -> Cell:
    return cells.own(times.clock(row.item.at, now), "muted") if row.item.at else ()


def _commit(row: ItemRow, _now: float) -> Cell:
    return cells.own(harmless(row.item.commit or "", 200)[:8], "muted")


def _why(row: ItemRow, _now: float) -> Cell:
    if row.skipped and row.item.category:
        return (*cells.say(f"{row.item.category}: ", "muted", 40), *cells.say(first_line(row.item.error)))
    return cells.say(first_line(row.item.error))


SPEC: TableSpec[ItemRow] = TableSpec(
    columns=(
        Column(
            "index", "#", lambda row, _now: cells.own(str(row.item.index), "muted"), width=4, minimum=3, align="right"
        ),
        Column("status", "STATUS", _state, width=11, minimum=11),
        Column("title", "TITLE", _title, width=36, minimum=20, flex=2),
        Column("tries", "TRIES", _tries, width=5, minimum=5, align="right", priority=3),
        Column("took", "TOOK", _took, width=5, minimum=5, align="right", priority=7),
        Column("at", "RECORDED", _recorded, width=11, minimum=11, priority=4),
        Column("git", "GIT", lambda row, _now: git(row.item), width=8, minimum=8, priority=2),
        Column("commit", "COMMIT", _commit, width=8, minimum=8, priority=6),
        Column("error", "ERROR, REASON", _why, width=30, minimum=14, flex=3, priority=1),
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

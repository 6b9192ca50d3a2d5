"""Our table beside Textual's DataTable: `python -m tests.benchmarks.bench_table`.

Trust the ratios, not the milliseconds. Both run without a terminal: what is measured is making up and composing the
picture, not sending it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import DataTable

from statewatch.tui.widgets.table import Table
from statewatch.tui.widgets.table_model import ACTIONS, Column

SIZE = (120, 40)
SECONDS = 5
RATE = 10


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    state: str
    failures: int
    error: str


FIELDS = ("name", "state", "failures", "error", "age")
COLUMNS = [
    Column[Row]("name", "name", lambda row, _: ((row.name, ""),), 20),
    Column[Row]("state", "state", lambda row, _: ((row.state, "good"),), 10),
    Column[Row]("failures", "failures", lambda row, _: ((str(row.failures), "bad"),), 10),
    Column[Row]("error", "error", lambda row, _: ((row.error, "muted"),), 30, flex=1),
    Column[Row]("age", "age", lambda _, now: ((f"{now // 1_000_000:.0f}", ""),), 8, ticks=True),
]


class Keyed(Table[Row]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding(keys, action, text) for _, keys, action, text in ACTIONS]


class Bench(App[None]):
    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget


class Ours:
    """Our table: whole lists of rows are shown."""

    def __init__(self, count: int) -> None:
        self.rows = make(count)
        self.widget = Keyed(COLUMNS, key=lambda row: row.name)

    def fill(self) -> None:
        self.widget.show(self.rows, 0)

    def update(self, number: int) -> None:
        self.rows[3] = replace(self.rows[3], failures=number)
        self.widget.show(self.rows, 0)

    def append(self, number: int) -> None:
        self.rows.insert(0, Row(f"new-{number}", "open", 1, "new"))
        self.widget.show(self.rows, 0)


class Theirs:
    """DataTable: single cells are updated, rows appended (it cannot insert)."""

    def __init__(self, count: int) -> None:
        self.rows = make(count)
        self.widget: DataTable[str] = DataTable(cursor_type="row")

    def fill(self) -> None:
        for field in FIELDS:
            self.widget.add_column(field, key=field)
        for row in self.rows:
            self.widget.add_row(row.name, row.state, str(row.failures), row.error, "0", key=row.name)

    def update(self, number: int) -> None:
        self.widget.update_cell(self.rows[3].name, "failures", str(number))

    def append(self, number: int) -> None:
        self.widget.add_row(f"new-{number}", "open", "1", "new", "0", key=f"new-{number}")


Side = Ours | Theirs


def make(count: int) -> list[Row]:
    return [
        Row(f"hook-{number:06}", "closed", number % 5, f"No such file or directory: /tmp/{number}")
        for number in range(count)
    ]


async def with_app(side: Side, work: Callable[[Side, Pilot[None]], Awaitable[float]]) -> float:
    app = Bench(side.widget)
    async with app.run_test(size=SIZE) as pilot:
        side.widget.focus()
        await pilot.pause()
        return await work(side, pilot)


async def filling(side: Side, pilot: Pilot[None]) -> float:
    """Seconds until the rows are on the screen."""
    start = time.perf_counter()
    side.fill()
    await pilot.pause()
    return time.perf_counter() - start


async def again(side: Side, pilot: Pilot[None]) -> float:
    """Seconds to show the same number of rows again, all of them on other places."""
    await filling(side, pilot)
    side.rows.reverse()
    start = time.perf_counter()
    if isinstance(side, Theirs):
        side.widget.clear(columns=True)
    side.fill()
    await pilot.pause()
    return time.perf_counter() - start


def cpu_of(change: Callable[[Side, int], None]) -> Callable[[Side, Pilot[None]], Awaitable[float]]:
    async def measure(side: Side, pilot: Pilot[None]) -> float:
        """Share of a processor at RATE changes a second, above that of an idle application."""
        await filling(side, pilot)
        await asyncio.sleep(0.5)
        shares = []
        for busy in (False, True):
            start = time.process_time()
            for number in range(SECONDS * RATE):
                if busy:
                    change(side, number)
                await asyncio.sleep(1 / RATE)
            shares.append((time.process_time() - start) / SECONDS)
        return max(shares[1] - shares[0], 1e-6)

    return measure


async def key(side: Side, pilot: Pilot[None]) -> float:
    """Seconds of processor time for one press of the down key, above that of a key that does nothing."""
    await filling(side, pilot)
    await pilot.press(*["f9", "down"] * 5)
    presses, times = 30, []
    for name in ("f9", "down"):
        start = time.process_time()
        for _ in range(presses):
            await pilot.press(name)
        times.append((time.process_time() - start) / presses)
    return max(times[1] - times[0], 1e-6)


async def show_only(side: Side, pilot: Pilot[None]) -> float:
    """Seconds in `show` itself for 100,000 rows in other places, with a cursor and marks to follow."""
    await filling(side, pilot)
    assert isinstance(side, Ours)
    side.widget.action_mark_all()
    side.widget.action_last()
    await pilot.pause()
    side.rows.reverse()
    start = time.perf_counter()
    side.fill()
    return time.perf_counter() - start


async def ticking(side: Side, pilot: Pilot[None]) -> float:
    """Seconds for a tick that changes no text."""
    assert isinstance(side, Ours)
    await filling(side, pilot)
    start = time.perf_counter()
    for number in range(1_000):
        side.widget.tick(number)
    return (time.perf_counter() - start) / 1_000


def report(name: str, ours: float, theirs: float | None, unit: str, scale: float) -> None:
    beside = "" if theirs is None else f"{theirs * scale:10.2f} {unit}{theirs / ours:9.1f} ×"
    print(f"{name:44}{ours * scale:10.2f} {unit}{beside}", flush=True)


async def main() -> None:
    print(f"{'':44}{'Table':>10}   {'DataTable':>10}   {'ratio':>8}")
    pairs: list[tuple[str, int, Any, str, float]] = [
        ("fill 1,000 rows", 1_000, filling, "ms", 1e3),
        ("fill 100,000 rows", 100_000, filling, "ms", 1e3),
        ("show 100,000 rows again, reversed", 100_000, again, "ms", 1e3),
        (f"1 cell of 1,000 rows, {RATE}/s", 1_000, cpu_of(lambda side, number: side.update(number)), "% ", 1e2),
        (f"1 row more at 1,000 rows, {RATE}/s", 1_000, cpu_of(lambda side, number: side.append(number)), "% ", 1e2),
        ("cursor down, 1,000 rows", 1_000, key, "ms", 1e3),
        ("cursor down, 100,000 rows", 100_000, key, "ms", 1e3),
    ]
    for name, count, work, unit, scale in pairs:
        report(name, await with_app(Ours(count), work), await with_app(Theirs(count), work), unit, scale)
    report("show() alone, 100,000 rows, all marked", await with_app(Ours(100_000), show_only), None, "ms", 1e3)
    report("tick() that changes nothing", await with_app(Ours(1_000), ticking), None, "µs", 1e6)


if __name__ == "__main__":
    asyncio.run(main())

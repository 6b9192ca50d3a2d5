"""The diff screen on large documents: `python -m tests.benchmarks.bench_diff_screen`.

Beside each time stands how often a plain walk over both documents could be made in it: trust that, not milliseconds.
"""

import asyncio
import copy
import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from statewatch.documents.values import JSON
from statewatch.tui.app import StatewatchApp
from statewatch.tui.models import diff_detail, diff_rows
from statewatch.tui.models.comparison import Comparison, Side
from statewatch.tui.models.diff_loading import load
from statewatch.tui.models.diff_rows import Wish
from statewatch.tui.screens.diff import DiffScreen
from statewatch.tui.widgets.diff_table import DiffTable
from statewatch.watch.picture import Picture, Watching
from tests.benchmarks.diff_documents import scenarios
from tests.still import StillFeed

ROUNDS = 7
FIRST_SCREEN = 0.100
SIZE = (120, 40)


def pairs() -> Iterator[tuple[str, JSON, JSON, bool]]:
    """Yield pairs of documents: name, before, after, and whether the goal is about it."""
    for make in scenarios():
        scenario = make()
        yield scenario.what, scenario.before, scenario.after, scenario.name == "a2"
        if scenario.name == "a2":
            after: Any = copy.deepcopy(scenario.before)
            for record in after["hooks"].values():
                record |= {"failure_count": record["failure_count"] + 1, "state": "open", "consecutive_failures": 9}
            yield "10,000 hooks, all of them executed", scenario.before, json.loads(json.dumps(after)), False


def compared(before: JSON, after: JSON) -> Comparison:
    return Comparison("/p", "p", "hooks", Side("@x", lambda: before), Side("now", lambda: after, is_now=True))


def model_time(comparison: Comparison) -> float:
    """Return the seconds until everything is there that the first screen shows."""
    begun = time.perf_counter()
    model = load(comparison)
    rows = diff_rows.listed(model, Wish())
    for row in rows[: SIZE[1]]:
        for column in diff_rows.SPEC.columns:
            column.cell(row, 0.0)
    diff_detail.detail(model, rows[0])
    return time.perf_counter() - begun


async def screen_times(comparison: Comparison) -> tuple[float, float]:
    """Return the seconds from the key to the painted diff, and from the key to the painted side of the next row."""
    feed = StillFeed(Picture(0.0, watching=Watching()), lambda _: None)
    app = StatewatchApp(feed.for_app, clock=lambda: 0.0)
    async with app.run_test(size=SIZE) as pilot:
        await app.push_screen(DiffScreen((compared(1, 2),), 0, app.clock))  # what is imported and parsed once
        await pilot.pause()
        app.pop_screen()
        begun = time.perf_counter()
        screen = DiffScreen((comparison,), 0, app.clock)
        await app.push_screen(screen)
        while screen._due or screen._is_at_work:
            await asyncio.sleep(0.0005)
        app.screen._compositor.render_strips()
        first = time.perf_counter() - begun
        table = screen.query_one(DiffTable)
        moves = []
        for _ in range(20):
            begun = time.perf_counter()
            table.action_cursor_down()
            await asyncio.sleep(0)
            while screen._due or screen._is_at_work:
                await asyncio.sleep(0.0005)
            app.screen._compositor.render_strips()
            moves.append(time.perf_counter() - begun)
        return first, statistics.median(moves)


def walk(before: JSON, after: JSON) -> int:
    if type(before) is not type(after):
        return 1
    if isinstance(before, dict) and isinstance(after, dict):
        return sum(walk(value, after.get(key)) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return sum(walk(one, other) for one, other in zip(before, after, strict=False))
    return before != after


def best(measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(ROUNDS))


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    print(f"{'':48}{'walk':>8}{'model':>14}{'painted':>15}{'next row':>15}")
    for what, before, after, judged in pairs():
        comparison = compared(before, after)
        whole = best(lambda: timed(lambda: walk(before, after)))  # noqa: B023 - called here
        model = best(lambda: model_time(comparison))  # noqa: B023
        painted, moved = (
            min(times) for times in zip(*(asyncio.run(screen_times(comparison)) for _ in range(3)), strict=True)
        )
        told = "".join(f"{seconds * 1e3:7.1f} {seconds / whole:4.1f} ×" for seconds in (model, painted, moved))
        goal = f"   ≤ {FIRST_SCREEN * 1e3:.0f} ms {'met' if painted <= FIRST_SCREEN else 'MISSED'}" if judged else ""
        print(f"{what:48}{whole * 1e3:8.1f}{told}{goal}", flush=True)


if __name__ == "__main__":
    main()

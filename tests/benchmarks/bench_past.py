"""How quickly one scrubs through the past: `python -m tests.benchmarks.bench_past`.

Forty sources that real tools have written, hook states and batches by turns, a revision of each every five seconds, and
among them a hook state of half a megabyte. Each moment is asked for with its change lines, as the dashboard does.
Seconds are those of the processor, so that a busy machine does not count.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from statewatch.kinds.hooks import Policy
from statewatch.watch.history.store import History
from statewatch.watch.past import Past
from statewatch.watch.recorded import recorded
from statewatch.watch.scope import Scope
from tests.benchmarks.bench_history import hook_versions
from tests.support import timeline

SOURCES, LARGE, EVERY = 40, 300, 5.0
MOMENTS = 20.0
"""The goal: moments a second."""


def fill(history: History) -> tuple[str, ...]:
    """Record all sources; return their names."""
    names = [f"/p/w{number}/{('hook_state', 'batch_state')[number % 2]}.json" for number in range(SOURCES)]
    versions = [timeline(("hook_state", "batch_state")[number % 2]) for number in range(SOURCES)]
    names.append("/p/large/hook_state.json")
    versions.append(tuple(data for data, _ in zip(hook_versions(), range(LARGE), strict=False)))
    seen = sorted(
        (turn * EVERY + place * 0.1, place, turn) for place, each in enumerate(versions) for turn in range(len(each))
    )
    for at, place, turn in seen:
        history.record(names[place], versions[place][turn], at=1e9 + at, seen_at=1e9 + at)
    return tuple(names)


def told(what: str, took: list[float]) -> None:
    """Print how many moments a second that is."""
    rate = 1 / statistics.mean(took)
    p95 = sorted(took)[int(len(took) * 0.95)] * 1e3
    print(f"  {what:34} {rate:8.0f} a second, p95 {p95:6.1f} ms   {'met' if rate >= MOMENTS else 'MISSED'}")


def main() -> None:
    """Measure steps, jumps, and moments at random."""
    with tempfile.TemporaryDirectory() as directory, History.open(Path(directory) / "history.db") as history:
        names = fill(history)
        candidates = recorded(Scope(files=names, base="/p"), history.sources())
        past = Past(history, candidates, lambda _path: Policy())
        entries = past.moments()
        print(f"{len(entries):,} revisions of {len(names)} sources")

        def ask(moments: Iterable[float]) -> list[float]:
            took = []
            for moment in moments:
                begun = time.thread_time()
                past.at(moment)
                took.append(time.thread_time() - begun)
            return took

        first, middle, last = 0, len(entries) // 2, len(entries) - 1
        (cold,) = ask([entries[middle].seen_at])
        print(f"  {'the first moment':34} {cold * 1e3:8.0f} ms")
        told("a change at a time, forward", ask(entry.seen_at for entry in entries[middle : middle + 1_000]))
        told("a change at a time, back", ask(entry.seen_at for entry in entries[middle + 999 : middle - 1_000 : -1]))
        minutes = int((entries[last].seen_at - entries[first].seen_at) / 60)
        told("a minute at a time, back", ask(entries[last].seen_at - 60 * minute for minute in range(minutes)))
        chance = random.Random(1)
        told("anywhere", ask(chance.choice(entries).seen_at for _ in range(200)))


if __name__ == "__main__":
    main()

"""Scrubbing through the past: `python -m tests.benchmarks.bench_travel`.

Forty sources with 2,000 revisions in a real history. What is timed is what one position of the scrubber costs: the
picture of that moment and the finished model of a view, banner and scrubber with it, as the dashboard makes them.
"""

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from statewatch.documents.values import JSON
from statewatch.tui import travel
from statewatch.tui.archive import Archive
from statewatch.tui.models.build import Ask, build
from statewatch.tui.models.travel import scrubber, viewing
from statewatch.tui.travel import Journey
from statewatch.watch.history.store import History
from statewatch.watch.picture import Picture
from statewatch.watch.scope import scope_of
from tests.benchmarks.bench_dashboard import Figure, report

SOURCES = 40
REVISIONS = 2_000
START = 1_794_838_980.0
ITEMS, HOOKS = 60, 40
LEAST = 20.0
"""Moments a second that scrubbing has to keep up."""

VIEWS = ("overview", "batches", "hooks", "state", "changes")


@dataclass(slots=True)
class Writer:
    """A tool that writes one file again and again."""

    path: Path
    chance: random.Random
    document: dict[str, JSON]
    step: Callable[["Writer", int], None]

    def write(self, number: int) -> bytes:
        """Return the next revision."""
        self.step(self, number)
        return json.dumps(self.document, indent=2).encode()


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        scope = scope_of((), cwd=root / "project", home=root / "home", environment={})
        _record(root)
        archive = Archive(lambda: History.open(root / "history.db", create=False), scope)
        try:
            report(list(_figures(archive)))
        finally:
            archive.close()


def _figures(archive: Archive) -> Iterator[Figure]:
    begun = time.perf_counter()
    entries = archive.entries()
    yield Figure("stopping the clock: reading what there is", (time.perf_counter() - begun) * 1e3, "ms")
    journey = travel.begun(entries, entries[-1].seen_at + 1)
    assert journey is not None
    assert len(entries) == REVISIONS
    assert len(archive.picture(journey.now).sources) == SOURCES
    for name, moments in _routes(journey):
        for view in VIEWS if name.startswith("back") else ("overview",):
            taken = [_moment(archive, view, here) for here in moments]
            rate = 1 / statistics.mean(taken)
            worst = max(taken) * 1e3
            yield _rate(f"{name}, {view}", rate, f"worst moment {worst:.0f} ms")
    begun = time.perf_counter()
    archive.entries()
    yield Figure("taking up what was recorded meanwhile", (time.perf_counter() - begun) * 1e3, "ms")


def _rate(name: str, rate: float, note: str) -> Figure:
    """Return a rate of which there has to be so much, told as the time that one moment takes."""
    return Figure(name, 1e3 / rate, "ms", 1e3 / LEAST, f"{rate:.0f} moments a second; {note}")


def _routes(journey: Journey) -> Iterator[tuple[str, list[Journey]]]:
    back = [journey]
    for _ in range(200):
        back.append(travel.stepped(back[-1], -1))
    yield "back by single changes", back[1:]
    on = [travel.at_the_beginning(journey)]
    for _ in range(200):
        on.append(travel.stepped(on[-1], 1))
    yield "on from the beginning", on
    chance = random.Random(1)
    times = journey.log.instants
    yield "jumping anywhere", [travel.moved_to(journey, chance.choice(times)) for _ in range(100)]
    playing = [travel.started(journey)]
    while len(playing) < 200 and playing[-1].playing:
        playing.append(travel.played(travel.faster(playing[-1], 9), 0.1))
    yield "playing at 64×", playing


def _moment(archive: Archive, view: str, here: Journey) -> float:
    begun = time.perf_counter()
    build(Ask(view, Picture(here.now), here.at, here=here, picture_at=archive.picture))
    scrubber(here, 120)
    viewing(here, here.now)
    return time.perf_counter() - begun


def _record(root: Path) -> None:
    writers = list(_writers(root))
    chance = random.Random(3)
    with History.open(root / "history.db") as history:
        for number in range(REVISIONS):
            writer = writers[number] if number < len(writers) else chance.choice(writers)
            at = START + number * 3.0
            history.record(str(writer.path), writer.write(number), at=at, seen_at=at + 0.02)


def _writers(root: Path) -> Iterator[Writer]:
    claude = root / "project" / ".claude"
    for number in range(SOURCES - 2):
        yield Writer(claude / f"batch_state_{number}.json", random.Random(number), _batch(number), _progress)
    for path in (claude / "hook_state.json", root / "home" / ".claude" / "hook_state.json"):
        yield Writer(path, random.Random(str(path)), _hooks(), _run)


def _batch(number: int) -> dict[str, JSON]:
    return {
        "batch_id": f"batch-{number}",
        "status": "in_progress",
        "features": [f"item {index} of batch {number}" for index in range(ITEMS)],
        "total_features": ITEMS,
        "current_index": 0,
        "completed_features": [],
        "failed_features": [],
        "skipped_features": [],
    }


def _progress(writer: Writer, _number: int) -> None:
    done = writer.document["completed_features"]
    assert isinstance(done, list)
    if len(done) >= ITEMS:
        done.clear()
    done.append(len(done))
    writer.document["current_index"] = len(done)


def _hooks() -> dict[str, JSON]:
    record: dict[str, JSON] = {
        "state": "closed",
        "failure_count": 0,
        "consecutive_failures": 0,
        "consecutive_successes": 0,
    }
    hooks: dict[str, JSON] = {f"hook-{index:02d}": {**record, "last_error": None} for index in range(HOOKS)}
    return {"hooks": hooks, "global_stats": {"total_executions": 0}}


def _run(writer: Writer, number: int) -> None:
    hooks = writer.document["hooks"]
    assert isinstance(hooks, dict)
    record = hooks[writer.chance.choice(sorted(hooks))]
    assert isinstance(record, dict)
    record["state"] = writer.chance.choice(["closed", "closed", "open", "half_open"])
    record["consecutive_successes"] = number
    record["last_error"] = f"exit code {number}"


if __name__ == "__main__":
    main()

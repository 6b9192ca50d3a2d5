"""What recording a run of a hook costs beside the way in which it is commonly done, and whether anything is lost.

`python -m tests.benchmarks.bench_circuits [DIRECTORY]`. The contender reads all with the standard library, changes a
record, writes all with an indent of 2 to a temporary file, flushes it to disk and renames it, without a lock and
without flushing the directory; ours does both. Trust the ratios, not the microseconds: where the disk is slow, what
both wait for is the disk, so the same is measured in memory (`/dev/shm`) where there is any.
"""

import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from statewatch.core.recording import Circuits, Run
from statewatch.kinds.breaker import blank
from statewatch.kinds.hooks import view
from statewatch.kinds.policy import Policy
from statewatch.managers.hook_state import HookStateManager
from statewatch.tui.models.build import Ask, build
from statewatch.tui.models.hooks import SPEC
from statewatch.watch.picture import Picture, Source
from statewatch.watch.stories import Stories
from tests.benchmarks.bench_stores import judged

GOALS = {10: 1.3, 100: 4, 1_000: 15, 10_000: 20}
ROUNDS = {10: 300, 100: 300, 1_000: 100, 10_000: 25}
NEVER = Policy(failure_threshold=1_000_000)
WRITERS, EACH, BURSTS = 8, 200, 25
MANY = 10_000
VISIBLE = 200
"""Milliseconds that pass as no pause."""


def hook_state(hooks: int) -> dict[str, Any]:
    """Return a hook state with records of the usual size: 390 bytes each."""
    told = "2026-11-13T22:09:26.136148+00:00"
    error = "FAILED tests/unit/test_ledger.py::test_rounding - AssertionError: Decimal('10.004') != Decimal('10.01')"
    record = {**blank(), "failure_count": 2, "first_failure": told, "last_failure": told, "last_error": error}
    stats = {"total_executions": 0, "total_failures": 0, "hooks_disabled": 0, "last_updated": told}
    return {"hooks": {f"hook-{number}": dict(record) for number in range(hooks)}, "global_stats": stats}


def commonly(path: Path, hook: str, error: str) -> None:
    """Record a failure in the way in which it is commonly done."""
    with path.open() as stream:
        state = json.load(stream)
    record, stats = state["hooks"][hook], state["global_stats"]
    now = datetime.now(UTC).isoformat()
    record["failure_count"] += 1
    record["consecutive_failures"] += 1
    record["consecutive_successes"] = 0
    record["last_failure"], record["last_error"] = now, error
    stats["total_executions"] += 1
    stats["total_failures"] += 1
    stats["hooks_disabled"] = sum(1 for each in state["hooks"].values() if each["state"] == "open")
    stats["last_updated"] = now
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".hook_state_", suffix=".tmp")
    with os.fdopen(descriptor, "w") as stream:
        json.dump(state, stream, indent=2)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)  # noqa: PTH105


def in_turn(rounds: int, *calls: Callable[[int], object]) -> list[list[float]]:
    """Return the seconds of each call, made in turn so that all see the same machine."""
    taken: list[list[float]] = [[] for _ in calls]
    for number in range(rounds):
        for place, call in enumerate(calls):
            begun = time.perf_counter()
            call(number)
            taken[place].append(time.perf_counter() - begun)
    return taken


def bare(path: Path, data: bytes) -> None:
    """Put bytes that are ready in the place of a file, safe from a loss of power: what nobody can do without."""
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)
    os.close(descriptor)
    os.replace(temporary, path)  # noqa: PTH105
    descriptor = os.open(path.parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def microseconds(call: Callable[[int], object], rounds: int = 2_000) -> float:
    """Return the usual duration of a call."""
    return statistics.median(in_turn(rounds, call)[0]) * 1e6


def recording(directory: Path) -> None:
    """Print what a recorded failure costs beside the contender, and reading a record while nothing changes."""
    for hooks, goal in GOALS.items():
        ours, theirs = directory / f"ours-{hooks}.json", directory / f"theirs-{hooks}.json"
        for path in (ours, theirs):
            path.write_text(json.dumps(hook_state(hooks), indent=2))
        manager = HookStateManager(ours)
        manager.record_failure("hook-1", "boom")

        def record(number: int, manager: HookStateManager = manager, hooks: int = hooks) -> None:
            manager.record_failure(f"hook-{number % hooks}", "boom", failure_threshold=1_000_000)

        def contend(number: int, theirs: Path = theirs, hooks: int = hooks) -> None:
            commonly(theirs, f"hook-{number % hooks}", "boom")

        def read(_number: int, manager: HookStateManager = manager) -> None:
            manager.get_hook_state("hook-5")

        def ask(_number: int, manager: HookStateManager = manager) -> None:
            manager.ask("hook-5")

        data, least = ours.read_bytes(), directory / "least.json"

        def write(_number: int, data: bytes = data, least: Path = least) -> None:
            bare(least, data)

        taken = in_turn(ROUNDS[hooks], record, contend, write)
        mine, other, floor = (statistics.median(times) for times in taken)
        pairs = [there / here for here, there, _ in zip(*taken, strict=True)]
        print(f"  {hooks} hooks: {mine * 1e6:.0f} µs, contender {other * 1e6:.0f} µs")
        judged(f"record_failure, {hooks} hooks, as often as fast", statistics.median(pairs), goal, " x", at_least=True)
        print(f"    bytes that are ready, written as safely: {floor * 1e6:.0f} µs, {other / floor:.2f} x")
        judged(f"get_hook_state, {hooks} hooks", microseconds(read), 10, " µs")
        print(f"    asking whether a closed hook may run: {microseconds(ask):.1f} µs")


def _record(path: Path, hook: str, count: int, barrier: Barrier) -> None:
    barrier.wait()
    circuits = Circuits(path, NEVER, timeout=60)
    for number in range(count):
        circuits.record([Run(hook, f"error {number}")])


def _together(path: Path, hooks: list[str], count: int) -> int:
    """Let a process for each of *hooks* record so many failures; return how many of them are in the file."""
    barrier = multiprocessing.Barrier(len(hooks))
    workers = [multiprocessing.Process(target=_record, args=(path, hook, count, barrier)) for hook in hooks]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(record["failure_count"] for record in json.loads(path.read_bytes())["hooks"].values())


def together(directory: Path) -> None:
    """Print what was lost when eight processes record at once."""
    for what, hooks in (("one hook", ["h"] * WRITERS), ("own hooks", [f"h{n}" for n in range(WRITERS)])):
        begun = time.perf_counter()
        kept = _together(directory / f"{what}.json", hooks, EACH)
        seconds = time.perf_counter() - begun
        print(f"  {WRITERS} × {EACH} on {what}: {kept} kept, {WRITERS * EACH / seconds:.0f} a second")
        judged(f"lost of {WRITERS * EACH} on {what}", WRITERS * EACH - kept, 0)
    kept = sum(_together(directory / f"burst-{number}" / "hooks.json", ["h"] * WRITERS, 1) for number in range(BURSTS))
    judged(f"lost of {BURSTS} cold bursts of {WRITERS}", BURSTS * WRITERS - kept, 0)


def shown(directory: Path) -> None:
    """Print what the Hooks view of many circuits takes: made anew with all of the file, sorted, filtered, one chosen.

    It is made beside the screen, which goes on; what is visible of it is how late it comes.
    """
    path = directory / "shown.json"
    path.write_text(json.dumps(hook_state(MANY), indent=2))
    circuits = Circuits(path, NEVER)
    for number in range(1_000):
        circuits.record([Run(f"hook-{number}", "boom")])
    begun = time.perf_counter()
    source = Source(str(path), "shown.json", "hooks", view=view(circuits.document()))
    judged(f"{MANY} hooks: their meaning from the document", (time.perf_counter() - begun) * 1e3, 1_000, " ms")
    picture, stories = Picture(time.time(), (source,)), Stories()

    def make(what: str, **wanted: Any) -> None:
        ask = Ask("hooks", picture, time.time(), story_of=stories.of, **wanted)
        begun = time.perf_counter()
        build(ask)
        judged(f"{MANY} hooks: {what}", (time.perf_counter() - begun) * 1e3, VISIBLE, " ms")

    make("opened, the history read")
    make("again, or another one chosen", chosen=f"{path}\0hook-77")
    for column in SPEC.sorts:
        make(f"sorted by {column}", sort=(column, True))
    for text in ("hook-77", "error:assertion !hook-1", "/hook-.*9$/"):
        make(f"filtered by {text}", filter=text)


def main() -> None:
    """Print every figure: on the disk of the working directory or of the directory given, and in memory."""
    places = [Path(sys.argv[1])] if sys.argv[1:] else [Path.cwd(), *(p for p in [Path("/dev/shm")] if p.is_dir())]
    for place in places:
        directory = Path(tempfile.mkdtemp(dir=place))
        os.environ["STATEWATCH_STATE_DIR"] = str(directory / "statewatch")
        try:
            print(f"in {place}")
            recording(directory)
            together(directory)
            if place == places[-1]:
                shown(directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()

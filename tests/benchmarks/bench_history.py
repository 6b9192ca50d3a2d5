"""What a history costs: `python -m tests.benchmarks.bench_history`.

Records 2,000 versions each of a hook state and of a batch state of about 500 KB, as tools at work write them, then
reads, blames and prunes. Bytes are all of the database; trust them and the ratios, not the milliseconds.
"""

import json
import random
import shutil
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from statewatch.watch.history.store import History

VERSIONS = 2_000
PRUNED = 5
SAMPLES = 200
BYTES, READ, WRITE, BLAME, PRUNE = 1_000, 2.0, 10.0, 2.0, 20.0
"""The goals: bytes a version, and milliseconds."""


def stamp(second: int, chance: random.Random) -> str:
    """Return a time as tools write it."""
    return f"2026-11-20T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.{chance.randrange(10**6):06}Z"


def hook_versions() -> Iterator[bytes]:
    """Yield a state of 1,300 hooks: with each version one hook has run, every tenth time in vain."""
    chance = random.Random(1)
    hooks: dict[str, dict[str, Any]] = {
        f"validate-{number}": {
            "state": "closed",
            "failure_count": chance.randrange(3),
            "consecutive_failures": 0,
            "consecutive_successes": chance.randrange(900),
            "first_failure": None,
            "last_failure": None,
            "last_success": stamp(number, chance),
            "last_error": None,
            "disabled_at": None,
            "retry_after": None,
        }
        for number in range(1_450)
    }
    stats: dict[str, Any] = {"total_executions": 9_000, "total_failures": 80, "last_updated": ""}
    for second in range(VERSIONS):
        now = stamp(second, chance)
        hook = hooks[chance.choice(list(hooks))]
        if chance.random() < 0.1:
            hook["failure_count"] += 1
            hook["consecutive_failures"] += 1
            hook |= {"consecutive_successes": 0, "last_failure": now, "last_error": f"exit code {chance.randrange(9)}"}
            stats["total_failures"] += 1
        else:
            hook["consecutive_successes"] += 1
            hook |= {"consecutive_failures": 0, "last_success": now}
        stats |= {"total_executions": stats["total_executions"] + 1, "last_updated": now}
        yield json.dumps({"hooks": hooks, "global_stats": stats}, indent=2).encode()


def batch_versions() -> Iterator[bytes]:
    """Yield a batch of 4,000 items: with each version one more is completed, or has failed."""
    chance = random.Random(2)
    batch: dict[str, Any] = {
        "batch_id": "batch-20261120-100000-000001",
        "total_features": 4_000,
        "features": [f"Add the thing number {number} to the part that needs it most" for number in range(4_000)],
        "current_index": 0,
        "completed_features": [],
        "failed_features": [],
        "status": "in_progress",
        "context_token_estimate": 1_000,
        "updated_at": "",
        "git_operations": {},
    }
    for number in range(VERSIONS):
        now = stamp(number, chance)
        if chance.random() < 0.1:
            failed = {"feature_index": number, "error_message": f"Tests failed: {number}", "timestamp": now}
            batch["failed_features"].append(failed)
        else:
            batch["completed_features"].append(number)
            commit = {"success": True, "timestamp": now, "sha": f"{chance.getrandbits(160):040x}", "branch": "main"}
            batch["git_operations"][str(number)] = {"commit": commit}
        batch |= {"current_index": number + 1, "updated_at": now}
        batch["context_token_estimate"] += chance.randrange(900)
        yield json.dumps(batch, indent=2).encode()


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long a work takes."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def told(what: str, figure: float, goal: float | None, unit: str) -> None:
    """Print one figure."""
    verdict = "" if goal is None else f"   at most {goal:g}: {'met' if figure <= goal else 'MISSED'}"
    print(f"  {what:34} {figure:10,.2f} {unit}{verdict}")


def measure(name: str, versions: Iterator[bytes], places: Callable[[random.Random], tuple[str, ...]]) -> None:
    """Record all versions, and print the figures."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "history.db")
        with History.open(path) as history:
            record(history, name, versions)
            look(history, name, places)
        prune(path, name)


def record(history: History, name: str, versions: Iterator[bytes]) -> None:
    """Print what it costs to record, in time and in bytes."""
    whole = zipped = 0
    writes = []
    for number, data in enumerate(versions):
        whole += len(data)
        zipped += len(zlib.compress(data, 1)) if number % 50 == 0 else 0
        begun = time.perf_counter()
        history.record(name, data, at=float(number), seen_at=float(number))
        writes.append((time.perf_counter() - begun) * 1e3)
    print(f"{name}: {VERSIONS:,} versions of {whole / VERSIONS / 1e3:,.0f} KB")
    told("copies, compressed each", zipped * 50 / VERSIONS, None, "bytes a version")
    told("all in", history.size() / VERSIONS, BYTES, "bytes a version")
    told("write, median", statistics.median(writes), WRITE, "ms")
    told("write, p95", sorted(writes)[int(VERSIONS * 0.95)], None, "ms")


def look(history: History, name: str, places: Callable[[random.Random], tuple[str, ...]]) -> None:
    """Print what it takes to come back to a version, and to find out when a value changed."""
    chance = random.Random(3)
    entries = history.entries(name)
    assert len(entries) == VERSIONS
    reads = [milliseconds(lambda entry=entry: history.data(entry)) for entry in chance.sample(entries, SAMPLES)]  # type: ignore[misc]
    asked = [places(chance) for _ in range(SAMPLES)]
    blames = [milliseconds(lambda place=place: history.blame(name, place, limit=20)) for place in asked]  # type: ignore[misc]
    told("any version, median", statistics.median(reads), READ, "ms")
    told("any version, p95", sorted(reads)[int(SAMPLES * 0.95)], None, "ms")
    told("blame of a place, median", statistics.median(blames), BLAME, "ms")
    told("blame of a place, p95", sorted(blames)[int(SAMPLES * 0.95)], None, "ms")


def prune(path: Path, name: str) -> None:
    """Print what pruning costs, in copies of the store, since one of them is pruned once."""
    took, counts, left = [], set(), 0.0
    for number in range(PRUNED):
        copy = shutil.copy(path, path.with_name(f"{number}.db"))
        with History.open(Path(copy)) as history:
            took.append(milliseconds(lambda history=history: counts.add(history.prune(VERSIONS + 7_200.0, dense=500))))  # type: ignore[misc]
            left = history.size() / len(history.entries(name))
    [count] = counts
    told(f"prune {count:,} versions, median", statistics.median(took), PRUNE, "ms")
    told(f"prune {count:,} versions, worst", max(took), None, "ms")
    told("afterwards", left, None, "bytes a version")


def main() -> None:
    """Measure both."""
    names = list(range(1_450))
    fields = ("consecutive_successes", "last_error", "state")
    measure("hooks", hook_versions(), lambda by: ("hooks", f"validate-{by.choice(names)}", by.choice(fields)))
    measure(
        "batch",
        batch_versions(),
        lambda by: by.choice([("status",), ("git_operations", str(by.randrange(VERSIONS))), ("failed_features", "3")]),
    )


if __name__ == "__main__":
    main()

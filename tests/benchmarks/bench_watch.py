"""How quickly the watcher sees a rename, and what it costs at rest: `python -m tests.benchmarks.bench_watch`.

500 files are watched in a temporary directory. Latency runs from the rename to `on_picture` with the new content.
"""

import json
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path

from statewatch.watch.picture import Picture
from statewatch.watch.scope import scope_of
from statewatch.watch.watcher import Watcher

FILES = 500
CHANGES = 200
IDLE_SECONDS = 10.0


class Seen:
    """Knows when each revision was shown first."""

    def __init__(self) -> None:
        self.news = threading.Condition()
        self.at: dict[str, float] = {}

    def __call__(self, picture: Picture) -> None:
        """Take note of a picture."""
        now = time.perf_counter()
        with self.news:
            for source in picture.sources:
                if source.revision is not None:
                    self.at.setdefault(source.revision.digest, now)
            self.news.notify_all()

    def wait(self, count: int) -> None:
        """Wait until that many revisions have been seen."""
        with self.news:
            if not self.news.wait_for(lambda: len(self.at) >= count, timeout=5):
                raise TimeoutError(f"{len(self.at)} of {count} revisions seen")


def batch(number: int, step: int) -> bytes:
    """Return a batch state that differs from every other."""
    state = {
        "batch_id": f"batch-{number}",
        "features_file": "",
        "total_features": 40,
        "features": [f"Feature {index} of batch {number}" for index in range(40)],
        "current_index": step % 40,
        "completed_features": list(range(step % 40)),
        "failed_features": [],
        "status": "in_progress",
        "updated_at": f"2026-11-20T14:{step // 60 % 60:02d}:{step % 60:02d}.{number:06d}Z",
    }
    return json.dumps(state, indent=2).encode()


def measure(directory: Path, *, poll: bool) -> None:
    """Watch FILES files and print the figures."""
    for number in range(FILES):
        (directory / f"batch_state_{number}.json").write_bytes(batch(number, 0))
    seen = Seen()
    watcher = Watcher(scope_of([directory], directory, directory, {}), on_picture=seen, poll=poll)
    begun = time.perf_counter()
    watcher.start()
    seen.wait(FILES)
    first = time.perf_counter() - begun
    try:
        time.sleep(1.5)
        latencies = list(_latencies(directory, seen))
        time.sleep(6.0)
        idle = _cpu(IDLE_SECONDS)
        mode = watcher.picture.watching
    finally:
        begun = time.perf_counter()
        watcher.stop()
        stopped = time.perf_counter() - begun
    latencies.sort()
    print(f"{mode.mode} {mode.reason}".rstrip())
    print(f"  first picture of {FILES} files   {first * 1e3:7.1f} ms")
    print(f"  rename to picture, median     {statistics.median(latencies) * 1e3:7.1f} ms")
    print(f"  rename to picture, p95        {latencies[int(len(latencies) * 0.95)] * 1e3:7.1f} ms")
    print(f"  rename to picture, worst      {latencies[-1] * 1e3:7.1f} ms")
    print(f"  CPU while nothing happens     {idle * 100:7.2f} %")
    print(f"  stop                          {stopped * 1e3:7.1f} ms")


def _latencies(directory: Path, seen: Seen) -> list[float]:
    chance = random.Random(1)
    found = []
    for step in range(1, CHANGES + 1):
        time.sleep(0.02 + chance.random() * 0.08)
        number = chance.randrange(FILES)
        temporary = directory / f".batch_state_{number}.tmp"
        temporary.write_bytes(batch(number, step))
        before = len(seen.at)
        begun = time.perf_counter()
        temporary.replace(directory / f"batch_state_{number}.json")
        seen.wait(before + 1)
        found.append(max(seen.at.values()) - begun)
    return found


def _cpu(seconds: float) -> float:
    """Return the share of one CPU that this process takes while it sleeps."""
    before = time.process_time()
    begun = time.perf_counter()
    time.sleep(seconds)
    return (time.process_time() - before) / (time.perf_counter() - begun)


def main() -> None:
    """Measure with notification, then by polling."""
    for poll in (False, True):
        with tempfile.TemporaryDirectory() as directory:
            measure(Path(directory), poll=poll)


if __name__ == "__main__":
    main()

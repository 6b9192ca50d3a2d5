"""What it takes to look at many small files at once: the sample, its broken files included.

`python -m tests.benchmarks.bench_sample [DIRECTORY]`, by default the copy of the sample in the tests. Measured beside a
bare `json.loads` of the same files. A file that was broken a moment ago is looked at again, so they must not be new.
"""

import contextlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from statewatch.watch.scope import scope_of
from statewatch.watch.sweep import COARSE
from statewatch.watch.watcher import look
from tests.benchmarks.bench_stores import judged
from tests.support import SAMPLE

ROUNDS, MORE = 9, 150


def bare(paths: list[Path]) -> None:
    """Parse every file that can be parsed, and do nothing with it."""
    for path in paths:
        with contextlib.suppress(ValueError, RecursionError):
            json.loads(path.read_bytes())


def usually(call: Callable[[], object]) -> float:
    """Return the median of the milliseconds of a call."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(taken)


def main() -> None:
    """Print what a look at the directory and at each file by its name takes."""
    place = Path(sys.argv[1]) if sys.argv[1:] else SAMPLE
    paths = sorted(path for path in place.rglob("*") if path.is_file())
    newest = max(path.stat().st_ctime for path in paths)
    time.sleep(max(0.0, newest + COARSE + 1 - time.time()))
    least = usually(lambda: bare(paths))
    print(
        f"{len(paths)} files, {sum(path.stat().st_size for path in paths):,} bytes; json.loads of all: {least:.1f} ms"
    )
    named = scope_of([str(path) for path in paths])
    judged("each file named, more than that", usually(lambda: look(named)) - least, MORE, " ms")
    whole = scope_of([str(place)])
    seen = len(look(whole).sources)
    judged(f"the directory, {seen} sources, more than that", usually(lambda: look(whole)) - least, MORE, " ms")


if __name__ == "__main__":
    main()

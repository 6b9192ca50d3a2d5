"""What the lock of a source costs when it is free, and how long one waits when it is not.

`python -m tests.benchmarks.bench_lock`. Everything is compared with a bare flock in the same run: trust the ratios.
"""

import fcntl
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from statewatch.core.errors import LockedError
from statewatch.core.lock import locked

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

WRITERS = 8
HOLD = 0.0005
"""Seconds for which a writer holds the lock, busily; then it wants it again at once."""
SECONDS = 1.0
ROUNDS = 5
LONG = 3.0
"""Seconds for which the lock is held while others wait, and what they use of the processors is measured."""

Way: TypeAlias = Callable[[Path], AbstractContextManager[None]]
_FORK = multiprocessing.get_context("fork")


def take(lock_file: str) -> int:
    """Take a flock on a file, verified to be the one on disk: the least that anybody can do."""
    while True:
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        held, there = os.fstat(descriptor), os.stat(lock_file)  # noqa: PTH116 - the quick way, to be fair
        if held.st_ino == there.st_ino and held.st_dev == there.st_dev:
            return descriptor
        os.close(descriptor)


@contextmanager
def flocked(path: Path) -> Iterator[None]:
    """Hold a plain flock."""
    descriptor = take(f"{path}.lock")
    try:
        yield
    finally:
        os.close(descriptor)


WAYS: dict[str, Way] = {"flock": flocked, "ours": partial(locked, operation="bench", timeout=60)}


@dataclass(frozen=True)
class Turns:
    """How often the lock went round in a second, the longest anybody waited for it, and the fewest turns of a writer.

    `beyond` is what the writers used of the processors, in cores, beside the time for which they held the lock.
    """

    rate: float
    worst: float
    fewest: float
    beyond: float


def judged(value: float, goal: float, *, at_least: bool = False) -> str:
    """Say a goal, and whether it was met."""
    is_met = value >= goal if at_least else value <= goal
    return f"  goal {'≥' if at_least else '≤'} {goal:g}  {'met' if is_met else 'MISSED'}"


def free_lock(directory: Path) -> None:
    """Print what the lock costs while nobody else wants it."""
    path = directory / "state.json"
    path.touch()
    lock_file = f"{path}.lock"

    def bare() -> None:
        os.close(take(lock_file))

    def ours() -> None:
        with locked(path, "bench"):
            pass

    samples: dict[Callable[[], None], list[float]] = {bare: [], ours: []}
    for _ in range(100):
        for work, taken in samples.items():
            begun = time.perf_counter()
            for _ in range(100):
                work()
            taken.append((time.perf_counter() - begun) / 100)
    plain, full = (statistics.median(taken) for taken in samples.values())
    print("nobody else wants it")
    print(f"  bare flock                      {plain * 1e6:8.1f} us   open, flock, compare the inode, close")
    print(
        f"  ours                            {full * 1e6:8.1f} us   {full / plain:5.2f} x bare{judged(full / plain, 2)}"
    )


def write(way: Way, path: Path, begin: float, done: "Queue[tuple[int, float, float]]") -> None:
    """Take the lock again and again; report the turns, the longest wait, and the processor time beside the holding."""
    time.sleep(max(0.0, begin - time.monotonic()))
    used, turns, worst = time.process_time(), 0, 0.0
    while (asked := time.monotonic()) < begin + SECONDS:
        with way(path):
            entered = time.monotonic()
            while time.monotonic() < entered + HOLD:
                pass
        worst = max(worst, entered - asked)
        turns += 1
    done.put((turns, worst, time.process_time() - used - turns * HOLD))


def crowd(way: Way, path: Path) -> Turns:
    """Let all writers want the lock at once."""
    done: Queue[tuple[int, float, float]] = _FORK.Queue()
    begin = time.monotonic() + 0.1
    writers = [_FORK.Process(target=write, args=(way, path, begin, done)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    turns, worst, beyond = zip(*(done.get() for _ in writers), strict=True)
    for writer in writers:
        writer.join()
    return Turns(sum(turns) / SECONDS, max(worst), min(turns) / SECONDS, sum(beyond) / SECONDS)


def crowded_lock(directory: Path) -> None:
    """Print how long writers wait for each other."""
    found: dict[str, list[Turns]] = {name: [] for name in WAYS}
    for number in range(ROUNDS):
        for name, way in WAYS.items():
            found[name].append(crowd(way, directory / f"{name}-{number}.json"))
    print(f"{WRITERS} writers want it all the time, each for {HOLD * 1e3:g} ms; medians of {ROUNDS} rounds")
    print("  way        turns/s   fewest of one   longest wait   processors beside the holding")
    median: dict[str, Turns] = {}
    for name, rounds in found.items():
        each = ([getattr(turns, field) for turns in rounds] for field in ("rate", "worst", "fewest", "beyond"))
        median[name] = of = Turns(*map(statistics.median, each))
        print(f"  {name:8} {of.rate:9.0f} {of.fewest:15.0f} {of.worst * 1e3:11.1f} ms   {of.beyond:20.2f} cores")
    bare, ours = median["flock"], median["ours"]
    print(f"  longest wait, ours ÷ flock      {ours.worst / bare.worst:8.3f}{judged(ours.worst / bare.worst, 0.5)}")
    rate = ours.rate / bare.rate
    print(f"  turns a second, ours ÷ flock    {rate:8.3f}{judged(rate, 0.8, at_least=True)}")


def wait(path: Path, done: "Queue[float]") -> None:
    """Wait for the lock in vain; report what that took of a core."""
    begun, used = time.monotonic(), time.process_time()
    try:
        with locked(path, "bench", timeout=LONG):
            raise AssertionError("nobody held it")
    except LockedError:
        done.put((time.process_time() - used) / (time.monotonic() - begun))


def held_lock(directory: Path) -> None:
    """Print what those use who wait for one who does not let go."""
    path = directory / "held.json"
    done: Queue[float] = _FORK.Queue()
    with locked(path, "bench"):
        waiters = [_FORK.Process(target=wait, args=(path, done)) for _ in range(WRITERS)]
        for waiter in waiters:
            waiter.start()
        shares = [done.get() for _ in waiters]
        for waiter in waiters:
            waiter.join()
    worst = max(shares) * 100
    print(f"{WRITERS} wait for {LONG:g} s for one who does not let go")
    print(f"  a waiter takes of one core      {worst:8.2f} %{judged(worst, 1)}")


def main() -> None:
    """Run all."""
    with tempfile.TemporaryDirectory() as name:
        free_lock(Path(name))
        crowded_lock(Path(name))
        held_lock(Path(name))


if __name__ == "__main__":
    main()

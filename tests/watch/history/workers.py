"""Processes that record: `python -m tests.watch.history.workers WHAT HISTORY …`. What they say is one line each."""

import json
import random
import resource
import sys
import threading
import time
from pathlib import Path

from statewatch.watch.history.recorder import Recorder
from statewatch.watch.history.store import History

SOURCE = "/project/.claude/state.json"


def version(number: int) -> bytes:
    """Return a version that differs from all others."""
    return json.dumps({"number": number, "filler": ["text that stays as it is"] * 200}).encode()


def together(path: Path, count: int, seed: int) -> None:
    """Record what several see, each at its own pace, and something that only this one sees."""
    chance = random.Random(seed)
    print("ready", flush=True)
    sys.stdin.readline()
    with History.open(path, repair=True) as history:
        for number in range(count):
            # The first look at a revision is some time after it was written.
            seen_at = number / 10 + seed / 1000
            history.record(SOURCE, version(number), at=number / 10, seen_at=seen_at)
            history.record(f"{SOURCE}.{seed}", version(number), at=number / 10, seen_at=seen_at)
            if chance.random() < 0.1:
                history.prune(0.0)
    print("done", flush=True)


def endless(path: Path) -> None:
    """Record until killed, and say which versions are safe."""
    with History.open(path) as history:
        number = int(time.time() * 1000)
        while True:
            number += 1
            entry = history.record(SOURCE, version(number), at=0.0, seen_at=float(number))
            print(number if entry is not None else "none", flush=True)


def full(path: Path, limit: int) -> None:
    """Record until the disk takes no more, then make room, and see that recording goes on."""
    told: list[str] = []
    news = threading.Condition()

    def tell(text: str) -> None:
        with news:
            told.append(text)
            news.notify_all()

    History.open(path).close()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    recorder = Recorder(path, tell=tell, retry=0.05)
    recorder.start()
    chance = random.Random(1)
    longest = number = 0.0
    data = b""
    while not told:
        number += 1
        data = chance.randbytes(20_000)
        begun = time.perf_counter()
        recorder.take(SOURCE, data, number, number)
        longest = max(longest, time.perf_counter() - begun)
        recorder.wait(0.01)
    for _ in range(100):
        number += 1
        data = chance.randbytes(20_000)
        recorder.take(SOURCE, data, number, number)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    with news:
        news.wait_for(lambda: len(told) > 1, 20)
    recorder.wait(20)
    recorder.stop()
    with History.open(path) as history:
        newest = history.newest(SOURCE)
        kept = newest is not None and history.data(newest) == data
        count = len(history.entries(SOURCE)) + sum(entry.dropped for entry in history.entries(SOURCE))
    print(json.dumps({"told": told, "newest": kept, "accounted": count == number, "longest": longest}))


if __name__ == "__main__":
    what, place, *rest = sys.argv[1:]
    {"together": together, "endless": endless, "full": full}[what](Path(place), *map(int, rest))  # type: ignore[operator]

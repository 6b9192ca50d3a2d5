"""What the stores cost beside a bare loop, and whether anything is lost when many write at once.

`python -m tests.benchmarks.bench_stores`. Trust the ratios, not the milliseconds.
"""

import contextlib
import fcntl
import multiprocessing
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path

import orjson

from statewatch.core.migration import migrate
from statewatch.core.stores.base import Checkpoint, Store
from statewatch.core.stores.file import FileStore
from statewatch.core.stores.transaction import Transaction
from statewatch.core.stores.urls import open_store, with_namespace
from statewatch.documents.values import JSON
from tests.benchmarks.bench_core import medians
from tests.servers import PostgresServer, RedisServer

WRITERS, INCREMENTS, BURSTS = 8, 200, 25
MANY = 100_000


def judged(text: str, value: float, goal: float, unit: str = "", *, at_least: bool = False) -> None:
    """Print a figure beside its goal."""
    met = value >= goal if at_least else value <= goal
    sign = "≥" if at_least else "≤"
    print(f"  {text:58} {value:10.2f}{unit}   goal {sign} {goal:g}{unit}: {'met' if met else 'MISSED'}")


def ten_kilobytes() -> dict[str, JSON]:
    """Return a document of 10 KB in the indented form."""
    return {f"key{n}": {"name": f"item {n}", "n": n, "tags": ["a", "b", "c"], "ok": True} for n in range(85)}


def bare_save(directory: Path, document: dict[str, JSON]) -> Callable[[int], None]:
    """Return what nobody can do without: lock, serialise, write in full, sync, replace, sync the directory."""
    lock = os.open(directory / "bare.lock", os.O_CREAT | os.O_RDWR, 0o600)
    target, temporary = str(directory / "bare.json"), str(directory / "bare.tmp")

    def save(number: int) -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        document["n"] = number
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(descriptor, orjson.dumps(document, option=orjson.OPT_INDENT_2))
        os.fsync(descriptor)
        os.close(descriptor)
        os.replace(temporary, target)  # noqa: PTH105
        descriptor = os.open(directory, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        fcntl.flock(lock, fcntl.LOCK_UN)

    return save


def saves(directory: Path) -> None:
    """Print what a save costs beside the bare loop."""
    document = ten_kilobytes()
    path = directory / "ours.json"
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    store = FileStore(path)
    bare = bare_save(directory, document)
    ratios = []
    for _ in range(5):
        ours, plain = medians(lambda number: store.save("n", number), bare, rounds=300)
        ratios.append(plain / ours)
    size = path.stat().st_size // 1000
    print(f"saving one key of a document of {size} KB ({ours * 1e6:.0f} µs, bare {plain * 1e6:.0f})")
    judged("rate, beside flock + orjson + fsync + replace + fsync", statistics.median(ratios), 0.85, at_least=True)


def _loaded(place: Store | str, _round: int) -> JSON:
    return (open_store(place) if isinstance(place, str) else place).load("k7")


def _filled(values: dict[str, JSON], transaction: Transaction) -> None:
    transaction.save_all(values)


def loads(url: str) -> None:
    """Print what a load costs that has been made before, and one after the store was opened anew."""
    for size in (10, 1_000, 20_000):
        place = with_namespace(url, f"load-{size}")
        values: dict[str, JSON] = {f"k{n}": {"n": n} for n in range(size)}
        open_store(place).transact(partial(_filled, values))
        store = open_store(place)
        (fresh,) = medians(partial(_loaded, place), rounds=20)
        (cached,) = medians(partial(_loaded, store), rounds=2_000)
        judged(f"cached load of one of {size} keys", cached * 1e6, 10, " µs")
        judged("  as often as fast as one that is not cached", fresh / cached, 10, " x", at_least=True)


def listing(url: str) -> None:
    """Print what it costs to list 1,000 checkpoints of 10 KB."""
    store = open_store(with_namespace(url, "listing"))
    document = ten_kilobytes()
    for number in range(1_000):
        store.put_checkpoint(Checkpoint(f"c{number:04}", 1.8e9 + number), document)
    assert len(store.checkpoints()) == 1_000
    (taken,) = medians(lambda _: len(store.checkpoints()), rounds=30)
    judged("listing 1,000 checkpoints of 10 KB", taken * 1e3, 5, " ms")


def moving(source: Store, target: Store) -> None:
    """Print how long a migration takes."""
    begun = time.perf_counter()
    moved = migrate(source, target)
    assert moved.keys == MANY
    judged(f"moving {MANY:,} keys and 3 checkpoints, in minutes", (time.perf_counter() - begun) / 60, 5, "")


def _increment(url: str, key: str, times: int) -> None:
    store = open_store(url, timeout=60)
    for _ in range(times):
        store.update(key, lambda n: (n if isinstance(n, int) else 0) + 1, 0)


def _mixed(url: str, name: str) -> None:
    """Increment one key from two threads and a key of this process's own."""
    threads = [threading.Thread(target=_increment, args=(url, "shared", INCREMENTS // 2)) for _ in range(2)]
    for thread in threads:
        thread.start()
    _increment(url, name, INCREMENTS)
    for thread in threads:
        thread.join()


def _burst(url: str, number: int, gate: Barrier) -> None:
    gate.wait()
    for burst in range(BURSTS):
        gate.wait()
        store = open_store(with_namespace(url, f"burst-{burst}"), timeout=60)

        def body(transaction: Transaction) -> None:
            found = transaction.load("n", 0)
            assert isinstance(found, int)
            transaction.save("n", found + 1)
            transaction.save(f"by-{number}", 1)

        store.transact(body)


def together(url: str) -> None:
    """Print whether every increment of 8 processes with 3 threads each has arrived, and every one of 25 cold bursts."""
    spawn = multiprocessing.get_context("spawn")
    begun = time.perf_counter()
    workers = [spawn.Process(target=_mixed, args=(with_namespace(url, "together"), f"own-{n}")) for n in range(WRITERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    taken = time.perf_counter() - begun
    document = open_store(with_namespace(url, "together")).snapshot().document
    assert isinstance(document, dict)
    wanted = {"shared": WRITERS * (INCREMENTS // 2) * 2, **{f"own-{n}": INCREMENTS for n in range(WRITERS)}}
    lost = sum(wanted.values()) - sum(n for n in document.values() if isinstance(n, int))
    judged(f"increments lost of {sum(wanted.values())} ({taken:.1f} s)", lost, 0)
    assert document == wanted

    gate = spawn.Barrier(WRITERS)
    workers = [spawn.Process(target=_burst, args=(url, n, gate)) for n in range(WRITERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    counts = [open_store(with_namespace(url, f"burst-{n}")).load("n", 0) for n in range(BURSTS)]
    judged(
        f"lost in {BURSTS} cold bursts of {WRITERS}", BURSTS * WRITERS - sum(n for n in counts if isinstance(n, int)), 0
    )


@contextlib.contextmanager
def places() -> Iterator[dict[str, str]]:
    """Hold a place for each kind of store."""
    directory = Path(tempfile.mkdtemp(dir=Path.cwd()))  # not a tmpfs: what counts here are real disks
    os.environ["STATEWATCH_STATE_DIR"] = str(directory / "statewatch")
    try:
        with RedisServer() as redis, PostgresServer() as postgres:
            yield {
                "json": f"json:{directory}/json",
                "sqlite": f"sqlite:{directory}/sqlite",
                "redis": redis.url,
                "postgres": postgres.url,
                "directory": str(directory),
            }
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Print every figure."""
    with places() as place:
        directory = Path(place.pop("directory"))
        saves(directory)
        for name, url in place.items():
            print(f"{name}")
            together(url)
            if name in ("json", "sqlite"):
                loads(url)
            listing(url)
        print("migration")
        before = open_store(with_namespace(place["json"], "many"))
        before.transact(lambda t: t.save_all({f"key-{n}": {"n": n, "text": f"value {n}"} for n in range(MANY)}))
        for number in range(3):
            before.checkpoint(f"c{number}")
        for name in ("sqlite", "redis", "postgres", "json"):
            after = open_store(with_namespace(place[name], "moved"))
            print(f"to {name}")
            moving(before, after)
            before = after


if __name__ == "__main__":
    main()

"""What a batch of many items costs: to show, to mark an item of, and to run a command for each item.

`python -m tests.benchmarks.bench_batch [DIRECTORY]`. Marking is measured beside an atomic write of the same bytes as
safely, and a run beside `xargs -P`. Trust the ratios, not the milliseconds.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from statewatch.core.batch_work import BatchWork
from statewatch.kinds import batch, batch_marks
from statewatch.managers.batch_state import BatchStateManager
from statewatch.tui.models.build import Ask, build
from statewatch.watch.scope import scope_of
from statewatch.watch.watcher import look
from tests.benchmarks.bench_circuits import bare
from tests.benchmarks.bench_stores import judged
from tests.support import watching

ITEMS, MARKS = 20_000, 25
RUN_ITEMS, PARALLEL = 1_000, 8
REST, SHORT_REST = 2.5, 0.3


def many(title: str) -> dict[str, Any]:
    """Return a batch of many items, half of them done and committed, as its tools write it."""
    begun = datetime(2026, 11, 15, 9, tzinfo=UTC)
    done = ITEMS // 2
    at = [f"{begun + timedelta(seconds=7.31 * number):%Y-%m-%dT%H:%M:%S.%fZ}" for number in range(done + 200)]
    return {
        "batch_id": "batch-20261115-090000-369009",
        "features_file": "",
        "total_features": ITEMS,
        "features": [f"{title} {number}" for number in range(ITEMS)],
        "current_index": done,
        "completed_features": list(range(done)),
        "failed_features": [
            {"feature_index": number, "error_message": "Tests failed: 3 failed, 118 passed", "timestamp": at[number]}
            for number in range(done, done + 200)
        ],
        "context_token_estimate": 87_453,
        "status": "in_progress",
        "created_at": at[0],
        "updated_at": at[-1],
        "retry_attempts": {},
        "git_operations": {
            str(number): {"commit": {"success": True, "timestamp": at[number], "sha": f"{number * 7919:010x}"}}
            for number in range(done)
        },
    }


def taken(call: Any) -> float:
    """Return the milliseconds of a call."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1e3


def showing(path: Path) -> None:
    """Print what it takes to look at the file and to make the view of it."""
    document = json.loads(path.read_bytes())
    print(f"  the view alone: {taken(lambda: batch.view(document)):.0f} ms")
    scope, waits = scope_of([str(path)]), []
    for number in range(5):  # another batch each time: of one that was seen before, little is looked at again
        path.write_text(json.dumps({**document, "batch_id": f"batch-{number}"}, indent=2))
        waits.append(taken(lambda: look(scope)))
    judged("read, parsed and shown", statistics.median(waits), 200, " ms")


def marking(path: Path) -> None:
    """Print what marking an item costs: for who works on the file, and for who comes to it for one mark."""
    manager = BatchStateManager.load(path)
    manager.mark_completed(ITEMS - 1)
    mine, least, once = [], [], []
    for number in range(MARKS):
        index = ITEMS // 2 + 1_000 + number
        mine.append(taken(lambda index=index: manager.mark_completed(index)))
        data = path.read_bytes()
        least.append(taken(lambda data=data: bare(path.with_name("least.json"), data)))
    for number in range(MARKS):
        index = ITEMS // 2 + 2_000 + number

        def alone(index: int = index) -> None:
            BatchWork(path).apply(lambda document, now: batch_marks.completed(document, index, now), "mark")

        once.append(taken(alone))
    floor = statistics.median(least)
    print(f"  {len(data):,} bytes: a bare atomic write takes {floor:.2f} ms")
    judged("marking one item by who is at work on it, times that", statistics.median(mine) / floor, 20, " x")
    judged("marking one item by who comes for that alone, times that", statistics.median(once) / floor, 20, " x")
    print(f"    {statistics.median(mine):.1f} ms and {statistics.median(once):.1f} ms")


def noticing(path: Path) -> None:
    """Print how long it takes until a mark is in the live picture, and the rows of the view after that.

    Of items that take a while, and of those that follow each other fast; each comes with its commit, as tools have it.
    """
    manager = BatchStateManager.load(path)
    manager.features  # noqa: B018 - read, as whoever works on it has
    index = ITEMS - 2
    with watching(scope_of([str(path)])) as watched:
        for called, rest in (("after a rest", REST), ("several a second", SHORT_REST)):
            waits, rows = [], []
            for _ in range(7):
                time.sleep(rest)  # what is written all the time may be looked at only now and then
                manager.mark_completed(index)
                marked = time.perf_counter()

                def is_shown(picture: Any, index: int = index) -> bool:
                    view = picture.sources[0].view
                    return bool(view is not None and view.items[index].outcome == batch.COMPLETED)

                picture = watched.until(is_shown, "the mark")
                waits.append((time.perf_counter() - marked) * 1e3)
                rows.append(taken(lambda picture=picture: build(Ask("batches", picture, time.time()))))
                manager.record_git(index, "commit", success=True, sha="15ceb3a10b")
                index -= 1
            judged(f"from the mark to the picture, {called}", statistics.median(waits), 100, " ms")
            print(f"    at most {max(waits):.1f} ms; to the rows of the view {statistics.median(rows):.1f} ms more")


def running(directory: Path) -> None:
    """Print what an item costs in a run, and beside it in `xargs`."""
    (directory / "ITEMS").write_text("".join(f"item-{number}\n" for number in range(RUN_ITEMS)))
    ours, theirs = [], []
    for turn in range(3):
        BatchStateManager.create(
            [f"item-{number}" for number in range(RUN_ITEMS)], state_file=directory / f"{turn}.json"
        )
        command = [sys.executable, "-m", "statewatch", "batch", "run", str(directory / f"{turn}.json")]
        ours.append(
            taken(lambda command=command: _quietly([*command, "-P", str(PARALLEL), "--", "/bin/true", "{item}"]))
        )
        words = ["xargs", "-a", str(directory / "ITEMS"), "-P", str(PARALLEL), "-n", "1", "/bin/true"]
        theirs.append(taken(lambda words=words: _quietly(words)))
    start = statistics.median(
        taken(lambda: _quietly([sys.executable, "-m", "statewatch", "batch", "--help"])) for _ in range(3)
    )
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(
        f"  {RUN_ITEMS} × /bin/true, {PARALLEL} at once: {mine / RUN_ITEMS:.2f} ms an item, "
        f"xargs {other / RUN_ITEMS:.2f} ms"
    )
    print(f"    of ours {start:.0f} ms are the start of the program; {(mine - other) / RUN_ITEMS:.2f} ms an item more")


def _quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    """Print every figure."""
    place = Path(sys.argv[1]) if sys.argv[1:] else Path.cwd()
    directory = Path(tempfile.mkdtemp(dir=place))
    os.environ["STATEWATCH_STATE_DIR"] = str(directory / "statewatch")
    try:
        for title in ("Refactor the module of orders", "Übersetze die Anleitung 日本"):
            path = directory / "batch_state.json"
            path.write_text(json.dumps(many(title), indent=2))
            print(f"{ITEMS:,} items called {title!r} …")
            showing(path)
            marking(path)
            noticing(path)
        running(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()

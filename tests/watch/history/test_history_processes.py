"""Several processes on one history, and processes that are killed: real ones."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from statewatch.watch.history.store import History
from tests.support import PATIENCE
from tests.watch.history.workers import SOURCE, version

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def worker(*args: object) -> Iterator["subprocess.Popen[str]"]:
    """Run a worker; it is gone afterwards."""
    command = [sys.executable, "-m", "tests.watch.history.workers", *map(str, args)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_four_recorders_of_one_history_make_one_entry_of_each_revision(tmp_path: Path) -> None:
    path, count = tmp_path / "history.db", 60
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(worker("together", path, count, seed)) for seed in range(4)]
        assert [said(process) for process in processes] == ["ready"] * 4
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [said(process) for process in processes] == ["done"] * 4
    with History.open(path, create=False) as history:
        for name in (SOURCE, *(f"{SOURCE}.{seed}" for seed in range(4))):
            entries = history.entries(name)[::-1]
            assert [history.data(entry) for entry in entries] == [version(number) for number in range(count)]
            assert all(entry.before == earlier.digest for earlier, entry in itertools.pairwise(entries))


def test_a_recorder_that_is_killed_loses_at_most_the_last_version(tmp_path: Path) -> None:
    """It says which versions are recorded; after each kill all of those are there, and exact."""
    path = tmp_path / "history.db"
    safe: list[int] = []
    for round_ in range(8):
        with worker("endless", path) as process:
            for _ in range(3 + 7 * round_):
                safe.append(int(said(process)))
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            late = process.stdout.read().split("\n")[:-1]  # a line that was cut short says nothing
            safe += map(int, late)
            process.wait(PATIENCE)
        with History.open(path, create=False) as history:
            entries = history.entries(SOURCE)
            found = {json.loads(history.data(entry))["number"] for entry in entries}
        assert set(safe) <= found
        assert len(found - set(safe)) <= round_ + 1, "one that was recorded and not yet said, each time"


def test_a_full_disk_pauses_the_recording_once_and_what_was_newest_is_recorded_when_there_is_room(
    tmp_path: Path,
) -> None:
    with worker("full", tmp_path / "history.db", 400_000) as process:
        result = json.loads(said(process))
    paused, goes_on = result["told"]
    assert "Recording pauses" in paused
    assert "disk" in paused
    assert goes_on == "Recording goes on."
    assert result["newest"]
    assert result["accounted"], "each revision is recorded, or counted as dropped"
    assert result["longest"] < 0.5, "whoever watches does not wait for the disk"


def test_a_history_that_another_user_may_not_read_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "mine" / "history.db"
    previous = os.umask(0)
    try:
        History.open(path).close()
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700

"""Processes that take locks while a test looks on: `python -m tests.core.lockers WHAT PATH ARGUMENT…`."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from statewatch.core.errors import StatewatchError
from statewatch.core.lock import _Lock, holder, locked


def hold(path: Path) -> None:
    """Hold the lock until told to let go."""
    with locked(path, "a long operation"):
        print("held", flush=True)
        sys.stdin.readline()


def count(path: Path, times: str) -> None:
    """Add one to the number in a file, under the lock, so many times."""
    for _ in range(int(times)):
        with locked(path, "count", timeout=60):
            number = int(path.read_text() or 0)
            os.sched_yield()
            path.write_text(str(number + 1))


def contend(path: Path) -> None:
    """Try to get the lock for a moment, each time when told to, and say what came of it."""
    for _ in sys.stdin:
        try:
            with locked(path, "contend", timeout=0.05):
                pass
            print("in", flush=True)  # having let go, so that whoever reads this finds the lock free
        except StatewatchError as error:
            print(error, flush=True)


def queue(path: Path) -> None:
    """Wait for the lock as long as it takes."""
    with suppress(KeyboardInterrupt), locked(path, "queue", timeout=60):
        print("in", flush=True)


def turns(path: Path, times: str) -> None:
    """Take the lock again and again; say how many turns others had each time between wanting it and having it.

    The turns are the bytes of the file. Each takes so long that nobody has many while another process is not running.
    """
    print("ready", flush=True)
    sys.stdin.readline()
    overtaken = []
    for _ in range(int(times)):
        before = path.stat().st_size
        with locked(path, "turn", timeout=60):
            overtaken.append(path.stat().st_size - before)
            with path.open("ab") as turns_so_far:
                turns_so_far.write(b".")
            end = time.perf_counter() + 0.0003
            while time.perf_counter() < end:
                pass
    print(*overtaken, flush=True)


def parent(path: Path) -> None:
    """Hold the lock, with a child process that was made meanwhile and lives until its input ends."""
    with locked(path, "a long operation"):
        if os.fork() == 0:
            print("held", flush=True)
            sys.stdin.readline()
            print("the child lived", flush=True)
            os._exit(0)
        os.wait()


def family(path: Path) -> None:
    """Hold the lock while a child process leaves the block, and takes the lock of another file; say who holds what."""
    other = path.with_name("other.json")
    with ExitStack() as held:
        held.enter_context(locked(path, "hold"))
        child = os.fork()
        if child == 0:
            held.close()
            with locked(other, "hold", timeout=0):
                named = holder(other)
                print(named is not None and named.pid == os.getpid(), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        named = holder(path)
        print(named is not None and named.pid == os.getpid(), flush=True)


def lend(path: Path) -> None:
    """Hold the lock, and let a program have the open file, until its input ends."""
    with (mine := _Lock(path, "a long operation", timeout=0)):
        program = subprocess.Popen(["cat"], pass_fds=[mine._descriptor])
        print("held", flush=True)
        program.wait()


def stranger(path: Path, user: str, group: str) -> None:
    """Become another user, and contend."""
    os.setgroups([])
    os.setgid(int(group))
    os.setuid(int(user))
    os.umask(0o077)
    contend(path)


if __name__ == "__main__":
    what, path, *rest = sys.argv[1:]
    {each.__name__: each for each in (hold, count, contend, queue, turns, parent, family, lend, stranger)}[what](
        Path(path), *rest
    )

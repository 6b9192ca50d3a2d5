"""Waiting for a lock: one at a time, in the order of arrival, and nothing stays behind of those who give up."""

import fcntl
import os
import signal
import threading
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from statewatch.core import corridor
from statewatch.core.errors import LockedError
from statewatch.core.lock import holder, locked, sidecar
from tests.core.files import line, process, tell
from tests.support import open_files, until

locker = partial(process, module="lockers")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


@pytest.fixture
def flock_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be on a system that locks no bytes."""
    monkeypatch.setattr(corridor, "_GET", None)
    monkeypatch.setattr(corridor, "_SET", None)


def is_somebody_at(path: Path, door: int) -> bool:
    """Tell whether somebody stands at a door; the door 0 is the lock."""
    if corridor._GET is None:
        pytest.skip("this system has no locks on bytes that would keep the order")
    descriptor = os.open(sidecar(path), os.O_RDONLY)
    try:
        found: bytes = fcntl.fcntl(descriptor, corridor._GET, corridor._TAKE_DOOR[door])
    finally:
        os.close(descriptor)
    return int.from_bytes(found[:2], "little") != fcntl.F_UNLCK


def test_two_threads_exclude_each_other(path: Path) -> None:
    assert most_inside(path) == 1


@pytest.mark.usefixtures("flock_only")
def test_they_do_where_only_whole_files_can_be_locked(path: Path) -> None:
    assert most_inside(path) == 1
    with locked(path, "first"):
        who = holder(path)
        assert who is not None
        assert (who.pid, who.operation) == (os.getpid(), "first")
        with pytest.raises(LockedError, match=f"process {os.getpid()}: first"), locked(path, "second", timeout=0.05):
            pytest.fail("two are in")
    assert holder(path) is None


def most_inside(path: Path) -> int:
    """Return how many of four threads were inside at once, at the most."""
    inside = most = 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with locked(path, "work", timeout=60):
                inside += 1
                most = max(most, inside)
                os.sched_yield()
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return most


def test_threads_and_processes_exclude_each_other(path: Path) -> None:
    path.write_text("0")

    def work() -> None:
        for _ in range(100):
            with locked(path, "count", timeout=60):
                number = int(path.read_text())
                os.sched_yield()
                path.write_text(str(number + 1))

    threads = [threading.Thread(target=work) for _ in range(3)]
    with locker("count", path, 100) as one, locker("count", path, 100) as two, locker("count", path, 100) as three:
        for thread in threads:
            thread.start()
        assert [worker.wait(60) for worker in (one, two, three)] == [0, 0, 0]
        for thread in threads:
            thread.join()
    assert path.read_text() == "600"


def test_who_came_first_is_let_in_first_and_who_comes_back_at_once_comes_last(path: Path) -> None:
    entered: list[int] = []

    def wait(number: int) -> None:
        with locked(path, f"number {number}", timeout=60):
            entered.append(number)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(1, 9)]
    with locked(path, "number 0"):
        for number, thread in enumerate(threads, 1):
            thread.start()
            until(partial(is_somebody_at, path, number), f"number {number} in line")
        assert entered == []
    wait(9)
    for thread in threads:
        thread.join()
    assert entered == list(range(1, 10))


def test_nobody_starves_among_eight_who_want_it_all_the_time(path: Path) -> None:
    """Where the quickest takes it (a plain flock), one waits for a hundred turns of the others again and again."""
    path.touch()
    with ExitStack() as running:
        workers = [running.enter_context(locker("turns", path, 100)) for _ in range(8)]
        for worker in workers:
            assert line(worker) == "ready"
        for worker in workers:
            tell(worker)
        overtaken = [int(word) for worker in workers for word in line(worker).split()]
    assert len(overtaken) == path.stat().st_size == 800
    assert sum(turns > 64 for turns in overtaken) <= 4, "and these where a process was kept from running for so long"


def test_more_than_the_corridor_has_room_for_are_all_let_in(path: Path) -> None:
    entered: list[int] = []

    def work(number: int) -> None:
        with locked(path, f"number {number}", timeout=60):
            entered.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(corridor.DOORS + 8)]
    with locked(path, "first"):
        for thread in threads:
            thread.start()
        until(partial(is_somebody_at, path, corridor.DOORS), "the corridor full")
        assert entered == []
    for thread in threads:
        thread.join()
    assert sorted(entered) == list(range(len(threads)))


def test_of_one_who_gave_up_nothing_stays_behind(path: Path) -> None:
    with locked(path, "first"):
        opened = open_files()
        threads = threading.active_count()
        with pytest.raises(LockedError), locked(path, "second", timeout=0.02):
            pytest.fail("two are in")
        assert not any(is_somebody_at(path, door) for door in range(1, corridor.DOORS + 1))
        assert threading.active_count() == threads
        assert open_files() == opened


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_one_who_is_ended_while_waiting_makes_room_for_those_behind(path: Path, how: signal.Signals) -> None:
    with locker("queue", path) as impatient, locker("queue", path) as patient:
        with locked(path, "first"):
            until(partial(is_somebody_at, path, 2), "both in line")
            impatient.send_signal(how)
            impatient.wait(10)
            until(lambda: not is_somebody_at(path, 2), "the other one, a door further")
        assert line(patient) == "in"
        assert patient.wait(10) == 0
    assert holder(path) is None


def test_the_system_itself_says_which_process_holds_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in the sidecar is of one who held it before: on a full disk a new holder cannot write its own."""
    with locker("hold", path) as worker:
        assert line(worker) == "held"

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    if corridor._GET is None:
        pytest.skip("this system does not say it")
    monkeypatch.setattr(os, "pwrite", full)
    with locked(path, "mine"):
        assert b"a long operation" in sidecar(path).read_bytes()
        assert str(holder(path)) == f"process {os.getpid()}, which says no more"

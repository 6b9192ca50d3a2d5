"""The lock on a source: threads and processes exclude each other, the dead hold nothing, and it says who holds it."""

import os
import signal
import threading
from pathlib import Path

import pytest

from statewatch.core.errors import LockedError, RefusedError
from statewatch.core.lock import holder, locked, sidecar
from tests.core.files import line, process, tell
from tests.support import until


def test_two_threads_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    inside = 0
    most = 0
    rounds = 50

    def work() -> None:
        nonlocal inside, most
        for _ in range(rounds):
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
    assert most == 1


def test_processes_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "counter"
    path.write_text("0")
    with process("count", path, 100) as one, process("count", path, 100) as two, process("count", path, 100) as three:
        assert [worker.wait(60) for worker in (one, two, three)] == [0, 0, 0]
    assert path.read_text() == "300"


def test_who_waits_too_long_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with process("hold", path) as worker:
        assert line(worker) == "held"
        with pytest.raises(LockedError) as caught, locked(path, "mine", timeout=0.05):
            pytest.fail("two are in")
        message = str(caught.value)
        assert f"process {worker.pid}: a long operation, since 20" in message
        assert "locked for more than 0.05 s" in message
        who = holder(path)
        assert who is not None
        assert (who.pid, who.operation) == (worker.pid, "a long operation")
        tell(worker)
        worker.wait(10)
    assert holder(path) is None
    with locked(path, "mine", timeout=0):
        who = holder(path)
        assert who is not None
        assert who.pid == os.getpid()


def test_a_holder_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with process("hold", path) as worker:
        assert line(worker) == "held"
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
        assert sidecar(path).read_bytes(), "what it said of itself is still there"
        assert holder(path) is None, "but nobody takes it for the holder"
        with locked(path, "mine", timeout=0):
            pass


def test_a_child_process_made_meanwhile_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with process("contend", path) as worker:
        with locked(path, "mine"):
            ready, done = os.pipe(), os.pipe()
            child = os.fork()
            if child == 0:  # it inherits the lock's open file, and lives on
                os.write(ready[1], b".")
                os.read(done[0], 1)
                os._exit(0)
            os.read(ready[0], 1)
        try:
            tell(worker)
            assert line(worker) == "in"
        finally:
            os.write(done[1], b".")
            os.waitpid(child, 0)
            for end in (*ready, *done):
                os.close(end)


def test_an_error_inside_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with pytest.raises(KeyError), locked(path, "mine"):
        raise KeyError
    with locked(path, "mine", timeout=0):
        pass


def test_who_waited_for_a_sidecar_that_was_deleted_takes_the_new_one(tmp_path: Path) -> None:
    """Whoever opened the old file and got its lock must not be let in beside one who holds the new file."""
    path = tmp_path / "state.json"
    arrived, inside = threading.Event(), threading.Event()
    leave = threading.Event()

    def waiter() -> None:
        arrived.set()
        with locked(path, "wait", timeout=30):
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=waiter)
    with locked(path, "first"):
        thread.start()
        arrived.wait(30)
        sidecar(path).unlink()
    inside.wait(30)
    with pytest.raises(LockedError), locked(path, "third", timeout=0):
        pytest.fail("two are in")
    leave.set()
    thread.join()


def test_a_link_in_place_of_the_sidecar_is_refused_and_what_it_leads_to_is_left_alone(tmp_path: Path) -> None:
    path, precious = tmp_path / "state.json", tmp_path / "precious"
    precious.write_text("keep me")
    sidecar(path).symlink_to(precious)
    with pytest.raises(RefusedError, match="no lock file can be made"), locked(path, "reset"):
        pytest.fail("it went through a link")
    sidecar(path).unlink()
    sidecar(path).hardlink_to(precious)
    with pytest.raises(RefusedError, match="not a lock file of statewatch"), locked(path, "reset"):
        pytest.fail("it wrote into another file")
    assert precious.read_text() == "keep me"


@pytest.mark.parametrize("odd", ["directory", "pipe"])
def test_anything_else_in_place_of_the_sidecar_is_refused(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "state.json"
    sidecar(path).mkdir() if odd == "directory" else os.mkfifo(sidecar(path))
    with pytest.raises(RefusedError, match="cannot reset"), locked(path, "reset"):
        pytest.fail("it locked something odd")
    assert holder(path) is None


def test_there_is_no_lock_where_there_is_no_directory(tmp_path: Path) -> None:
    with (
        pytest.raises(RefusedError, match="No such file or directory"),
        locked(tmp_path / "no" / "state.json", "reset"),
    ):
        pytest.fail("it locked nothing")


def test_what_a_holder_says_is_shown_harmless_and_damage_is_nobody(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with locked(path, "reset \x1b]0;x"):
        assert "␛]0;x" in str(holder(path))
        sidecar(path).write_text("{half a li")
        assert holder(path) is None


def test_the_sidecar_is_private_stays_and_names_nobody_when_free(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with locked(path, "reset"):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == [".state.json.statewatch-lock"]
    assert sidecar(path).stat().st_mode & 0o777 == 0o600
    assert sidecar(path).read_bytes() == b""


def test_the_waiting_end_together_when_the_holder_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    entered: list[int] = []

    def work(number: int) -> None:
        with locked(path, f"number {number}", timeout=30):
            entered.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    with locked(path, "first"):
        for thread in threads:
            thread.start()
        assert entered == []
    until(lambda: len(entered) == 8, "all eight")
    for thread in threads:
        thread.join()
    assert sorted(entered) == list(range(8))

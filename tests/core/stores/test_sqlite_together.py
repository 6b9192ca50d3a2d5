"""The SQLite store among other processes: foreign writers, forks, kills, full and read-only disks."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from statewatch.core.errors import LockedError, RefusedError, StatewatchError
from statewatch.core.stores.sqlite import SqliteStore
from tests.core.files import ROOT, line, process, tell
from tests.core.stores.sqlite_tool import Tool
from tests.support import lacking, until

ON_LINUX = sys.platform == "linux"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wf-1" / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(path, timeout=0.3) as store:
        yield store


def tool(*arguments: object) -> AbstractContextManager["subprocess.Popen[str]"]:
    """Run the program that does not know us."""
    return process(*arguments, module="stores.sqlite_tool")


# --- foreign writers


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_what_is_remembered_is_never_behind_what_another_process_has_committed(path: Path, journal: str) -> None:
    """It says each number after its commit, so no load that begins later may show a smaller one."""
    with tool("count", path, journal, 1_500) as worker, SqliteStore(path, timeout=30) as store:
        said = iter(lambda: line(worker), "")
        seen = int(next(said))
        committed = [seen]
        listening = threading.Thread(target=lambda: committed.extend(map(int, said)))
        listening.start()
        again = 0
        while committed[-1] < 1_499:
            before = committed[-1]
            loaded = store.load("count")
            assert isinstance(loaded, int)
            assert loaded >= max(before, seen)
            once_more = store.load("count")
            assert isinstance(once_more, int)
            assert once_more >= loaded
            again += loaded == once_more
            seen = once_more
        listening.join()
        assert store.load("count") == 1_499
        assert again, "nothing was ever loaded twice between two writes"


def test_a_foreign_writer_is_waited_for(store: SqliteStore, path: Path) -> None:
    patient = SqliteStore(path, timeout=30)
    with tool("hold", path, "BEGIN IMMEDIATE") as worker, ThreadPoolExecutor(1) as pool, patient:
        assert line(worker) == "held"
        saved = pool.submit(patient.save, "key", 1)
        until(lambda: bool(patient.holders()), "our lock")
        assert not saved.done()
        tell(worker)
        saved.result()
        assert store.load("key") == 1


@pytest.mark.parametrize(
    ("how", "journal"), [("BEGIN IMMEDIATE", "delete"), ("BEGIN IMMEDIATE", "wal"), ("BEGIN", "delete")]
)
def test_a_foreign_program_that_takes_too_long_is_named(store: SqliteStore, path: Path, how: str, journal: str) -> None:
    """Without a log, one that only reads is in the way of a commit too."""
    Tool(path, journal).close()
    with tool("hold", path, how) as worker:
        assert line(worker) == "held"
        begun = time.monotonic()
        with pytest.raises(LockedError, match=r"for more than 0\.3 s by .*takes no lock of statewatch") as caught:
            store.save("key", 1)
        assert 0.2 < time.monotonic() - begun < 5
        if ON_LINUX:
            assert f"process {worker.pid} (" in str(caught.value)
        assert store.keys() == []
        tell(worker)
        worker.wait()
    store.save("key", 2)
    assert store.load("key") == 2


def test_a_foreign_program_that_keeps_readers_out_is_named(store: SqliteStore, path: Path) -> None:
    Tool(path).close()
    with tool("hold", path, "BEGIN EXCLUSIVE") as worker:
        assert line(worker) == "held"
        with pytest.raises(LockedError, match=r"cannot read it.*0\.3 s"):
            store.load("key")
        with pytest.raises(LockedError):
            store.wait("", 0)


def test_what_a_killed_program_left_half_done_is_taken_back_by_the_next_reader(store: SqliteStore, path: Path) -> None:
    before = Tool(path)
    before.save("key", 1)
    before.close()
    with tool("die", path) as worker:
        worker.wait()
    assert Path(f"{path}-journal").stat().st_size > 0, "it was killed in the midst of it"
    assert store.snapshot().document == {"key": 1}
    assert not Path(f"{path}-journal").exists()


def test_a_wait_ends_when_a_foreign_program_writes(store: SqliteStore, path: Path) -> None:
    foreign = Tool(path)
    digest = store.snapshot().digest
    with ThreadPoolExecutor(1) as pool:
        changed = pool.submit(store.wait, digest, 30)
        foreign.save("key", 1)
        assert changed.result()
    assert not store.wait(store.snapshot().digest, 0.05)
    foreign.close()


def test_threads_that_come_and_go_leave_no_connections_behind(store: SqliteStore) -> None:
    store.save("key", 1)
    for _ in range(20):
        thread = threading.Thread(target=store.load, args=("key",))
        thread.start()
        thread.join()
    assert len(store._sessions._idle) == 1


def test_a_connection_that_is_in_use_while_the_store_is_closed_is_given_back(store: SqliteStore) -> None:
    store.save("key", 1)

    def body(transaction: Any) -> None:
        store.close()
        transaction.save("key", 2)

    store.transact(body)
    assert store.load("key") == 2


# --- forks


def in_child(work: Callable[[], object]) -> str:
    """Return what a child process made of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = str(work())
        except StatewatchError as error:
            said = str(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return said


@pytest.mark.skipif(not ON_LINUX, reason="only Linux lists locks")
def test_a_child_takes_locks_of_its_own(store: SqliteStore, path: Path) -> None:
    """SQLite would believe that the child has those of the parent, and another process would delete its log."""
    store.save("key", 1)
    assert store.load("key") == 1

    def look() -> bool:
        store.load("key")
        inode = path.stat().st_ino
        locks = [text.split() for text in Path("/proc/locks").read_text().splitlines()]
        return any(str(os.getpid()) in lock and lock[-3].endswith(f":{inode}") for lock in locks)

    assert in_child(look) == "True"
    assert in_child(look) == "True"
    assert look(), "and the parent has its own again"


def test_parent_and_children_write_in_turn(store: SqliteStore) -> None:
    store.save("count", 0)
    for number in range(5):
        assert in_child(lambda: store.update("count", lambda count: int(str(count)) + 1)) == str(number * 2 + 1)
        store.update("count", lambda count: int(str(count)) + 1)
    assert store.load("count") == 10


def test_a_child_born_in_a_transaction_is_kept_out_and_the_parent_goes_on(store: SqliteStore) -> None:
    store.save("key", 0)

    def body(transaction: Any) -> str:
        transaction.save("key", 1)
        return in_child(lambda: store.load("key"))

    assert "forked" in store.transact(body)
    assert store.load("key") == 1
    assert in_child(lambda: store.load("key")) == "1"


@pytest.mark.parametrize("is_new", [True, False])
def test_a_child_that_returns_from_the_body_commits_nothing(store: SqliteStore, *, is_new: bool) -> None:
    if not is_new:
        store.save("key", 0)

    def both() -> str:
        children: list[int] = []

        def body(transaction: Any) -> None:
            children.append(os.fork())
            transaction.save("key", transaction.load("key", 0) + 1)

        try:
            store.transact(body)
        except RefusedError as error:
            os._exit(7 if children == [0] and "forked inside a transaction" in str(error) else 1)
        return str(os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]))

    assert in_child(both) == "7"
    assert store.load("key") == 1
    store.save("key", 5)
    assert store.load("key") == 5


def test_a_fork_waits_for_what_other_threads_are_doing(store: SqliteStore) -> None:
    store.save("key", 1)
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            store.load("key")

    with ThreadPoolExecutor(2) as pool:
        reading = [pool.submit(read) for _ in range(2)]
        try:
            assert [in_child(lambda: store.load("key")) for _ in range(20)] == ["1"] * 20
        finally:
            stop.set()
        for each in reading:
            each.result()


# --- disks


def mounted(script: str, *arguments: object) -> str:
    """Run a shell script that may mount file systems for itself, and return what it says."""
    if shutil.which("unshare") is None:
        lacking("unshare is not there")
    python = [sys.executable, "-m", "tests.core.stores.sqlite_disk"]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", script, "sh", *map(str, arguments), *python],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        lacking("nothing may be mounted here")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    script = 'disk="$1"; shift; mount -t tmpfs -o size=2M tmpfs "$disk" || exit 77; "$@" full "$disk"'
    told = mounted(script, tmp_path).splitlines()
    assert told[0].startswith("RefusedError: sqlite:")
    assert "is full. Make room there. Nothing was changed." in told[0]
    assert told[1:] == ["the rest is there"]


@pytest.fixture
def left_open(tmp_path: Path) -> Path:
    """Return a directory with two namespaces: one closed in good order, one whose writer was killed, with its log."""
    for namespace in ("closed", "open"):
        with SqliteStore(tmp_path / "state", namespace) as store:
            store.save("key", namespace)
            store.checkpoint("one")
            if namespace == "open":
                shutil.copytree(store.path.parent, tmp_path / "killed")
    shutil.rmtree(tmp_path / "state" / "open")
    (tmp_path / "killed").rename(tmp_path / "state" / "open")
    return tmp_path / "state"


def test_a_read_only_disk_can_be_read(left_open: Path) -> None:
    script = (
        'disk="$1"; shift; mount --bind "$disk" "$disk" || exit 77; mount -o remount,ro,bind "$disk"; "$@" look "$disk"'
    )
    closed, refused, killed, refused_too = mounted(script, left_open).splitlines()
    assert closed == "{'key': 'closed'} closed ['one']"
    assert killed == "{'key': 'open'} open ['one']"
    assert refused.startswith("RefusedError:")
    assert refused_too.startswith("RefusedError:")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_a_user_who_may_only_read_is_told_why_the_log_is_in_the_way(left_open: Path, tmp_path: Path) -> None:
    for place in (left_open, *left_open.rglob("*"), *tmp_path.parents, tmp_path):
        place.chmod(place.stat().st_mode | 0o055)
    Tool(left_open / "plain" / "state.db").save("key", 1)

    def as_nobody() -> str:
        os.seteuid(65534)
        told = []
        for namespace in ("plain", "closed"):
            try:
                told.append(str(SqliteStore(left_open, namespace).load("key")))
            except StatewatchError as error:
                told.append(str(error))
        return "\n".join(told)

    plain, closed = in_child(as_nobody).splitlines()
    assert plain == "1"
    assert "write-ahead log" in closed
    assert "copy the database together with its -wal file" in closed


def test_an_error_of_the_disk_in_mid_commit_leaves_the_old_or_the_new(store: SqliteStore, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if (
        strace is None
        or subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True, check=False).returncode
    ):
        lacking("strace may not trace here")
    store.save("key", "old")
    script = (
        "import sys; from pathlib import Path; from statewatch.core.stores.sqlite import SqliteStore\n"
        "from tests.core.stores.sqlite_disk import told; print(told(SqliteStore(Path(sys.argv[1])), 'key', 'new'))"
    )
    inject = ["-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=1+"]
    done = subprocess.run(
        [strace, "-f", "-o", tmp_path / "log", *inject, sys.executable, "-c", script, store.path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "EIO" in (tmp_path / "log").read_text()
    assert done.stdout.startswith("UnknownOutcomeError: sqlite:"), done.stdout
    assert "in full or not at all" in done.stdout
    assert store.load("key") in ("old", "new")
    store.save("key", "newer")
    assert sqlite3.connect(store.path).execute("PRAGMA integrity_check").fetchall() == [("ok",)]

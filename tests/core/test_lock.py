"""The lock on a source: it says who holds it, the dead hold nothing, and everybody may use it who may use the file."""

import errno
import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from statewatch.core import lock
from statewatch.core.errors import LockedError, RefusedError
from statewatch.core.lock import holder, locked, sidecar
from tests.core.files import ROOT, command, line, process, tell
from tests.support import open_files

locker = partial(process, module="lockers")
NOBODY = 65534
LENT = 4242
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a file in a directory that other users can reach, as they cannot pytest's."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o777)
        yield directory / "state.json"


def test_who_waits_too_long_is_told_who_holds_it(path: Path) -> None:
    with locker("hold", path) as worker:
        assert line(worker) == "held"
        with pytest.raises(LockedError) as caught, locked(path, "mine", timeout=0.05):
            pytest.fail("two are in")
        message = str(caught.value)
        assert f" on {os.uname().nodename}, process {worker.pid}: a long operation, since 20" in message
        assert "locked for more than 0.05 s" in message
        assert "end that process" in message
        who = holder(path)
        assert who is not None
        assert (who.pid, who.operation, who.user) == (worker.pid, "a long operation", lock.user())
        tell(worker)
        worker.wait(10)
    assert holder(path) is None
    with locked(path, "mine", timeout=0):
        who = holder(path)
        assert who is not None
        assert who.pid == os.getpid()


def test_a_holder_that_is_killed_holds_nothing(path: Path) -> None:
    with locker("hold", path) as worker:
        assert line(worker) == "held"
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
        assert sidecar(path).read_bytes(), "what it said of itself is still there"
        assert holder(path) is None, "but nobody takes it for the holder"
        with locked(path, "mine", timeout=0):
            pass


def test_a_holder_that_is_killed_holds_nothing_though_a_child_of_it_lives(path: Path) -> None:
    with locker("parent", path) as worker:
        assert line(worker) == "held"
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
        assert holder(path) is None
        with locked(path, "mine", timeout=0):
            tell(worker)
            assert line(worker) == "the child lived"


def test_a_child_process_neither_frees_the_lock_of_its_parent_nor_says_it_is_its_parent(path: Path) -> None:
    with locker("family", path) as worker:
        assert [line(worker), line(worker)] == ["True", "True"]


def test_a_program_started_meanwhile_does_not_keep_the_lock(path: Path) -> None:
    with locker("contend", path) as worker:
        with locked(path, "mine"):
            program = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
            tell(worker)
            assert f"process {os.getpid()}: mine" in line(worker)
        tell(worker)
        assert line(worker) == "in"
        program.communicate()


def test_an_open_file_that_went_elsewhere_does_not_keep_the_lock(path: Path) -> None:
    """A library that makes a child process in C, say, or hands all open files to one."""
    with (mine := lock._Lock(path, "mine", timeout=0)):
        elsewhere = os.dup(mine._descriptor)
    with locked(path, "mine", timeout=0):
        os.close(elsewhere)


def test_an_error_inside_lets_go(path: Path) -> None:
    with pytest.raises(KeyError), locked(path, "mine"):
        raise KeyError
    with locked(path, "mine", timeout=0):
        pass
    assert not lock._in_use


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_who_waited_for_a_sidecar_that_is_gone_takes_the_new_one(path: Path, how: str) -> None:
    """Whoever opened the old file and got its lock must not be let in beside one who holds the new file."""
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
        if how == "deleted":
            sidecar(path).unlink()
        else:
            (new := path.with_name("new")).touch()
            new.rename(sidecar(path))
    inside.wait(30)
    with pytest.raises(LockedError, match="wait, since"), locked(path, "third", timeout=0):
        pytest.fail("two are in")
    leave.set()
    thread.join()


def test_a_sidecar_that_never_stays_is_not_waited_for_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = os.lstat

    def deleted(file: str) -> os.stat_result:
        Path(file).unlink()
        return genuine(file)

    monkeypatch.setattr(os, "lstat", deleted)
    with pytest.raises(RefusedError, match="something keeps deleting the lock file"), locked(path, "reset"):
        pytest.fail("it excludes nobody")


def test_a_link_in_place_of_the_sidecar_is_refused_and_what_it_leads_to_is_left_alone(path: Path) -> None:
    precious = path.with_name("precious")
    precious.write_text("keep me")
    sidecar(path).symlink_to(precious)
    assert_refused(path, "not a lock file of statewatch")
    sidecar(path).unlink()
    sidecar(path).hardlink_to(precious)
    assert_refused(path, "not a lock file of statewatch")
    sidecar(path).unlink()
    sidecar(path).symlink_to(path.with_name("nowhere"))
    assert_refused(path, "not a lock file of statewatch")
    assert precious.read_text() == "keep me"
    assert not path.with_name("nowhere").exists()


@pytest.mark.parametrize("odd", ["directory", "pipe"])
def test_anything_else_in_place_of_the_sidecar_is_refused(path: Path, odd: str) -> None:
    sidecar(path).mkdir() if odd == "directory" else os.mkfifo(sidecar(path))
    assert_refused(path, "not a lock file of statewatch")
    assert holder(path) is None


def test_there_is_no_lock_where_there_is_no_directory(path: Path) -> None:
    assert_refused(path / "state.json", "No such file or directory")


def assert_refused(path: Path, why: str) -> None:
    with pytest.raises(RefusedError, match=f"cannot reset: .*{why}"), locked(path, "reset"):
        pytest.fail("it was locked")


def test_what_a_holder_says_is_shown_harmless_and_damage_leaves_its_number(path: Path) -> None:
    with locked(path, "reset \x1b]0;x" + "x" * 5_000):
        shown = str(holder(path))
        assert "reset ␛]0;x" in shown
        assert len(shown) < 500
        for damage in (b"", b"{half a li", b"[" * 5_000, b'{"pid": "x"}', b"\xff\n"):
            sidecar(path).write_bytes(damage)
            said = str(holder(path))
            assert said in {f"process {os.getpid()}, which says no more", "a process that does not say who it is"}


def test_the_sidecar_stays_the_same(path: Path) -> None:
    seen = set()
    for _ in range(3):
        with locked(path, "reset"):
            seen.add(sidecar(path).stat().st_ino)
    assert [entry.name for entry in path.parent.iterdir()] == [".state.json.statewatch-lock"]
    assert seen == {sidecar(path).stat().st_ino}


@pytest.mark.parametrize(
    ("of", "mode", "expected"),
    [
        ("file", 0o600, 0o600),
        ("file", 0o644, 0o600),
        ("file", 0o664, 0o660),
        ("file", 0o666, 0o666),
        ("file", 0o640, 0o600),
        ("directory", 0o700, 0o600),
        ("directory", 0o755, 0o600),
        ("directory", 0o775, 0o660),
        ("directory", 0o777, 0o666),
        ("directory", 0o1777, 0o600),
    ],
)
def test_who_may_write_the_file_may_lock_it(path: Path, of: str, mode: int, expected: int) -> None:
    """Where there is no file yet these are those who may make it; in a sticky directory it will be its maker's."""
    if of == "file":
        path.touch()
        path.chmod(mode)
    else:
        path.parent.chmod(mode)
    before = os.umask(0o077)
    try:
        with locked(path, "reset"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE(sidecar(path).stat().st_mode) == expected


def test_a_link_in_place_of_the_file_says_nothing_about_who_may_lock(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    elsewhere.touch()
    elsewhere.chmod(0o666)
    path.symlink_to(elsewhere)
    path.parent.chmod(0o700)
    with locked(path, "reset"):
        pass
    assert stat.S_IMODE(sidecar(path).stat().st_mode) == 0o600


@needs_root
def test_another_user_of_the_file_can_lock_it_whoever_came_first(shared: Path) -> None:
    """The administrator's sidecar is the owner's, and a group's file is the group's to lock."""
    shared.touch()
    os.chown(shared, 1000, LENT)
    shared.chmod(0o660)
    with locked(shared, "look"):
        pass
    found = sidecar(shared).stat()
    assert (found.st_uid, found.st_gid) == (1000, LENT)
    for user, group in ((1000, 1000), (NOBODY, LENT)):
        with locker("stranger", shared, user, group) as member:
            tell(member)
            assert line(member) == "in"
    sidecar(shared).unlink()
    with locker("stranger", shared, NOBODY, LENT) as member:
        tell(member)
        assert line(member) == "in"
    found = sidecar(shared).stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY, LENT, 0o660)


@needs_root
@pytest.mark.parametrize(("mode", "expected"), [(0o664, 0o600), (0o666, 0o666)])
def test_a_group_that_is_not_the_files_is_given_no_more_than_everybody(shared: Path, mode: int, expected: int) -> None:
    shared.touch()
    os.chown(shared, 1000, LENT)
    shared.chmod(mode)
    with locker("stranger", shared, NOBODY, NOBODY) as stranger:
        tell(stranger)
        assert line(stranger) == "in"
    found = sidecar(shared).stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY, NOBODY, expected)


@needs_root
def test_who_may_not_write_is_told_so(shared: Path) -> None:
    shared.touch()
    with locked(shared, "look"), locker("stranger", shared, NOBODY, NOBODY) as stranger:
        tell(stranger)
        assert f"you may not write its lock file {sidecar(shared)}" in line(stranger)
    sidecar(shared).unlink()
    shared.parent.chmod(0o555)
    with locker("stranger", shared, NOBODY, NOBODY) as stranger:
        tell(stranger)
        assert "no lock file can be made at" in line(stranger)
    assert not sidecar(shared).exists()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory_is_refused(path: Path) -> None:
    path.parent.chmod(0o555)
    try:
        assert_refused(path, "Permission denied")
    finally:
        path.parent.chmod(0o755)


@pytest.mark.parametrize("name", ["ENOLCK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EIO"])
def test_a_file_system_that_cannot_lock_is_refused_unless_the_user_says_otherwise(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))

    monkeypatch.setattr(fcntl, "fcntl", fail)
    monkeypatch.setattr(fcntl, "flock", fail)
    opened = open_files()
    assert_refused(path, "cannot be locked" if name == "EIO" else "STATEWATCH_NO_LOCK=1")
    assert holder(path) is None
    monkeypatch.setenv("STATEWATCH_NO_LOCK", "1")
    if name == "EIO":
        assert_refused(path, "cannot be locked")
    else:
        with locked(path, "first", timeout=0), locked(path, "second", timeout=0):
            assert holder(path) is None
    assert open_files() == opened


def test_the_users_word_counts_only_where_there_are_no_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATEWATCH_NO_LOCK", "1")
    with locked(path, "first"), pytest.raises(LockedError), locked(path, "second", timeout=0):
        pytest.fail("two are in")


@pytest.mark.parametrize("failing", ["ENOLCK", "EINVAL"])
def test_a_real_process_on_such_a_file_system(path: Path, failing: str) -> None:
    """The system fails the calls: with ENOLCK there are no locks at all, with EINVAL only whole files can be locked."""
    strace = tracer()
    log = path.with_name("log")
    lines = contend(strace, path, log, "trace=fcntl")
    assert lines == ["in", "in"]
    calls = [text for text in log.read_text().splitlines() if "fcntl(" in text]
    first = next(number for number, text in enumerate(calls, 1) if re.search("F_OFD_SETLK", text))
    inject = ("trace=fcntl,flock", f"inject=fcntl:error={failing}:when={first}+")
    if failing == "EINVAL":
        assert contend(strace, path, log, *inject) == ["in", "in"]
        assert "LOCK_EX" in log.read_text()
        return
    refused = contend(strace, path, log, *inject)
    assert len(refused) == 2
    assert all("No locks available" in text and "STATEWATCH_NO_LOCK=1" in text for text in refused)
    assert contend(strace, path, log, *inject, STATEWATCH_NO_LOCK="1") == ["in", "in"]


def tracer() -> str:
    """Return a program that can fail the calls of another; skip where there is none."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not there")
    if subprocess.run([program, "-o", os.devnull, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    return program


def contend(strace: str, path: Path, log: Path, *expressions: str, **variables: str) -> list[str]:
    """Let a traced process try twice to get the lock; return what it says."""
    traced = [argument for expression in expressions for argument in ("-e", expression)]
    done = subprocess.run(
        [strace, "-f", "-o", str(log), *traced, *command("contend", path, module="lockers")],
        cwd=ROOT,
        env={**os.environ, **variables},
        input="\n\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()

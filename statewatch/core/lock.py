"""The lock on a file source: a sidecar beside it, never replaced and never deleted, that says who holds it.

What keeps two out at once is in `corridor`; here is what there is to say about the file: that it is the one which
others find, who may use it, and who holds it. What is written in it is believed only while the system says the same.
"""

import errno
import functools
import itertools
import json
import os
import pwd
import stat
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from statewatch.core.corridor import Claim, claim, enter, leave, taken_by
from statewatch.core.errors import LockedError, RefusedError
from statewatch.documents.text import harmless
from statewatch.kinds.times import iso

TIMEOUT = 5.0
"""Seconds to wait for the lock before saying who holds it."""

_OPEN = os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_LOOK = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_SOMETHING_ELSE = {errno.ELOOP, errno.EISDIR, errno.ENXIO}
_REOPENINGS = 1_000
_LONGEST_RECORD = 4_096


class Holder(NamedTuple):
    """Who holds a lock: enough to find them, and to judge whether they should be waited for.

    `since` is ISO 8601 in UTC. One that has not said who it is has empty texts, and the `pid` 0 where the system does
    not know that either.
    """

    pid: int = 0
    host: str = ""
    user: str = ""
    operation: str = ""
    since: str = ""

    def __str__(self) -> str:
        """Name the holder in a sentence."""
        if not self.host:
            return f"process {self.pid}, which says no more" if self.pid else "a process that does not say who it is"
        return harmless(f"{self.user} on {self.host}, process {self.pid}: {self.operation}, since {self.since}")


def sidecar(path: Path) -> Path:
    """Return the lock file of a source. Its own name ends in none of the ways that tools look for."""
    return Path(_sidecar(path))


def locked(path: Path, operation: str, timeout: float = TIMEOUT) -> AbstractContextManager[None]:
    """Hold the lock of the file at *path*, which need not exist, while the block runs; *operation* is told to others.

    Entering raises LockedError, naming the holder, when it is not free within *timeout* seconds, and RefusedError when
    no lock can be had there (a read-only directory, a symbolic link in its place). On a file system without locks it
    does so too, unless the user has set `STATEWATCH_NO_LOCK=1`: then the block runs without one.
    """
    return _Lock(path, operation, timeout)


def holder(path: Path) -> Holder | None:
    """Return who holds the lock of the file at *path*; None when nobody does, or when that may not be known."""
    try:
        descriptor = os.open(_sidecar(path), _LOOK)
    except OSError:
        return None
    process = 0
    try:
        for _ in range(5):
            found = taken_by(descriptor)
            if found is None:
                return None  # what is written there is no longer true
            process, said = found, _said(descriptor)
            if said is not None and process in {0, said.pid}:
                return said
            time.sleep(0.001)  # it has taken the lock just now, and says so next
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return Holder(process)


@functools.cache
def user() -> str:
    """Return the name of the user, or the number where the system knows no name."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):  # as getpass does, which takes longer to load
        if name := os.environ.get(variable):
            return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


@functools.cache
def host() -> str:
    """Return the name of this machine."""
    return os.uname().nodename


class _Lock:
    """The lock while it is waited for and held; a class, since a generator costs a fifth of what the lock does."""

    __slots__ = ("_descriptor", "_file", "_operation", "_path", "_timeout")

    def __init__(self, path: Path, operation: str, timeout: float) -> None:
        self._path = path
        self._file = _sidecar(path)
        self._operation = operation
        self._timeout = timeout
        self._descriptor = -1

    def __enter__(self) -> None:
        is_entered = False
        try:
            self._acquire()
            is_entered = True
        finally:
            if not is_entered:  # whatever ended the wait, nothing of it stays behind
                self._let_go()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._let_go()

    def _acquire(self) -> None:
        deadline = time.monotonic() + self._timeout
        own, record = _me(os.getpid(), self._operation)
        for attempt in itertools.count(1):
            _in_use.add(self)
            self._descriptor = _open(self._file, self._path, self._operation)
            try:
                is_ours = enter(self._descriptor, own, deadline)
            except OSError as error:
                self._go_without(error)
                return
            if not is_ours:
                raise self._too_long()
            if _is_on_disk(self._descriptor, self._file, self._operation):
                _say(self._descriptor, record)
                return
            self._let_go()  # somebody deleted the sidecar meanwhile: a lock on a deleted file excludes nobody
            if attempt >= _REOPENINGS and time.monotonic() > deadline:
                break
        raise RefusedError(f"cannot {self._operation}: something keeps deleting the lock file {self._file}")

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        _in_use.discard(self)
        if descriptor >= 0:  # it is not where there are no locks, nor in a child process
            leave(descriptor)
            with suppress(OSError):  # what was done under the lock is done
                os.close(descriptor)

    def _forget(self) -> None:
        """Close what a child process inherited, without unlocking: the lock is the parent's, and goes with it."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _go_without(self, error: OSError) -> None:
        """Go on without a lock where the user said so. Raises RefusedError otherwise."""
        if error.errno not in _NO_LOCKS_HERE:
            raise RefusedError(f"cannot {self._operation}: {self._file} cannot be locked ({error.strerror})") from None
        if os.environ.get("STATEWATCH_NO_LOCK") != "1":
            raise RefusedError(
                f"cannot {self._operation}: the file system of {self._path} cannot lock files ({error.strerror}), so "
                "two who write at once could undo each other's changes. Keep the file elsewhere, or set "
                "STATEWATCH_NO_LOCK=1 where you are sure that nobody else writes it."
            ) from None
        self._let_go()

    def _too_long(self) -> LockedError:
        who = holder(self._path)
        if who is None:
            return LockedError(
                f"{self._path}: others held the lock for {self._timeout:g} s, the last of them until just now. "
                "Nothing was changed. Try again."
            )
        return LockedError(
            f"{self._path}: locked for more than {self._timeout:g} s by {who}. "
            "Nothing was changed. Wait for it, or end that process: its lock goes with it."
        )


_in_use: set[_Lock] = set()


def _after_fork() -> None:
    for lock in _in_use:
        lock._forget()  # noqa: SLF001 - it is of this module
    _in_use.clear()


os.register_at_fork(after_in_child=_after_fork)


def _sidecar(path: Path) -> str:
    directory, slash, name = os.fspath(path).rpartition("/")
    return f"{directory}{slash}.{name}.statewatch-lock"


def _is_on_disk(descriptor: int, lock_file: str, operation: str) -> bool:
    """Tell whether the file that was locked is the one that others find. Raises RefusedError for anything odd."""
    try:
        held = os.fstat(descriptor)
        there = os.lstat(lock_file)
    except OSError:
        return False
    if held.st_ino != there.st_ino or held.st_dev != there.st_dev:
        return False
    if not stat.S_ISREG(held.st_mode) or held.st_nlink != 1:  # we are going to write into it
        raise _something_else(lock_file, operation)
    return True


def _open(lock_file: str, path: Path, operation: str) -> int:
    try:
        while True:
            try:
                return os.open(lock_file, _OPEN)
            except FileNotFoundError:
                with suppress(FileExistsError):  # somebody else has made it meanwhile
                    return _create(lock_file, path)
    except OSError as error:
        if error.errno in _SOMETHING_ELSE:
            raise _something_else(lock_file, operation) from None
        if isinstance(error, PermissionError) and os.path.lexists(lock_file):
            raise RefusedError(
                f"cannot {operation}: you may not write its lock file {lock_file}. The owner of that can let everybody "
                f"do so who may write {path}, with chgrp and chmod."
            ) from None
        raise RefusedError(
            f"cannot {operation}: no lock file can be made at {lock_file} ({os.strerror(error.errno or 0)})"
        ) from None


def _something_else(lock_file: str, operation: str) -> RefusedError:
    return RefusedError(f"cannot {operation}: what is at {lock_file} is not a lock file of statewatch. Move it away.")


def _create(lock_file: str, path: Path) -> int:
    """Make the sidecar, for everybody who may write the file. Raises OSError."""
    status = _like(path)
    may_write = 0 if status.st_mode & stat.S_ISVTX else status.st_mode & 0o022
    mode = 0o600 | may_write | may_write << 1
    descriptor = os.open(lock_file, _OPEN | os.O_CREAT | os.O_EXCL, mode)
    for owner, group in ((-1, status.st_gid), (status.st_uid, -1)):
        with suppress(OSError):  # only members give files to a group, and only root gives them away
            os.fchown(descriptor, owner, group)
    with suppress(OSError):
        if os.fstat(descriptor).st_gid != status.st_gid:  # to this group the file is what it is to everybody
            mode = mode & 0o606 | (mode & 0o006) << 3
        os.fchmod(descriptor, mode)  # whatever the umask is
    return descriptor


def _like(path: Path) -> os.stat_result:
    """Return the status that says who may write: the file's, or its directory's where the file is still to be made.

    A sticky directory says that a file in it is its maker's alone.
    """
    with suppress(OSError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            return status
    return path.parent.stat()


@functools.lru_cache(maxsize=32)
def _me(process: int, operation: str) -> tuple[Claim, bytes]:
    """Return what a process locks, and what it writes about itself: a line, since what stood there may be longer."""
    said = {"pid": process, "host": host(), "user": user(), "operation": harmless(operation, 200)}
    return claim(process), json.dumps(said).encode() + b"\n"


def _say(descriptor: int, record: bytes) -> None:
    try:  # noqa: SIM105 - what is quicker to read takes longer to run, and every writer does
        os.pwrite(descriptor, record, 0)
    except OSError:  # a full disk must not keep the lock from working
        pass


def _said(descriptor: int) -> Holder | None:
    """Return what is written in the sidecar about who held it last; None when that is nothing, or damaged."""
    try:
        said: dict[str, Any] = json.loads(os.pread(descriptor, _LONGEST_RECORD, 0).partition(b"\n")[0])
        since = iso(os.fstat(descriptor).st_mtime) or ""  # it was written when the lock was taken
        return Holder(int(said["pid"]), str(said["host"]), str(said["user"]), str(said["operation"]), since)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None

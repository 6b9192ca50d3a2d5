"""The lock on a file source: a sidecar beside it, never replaced and never deleted, that says who holds it."""

import contextlib
import getpass
import json
import os
import random
import socket
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from statewatch.core.errors import LockedError, RefusedError
from statewatch.documents.text import harmless
from statewatch.kinds.times import iso

TIMEOUT = 5.0
"""Seconds to wait for the lock before saying who holds it."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: enough to find them, and to judge whether they should be waited for."""

    pid: int
    host: str
    user: str
    operation: str
    since: str

    def __str__(self) -> str:
        """Name the holder in a sentence."""
        return harmless(f"{self.user} on {self.host}, process {self.pid}: {self.operation}, since {self.since}")


def sidecar(path: Path) -> Path:
    """Return the lock file of a source. Its own name ends in none of the ways that tools look for."""
    return path.with_name(f".{path.name}.statewatch-lock")


@contextlib.contextmanager
def locked(path: Path, operation: str, timeout: float = TIMEOUT) -> Iterator[None]:
    """Hold the lock of the file at *path*.

    Raises LockedError, naming the holder, when it is not free within *timeout* seconds, and RefusedError when no lock
    can be had there (a read-only directory, a symbolic link in its place).
    """
    descriptor = _acquire(sidecar(path), path, operation, timeout)
    try:
        _write(descriptor, _me(operation))
        yield
    finally:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        _release(descriptor)


def holder(path: Path) -> Holder | None:
    """Return who holds the lock of the file at *path*, as they said themselves; None when nobody does or says so."""
    try:
        descriptor = os.open(sidecar(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _is_free(descriptor):
            return None  # what a killed process left there is no longer true
        return Holder(**json.loads(os.pread(descriptor, 4096, 0)))
    except (OSError, ValueError, TypeError):
        return None
    finally:
        os.close(descriptor)


def _is_free(descriptor: int) -> bool:
    """Look by taking the lock for a moment, shared, so that those who look do not get into each other's way."""
    from portalocker import LockFlags, exceptions, lock, unlock  # noqa: PLC0415 - see _acquire

    try:
        lock(descriptor, LockFlags.SHARED | LockFlags.NON_BLOCKING)
    except exceptions.LockException:
        return False
    unlock(descriptor)
    return True


def _release(descriptor: int) -> None:
    from portalocker import exceptions, unlock  # noqa: PLC0415 - see _acquire

    with contextlib.suppress(exceptions.LockException):
        unlock(descriptor)  # closing would not do where a child process was forked meanwhile
    os.close(descriptor)


def _acquire(lock_file: Path, path: Path, operation: str, timeout: float) -> int:
    from portalocker import LockFlags, exceptions, lock  # noqa: PLC0415 - its import is slow, and only writers need it

    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        descriptor = _open(lock_file, operation)
        try:
            lock(descriptor, LockFlags.EXCLUSIVE | LockFlags.NON_BLOCKING)
            if _is_on_disk(descriptor, lock_file):
                return descriptor
            os.close(descriptor)
            continue  # somebody deleted the sidecar meanwhile: a lock on a deleted file excludes nobody
        except exceptions.AlreadyLocked:
            os.close(descriptor)
        except exceptions.LockException as error:
            os.close(descriptor)
            raise RefusedError(f"{path}: this file system cannot lock files ({error})") from None
        if time.monotonic() >= deadline:
            who = holder(path)
            raise LockedError(
                f"{path}: locked for more than {timeout:g} s by {who or 'a process that does not say who it is'}. "
                "Nothing was changed. Wait for it, or end that process: its lock goes with it."
            )
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads waiters, decides nothing
        pause = min(pause * 2, _LONGEST_PAUSE)


def _open(lock_file: Path, operation: str) -> int:
    try:
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RefusedError(
            f"cannot {operation}: no lock file can be made at {lock_file} ({os.strerror(error.errno or 0)})"
        ) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:  # we are going to write into it
        os.close(descriptor)
        raise RefusedError(f"cannot {operation}: what is at {lock_file} is not a lock file of statewatch")
    return descriptor


def _is_on_disk(descriptor: int, lock_file: Path) -> bool:
    held = os.fstat(descriptor)
    try:
        there = lock_file.lstat()
    except OSError:
        return False
    return (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)


def _me(operation: str) -> Holder:
    return Holder(os.getpid(), socket.gethostname(), user(), operation, iso(time.time()) or "")


def user() -> str:
    """Return the name of the user, or the number where the system knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _write(descriptor: int, who: Holder) -> None:
    with contextlib.suppress(OSError):  # a full disk must not keep the lock from working
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(who)).encode(), 0)

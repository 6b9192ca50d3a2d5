"""A log of lines: appended by any number of processes, bounded by rotation, read from its end."""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from statewatch.core.errors import SourceError
from statewatch.core.lock import locked

LIMIT = 8 * 1024 * 1024
"""Bytes after which `NAME.jsonl` becomes `NAME.1.jsonl`; a single line may be longer."""
KEEP = 5
"""Rotated logs that are kept; the oldest goes when there would be more."""

_BLOCK = 64 * 1024


def add(log: Path, line: bytes, *, durable: bool) -> None:
    """Append *line*, which has no line break, to the log: whole or not at all; when *durable* it is on disk then.

    Raises OSError when it cannot be written, LockedError and RefusedError when the log cannot be locked.
    """
    with locked(log, f"write {log.name}"):
        descriptor = _with_room(log, len(line))
        try:
            is_new = _append(descriptor, line)
        except OSError:
            os.close(descriptor)
            raise
    try:  # others may write meanwhile, and rotate: what is waited for is this file, whatever its name
        if durable:
            os.fsync(descriptor)
            if is_new:
                _sync_directory(log.parent)
    finally:
        os.close(descriptor)


def add_alone(log: Path, lines: bytes, ended_at: int = -1) -> int:
    """Append whole *lines*, all but the last with a line break, to a log that others are kept from writing.

    It takes no lock and waits for no disk. Return where the log ends then: who gives that as *ended_at* the next time
    spares the look for half a line at its end. Raises OSError when it cannot be written.
    """
    descriptor = open_to_append(log)
    try:
        status = os.fstat(descriptor)
        if status.st_size == ended_at and _has_room(status, len(lines)):
            return ended_at + _write_whole(descriptor, lines + b"\n", ended_at)
    finally:
        os.close(descriptor)
    descriptor = _with_room(log, len(lines))
    try:
        _append(descriptor, lines)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def lines_from_the_end(log: Path) -> Iterator[bytes]:
    """Yield the lines of the log and of its rotated ones, newest first, reading no more than is asked for.

    The last line may be half a one, of a writer that is at work or was killed. Raises SourceError when there is a log
    that cannot be read.
    """
    try:
        with contextlib.ExitStack() as opened:
            for descriptor in _logs(log, opened):
                yield from _lines_of(descriptor)
    except OSError as error:
        raise SourceError(log, f"this log cannot be read ({error.strerror})") from None


def open_to_append(log: Path) -> int:
    """Open the log, and make it where there is none; return the descriptor. Raises OSError."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(log, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileExistsError(errno.EEXIST, "it is not a regular file")
    return descriptor


def _with_room(log: Path, length: int) -> int:
    """Open the log, or a new one where it is full or has another name too, which stands for something else."""
    descriptor = open_to_append(log)
    status = os.fstat(descriptor)
    if _has_room(status, length):
        return descriptor
    os.close(descriptor)
    with contextlib.suppress(OSError):  # then it grows on: a trace is worth more than a bound
        _rotate(log)
    return open_to_append(log)


def _has_room(status: os.stat_result, length: int) -> bool:
    return status.st_nlink == 1 and (status.st_size == 0 or status.st_size + length < LIMIT)


def _append(descriptor: int, line: bytes) -> bool:
    """Write a line; tell whether it is the first one of its file."""
    size = os.fstat(descriptor).st_size
    line += b"\n"
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line  # a crash in mid-write left half a line: it must not swallow this one
    _write_whole(descriptor, line, size)
    return size == 0


def _write_whole(descriptor: int, line: bytes, size: int) -> int:
    """Append *line* to a log of *size* bytes, or nothing of it; return its length. Raises OSError."""
    view = memoryview(line)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
    return len(line)


def _rotate(log: Path) -> None:
    """Give every log the next number, the oldest first, so that at any point each has a name of its own.

    The first number that is free takes the place of the last one: whoever was killed at this had come so far.
    """
    free = next((number for number in range(1, KEEP) if _is_free(_rotated(log, number))), KEEP)
    for number in range(free, 0, -1):
        _rotated(log, number - 1).replace(_rotated(log, number))


def _is_free(path: Path) -> bool:
    """Tell whether nothing is at *path*. Raises OSError when that cannot be said."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    return False


def _rotated(log: Path, number: int) -> Path:
    return log.with_name(f"{log.stem}.{number}{log.suffix}") if number else log


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _logs(log: Path, opened: contextlib.ExitStack) -> list[int]:
    """Open the logs, newest first, all of one moment: what is open stays the same file when others rotate.

    Who rotates moves files to higher numbers, so that on the way up one may be met twice, but none is missed. Only the
    newest must still be the newest when all are open.
    """
    while True:
        descriptors: dict[tuple[int, int], int] = {}
        newest = _identity(log)
        for path in (log, *_older(log)):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise SourceError(path, f"this log cannot be read ({error.strerror})") from None
            opened.callback(_close, descriptor)
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                descriptors.setdefault((status.st_dev, status.st_ino), descriptor)
            elif path == log:
                raise SourceError(path, "this log cannot be read (it is not a regular file). Move it away.")
        if _identity(log) == newest:
            return list(descriptors.values())
        opened.close()


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # nothing was written through it
        os.close(descriptor)


def _older(log: Path) -> list[Path]:
    """Return the names of the older logs, newest first: those there are, and those that a rotation now would give."""
    pattern = re.compile(rf"{re.escape(log.stem)}\.([1-9]\d*){re.escape(log.suffix)}", re.ASCII)
    try:
        numbers = {int(found[1]) for path in log.parent.iterdir() if (found := pattern.fullmatch(path.name))}
    except OSError:
        return []
    return [_rotated(log, number) for number in sorted({1} | numbers | {number + 1 for number in numbers})]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _lines_of(descriptor: int) -> Iterator[bytes]:
    end = os.fstat(descriptor).st_size
    tail: list[bytes] = []  # of the line whose beginning has not been reached, its end first
    while end > 0:
        start = max(0, end - _BLOCK)
        first, *others = os.pread(descriptor, end - start, start).split(b"\n")
        if others:
            yield b"".join((others[-1], *reversed(tail)))
            yield from reversed(others[:-1])
            tail = []
        tail.append(first)
        end = start
    yield b"".join(reversed(tail))

"""Reading a file source: bounded, never from anything but a regular file, and one moment of it where there is one."""

import errno
import os
import stat
import time
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from statewatch.core.errors import SourceError
from statewatch.documents import codec
from statewatch.documents.codec import DocumentError
from statewatch.documents.values import JSON

MAX_BYTES = 64 * 1024 * 1024
"""Files beyond this are not read: no state file is that large, and a screen must not die of one that is."""

_TRIES = 4
_KEYS = "/pipeline_secrets/"
_REASONS = {
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "its symbolic links go round in a circle",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EIO: "the disk cannot read it (I/O error)",
    errno.EMFILE: "too many files are open",
    errno.ENXIO: "it is not a regular file",
}


class Signature(NamedTuple):
    """What tells one version of a file from another without reading it; a tuple, since sweeps make and compare many."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @property
    def content(self) -> tuple[int, int, int, int]:
        """Return all but the change time, which a rename or chmod moves without touching the content."""
        return self.device, self.inode, self.size, self.mtime_ns

    @classmethod
    def of(cls, status: os.stat_result) -> "Signature":
        """Take the signature from a stat result."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Snapshot:
    """A file's bytes at one moment; not to be changed. No dataclass, since hooks load this module at each start."""

    def __init__(self, path: Path, data: bytes, signature: Signature) -> None:
        self.path = path
        self.data = data
        self.signature = signature

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the content, in hexadecimal: the name of the revision."""
        return self.digest_of(self.data)

    @staticmethod
    def digest_of(data: bytes) -> str:
        """Return the name of the revision that *data* is."""
        import hashlib  # noqa: PLC0415 - 4 ms

        return hashlib.sha256(data).hexdigest()

    @property
    def modified_at(self) -> float:
        """Return when the file was written, in seconds since the epoch."""
        return self.signature.mtime_ns / 1e9

    def document(self) -> JSON:
        """Return the JSON value. Raises SourceError that says where the text stops being JSON."""
        try:
            return codec.decode(self.data)
        except DocumentError as error:
            raise SourceError(self.path, str(error)) from None


def signature(path: Path | str) -> Signature | None:
    """Return the signature of what is at *path* now, following links, or None when nothing can be seen there."""
    try:
        return Signature.of(os.stat(path))  # noqa: PTH116 - half the cost of Path.stat, and swept for every file
    except (OSError, ValueError):
        return None


def read(path: Path, max_bytes: int = MAX_BYTES) -> Snapshot:
    """Read the file at *path*. Raises SourceError when it is missing, unreadable, too large or not a regular file.

    A file that is being written in place is read again, a few times; where its writer never pauses the last reading may
    be half old and half new, and it is for the codec to notice. The keys that pipelines are signed with are not read.
    """
    for _ in range(_TRIES):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                _refuse_keys(path, descriptor)
                before = os.fstat(descriptor)
                _check(path, before, max_bytes)
                data = _read_all(descriptor, max_bytes)
                ended = os.fstat(descriptor)
                _check(path, ended, max_bytes)
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            raise _failure(path, error) from None
        after = Signature.of(ended)
        if Signature.of(before) == after and len(data) == after.size:
            break
    return Snapshot(path, data, after)


def kind_of_file(path: Path) -> int | None:
    """Return what is at *path* itself, as `stat.S_IFMT` does; None when nothing is. Raises SourceError."""
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _failure(path, error) from None


def _refuse_keys(path: Path, descriptor: int) -> None:
    """Refuse the keys that pipelines are signed with, by whatever links they were come to. Raises SourceError."""
    try:
        real = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - a tenth of the cost of `realpath`
    except OSError:  # a system without it
        real = os.path.realpath(path)
    if _KEYS in real or _KEYS in os.fspath(path):
        raise SourceError(path, "it is a key that pipelines are signed with: it is never read, shown or copied")


def _check(path: Path, status: os.stat_result, max_bytes: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(path, "it is a directory, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(path, "it is not a regular file")
    if status.st_size > max_bytes:
        raise SourceError(
            path, f"it is {_megabytes(status.st_size)} large; files over {_megabytes(max_bytes)} are not read"
        )


def _read_all(descriptor: int, max_bytes: int) -> bytes:
    chunks = []
    left = max_bytes + 1
    while left > 0 and (chunk := os.read(descriptor, min(left, 1 << 20))):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def _failure(path: Path, error: OSError | ValueError) -> SourceError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SourceError(path, "there is no such file", missing=True)
    if isinstance(error, OSError) and error.errno is not None:
        return SourceError(path, _REASONS.get(error.errno, os.strerror(error.errno)))
    return SourceError(path, "its name cannot be the name of a file")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


def _fine_times() -> bool:
    """Tell whether two versions of a file always have different times: since Linux 6.13, and on macOS."""
    system = os.uname()
    if system.sysname != "Linux":
        return system.sysname == "Darwin"
    numbers = system.release.split(".")[:2]
    return len(numbers) == 2 and all(part.isdigit() for part in numbers) and tuple(map(int, numbers)) >= (6, 13)


_TIMES_TELL: Final = _fine_times()
_TICK: Final = 20_000_000
"""Nanoseconds after which a change is sure to have another time, where the kernel's clock for files ticks coarsely."""


def tells(found: Signature) -> bool:
    """Tell whether a signature vouches for the content: one as young as the clock's tick may have a twin."""
    return _TIMES_TELL or time.time_ns() - found.mtime_ns > _TICK

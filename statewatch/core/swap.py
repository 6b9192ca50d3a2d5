"""Putting a new version of a file in place of the old one: atomic, durable, and seeing what was displaced.

Where the system can, the new and the old file are exchanged in one step (`renameat2` with `RENAME_EXCHANGE`, Linux), so
that what was really displaced can be looked at afterwards: between the last comparison and any plain rename another
writer may have replaced the file, and that version would be gone without a trace.
"""

import contextlib
import ctypes
import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from statewatch.core.errors import RefusedError, UnknownOutcomeError
from statewatch.core.flushing import is_written_out
from statewatch.core.processes import is_running
from statewatch.core.reading import MAX_BYTES, Signature

T = TypeVar("T")

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
_MARK = ".statewatch-"
_TEMPORARY = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


class Replacement:
    """A new version of *target*, in a temporary file beside it: safely on disk, with the mode and owner of the old one.

    Within the block `swap` or `create` may put it in the target's place. The temporary file is gone afterwards, unless
    it took that place, and what was done lasts through a loss of power. Entering and leaving raise RefusedError when it
    cannot be written in full, or would be too large to be read again; leaving raises UnknownOutcomeError where the disk
    fails when it is to last. A class, since every write pays for the layers.
    """

    __slots__ = ("_data", "_directory", "_is_handed_over", "_place", "_target", "file", "signature")

    file: str
    """The path of the temporary file."""
    signature: Signature
    """That of the temporary file, once it is on disk."""

    def __init__(self, target: Path | str, data: bytes) -> None:
        self._target = os.fspath(target)
        self._data = data
        self._directory = -1
        self._is_handed_over = False
        directory, slash, _ = self._target.rpartition("/")
        self._place = directory + slash or "."
        self.file = temporary_name(self._target)

    def __enter__(self) -> Self:
        if len(self._data) > MAX_BYTES:
            size, most = len(self._data) // 1_000_000, MAX_BYTES // 1_000_000
            raise RefusedError(
                f"{self._target}: it would be {size} MB large, and files over {most} MB are not read again."
            )
        is_ready = False
        try:
            self._directory = os.open(self._place, _DIRECTORY)
            self._write()
            is_ready = True
        except OSError as error:
            raise _unwritable(self._target, error) from None
        finally:
            if not is_ready:  # whatever went wrong, nothing of it stays behind
                self._clear_away(is_lasting=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if not self._is_handed_over:
            self._clear_away(is_lasting=error is None)
        if isinstance(error, OSError):
            raise _unwritable(self._target, error) from None

    def hand_over(self, stack: contextlib.ExitStack) -> None:
        """Leave the temporary file where it is until *stack* is left."""
        self._is_handed_over = True
        stack.push(lambda _kind, error, _where: self._clear_away(is_lasting=error is None))

    def _write(self) -> None:
        descriptor = os.open(self.file, _TEMPORARY, 0o600)
        try:
            _write_all(descriptor, self._data)
            status = _dressed(descriptor, self._target)
            if not is_written_out(descriptor, status.st_dev):
                os.fsync(descriptor)
                status = os.fstat(descriptor)  # the server of a network has times of its own
            self.signature = Signature.of(status)
        finally:
            os.close(descriptor)

    def _clear_away(self, *, is_lasting: bool) -> None:
        """Delete the temporary file before the directory is flushed: that is one commit of a journal instead of two."""
        try:
            _attempt(os.unlink, self.file)
            if is_lasting:
                self._make_lasting()
        finally:
            _attempt(os.close, self._directory)

    def _make_lasting(self) -> None:
        try:
            os.fsync(self._directory)
        except OSError as error:  # some file systems cannot promise it; a disk that fails must not be taken for done
            if error.errno == errno.EIO:
                raise UnknownOutcomeError(
                    f"{self._target}: the disk failed while the change was made to last (I/O error), so after a loss "
                    "of power it may be as it was before. Look at the disk, then at the file."
                ) from None


def temporary_name(target: Path | str) -> str:
    """Return a name of its own beside *target*, by which what a killed process leaves there is known as ours."""
    directory, slash, name = os.fspath(target).rpartition("/")
    return f"{directory}{slash}.{name}{_MARK}{os.getpid()}-{os.urandom(4).hex()}.tmp"


def leftovers(directory: Path, name: str | None = None) -> list[Path]:
    """Return the temporary files that processes which are gone left in *directory*, those for one file or for all."""
    file = ".+" if name is None else re.escape(name)
    pattern = re.compile(rf"\.{file}{re.escape(_MARK)}(\d+)-[0-9a-f]+\.tmp", re.ASCII | re.DOTALL)
    try:
        names = os.listdir(directory)  # noqa: PTH208 - names are enough, and every action asks
    except OSError:
        return []
    found = [match for each in names if (match := pattern.fullmatch(each))]
    return [directory / match[0] for match in found if not is_running(int(match[1]))]


def swap(temporary: str, target: Path | str, *, or_replace: bool = True) -> bool:
    """Put *temporary* in the place of *target*, atomically.

    Returns True when the displaced version now stands at *temporary*, False where the system could only replace it.
    Nothing is done when it raises: OSError, or RefusedError where it could only replace and *or_replace* forbids that.
    """
    exchanged = _rename(temporary, target, _RENAME_EXCHANGE)
    if not exchanged:
        if not or_replace:
            raise RefusedError(f"{target}: another program writes it so fast that no gap was found. Try again.")
        os.replace(temporary, target)  # noqa: PTH105 - the plain call, so that both ways read alike
    return exchanged


def create(temporary: str, target: Path | str) -> bool:
    """Put *temporary* at *target*, where nothing is; return False, and do nothing, when something has appeared there.

    Raises OSError.
    """
    try:
        os.link(temporary, target, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _CANNOT and error.errno != errno.EMLINK:
            raise
        os.replace(temporary, target)  # noqa: PTH105 - a file system without links; nothing was there a moment ago
    return True


def move(source: Path, target: Path) -> None:
    """Rename *source* to *target*, where nothing is. Raises OSError, and nothing is done, when that is not so."""
    if _rename(source, target, _RENAME_NOREPLACE):
        return
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    os.rename(source, target)  # noqa: PTH104 - it would replace what has appeared just now, where that is all there is


@contextlib.contextmanager
def lasting(target: Path) -> Iterator[None]:
    """Make the renames of *target* in here last through a loss of power. Raises RefusedError before any is made."""
    try:
        descriptor = os.open(target.parent, _DIRECTORY)
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        yield
        _attempt(os.fsync, descriptor)  # it is done, and some file systems cannot promise more
    finally:
        _attempt(os.close, descriptor)  # nothing was written through it


def _attempt(call: Callable[[T], object], argument: T) -> None:
    try:  # noqa: SIM105 - what is quicker to read takes longer to run, and every writer does
        call(argument)
    except OSError:
        pass


def _rename(source: Path | str, target: Path | str, how: int) -> bool:
    """Rename in a way that only some systems know; tell whether it was done. Raises OSError."""
    renameat2 = _renameat2()
    if renameat2 is None:
        return False
    done: int = renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), how)
    if done == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False  # an old kernel or file system
    raise OSError(number, os.strerror(number), str(target))


@cache
def _renameat2() -> "ctypes._NamedFuncPointer | None":
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    function.restype = ctypes.c_int
    return function


def _unwritable(target: Path | str, error: OSError) -> RefusedError:
    return RefusedError(f"{target}: cannot be written ({os.strerror(error.errno or 0)}). It is as it was before.")


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _dressed(descriptor: int, target: str) -> os.stat_result:
    """Give the new file what the old one had: mode, owner and extended attributes. Return its status before that."""
    mine = os.fstat(descriptor)
    try:
        status = os.stat(target)  # noqa: PTH116 - every write asks
    except FileNotFoundError:
        return mine
    if status.st_gid != mine.st_gid:
        with contextlib.suppress(PermissionError):  # only members give files to a group
            os.fchown(descriptor, -1, status.st_gid)
    if status.st_uid != mine.st_uid:
        with contextlib.suppress(PermissionError):  # only root gives files away
            os.fchown(descriptor, status.st_uid, -1)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
    for name in _attributes(target):
        with contextlib.suppress(OSError):  # some only root may set
            os.setxattr(descriptor, name, os.getxattr(target, name))
    return mine


def _attributes(target: str) -> list[str]:
    try:
        return os.listxattr(target)
    except (OSError, AttributeError):  # a file system, or a system, without them
        return []

"""What must be so before a file is written: a directory for it, and nothing that says read-only."""

import os
import stat
from pathlib import Path
from typing import Final

from statewatch.core.errors import RefusedError
from statewatch.documents.values import JSON

_SEAL: Final = "hmac"
"""The key without which no document is signed: what spares all others a closer look, at every write."""


def made_ready(path: Path, operation: str) -> Path:
    """Return the file that is written for *path*: itself, or what a symbolic link there leads to.

    Its directory is made, for its owner only, where it is missing. Raises RefusedError when that cannot be done, and as
    `refuse_read_only` does, but where the mode lets us write takes its word: every write asks, and what else there is
    (a read-only mount, an immutable file) the write itself comes upon.
    """
    real, status = path, _status(path, follow=False)
    if status is not None and stat.S_ISLNK(status.st_mode):
        real = Path(os.path.realpath(path))
        status = _status(real)
    _refuse_read_only(real, status, "file", operation, is_mode_enough=True)
    directory = os.path.dirname(real)  # noqa: PTH120 - every write asks
    status = _status(directory)
    _refuse_read_only(directory, status, "directory", operation, is_mode_enough=True)
    if status is None or not stat.S_ISDIR(status.st_mode):
        _make(real.parent, operation)
    return real


def refuse_read_only(real: Path, operation: str) -> None:
    """Respect a mode that says read-only, also where the system would let us through: root, or a replacement.

    Raises RefusedError.
    """
    _refuse_read_only(real, _status(real), "file", operation)
    _refuse_read_only(real.parent, _status(real.parent), "directory", operation)


def new_owner(real: Path) -> str | None:
    """Return a sentence for whoever writes another user's file, since only root can give the new one to that user."""
    status = _status(real)
    if status is None or os.geteuid() in (0, status.st_uid):
        return None
    return f"{real} belongs to {_named(status.st_uid)}; written by {_named(os.geteuid())} it belongs to the latter"


def refuse_sealed(source: str, document: JSON) -> None:
    """Refuse, with RefusedError, to change a document that is signed by whoever wrote it."""
    if not isinstance(document, dict) or _SEAL not in document:
        return
    from statewatch.kinds.registry import sealed  # noqa: PLC0415 - few documents have anything like a seal

    if why := sealed(document):
        raise RefusedError(f"{source}: {why}")


def _named(number: int) -> str:
    import pwd  # noqa: PLC0415 - it is hardly ever needed

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _status(place: Path | str, *, follow: bool = True) -> os.stat_result | None:
    try:
        return os.stat(place) if follow else os.lstat(place)  # noqa: PTH116 - as above
    except OSError:
        return None


def _refuse_read_only(
    place: Path | str, status: os.stat_result | None, what: str, operation: str, *, is_mode_enough: bool = False
) -> None:
    if status is None:
        return
    mode = status.st_mode
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise RefusedError(f"cannot {operation}: the {what} {place} is read-only. `chmod u+w` it to allow changes.")
    if is_mode_enough and mode & stat.S_IWUSR and status.st_uid == os.geteuid():
        return
    if not os.access(place, os.W_OK):
        raise RefusedError(f"cannot {operation}: you may not write the {what} {place}.")


def _make(directory: Path, operation: str) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RefusedError(
            f"cannot {operation}: the directory {directory} cannot be made ({os.strerror(error.errno or 0)})"
        ) from None

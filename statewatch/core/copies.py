"""Safety copies: every version that an action is about to change, and every version it displaced, byte for byte."""

import contextlib
import hashlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.places import state_directory
from statewatch.core.processes import is_running

if TYPE_CHECKING:
    from statewatch.core.stores.model import Version

KEEP = 1_000
"""Copies kept for each source; the oldest go first."""


def directory_of(root: Path, source: str | Path) -> Path:
    """Return the directory below *root* that belongs to a source alone, recognisable by the source's name."""
    name = re.sub(r"[^\w.=-]+", "_", str(source).rpartition("/")[2])[-60:]
    return root / f"{name}-{hashlib.sha256(os.fsencode(source)).hexdigest()[:12]}"


def directory_for(source: str | Path) -> Path:
    """Return where the copies of a source are: the path of a file, or the URL of a store."""
    return directory_of(state_directory() / "copies", source)


def copies_of(source: str | Path) -> list[Path]:
    """Return the copies of a source, oldest first. Raises SourceError when they cannot be looked at."""
    directory = directory_for(source)
    try:
        return sorted(path for path in directory.iterdir() if path.name[0].isdigit())  # as the time in the name does
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SourceError(
            directory, f"the safety copies cannot be looked at ({os.strerror(error.errno or 0)})"
        ) from None


def keep(source: str | Path, version: "Version", now: float) -> Path:
    """Keep a version of *source* and return where. Raises RefusedError when it cannot be kept.

    It is there when this returns, whatever becomes of us; that it also survives a loss of power is what `secure` waits
    for, later, since other writers do not wait for our disk.
    """
    directory = directory_for(source)
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    suffix = Path(source).suffix
    copy = directory / f"{moment}-{version.digest[:12]}{suffix if suffix.isascii() and len(suffix) < 10 else ''}"
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}.tmp")
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished.touch(0o600, exist_ok=False)
        unfinished.write_bytes(version.data)
        unfinished.replace(copy)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise RefusedError(
            f"no safety copy can be kept in {directory} ({os.strerror(error.errno or 0)}), so nothing was changed. "
            "Make room there, or name another place with STATEWATCH_STATE_DIR."
        ) from None
    return copy


def secure(copy: Path) -> None:
    """Wait until a copy is on disk, and let the oldest ones of its source go."""
    with contextlib.suppress(OSError):  # the action itself is done; the copy is there, if not yet on the disk
        for place in (copy, copy.parent):
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        _prune(copy)


def _prune(newest: Path) -> None:
    copies = sorted(newest.parent.glob("[0-9]*"))  # names begin with the time, so their order is that of time
    for old in copies[:-KEEP]:
        if old != newest:  # a clock may have been set back
            old.unlink(missing_ok=True)
    for unfinished in newest.parent.glob(".[0-9]*.tmp"):
        process = unfinished.suffixes[-2][1:]
        if process.isdigit() and not is_running(int(process)):
            unfinished.unlink(missing_ok=True)

"""Safety copies: every version that an action is about to change, and every version it displaced, byte for byte."""

import contextlib
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
MAX_BYTES = 256 * 1024 * 1024
"""Bytes of all copies of a source, beyond which the oldest go."""
ALWAYS = 10
"""The newest files that stay, however large: those of the last few actions, each a copy and what takes it back."""

_UNDO, _PART, _CHECKPOINT = ".undo.json", ".part.json", ".checkpoint.json"
_NO_VERSION = (_UNDO, _PART, _CHECKPOINT)
"""Endings of what is no version of the source: what takes an action back, the values of some keys, a checkpoint."""


def directory_of(root: Path, source: str | Path) -> Path:
    """Return the directory below *root* that belongs to a source alone, recognisable by the source's name."""
    import hashlib  # noqa: PLC0415 - 4 ms, and hooks load this module at each start

    name = re.sub(r"[^\w.=-]+", "_", str(source).rpartition("/")[2])[-60:]
    return root / f"{name}-{hashlib.sha256(os.fsencode(source)).hexdigest()[:12]}"


def directory_for(source: str | Path) -> Path:
    """Return where the copies of a source are: the path of a file, or the URL of a store."""
    return directory_of(state_directory() / "copies", source)


def copies_of(source: str | Path) -> list[Path]:
    """Return the copies of a whole source, oldest first. Raises SourceError when they cannot be looked at."""
    directory = directory_for(source)
    try:
        found = (path for path in directory.iterdir() if path.name[0].isdigit())
        return sorted(path for path in found if not path.name.endswith(_NO_VERSION))  # as the time in the name does
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
    return _kept(source, f"{version.digest[:12]}{_suffix(version)}", version.data, now)


def keep_inverse(source: str | Path, identity: str, data: bytes, now: float) -> Path:
    """Keep what takes the action of that id back, where it is too much for the audit log, as `keep` does a version."""
    return _kept(source, identity + _UNDO, data, now)


def keep_checkpoint(source: str | Path, version: "Version", now: float) -> Path:
    """Keep what a checkpoint holds that is about to go, as `keep` does a version."""
    return _kept(source, version.digest[:12] + _CHECKPOINT, version.data, now)


def _suffix(version: "Version") -> str:
    """Return the ending that tells what a copy holds: that of a file, else what the version says of itself, or JSON."""
    if getattr(version, "part", False):
        return _PART
    path: Path | None = getattr(version, "path", None)
    if path is None or hasattr(version, "suffix"):
        return str(getattr(version, "suffix", ".json"))
    return path.suffix if path.suffix.isascii() and len(path.suffix) < 10 else ""


def _kept(source: str | Path, name: str, data: bytes, now: float) -> Path:
    directory = directory_for(source)
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    copy = directory / f"{moment}-{name}"
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}.tmp")
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished.touch(0o600, exist_ok=False)
        unfinished.write_bytes(data)
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
    copies = sorted(newest.parent.glob("[0-9]*"), reverse=True)  # names begin with the time: newest first
    size = 0
    for number, old in enumerate(copies, start=1):
        size += old.stat().st_size
        too_many = number > KEEP or (number > ALWAYS and size > MAX_BYTES)
        if too_many and old != newest:  # a clock may have been set back
            old.unlink(missing_ok=True)
    for unfinished in newest.parent.glob(".[0-9]*.tmp"):
        process = unfinished.suffixes[-2][1:]
        if process.isdigit() and not is_running(int(process)):
            unfinished.unlink(missing_ok=True)

"""The audit log: one JSON line for everything done, appended and never changed."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from statewatch.core.errors import RefusedError
from statewatch.core.places import state_directory
from statewatch.documents.diff import Change
from statewatch.documents.values import JSON


@dataclass(frozen=True, slots=True)
class Record:
    """What was done: when, who, where, through what, why, and what it takes to undo it.

    `inverse` are the changes that take it back, in order; `undoes` is the id of the action that is no longer in force:
    one that this one took back, or one that this record says was overwritten.
    """

    id: str
    at: str
    user: str
    host: str
    pid: int
    via: str
    action: str
    targets: list[str]
    why: str
    source: str
    before: str
    after: str
    copy: str
    inverse: list[dict[str, JSON]]
    undoes: str | None = None


def log_file() -> Path:
    """Return where the audit log is."""
    return state_directory() / "audit.jsonl"


def ready() -> None:
    """Make sure that a record can be written. Raises RefusedError when not: nothing is done that leaves no trace."""
    try:
        log_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(_open())
    except OSError as error:
        raise RefusedError(
            f"the audit log {log_file()} cannot be written ({os.strerror(error.errno or 0)}), so nothing was changed. "
            "Make room there, or name another place with STATEWATCH_STATE_DIR."
        ) from None


def append(record: Record) -> None:
    """Add *record*, on disk for certain. Raises OSError when it cannot be written."""
    line = json.dumps(asdict(record), ensure_ascii=True).encode() + b"\n"
    descriptor = _open()
    try:
        if not _ends_well(descriptor):
            line = b"\n" + line  # a crash in mid-write left half a line: it must not swallow this one
        view = memoryview(line)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def records() -> Iterator[Record]:
    """Return all records, newest first. Lines that are damaged are passed over."""
    try:
        lines = log_file().read_bytes().splitlines()
    except OSError:
        return
    for line in reversed(lines):
        try:
            fields: dict[str, Any] = json.loads(line)
            yield Record(**fields)
        except (ValueError, TypeError):
            continue


def to_json(changes: list[Change]) -> list[dict[str, JSON]]:
    """Return changes in the form in which a record holds them; paths as lists, so that keys and positions differ."""
    return [{"op": c.op, "path": list(c.path), "before": c.before, "after": c.after} for c in changes]


def from_json(stored: list[dict[str, JSON]]) -> list[Change]:
    """Return the changes a record holds."""
    changes = []
    for entry in stored:
        fields: dict[str, Any] = {**entry}
        changes.append(Change(fields["op"], tuple(fields["path"]), fields["before"], fields["after"]))
    return changes


def _open() -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(log_file(), flags, 0o600)


def _ends_well(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"

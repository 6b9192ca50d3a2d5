"""The audit log: what was done, in JSON lines, appended and never changed, bounded by rotation.

An action has two lines: the full record, on disk for certain before anything is written, and a short one that says what
became of it. So there is no change without a record, whatever kills the process that makes it.
"""

import contextlib
import errno
import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from statewatch.core import rotating
from statewatch.core.errors import LockedError, RefusedError, SourceError, StatewatchError
from statewatch.core.places import state_directory
from statewatch.core.processes import still_runs
from statewatch.core.reading import MAX_BYTES, read
from statewatch.documents.diff import Change
from statewatch.documents.values import JSON
from statewatch.kinds.times import instant

Outcome: TypeAlias = Literal["done", "void", "interrupted", "in progress"]

_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("id", "at", "user", "host", "via", "action", "why", "source", "before", "after", "copy"), str),
    "inverse_in": str,
    **dict.fromkeys(("targets", "inverse"), list),
    **dict.fromkeys(("undoes", "group", "checkpoint"), (str, type(None))),
    "pid": int,
}
_PARTS = {"targets": str, "inverse": dict}
_LARGEST = 8 * MAX_BYTES  # both the old and the new values, as escaped text
_ALWAYS = {"id", "at", "action", "source"}

INLINE = 16 * 1024
"""Bytes of what takes an action back from which on that is kept beside the safety copy: the log is everybody's."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was done: when, who, where, through what, why, and what it takes to undo it.

    `source` is a file or the URL of a store; `before` and `after` are the digests of its revisions. `inverse` are the
    changes that take it back, in order; `undoes` is the id of the action that is no longer in force: one that this one
    took back, or one that this record says was overwritten. Records of one request that changed several sources share
    a `group`. What takes it back is in the file `inverse_in` where it is much. What was done to a checkpoint names it
    as `checkpoint`; `before` and `after` are digests of its content then. `outcome` is `done`; `void` when nothing was
    written after all; `in progress`; or `interrupted`: the process that began it is gone, and only the source can tell
    whether it came to it.
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
    group: str | None = None
    outcome: Outcome = "done"
    inverse_in: str = ""
    checkpoint: str | None = None


def log_file() -> Path:
    """Return where the audit log is; the older ones are beside it, as `audit.1.jsonl` and on."""
    return state_directory() / "audit.jsonl"


def ready() -> None:
    """Make sure that a record can be written. Raises RefusedError when not: nothing is done that leaves no trace."""
    try:
        log_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(rotating.open_to_append(log_file()))
    except OSError as error:
        raise _unwritable(error) from None


def begin(record: Record) -> None:
    """Write down what is about to be done, on disk for certain when this returns.

    Once more with the same id where it had to be planned anew: the newest line of an id is the one that counts. Raises
    RefusedError or LockedError when it cannot be written: then nothing may be done.
    """
    try:
        rotating.add(log_file(), _line(record, None), durable=True)
    except OSError as error:
        raise _unwritable(error) from None


def finish(identity: str, outcome: Literal["done", "void"]) -> None:
    """Write down what became of an action that was begun: it was `done`, or `void`: nothing was written after all.

    Raises nothing and waits for no disk. A line that is missing, or lost with the power, leaves a record that reads
    `interrupted`, and what is in the source then tells the rest.
    """
    with contextlib.suppress(OSError, StatewatchError):
        rotating.add(log_file(), _json({"id": identity, "outcome": outcome}), durable=False)


def complete(record: Record) -> None:
    """Write down once more what was begun, as `finish` does, with what is known of it only now that it is done."""
    with contextlib.suppress(OSError, StatewatchError):
        rotating.add(log_file(), _line(record, "done"), durable=False)


def append(record: Record) -> None:
    """Add the record of something that has happened, on disk for certain. Raises OSError when it cannot be written."""
    try:
        rotating.add(log_file(), _line(record, "done"), durable=True)
    except StatewatchError as error:
        raise OSError(errno.EAGAIN if isinstance(error, LockedError) else errno.ENOLCK, str(error)) from None


def records() -> Iterator[Record]:
    """Yield all records, newest first, reading no more of the log than is asked for.

    Lines that are damaged are passed over, and so is what a newer version of the program has added to a record. Raises
    SourceError when there is a log that cannot be read.
    """
    outcomes: dict[str, Outcome] = {}
    seen: set[str] = set()
    for line in rotating.lines_from_the_end(log_file()):
        entry = _entry(line)
        identity = entry.get("id")
        if not isinstance(identity, str) or identity in seen:
            continue
        if entry.keys() == {"id", "outcome"}:
            if entry["outcome"] in {"done", "void"}:
                outcomes.setdefault(identity, entry["outcome"])
        elif (record := _record(entry)) is not None:
            seen.add(identity)
            if entry.get("outcome", "done") != "done":  # older versions wrote a record when it was done
                record = replace(record, outcome=outcomes.get(identity) or _without_outcome(record))
            yield record


def to_json(changes: list[Change]) -> list[dict[str, JSON]]:
    """Return changes in the form in which a record holds them; paths as lists, so that keys and positions differ."""
    stored: list[dict[str, JSON]] = []
    for c in changes:
        stored.append({"op": c.op, "path": list(c.path), "before": c.before, "after": c.after})
        if c.source is not None:
            stored[-1]["from"] = list(c.source)
    return stored


def from_json(stored: list[dict[str, JSON]]) -> list[Change]:
    """Return the changes a record holds. Raises ValueError where they are damaged."""
    changes = []
    for entry in stored:
        operation: Any = entry.get("op")
        path, source = _place(entry.get("path")), _place(entry.get("from"))
        if operation not in {"add", "remove", "replace", "move"} or path is None:
            raise ValueError("a change in the audit log is damaged")
        if (operation == "move") != (source is not None):
            raise ValueError("a change in the audit log is damaged")
        changes.append(Change(operation, path, entry.get("before"), entry.get("after"), source))
    return changes


def inverse_of(record: Record) -> list[Change]:
    """Return the changes that take *record* back. Raises ValueError where they are damaged, or gone."""
    if not record.inverse_in:
        return from_json(record.inverse)
    try:
        stored = json.loads(read(Path(record.inverse_in), _LARGEST).data)
    except SourceError as error:
        raise ValueError(f"what takes it back is not there any more: {error}") from None
    except (ValueError, RecursionError):
        raise ValueError(f"what takes it back is damaged, in {record.inverse_in}") from None
    if not isinstance(stored, list) or not all(isinstance(entry, dict) for entry in stored):
        raise ValueError(f"what takes it back is damaged, in {record.inverse_in}")
    return from_json(stored)


def to_text(changes: list[Change]) -> bytes:
    """Return changes as the text of `to_json`, at once where that is the same and much."""
    import orjson  # noqa: PLC0415 - 10 ms, and who only looks at the log writes nothing

    try:
        return orjson.dumps(to_json(changes))
    except orjson.JSONEncodeError:  # what only the standard library writes
        return json.dumps(to_json(changes)).encode()


def _place(stored: JSON) -> tuple[str | int, ...] | None:
    if not isinstance(stored, list):
        return None
    tokens = tuple(token for token in stored if isinstance(token, str | int))
    return tokens if len(tokens) == len(stored) else None


def _unwritable(error: OSError) -> RefusedError:
    return RefusedError(
        f"the audit log {log_file()} cannot be written ({error.strerror}), so nothing was changed. "
        "Make room there, or name another place with STATEWATCH_STATE_DIR."
    )


def _line(record: Record, outcome: Outcome | None) -> bytes:
    named = {field.name: getattr(record, field.name) for field in fields(record)}
    return _json({**named, "outcome": outcome})


def _json(value: Mapping[str, JSON]) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def _entry(line: bytes) -> dict[str, Any]:
    """Return what is in a line; nothing where it is damaged."""
    try:
        entry = json.loads(line) if line.startswith(b"{") else None
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _record(entry: dict[str, Any]) -> Record | None:
    """Take a record from a line; None where one is damaged. What older versions did not write is empty."""
    known = {name: entry[name] for name in _KINDS if name in entry}
    if _ALWAYS - known.keys() or not all(isinstance(value, _KINDS[name]) for name, value in known.items()):
        return None
    if not all(isinstance(part, kind) for name, kind in _PARTS.items() for part in known.get(name, ())):
        return None
    missing: dict[str, Any] = dict.fromkeys(("user", "host", "via", "why", "before", "after", "copy"), "")
    return Record(**{**missing, "pid": 0, "targets": [], "inverse": [], **known})


def _without_outcome(record: Record) -> Outcome:
    here = record.host == socket.gethostname()
    return "in progress" if here and still_runs(record.pid, instant(record.at) or 0.0) else "interrupted"

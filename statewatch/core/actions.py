"""Doing something to a source: the only way in which statewatch writes state.

Under the lock of the source: read, change, validate, keep a safety copy, compare, swap, look at what was displaced, and
write it down. A foreign writer takes no lock, so it may come in at any point; then the change is made again to what is
there now, and what it had written is either carried forward or kept as a copy.
"""

import contextlib
import hashlib
import os
import secrets
import socket
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from statewatch.core import audit, copies
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.lock import locked, user
from statewatch.core.reading import Signature, Snapshot, read, signature
from statewatch.core.settle import after_a_write, was_put_back
from statewatch.core.swap import leftovers, prepared, swap
from statewatch.documents import codec
from statewatch.documents.diff import Change as Difference
from statewatch.documents.diff import diff, invert
from statewatch.documents.values import JSON, same
from statewatch.kinds import base
from statewatch.kinds.base import Change
from statewatch.kinds.registry import kind_of
from statewatch.kinds.times import iso

Transform: TypeAlias = Callable[[JSON, float], Change]
"""From a document and the instant of the action to the change: pure, since it may be made more than once."""

SETTLE = 0.25
"""Seconds for which a source is watched after an action, for a writer that puts back what it had read before."""

_CAREFUL = 10
"""How often the file may change under our hands before we go ahead and deal with what we displace."""
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Action:
    """A change that someone asked for: which file, what, why, and through what (`cli`, `dashboard`, `library`).

    `undoes` is the id of the action that it takes back; `raw_text` says that the file had text beyond ASCII unescaped,
    which cannot be seen where no such text is left.
    """

    path: Path
    transform: Transform
    name: str
    why: str = ""
    via: str = "library"
    undoes: str | None = None
    raw_text: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """Exactly what an action would write, and how that differs from what is there."""

    path: Path
    base: Snapshot
    before: JSON
    change: Change
    data: bytes
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action; `plan` is what was written.

    `id` names it in the audit log and is None when there was nothing to write; `copy` is the safety copy; `displaced`
    are copies of versions that other writers wrote while we did; `applied` is how often the action was done.
    """

    plan: Preview
    id: str | None = None
    copy: Path | None = None
    displaced: tuple[Path, ...] = ()
    overwritten: bool = False
    applied: int = 1

    @property
    def changed(self) -> bool:
        """Tell whether anything was written."""
        return self.id is not None


@dataclass(frozen=True, slots=True)
class _Commit:
    plan: Preview
    copy: Path | None = None
    displaced: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class _Written:
    """One exchange: our version as it was written, and what it displaced where that was not what we expected."""

    copy: Path
    ours: Signature | None
    displaced: Snapshot | None = None


def preview(action: Action, clock: Callable[[], float] = time.time) -> Preview:
    """Return what *action* would write now; nothing is written.

    Raises SourceError when the source cannot be read and RefusedError when the action may not be done.
    """
    real = _real(action.path)
    _refuse_read_only(real, action.name)
    return _planned(action, read(real), clock())


def perform(
    action: Action, *, clock: Callable[[], float] = time.time, settle_for: float = SETTLE, reapply: int = 0
) -> Outcome:
    """Do *action* and watch for *settle_for* seconds whether it holds.

    When another writer puts the old content back, the action is done again up to *reapply* times; after that the
    outcome says `overwritten`. Raises SourceError, RefusedError and LockedError; nothing is changed then, unless the
    message says so.
    """
    outcome, record = _perform_once(action, clock)
    while record and was_put_back(outcome.plan.path, outcome.plan.change, outcome.plan.before, settle_for):
        _note_overwritten(record, clock())
        if outcome.applied > reapply:
            return replace(outcome, overwritten=True)
        again, record = _perform_once(action, clock)
        if record is None:  # somebody else has done it meanwhile
            return outcome
        outcome = replace(again, applied=outcome.applied + 1, displaced=outcome.displaced + again.displaced)
    return outcome


def _perform_once(action: Action, clock: Callable[[], float]) -> tuple[Outcome, audit.Record | None]:
    real = _real(action.path)
    _refuse_read_only(real, action.name)
    audit.ready()
    with locked(real, action.name):
        _keep_leftovers(real, clock())
        commit = _commit(action, real, clock)
        if commit.copy is None:
            return Outcome(commit.plan), None
        record = _record(action, commit, clock())
        try:
            audit.append(record)
        except OSError as error:
            raise RefusedError(
                f"{real}: {action.name} was done, but the audit log could not be written "
                f"({os.strerror(error.errno or 0)}); what was there before is in {commit.copy}"
            ) from None
        finally:
            for copy in (commit.copy, *commit.displaced):
                copies.secure(copy)
    return Outcome(commit.plan, record.id, commit.copy, commit.displaced), record


def _keep_leftovers(real: Path, now: float) -> None:
    """Clear away what killed processes left, but keep it: it may be a version that they displaced."""
    for temporary in leftovers(real):
        with contextlib.suppress(SourceError):
            snapshot = read(temporary)
            snapshot.document()
            copies.keep(real, snapshot, now)
        with contextlib.suppress(OSError):
            temporary.unlink()


def _commit(action: Action, real: Path, clock: Callable[[], float]) -> _Commit:
    base_version = after_a_write(real, clock)
    on_disk = base_version.signature
    done: _Commit | None = None  # what we have written so far, over a version that we had not seen
    for attempt in range(_ATTEMPTS):
        try:
            plan = _planned(action, replace(base_version, path=real), clock())
        except (SourceError, RefusedError) as error:
            if done is None:
                raise
            if isinstance(error, RefusedError) and not _is_same_file(base_version.signature, on_disk):
                _give_back(real, base_version)
                raise
            return done
        if not plan.differences and _is_same_file(base_version.signature, on_disk):
            return done or _Commit(plan)
        written = _write(plan, on_disk, clock(), forced=attempt >= _CAREFUL)
        if written is None:
            base_version = after_a_write(real, clock)
            on_disk = base_version.signature
            continue
        displaced = done.displaced if done else ()
        if written.displaced is None:
            return _Commit(plan if plan.differences or not done else done.plan, written.copy, displaced)
        # Somebody wrote between our look and the exchange. Theirs is the newer truth: keep it, and make the change once
        # more on top of it, or on top of what they have written since.
        done = _Commit(plan, written.copy, (*displaced, copies.keep(real, written.displaced, clock())))
        try:
            current = read(real)
        except SourceError:
            return done
        base_version = written.displaced if _is_same_file(current.signature, written.ours) else current
        on_disk = current.signature
    assert done is not None  # who is forced writes, or raises
    return done


def _write(plan: Preview, expected: Signature, now: float, *, forced: bool) -> _Written | None:
    """Put what is planned in place of the *expected* version; None, and nothing done, when that is no longer there.

    When *forced* it is put in place of whatever is there.
    """
    real = plan.path
    with prepared(real, plan.data) as temporary:
        ours = signature(temporary)
        if not (forced or _is_same_file(signature(real), expected)):
            return None
        copy = copies.keep(real, plan.base, now)
        if not (forced or _is_same_file(signature(real), expected)):
            return None
        if not swap(temporary, real, or_replace=not forced):
            return _Written(copy, ours)
        displaced = read(temporary)
        return _Written(copy, ours, None if _is_same_file(displaced.signature, expected) else displaced)


def _give_back(real: Path, theirs: Snapshot) -> None:
    """Put back the version that we displaced: what we wanted to do no longer applies to it."""
    with prepared(real, theirs.data) as temporary:
        swap(temporary, real)


def _planned(action: Action, base_version: Snapshot, now: float) -> Preview:
    real, before = base_version.path, base_version.document()
    try:
        change = action.transform(before, now)
    except base.RefusedError as error:
        raise RefusedError(f"{real}: {error}") from None
    after = before
    if not same(before, change.document):
        # What is derived follows from the rest; an undo has seen to that, so that it can be exact to the byte.
        after = change.document if action.undoes else kind_of(before).refresh(change.document, now)
        _refuse_damage(real, before, after)
    differences = tuple(diff(before, after))
    style = codec.style_of(base_version.data)
    if action.raw_text:
        style = replace(style, ascii_only=False)
    data = codec.encode(after, style) if differences else base_version.data
    return Preview(real, base_version, before, change, data, differences)


def _refuse_damage(real: Path, before: JSON, after: JSON) -> None:
    kind = kind_of(before)
    known = set(kind.faults(before, after))
    if new := [fault for fault in kind.faults(after, before) if fault not in known]:
        what = "; ".join(f"{fault.pointer}: {fault.message}" for fault in new[:5])
        raise RefusedError(f"{real}: the result would not be valid, so nothing was written: {what}")


def _refuse_read_only(real: Path, name: str) -> None:
    """Respect a mode that says read-only, also where the system would let us through: root, or for a replacement."""
    for place, what in ((real, "file"), (real.parent, "directory")):
        with contextlib.suppress(OSError):
            if not place.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
                raise RefusedError(f"cannot {name}: the {what} {place} is read-only. `chmod u+w` it to allow changes.")
            if not os.access(place, os.W_OK):
                raise RefusedError(f"cannot {name}: you may not write the {what} {place}.")


def _real(path: Path) -> Path:
    """Follow symbolic links: the file they lead to is written, the links stay."""
    return Path(os.path.realpath(path))


def _is_same_file(left: Signature | None, right: Signature | None) -> bool:
    if left is None or right is None:
        return left is right
    return left.content == right.content


def _note_overwritten(record: audit.Record, now: float) -> None:
    """Write down that an action did not hold, so that nobody is offered to undo it."""
    note = replace(
        record,
        id=secrets.token_hex(6),
        at=iso(now) or "",
        action=f"{record.action} was overwritten by another program",
        before=record.after,
        after=record.before,
        inverse=[],
        undoes=record.id,
    )
    with contextlib.suppress(OSError):
        audit.append(note)


def _record(action: Action, commit: _Commit, now: float) -> audit.Record:
    plan = commit.plan
    return audit.Record(
        id=secrets.token_hex(6),
        at=iso(now) or "",
        user=user(),
        host=socket.gethostname(),
        pid=os.getpid(),
        via=action.via,
        action=plan.change.name,
        targets=list(plan.change.targets),
        why=action.why,
        source=str(plan.path),
        before=plan.base.digest,
        after=hashlib.sha256(plan.data).hexdigest(),
        copy=str(commit.copy),
        inverse=audit.to_json(invert(plan.differences)),
        undoes=action.undoes,
    )

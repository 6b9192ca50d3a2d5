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
from statewatch.core.errors import RefusedError
from statewatch.core.lock import locked, user
from statewatch.core.reading import Signature, Snapshot, read, signature
from statewatch.core.settle import after_a_write, was_put_back
from statewatch.core.swap import prepared, swap
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

_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Action:
    """A change that someone asked for: which file, what, why, and through what (`cli`, `dashboard`, `library`)."""

    path: Path
    transform: Transform
    name: str
    why: str = ""
    via: str = "library"
    undoes: str | None = None


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
    outcome says `overwritten`. Raises SourceError, RefusedError, LockedError; nothing is changed then.
    """
    outcome = _perform_once(action, clock)
    while outcome.changed and was_put_back(outcome.plan.path, outcome.plan.change, outcome.plan.before, settle_for):
        if outcome.applied > reapply:
            return replace(outcome, overwritten=True)
        again = _perform_once(action, clock)
        if not again.changed:
            return outcome
        outcome = replace(again, applied=outcome.applied + 1, displaced=outcome.displaced + again.displaced)
    return outcome


def _perform_once(action: Action, clock: Callable[[], float]) -> Outcome:
    real = _real(action.path)
    _refuse_read_only(real, action.name)
    audit.ready()
    with locked(real, action.name):
        commit = _commit(action, real, clock)
        if commit.copy is None:
            return Outcome(commit.plan)
        record = _record(action, commit, clock())
        try:
            audit.append(record)
        except OSError as error:
            raise RefusedError(
                f"{real}: {action.name} was done, but the audit log could not be written "
                f"({os.strerror(error.errno or 0)}); what was there before is in {commit.copy}"
            ) from None
    return Outcome(commit.plan, record.id, commit.copy, commit.displaced)


def _commit(action: Action, real: Path, clock: Callable[[], float]) -> _Commit:
    base_version = after_a_write(real, clock)
    expected = base_version.signature
    displaced: tuple[Path, ...] = ()
    for _ in range(_ATTEMPTS):
        plan = _planned(action, base_version, clock())
        if not plan.differences:
            return _Commit(plan)
        with prepared(real, plan.data) as temporary:
            ours = signature(temporary)
            copy = copies.keep(real, base_version, clock()) if _is_same_file(signature(real), expected) else None
            if copy is None or not _is_same_file(signature(real), expected):
                base_version = read(real)
                expected = base_version.signature
                continue
            exchanged = swap(temporary, real)
            copies.secure(copy)
            there = read(temporary) if exchanged else None
            if there is None or _is_same_file(there.signature, expected):
                return _Commit(plan, copy, displaced)
            # Somebody wrote between our look and the exchange. Theirs is the newer truth: keep it, and make the change
            # once more on top of it, or on top of what they have written since.
            displaced = (*displaced, copies.keep(real, there, clock()))
            copies.secure(displaced[-1])
        current = read(real)
        base_version = there if _is_same_file(current.signature, ours) else current
        expected = current.signature
    raise RefusedError(
        f"{real}: another program writes it so fast that {action.name} found no gap in {_ATTEMPTS} tries. Try again."
    )


def _planned(action: Action, base_version: Snapshot, now: float) -> Preview:
    real, before = base_version.path, base_version.document()
    try:
        change = action.transform(before, now)
    except base.RefusedError as error:
        raise RefusedError(f"{real}: {error}") from None
    after = before
    if not same(before, change.document):
        after = kind_of(before).refresh(change.document, now)
        _refuse_damage(real, before, after)
    differences = tuple(diff(before, after))
    data = codec.encode(after, codec.style_of(base_version.data)) if differences else base_version.data
    return Preview(real, base_version, before, change, data, differences)


def _refuse_damage(real: Path, before: JSON, after: JSON) -> None:
    kind = kind_of(before)
    known = set(kind.faults(before, after))
    if new := [fault for fault in kind.faults(after, before) if fault not in known]:
        what = "; ".join(f"{fault.pointer}: {fault.message}" for fault in new[:5])
        raise RefusedError(f"{real}: the result would not be valid, so nothing was written: {what}")


def _refuse_read_only(real: Path, name: str) -> None:
    """Respect a mode that says read-only, also for root, whom the system would let through."""
    for place, what in ((real, "file"), (real.parent, "directory")):
        with contextlib.suppress(OSError):
            if not place.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
                raise RefusedError(f"cannot {name}: the {what} {place} is read-only. `chmod u+w` it to allow changes.")


def _real(path: Path) -> Path:
    """Follow symbolic links: the file they lead to is written, the links stay."""
    return Path(os.path.realpath(path))


def _is_same_file(left: Signature | None, right: Signature | None) -> bool:
    if left is None or right is None:
        return left is right
    return left.content == right.content


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

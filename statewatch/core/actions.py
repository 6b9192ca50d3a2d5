"""Doing something to a source: the only way in which operators change state.

Under the lock of the source: read, change, validate, keep a safety copy, write down what is going to be done, swap,
look at what was displaced, and write down that it is done. A foreign writer takes no lock, so it may come in at any
point; then the change is made again to what is there now, and what it had written is carried forward or kept as a copy.
"""

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from statewatch.core import audit, copies
from statewatch.core.beside import owner_of
from statewatch.core.errors import ConflictError, RefusedError, SourceError, StatewatchError, UnknownOutcomeError
from statewatch.core.lock import user
from statewatch.core.reading import Snapshot
from statewatch.core.rewriting import NOWHERE
from statewatch.core.settle import was_put_back
from statewatch.core.standing import OVERWRITTEN
from statewatch.core.stores.base import Kept, Revision, Store, Version
from statewatch.core.stores.urls import open_store
from statewatch.documents.diff import Change as Difference
from statewatch.documents.diff import diff, invert
from statewatch.documents.values import JSON, NotJSONError, digest, private, same
from statewatch.kinds import base
from statewatch.kinds.base import Change
from statewatch.kinds.registry import changes, kind_of, sealed
from statewatch.kinds.times import iso

Transform: TypeAlias = Callable[[JSON, float], Change]
"""From a document and the instant of the action to the change: pure, since it may be made more than once."""

SETTLE = 0.25
"""Seconds for which a source is watched after an action, for a writer that puts back what it had read before."""


@dataclass(frozen=True)
class Action:
    """A change that someone asked for: to which source, what, why, and through what (`cli`, `dashboard`, `library`).

    `undoes` is the id of the action that it takes back. An `exact` change says all that is to be written, down to what
    follows from the rest; where the document comes out as that of the version `like`, it is written as that is, to the
    byte. `expected` is the digest of the version that it was decided on, if it may be done to no other. One that
    `repairs` may replace what cannot be read; one that `removes` leaves nothing. Actions of one request on several
    sources share a `group`.
    """

    source: Path | Store
    transform: Transform
    name: str
    why: str = ""
    via: str = "library"
    undoes: str | None = None
    exact: bool = False
    like: Version | None = None
    expected: str | None = None
    repairs: bool = False
    removes: bool = False
    group: str | None = None

    @cached_property
    def store(self) -> Store:
        """Return the store that the source is."""
        return open_store(self.source) if isinstance(self.source, Path) else self.source


@dataclass(frozen=True, slots=True)
class Preview:
    """Exactly what an action would write, and how that differs from what is there; `data` is the text of it."""

    store: Store
    base: Version
    before: JSON
    change: Change
    data: bytes
    differences: tuple[Difference, ...]

    @property
    def source(self) -> str:
        """Return the name of the source: the path of a file, links followed, or the URL of a store."""
        return self.store.source

    @property
    def after(self) -> JSON:
        """Return the document as it shall be."""
        return self.change.document

    @property
    def changed(self) -> bool:
        """Tell whether anything would be written."""
        return bool(self.differences) or self.data != self.base.data

    @property
    def is_first(self) -> bool:
        """Tell whether there was nothing before: no file, or a namespace without keys."""
        return self.base.signature == NOWHERE if isinstance(self.base, Snapshot) else self.before == {}

    @property
    def digest(self) -> str:
        """Return the digest of the version that is written."""
        return Snapshot.digest_of(self.data) if isinstance(self.base, Snapshot) else digest(self.after)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action; `plan` is what was written.

    `id` names it in the audit log and is None when there was nothing to write; `copy` is the safety copy, None when
    there was nothing before; `displaced` are copies of versions that other writers wrote while we did; `applied` is how
    often the action was done.
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


def preview(action: Action, clock: Callable[[], float] = time.time) -> Preview:
    """Return what *action* would write now; nothing is written.

    Raises SourceError when the source cannot be read and RefusedError when the action may not be done.
    """
    action.store.refuse_read_only(action.name)
    return _planned(action, action.store.version(), clock())


def perform(
    action: Action, *, clock: Callable[[], float] = time.time, settle_for: float = SETTLE, reapply: int = 0
) -> Outcome:
    """Do *action* and watch for *settle_for* seconds whether it holds.

    When another writer puts the old content back, the action is done again up to *reapply* times; after that the
    outcome says `overwritten`. Raises SourceError, RefusedError, ConflictError (the source is not at the version that
    was expected) and LockedError; nothing is changed then, unless the message says so.
    """
    outcome, record = _perform_once(action, clock)
    while record and was_put_back(action.store, outcome.plan, settle_for):
        _note_overwritten(record, clock())
        if outcome.applied > reapply:
            return replace(outcome, overwritten=True)
        again, record = _perform_once(replace(action, expected=None), clock)
        if record is None:  # somebody else has done it meanwhile
            return outcome
        outcome = replace(again, applied=outcome.applied + 1, displaced=outcome.displaced + again.displaced)
    if record is not None:
        _tell_circuits(outcome.plan, record)
    return outcome


def _perform_once(action: Action, clock: Callable[[], float]) -> tuple[Outcome, audit.Record | None]:
    audit.ready()
    keeper = _Keeper(action, clock)
    try:
        plan = action.store.rewrite(lambda version: _planned(action, version, clock()), keeper, action.name)
    except UnknownOutcomeError:
        raise  # the record stays open: what is in the source will tell
    except StatewatchError:
        keeper.give_up()
        raise
    if keeper.record is None:
        return Outcome(plan), None
    keeper.finish()
    return Outcome(plan, keeper.record.id, keeper.copy, tuple(keeper.others)), keeper.record


class Trail:
    """What a change of a whole namespace leaves behind that no action makes, since it takes many transactions.

    It is begun before anything is written, and again where it was planned anew; `copy` is the safety copy.
    """

    def __init__(self, store: Store, name: str, targets: Sequence[str], why: str, via: str) -> None:
        self._action = Action(store, lambda document, _: Change(name, tuple(targets), document, ()), name, why, via)
        self._record: audit.Record | None = None
        self.id = secrets.token_hex(6)
        self.copy: Path | None = None
        self._before: Version | None = None

    @property
    def begun(self) -> bool:
        """Tell whether anything was to be written."""
        return self._record is not None

    def begin(self, before: JSON, after: JSON) -> None:
        """Keep what is there, and write down that *before* is about to become *after*. Raises RefusedError."""
        audit.ready()
        now = time.time()
        store = self._action.store
        version = self._before
        if version is None:
            version = self._before = Kept(Revision.of(before))
            with contextlib.suppress(SourceError):  # a file that is not there yet
                version = self._before = store.version()
        change = self._action.transform(after, now)
        plan = Preview(store, version, before, change, b"", tuple(diff(before, after)))
        if self.copy is None and not plan.is_first:
            self.copy = copies.keep(plan.source, version, now)
        record, inverse = _recorded(self._action, plan, self.id, self.copy, now)
        self._record = replace(record, after="")  # what it will be is known when it is there
        audit.begin(self._record)
        for kept in filter(None, (self.copy, inverse)):
            copies.secure(kept)

    def finish(self) -> None:
        """Write down that it is done, and the version that is there now."""
        if self._record is not None:
            after = ""
            with contextlib.suppress(StatewatchError):
                after = self._action.store.version().digest
            if after == self._record.before:
                audit.finish(self.id, "void")
            else:
                audit.complete(replace(self._record, after=after))


class _Keeper:
    """Keeps what one action is about to change and what it displaces, and writes down what it does."""

    def __init__(self, action: Action, clock: Callable[[], float]) -> None:
        self._action, self._clock = action, clock
        self._id = secrets.token_hex(6)
        self.record: audit.Record | None = None
        self.copy: Path | None = None
        self.inverse: Path | None = None
        self.others: list[Path] = []

    def before(self, plan: Preview) -> None:
        """Keep the version that is about to go, and write down what is about to be done."""
        now = self._clock()
        self.copy = None if plan.is_first else copies.keep(plan.source, plan.base, now)
        self.record, self.inverse = _recorded(self._action, plan, self._id, self.copy, now)
        audit.begin(self.record)

    def displaced(self, version: Version) -> None:
        """Keep a version of another writer whose place ours has taken."""
        self.others.append(copies.keep(self._action.store.source, version, self._clock()))

    def finish(self) -> None:
        """Write down that it is done, and make the copies last."""
        audit.finish(self._id, "done")
        for copy in (self.copy, self.inverse, *self.others):
            if copy is not None:
                copies.secure(copy)

    def give_up(self) -> None:
        """Write down that nothing was done after all."""
        if self.record is not None:
            audit.finish(self._id, "void")


def _planned(action: Action, version: Version, now: float) -> Preview:
    before = _document(action, version)
    name = action.store.source
    if action.expected not in (None, version.digest):
        raise ConflictError(
            f"{name}: it has changed since you looked, so nothing was changed. Look again, or say that it is to be "
            "done to what is there now."
        )
    try:
        change = action.transform(before, now)
    except base.RefusedError as error:
        raise RefusedError(f"{name}: {error}") from None
    _refuse_other_than_json(name, before, change.document)
    if not same(before, change.document):
        if why := sealed(before):
            raise RefusedError(f"{name}: {why}")
        # What is derived follows from the rest; who is exact has seen to that.
        after = change.document if action.exact else kind_of(before).refresh(change.document, now)
        change = replace(change, document=after, notes=(*change.notes, *action.store.notes()))
        if not action.removes:
            _refuse_damage(name, before, after)
    differences = _differences(action, before, change.document)
    return Preview(action.store, version, before, change, _text(action, version, change, differences, now), differences)


def _differences(action: Action, before: JSON, after: JSON) -> tuple[Difference, ...]:
    return (Difference("remove", (), before, None),) if action.removes else tuple(changes(before, after))


def _text(action: Action, version: Version, change: Change, differences: tuple[Difference, ...], now: float) -> bytes:
    if action.like is not None and same(change.document, action.like.document()):
        return action.like.data
    return action.store.rendered(version, change.document, now) if differences else version.data


def _document(action: Action, version: Version) -> JSON:
    try:
        return version.document()
    except SourceError:
        if not action.repairs:
            raise
        return None


def _refuse_other_than_json(name: str, before: JSON, document: JSON) -> None:
    """Whoever asks from a program of their own may have put anything into it; what was there before is JSON already."""
    if isinstance(before, dict) and isinstance(document, dict):
        document = {key: value for key, value in document.items() if key not in before or before[key] is not value}
    try:
        private(document)
    except NotJSONError as error:
        raise RefusedError(f"{name}: the result could not be kept: {error}. Nothing was changed.") from None


def _refuse_damage(name: str, before: JSON, after: JSON) -> None:
    kind = kind_of(before)
    known = set(kind.faults(before, after))
    if new := [fault for fault in kind.faults(after, before) if fault not in known]:
        what = "; ".join(f"{fault.pointer}: {fault.message}" for fault in new[:5])
        raise RefusedError(f"{name}: the result would not be valid, so nothing was written: {what}")


def _note_overwritten(record: audit.Record, now: float) -> None:
    """Write down that an action did not hold, so that nobody is offered to undo it."""
    note = replace(
        record,
        id=secrets.token_hex(6),
        at=iso(now) or "",
        action=f"{record.action}{OVERWRITTEN}",
        before=record.after,
        after=record.before,
        inverse=[],
        inverse_in="",
        undoes=record.id,
    )
    with contextlib.suppress(OSError):
        audit.append(note)


def _recorded(
    action: Action, plan: Preview, identity: str, copy: Path | None, now: float
) -> tuple[audit.Record, Path | None]:
    """Return the record of a plan; what takes it back goes to a file, which is returned too, where it is much."""
    text = audit.to_text(invert(plan.differences))
    inverse = copies.keep_inverse(plan.source, identity, text, now) if len(text) > audit.INLINE else None
    return _record(action, plan, identity, copy, inverse, now), inverse


def _bounded(targets: Sequence[str]) -> list[str]:
    """Return targets as a record names them: not all where they are very many, since the log is everybody's."""
    if sum(map(len, targets)) <= audit.INLINE:
        return list(targets)
    size, named = 0, 0
    while size + len(targets[named]) <= audit.INLINE:
        size, named = size + len(targets[named]), named + 1
    return [*targets[:named], f"and {len(targets) - named:,} more"]


def _tell_circuits(plan: Preview, record: audit.Record) -> None:
    """Tell the history of circuits what was done to them, where the source is a hook state or what is beside one."""
    beside = isinstance(plan.base, Snapshot) and owner_of(Path(plan.source)) is not None
    if beside or "hooks" in (kind_of(plan.before).name, kind_of(plan.after).name):
        from statewatch.core import circuit_story  # noqa: PLC0415 - it knows files, and only hooks have circuits

        circuit_story.tell(plan.store, plan.before, plan.after, record)


def _record(
    action: Action, plan: Preview, identity: str, copy: Path | None, inverse: Path | None, now: float
) -> audit.Record:
    return audit.Record(
        id=identity,
        at=iso(now) or "",
        user=user(),
        host=socket.gethostname(),
        pid=os.getpid(),
        via=action.via,
        action=plan.change.name,
        targets=_bounded(plan.change.targets),
        why=action.why,
        source=plan.source,
        before=plan.base.digest,
        after=plan.digest,
        copy="" if copy is None else str(copy),
        inverse=[] if inverse else audit.to_json(invert(plan.differences)),
        inverse_in="" if inverse is None else str(inverse),
        undoes=action.undoes,
        group=action.group,
    )

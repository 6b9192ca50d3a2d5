"""Coming back to a checkpoint, wholly or in part: as a new revision, which can be undone like any other."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

from statewatch.core import actions
from statewatch.core.actions import SETTLE, Action, Outcome, Preview
from statewatch.core.copies import copies_of
from statewatch.core.errors import NotFoundError, SourceError, StatewatchError, UnavailableError, UnknownOutcomeError
from statewatch.core.reading import kind_of_file, read
from statewatch.core.stores.base import Checkpoint, Store, Version
from statewatch.core.undo import RECOVER, evidence
from statewatch.documents import pointer
from statewatch.documents.diff import diff
from statewatch.documents.picking import picked
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON
from statewatch.kinds.base import Change, RefusedError
from statewatch.kinds.plain import brief

RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a restore: its outcome, and the checkpoint of what was there before, if anything was changed."""

    outcome: Outcome
    safety: Checkpoint | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A good version to recover with: a checkpoint or backup of that name, or a safety copy; `at` is in seconds.

    `holds` says in words how much that is; one that holds nothing is `empty`.
    """

    name: str
    at: float
    what: str
    version: Version
    holds: str
    empty: bool

    @classmethod
    def of(cls, name: str, at: float, what: str, version: Version) -> Self:
        """Return the candidate that *version* makes. Raises SourceError when it cannot be read."""
        document = version.document()
        if isinstance(document, dict):
            holds = f"{len(document):,} key{'' if len(document) == 1 else 's'}"
        else:
            holds = brief(document)
        return cls(name, at, what, version, holds, document in ({}, [], None, ""))


def restore_action(
    store: Store, name: str, only: Sequence[tuple[str, ...]] = (), *, why: str = "", via: str = "library"
) -> Action:
    """Return the action that brings the checkpoint *name* back: all of it, or *only* the places with these tokens.

    A file that is gone is made anew. Raises MissingCheckpointError, and SourceError when the checkpoint cannot be read.
    """
    return _bringing_back(store.made_anew(), store.kept(name), name, only, why, via)


def copy_action(store: Store, copy: Path, *, why: str = "", via: str = "library") -> Action:
    """Return the action that brings a safety copy back, wholly. Raises SourceError when it cannot be read."""
    return _bringing_back(store.made_anew(), store.version_in(read(copy)), copy.name, (), why, via)


def restore_version_action(
    store: Store,
    kept: Version,
    name: str,
    only: Sequence[tuple[str, ...]] = (),
    *,
    why: str = "",
    via: str = "library",
) -> Action:
    """Return the action that brings back the version *kept*, called *name*: one that is no checkpoint, as a past one.

    What `restore_action` says of the rest holds here too. Raises SourceError when the version cannot be read.
    """
    return _bringing_back(store.made_anew(), kept, name, only, why, via)


def restore(
    action: Action,
    expected: Preview | None = None,
    *,
    clock: Callable[[], float] = time.time,
    settle_for: float = SETTLE,
    reapply: int = 0,
) -> Restored:
    """Do a restore, with a checkpoint of what is there first.

    With the preview that it was decided on as *expected*, it is done to that version only: raises ConflictError when
    the source has moved on.
    """
    if expected is not None:
        action = replace(action, expected=expected.base.digest)
    safety = _safety(action, actions.preview(action, clock))
    try:
        outcome = actions.perform(action, clock=clock, settle_for=settle_for, reapply=reapply)
    except UnknownOutcomeError:
        raise  # it may have been done, and then this checkpoint is the way back
    except StatewatchError:
        if safety is not None:
            with contextlib.suppress(StatewatchError):
                action.store.delete_checkpoint(safety.name, why=f"the {action.name} was not done", via=action.via)
        raise
    return Restored(outcome, safety)


def damage(store: Store) -> str | None:
    """Return what is wrong with a store that cannot be read, or is gone though something is kept of it; else None."""
    try:
        store.version().document()
    except UnavailableError:  # what is not reached is not damaged
        raise
    except SourceError as error:
        if not error.missing:
            return str(error)
    return f"{store.source}: it is gone" if gone(store) and candidates(store) else None


def gone(store: Store) -> bool:
    """Tell whether the file of a store is not there, or not any more."""
    path: Path | None = getattr(store, "path", None)
    return path is not None and kind_of_file(Path(os.path.realpath(path))) is None


def candidates(store: Store) -> list[Candidate]:
    """Return what a damaged store can be recovered with: only what was read and is good.

    The newest is first; what holds nothing comes after all that holds something.
    """
    return _searched(store)[0]


def recover_action(store: Store, name: str, *, why: str = "", via: str = "library") -> Action:
    """Return the action that puts the candidate *name* in the place of what is damaged, which is kept byte for byte.

    Raises NotFoundError when there is no good candidate of that name.
    """
    known, others = _searched(store)
    chosen = next((candidate for candidate in known if candidate.name == name), None)
    if chosen is None:
        names = ", ".join(candidate.name for candidate in known[:5]) or "none at all"
        why_not = f" ({others.get(name) or next(iter(others.values()))})" if others else ""
        raise NotFoundError(
            f"{store.source}: there is no good version {name!r} to recover with{why_not}; there is {names}"
        )
    if gone(store):  # nothing is replaced, so it is a restore as any other
        return _bringing_back(store.made_anew(), chosen.version, name, (), why, via)
    notes: tuple[str, ...] = getattr(store.version(), "notes", ())
    return replace(_bringing_back(store, chosen.version, name, (), why, via, RECOVER, notes), repairs=True)


def _bringing_back(
    store: Store,
    kept: Version,
    name: str,
    only: Sequence[tuple[str, ...]],
    why: str,
    via: str,
    act: str = RESTORE,
    notes: tuple[str, ...] = (),
) -> Action:
    there = kept.document()

    def transform(document: JSON, now: float) -> Change:  # noqa: ARG001 - what was, was
        after = there
        if only:
            after = document
            for tokens in only:
                after = _taken(after, there, tokens, name)
        places = [pointer.render(tokens) for tokens in only]
        return Change(act, (name, *places), after, evidence(diff(document, after)), notes)

    return Action(store, transform, act, why, via, exact=not only, like=None if only else kept)


def _taken(document: JSON, kept: JSON, tokens: tuple[str, ...], name: str) -> JSON:
    try:
        return picked(document, kept, tokens)
    except PointerError as error:
        raise RefusedError(f"{pointer.render(tokens)!r} cannot be restored from {name!r}: {error}") from None


def _safety(action: Action, plan: Preview) -> Checkpoint | None:
    """Keep what is there, if anything, unless nothing would be changed, or it is damaged: nobody comes back to that."""
    if not plan.changed or plan.is_first:
        return None
    try:
        plan.base.document()
    except SourceError:
        return None
    why = f"before the {action.name} of {plan.change.targets[0]}"
    return action.store.checkpoint(note=why, why=why, via=action.via)


def _searched(store: Store) -> tuple[list[Candidate], dict[str, str]]:
    """Return what a store can be recovered with, newest first, and by name why something else is not good for that."""
    found: list[Candidate] = []
    others: dict[str, str] = {}
    looks: list[tuple[str, Callable[[], Candidate]]] = []
    try:
        looks += [(entry.name, partial(_checked, store, entry)) for entry in store.checkpoints()]
    except SourceError as error:  # damaged with the rest, where the engine keeps both in one place
        others[""] = str(error)
    try:
        looks += [(path.name, partial(_copy, store, path)) for path in copies_of(store.source)]
    except SourceError as error:
        others[""] = str(error)
    for name, look in looks:
        try:
            found.append(look())
        except StatewatchError as error:
            others[name] = str(error)
    return sorted(found, key=lambda candidate: (not candidate.empty, candidate.at), reverse=True), others


def _kind_of(checkpoint: Checkpoint) -> str:
    return "backup" if checkpoint.foreign else "checkpoint"


def _checked(store: Store, entry: Checkpoint) -> Candidate:
    kept = store.kept(entry.name)
    candidate = Candidate.of(entry.name, entry.created_at, _kind_of(entry), kept)
    if not store.verify_checkpoint(entry.name):
        raise SourceError(store.source, f"the checkpoint {entry.name!r} is not as it was made")
    return candidate


def _copy(store: Store, path: Path) -> Candidate:
    version = store.version_in(read(path))
    try:
        at = datetime.strptime(path.name.partition("Z")[0], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise SourceError(path, "its name tells no time, so it is no safety copy") from None
    return Candidate.of(path.name, at, "safety copy", version)

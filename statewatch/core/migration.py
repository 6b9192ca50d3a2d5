"""Moving a namespace from one store to another, with its checkpoints, checked on arrival and resumable at any point."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Final, TypeAlias

from statewatch.core.actions import Trail
from statewatch.core.errors import ConflictError, RefusedError, SourceError, UnavailableError
from statewatch.core.names import clash
from statewatch.core.stores.base import Checkpoint, Store
from statewatch.core.stores.model import automatic_name
from statewatch.core.stores.transaction import Transaction
from statewatch.documents.values import JSON, same

MIGRATE = "migrate"

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being moved (`keys`, `checkpoints`), how many are there, and how many there will be."""

BATCH: Final = 5_000
"""Keys of one transaction: what an interruption costs at most."""

_ROUNDS: Final = 5
"""How often a source that is written to meanwhile is gone over again."""
_LONGEST_BASE: Final = 100
"""Bytes of the old name in the new name of a checkpoint that makes room."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was moved: how many keys the target has now, how many were written and deleted there, and so on.

    `left` are backups that other tools left beside the source; they are not the namespace's own and stay there. `id`
    names the change of the keys in the audit log, None when none changed. Where something was overwritten, what was
    there is the checkpoint `safety` and the file `copy`; `renamed` are the checkpoints that made room, with the names
    that they have now.
    """

    keys: int
    keys_written: int
    checkpoints: int
    checkpoints_written: int
    left: int
    keys_deleted: int = 0
    id: str | None = None
    safety: str | None = None
    copy: Path | None = None
    renamed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """What a migration would do at the target: keys that are new there, get another value, or go; and checkpoints."""

    keys: int
    new: tuple[str, ...]
    replaced: tuple[str, ...]
    deleted: tuple[str, ...]
    checkpoints: int
    checkpoints_new: tuple[str, ...]
    checkpoints_replaced: tuple[str, ...]

    @property
    def overwrites(self) -> bool:
        """Tell whether something that is there would be another one afterwards, or gone."""
        return bool(self.replaced or self.deleted or self.checkpoints_replaced)


def planned(source: Store, target: Store, *, overwrite: bool = False) -> Planned:
    """Return what `migrate` would do now; nothing is written. Raises RefusedError where that would."""
    _refuse_itself(source, target)
    _refuse_collisions(source, target, overwrite=overwrite)
    wanted = _keys_of(source, source.snapshot().document)
    there = _keys_of(target, target.snapshot().document)
    if not overwrite:
        _refuse_other(target, wanted, there)
    new, replaced, deleted = _differing(wanted, there)
    own = [checkpoint.name for checkpoint in source.checkpoints() if not checkpoint.foreign]
    others = {checkpoint.name: checkpoint for checkpoint in target.checkpoints()}
    moving = [name for name in own if not _has_arrived(target, name, source, others, overwrite=overwrite)]
    return Planned(
        len(wanted),
        tuple(new),
        tuple(replaced),
        tuple(deleted),
        len(own),
        tuple(name for name in moving if name not in others),
        tuple(name for name in moving if name in others),
    )


def migrate(
    source: Store,
    target: Store,
    *,
    overwrite: bool = False,
    progress: Progress = lambda _what, _done, _all: None,
    why: str = "",
    via: str = "library",
) -> Migrated:
    """Copy the namespace and its checkpoints from *source* to *target*, and compare what arrived.

    The source stays as it is. An interrupted migration goes on where it stopped when it is done again. Raises
    RefusedError when the target holds something else already, unless it may be *overwritten*, and ConflictError when
    the source is written so fast that no moment of it could be caught. What is overwritten is kept first, as a
    checkpoint of the target, and the change of its keys is in the audit log and can be undone; a checkpoint that
    another one takes the name of gets a new name. Checkpoints and backups that another tool made at the target are
    never overwritten: where names collide, nothing at all is moved.
    """
    _refuse_itself(source, target)
    _refuse_collisions(source, target, overwrite=overwrite)
    moving = _Moving(source, target, progress, why, via)
    keys = moving.move_keys(overwrite=overwrite)
    moved, checkpoints_written, left = _move_checkpoints(source, target, progress, moving.renamed, overwrite=overwrite)
    return Migrated(
        keys,
        moving.written,
        moved,
        checkpoints_written,
        left,
        moving.deleted,
        moving.trail.id if moving.trail.begun else None,
        moving.safety,
        moving.trail.copy,
        tuple(moving.renamed),
    )


def _refuse_itself(source: Store, target: Store) -> None:
    if source.source == target.source:
        raise RefusedError(f"{source.source}: a namespace cannot be moved onto itself")


class _Moving:
    """One migration: what it has done so far, and what it leaves in the audit log."""

    def __init__(self, source: Store, target: Store, progress: Progress, why: str, via: str) -> None:
        self._source, self._target, self._progress, self._why, self._via = source, target, progress, why, via
        self.trail = Trail(target, MIGRATE, [source.source], why, via)
        self.written = self.deleted = 0
        self.safety: str | None = None
        self.renamed: list[tuple[str, str]] = []

    def move_keys(self, *, overwrite: bool) -> int:
        """Make the keys of the target those of the source; return how many these are."""
        try:
            return self._move_keys(overwrite=overwrite)
        finally:
            self.trail.finish()  # what has been written is written, also where the rest was not

    def _move_keys(self, *, overwrite: bool) -> int:
        before: dict[str, JSON] | None = None
        for _ in range(_ROUNDS):
            revision = self._source.snapshot()
            wanted = _keys_of(self._source, revision.document)
            there = _keys_of(self._target, self._target.snapshot().document)
            new, replaced, deleted = _differing(wanted, there)
            if before is None:
                if not overwrite:
                    _refuse_other(self._target, wanted, there)
                before = there
                self._keep_first(bool(replaced or deleted))
            if new or replaced or deleted:
                self.trail.begin(before, wanted)
            _write(self._target, wanted, [*deleted, *new, *replaced], self._progress)
            self.written += len(new) + len(replaced)
            self.deleted += len(deleted)
            if self._arrived(revision.digest):
                return len(wanted)
        raise ConflictError(
            f"{self._source.source}: it is written to all the time, so the copy is not complete. Stop its writers and "
            "do it again: it goes on from where it is."
        )

    def _keep_first(self, overwriting: bool) -> None:
        """Keep what is there as a checkpoint, under a name that none has which comes from the source."""
        if not overwriting:
            return
        taken = [each.name for store in (self._source, self._target) for each in store.checkpoints()]
        why = f"before the migration from {self._source.source}"
        name = automatic_name(time.time(), taken)
        self.safety = self._target.checkpoint(name, note=why, why=why, via=self._via).name

    def _arrived(self, digest: str) -> bool:
        """Compare what arrived; tell whether the source is still as it was sent."""
        if self._target.snapshot().digest != digest:
            raise ConflictError(
                f"{self._target.url}: what arrived is not what was sent: something else writes there. Nothing is lost "
                f"in {self._source.source}; end that writer and do it again."
            )
        return self._source.snapshot().digest == digest


def _keys_of(store: Store, document: JSON) -> dict[str, JSON]:
    if not isinstance(document, dict):
        raise RefusedError(f"{store.source}: only a namespace of keys can be moved; this holds a single value")
    return document


def _refuse_other(target: Store, wanted: dict[str, JSON], there: dict[str, JSON]) -> None:
    """Let nothing be overwritten by a slip; what an earlier, interrupted migration brought is no obstacle."""
    other = [key for key, value in there.items() if key not in wanted or not same(wanted[key], value)]
    if other:
        named = ", ".join(map(repr, other[:3])) + (f" and {len(other) - 3} more" if len(other) > 3 else "")
        raise RefusedError(
            f"{target.url}: it holds something else already: {named}. Choose another namespace, or say that it may be "
            "overwritten, with --overwrite."
        )


def _differing(wanted: dict[str, JSON], there: dict[str, JSON]) -> tuple[list[str], list[str], list[str]]:
    """Return the keys that are new, those that get another value, and those that go."""
    new = [key for key in wanted if key not in there]
    replaced = [key for key, value in wanted.items() if key in there and not same(there[key], value)]
    return new, replaced, [key for key in there if key not in wanted]


def _write(target: Store, wanted: dict[str, JSON], keys: list[str], progress: Progress) -> None:
    done = len(wanted) - sum(key in wanted for key in keys)
    progress("keys", done, len(wanted))
    for batch in _batches(keys):
        target.transact(partial(_batch_written, batch, wanted), MIGRATE)
        done += sum(key in wanted for key in batch)
        progress("keys", done, len(wanted))


def _batch_written(batch: list[str], wanted: dict[str, JSON], transaction: Transaction) -> None:
    transaction.save_all({key: wanted[key] for key in batch if key in wanted})
    for key in batch:
        if key not in wanted:
            transaction.delete(key)


def _batches(keys: list[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while batch := list(islice(left, BATCH)):
        yield batch


def _move_checkpoints(
    source: Store, target: Store, progress: Progress, renamed: list[tuple[str, str]], *, overwrite: bool
) -> tuple[int, int, int]:
    all_of_them = source.checkpoints()
    own = [checkpoint for checkpoint in all_of_them if not checkpoint.foreign]
    there = {checkpoint.name: checkpoint for checkpoint in target.checkpoints()}
    written = 0
    for number, checkpoint in enumerate(own, start=1):
        if not _has_arrived(target, checkpoint.name, source, there, overwrite=overwrite):
            if checkpoint.name in there:
                taken = {*there, *(each.name for each in own), *(name for _, name in renamed)}
                renamed.append((checkpoint.name, _renamed(target, checkpoint.name, taken)))
            _move_checkpoint(source, target, checkpoint)
            written += 1
        progress("checkpoints", number, len(own))
    return len(own), written, len(all_of_them) - len(own)


def _refuse_collisions(source: Store, target: Store, *, overwrite: bool) -> None:
    """Look before anything is moved whether a checkpoint would meet another one of its name."""
    there = {checkpoint.name: checkpoint for checkpoint in target.checkpoints()}
    for checkpoint in source.checkpoints():
        if not checkpoint.foreign and checkpoint.name in there:
            _has_arrived(target, checkpoint.name, source, there, overwrite=overwrite)


def _has_arrived(target: Store, name: str, source: Store, there: dict[str, Checkpoint], *, overwrite: bool) -> bool:
    """Tell whether the target has a checkpoint. Raises RefusedError when it has another one that must stay."""
    found = there.get(name)
    if found is None:
        return False
    if _digest_in(target, name) == source.read_checkpoint(name).digest:
        return True
    if found.foreign or not found.digest:  # whoever made it left no digest, as statewatch always does
        raise RefusedError(
            f"{target.url}: another tool has made a checkpoint or backup {name!r} there, which is never overwritten. "
            "Give the one in the source another name (`statewatch checkpoint rename`), or choose another namespace, "
            "and do it again."
        )
    if not overwrite:
        raise RefusedError(
            f"{target.url}: it has another checkpoint {name!r} already. Rename one of them, or let the one there be "
            "renamed, with --overwrite."
        )
    return False


def _digest_in(target: Store, name: str) -> str:
    """Return the digest of what a checkpoint of the target holds; empty where it is damaged, and so another one."""
    try:
        return target.read_checkpoint(name).digest
    except UnavailableError:
        raise
    except SourceError:
        return ""


def _renamed(target: Store, name: str, taken: Collection[str]) -> str:
    """Give a checkpoint of the target another name, which none has; return that."""
    base = name.encode()[:_LONGEST_BASE].decode(errors="ignore").rstrip(" .")
    names = (f"{base}-replaced" if number == 1 else f"{base}-replaced-{number}" for number in count(1))
    free = next(each for each in names if each not in taken and clash(each, taken) is None)
    return target.edit_checkpoint(name, new_name=free, why="another of its name was moved here").name


def _move_checkpoint(source: Store, target: Store, checkpoint: Checkpoint) -> None:
    revision = source.read_checkpoint(checkpoint.name)
    target.put_checkpoint(checkpoint, revision.document, replacing=False)
    if target.read_checkpoint(checkpoint.name).digest != revision.digest:
        raise ConflictError(f"{target.url}: the checkpoint {checkpoint.name!r} did not arrive as it was sent")

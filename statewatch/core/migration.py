"""Moving a namespace from one store to another, with its checkpoints, checked on arrival and resumable at any point."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, TypeAlias

from statewatch.core.errors import ConflictError, RefusedError, SourceError, UnavailableError
from statewatch.core.stores.base import Checkpoint, Store
from statewatch.core.stores.transaction import Transaction
from statewatch.documents.values import JSON, same

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being moved (`keys`, `checkpoints`), how many are there, and how many there will be."""

BATCH: Final = 5_000
"""Keys of one transaction: what an interruption costs at most."""

_ROUNDS: Final = 5
"""How often a source that is written to meanwhile is gone over again."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was moved: how many keys the target has now and how many of them were written, and so for checkpoints.

    `left` are backups that other tools left beside the source; they are not the namespace's own and stay there.
    """

    keys: int
    keys_written: int
    checkpoints: int
    checkpoints_written: int
    left: int


def migrate(
    source: Store, target: Store, *, overwrite: bool = False, progress: Progress = lambda _what, _done, _all: None
) -> Migrated:
    """Copy the namespace and its checkpoints from *source* to *target*, and compare what arrived.

    The source stays as it is. An interrupted migration goes on where it stopped when it is done again. Raises
    RefusedError when the target holds something else already, unless it may be *overwritten*, and ConflictError when
    the source is written so fast that no moment of it could be caught. Checkpoints and backups that another tool made
    at the target are never overwritten: where names collide, nothing at all is moved.
    """
    if source.source == target.source:
        raise RefusedError(f"{source.source}: a namespace cannot be moved onto itself")
    _refuse_collisions(source, target, overwrite=overwrite)
    keys, written = _move_keys(source, target, progress, overwrite=overwrite)
    moved, checkpoints_written, left = _move_checkpoints(source, target, progress, overwrite=overwrite)
    return Migrated(keys, written, moved, checkpoints_written, left)


def _move_keys(source: Store, target: Store, progress: Progress, *, overwrite: bool) -> tuple[int, int]:
    total_written = 0
    for _ in range(_ROUNDS):
        revision = source.snapshot()
        wanted = _keys_of(source, revision.document)
        there = _keys_of(target, target.snapshot().document)
        if not overwrite and not total_written:
            _refuse_other(target, wanted, there)
        written = _write(target, wanted, there, progress)
        total_written += written
        if target.snapshot().digest != revision.digest:
            raise ConflictError(
                f"{target.url}: what arrived is not what was sent: something else writes there. Nothing is lost in "
                f"{source.source}; end that writer and do it again."
            )
        if source.snapshot().digest == revision.digest:
            return len(wanted), total_written
    raise ConflictError(
        f"{source.source}: it is written to all the time, so the copy is not complete. Stop its writers and do it "
        "again: it goes on from where it is."
    )


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
            "overwritten."
        )


def _write(target: Store, wanted: dict[str, JSON], there: dict[str, JSON], progress: Progress) -> int:
    gone = [key for key in there if key not in wanted]
    new = [key for key, value in wanted.items() if key not in there or not same(there[key], value)]
    done = len(wanted) - len(new)
    progress("keys", done, len(wanted))
    for batch in _batches([*gone, *new]):
        target.transact(partial(_batch_written, batch, wanted), "migrate")
        done += sum(key in wanted for key in batch)
        progress("keys", done, len(wanted))
    return len(new) + len(gone)


def _batch_written(batch: list[str], wanted: dict[str, JSON], transaction: Transaction) -> None:
    transaction.save_all({key: wanted[key] for key in batch if key in wanted})
    for key in batch:
        if key not in wanted:
            transaction.delete(key)


def _batches(keys: list[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while batch := list(islice(left, BATCH)):
        yield batch


def _move_checkpoints(source: Store, target: Store, progress: Progress, *, overwrite: bool) -> tuple[int, int, int]:
    all_of_them = source.checkpoints()
    own = [checkpoint for checkpoint in all_of_them if not checkpoint.foreign]
    there = {checkpoint.name: checkpoint for checkpoint in target.checkpoints()}
    written = 0
    for number, checkpoint in enumerate(own, start=1):
        written += _move_checkpoint(source, target, checkpoint, there, overwrite=overwrite)
        progress("checkpoints", number, len(own))
    return len(own), written, len(all_of_them) - len(own)


def _refuse_collisions(source: Store, target: Store, *, overwrite: bool) -> None:
    """Look before anything is moved whether a checkpoint would meet another one of its name."""
    there = {checkpoint.name: checkpoint for checkpoint in target.checkpoints()}
    for checkpoint in source.checkpoints():
        if not checkpoint.foreign and checkpoint.name in there:
            digest = source.read_checkpoint(checkpoint.name).digest
            _has_arrived(target, checkpoint.name, digest, there, overwrite=overwrite)


def _has_arrived(target: Store, name: str, digest: str, there: dict[str, Checkpoint], *, overwrite: bool) -> bool:
    """Tell whether the target has a checkpoint. Raises RefusedError when it has another one that must stay."""
    found = there.get(name)
    if found is None:
        return False
    try:
        if target.read_checkpoint(name).digest == digest:
            return True
    except UnavailableError:
        raise
    except SourceError:  # a damaged one is another one
        pass
    if found.foreign or not found.digest:  # whoever made it left no digest, as statewatch always does
        raise RefusedError(
            f"{target.url}: another tool has made a checkpoint or backup {name!r} there, which is never overwritten. "
            "Give the one in the source another name (`statewatch checkpoint rename`), or choose another namespace, "
            "and do it again."
        )
    if not overwrite:
        raise RefusedError(
            f"{target.url}: it has another checkpoint {name!r} already. Rename one of them, or say that it may be "
            "overwritten."
        )
    return False


def _move_checkpoint(
    source: Store, target: Store, checkpoint: Checkpoint, there: dict[str, Checkpoint], *, overwrite: bool
) -> bool:
    revision = source.read_checkpoint(checkpoint.name)
    if _has_arrived(target, checkpoint.name, revision.digest, there, overwrite=overwrite):
        return False
    target.put_checkpoint(checkpoint, revision.document, replacing=checkpoint.name in there)
    if target.read_checkpoint(checkpoint.name).digest != revision.digest:
        raise ConflictError(f"{target.url}: the checkpoint {checkpoint.name!r} did not arrive as it was sent")
    return True

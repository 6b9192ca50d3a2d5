"""What a store is: a namespace of keys with JSON values, changed only in transactions, with named checkpoints.

An engine (a file, SQLite, Redis, PostgreSQL, memory) provides the few abstract methods at the end of `Store`; all that
can be said in their terms stands here once, so that every store behaves alike. `statewatch.conformance` is the suite
that every engine passes.
"""

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import ClassVar, Self, TypeVar

from statewatch.core import copies
from statewatch.core.errors import (
    ConflictError,
    MissingCheckpointError,
    RefusedError,
    SourceError,
    UnavailableError,
)
from statewatch.core.lock import Holder, user
from statewatch.core.names import check_checkpoint, clash
from statewatch.core.reading import Snapshot
from statewatch.core.stores.model import Checkpoint, Damaged, Keeper, Kept, P, Revision, Version, automatic_name
from statewatch.core.stores.transaction import RAISE, Found, Held, Raise, Transaction, Unreadable, missing_key, sound
from statewatch.documents import codec
from statewatch.documents.values import JSON, NotJSONError, cloned, digest, private

T = TypeVar("T")

__all__ = ["Checkpoint", "Keeper", "Kept", "P", "Revision", "Store", "Version"]


class Store(ABC):
    """One namespace of keys with JSON values.

    What it hands out is private to the caller, and what it is given it copies: nobody can change a stored value but by
    saving it. Any method may raise SourceError (what is stored cannot be read), UnavailableError (the engine cannot be
    reached), LockedError (others held it for longer than the timeout) and, where it writes, RefusedError (it would do
    damage or may not be done; nothing was changed) and UnknownOutcomeError (the connection was lost while the change
    was on its way). A store may be used by several threads, and by a child process after a fork.
    """

    url: str
    """Names the store, without its password: an address that `open_store` understands."""
    namespace: str

    _keeps_apart: ClassVar[bool] = False
    """Whether each value is kept by itself, so that one can be damaged without the others."""
    _about: str | None = None

    # --- reading and writing keys

    def load(self, key: str, default: Found = RAISE) -> JSON:
        """Return the value of *key*, else *default*. Raises MissingKeyError when there is neither."""
        value = self._load(key)
        if not isinstance(value, Raise):
            return value
        if isinstance(default, Raise):
            raise missing_key(self.url, key, self.keys())
        return default

    def save(self, key: str, value: JSON) -> None:
        """Set *key* to *value*. A value that is there already is not written again; a damaged one is kept as a copy."""
        self.transact(lambda transaction: transaction.save(key, value), f"save {key}")

    def delete(self, key: str) -> None:
        """Remove *key*. Raises MissingKeyError when it is not there."""
        self.transact(lambda transaction: transaction.delete(key), f"delete {key}")

    def update(self, key: str, change: Callable[[JSON], JSON], default: Found = RAISE) -> JSON:
        """Set *key* to what *change* makes of its value, and return that. *change* may be called more than once."""

        def body(transaction: Transaction) -> JSON:
            value = change(transaction.load(key, default))
            transaction.save(key, value)
            return value

        return self.transact(body, f"update {key}")

    def compare_and_swap(self, expected: str, body: Callable[[Transaction], T], operation: str = "swap") -> T:
        """Run *body* in a transaction if the namespace is still at the revision whose digest is *expected*.

        Raises ConflictError, and changes nothing, when it has moved on.
        """

        def guarded(transaction: Transaction) -> T:
            if (found := digest(transaction.document())) != expected:
                raise ConflictError(
                    f"{self.url}: it has changed since the revision {expected[:12]} (it is at {found[:12]} now), so "
                    "nothing was changed. Read it again and decide anew."
                )
            return body(transaction)

        return self.transact(guarded, operation)

    def watch(self, since: str | None = None, poll: float = 1.0) -> Iterator[Revision]:
        """Return each new revision as it comes, for ever: after *since*, a digest, else after the present one.

        Where changes come faster than they are taken, those between are passed over.
        """
        return self._revisions(self.snapshot().digest if since is None else since, poll)

    def _revisions(self, seen: str, poll: float) -> Iterator[Revision]:
        while True:
            self.wait(seen, poll)
            revision = self.snapshot()
            if revision.digest != seen:
                seen = revision.digest
                yield revision

    # --- actions of operators, on the whole namespace

    @property
    def source(self) -> str:
        """Return what the audit log calls it: an address under which it can be found again."""
        return self.url

    def version(self) -> Version:
        """Return what is there now, for an action to be planned on. Raises SourceError when there is nothing."""
        try:
            return Kept(self.snapshot())
        except UnavailableError:
            raise
        except SourceError:
            if held := self._held():
                return self._version_of(held)
            raise

    def around(self, key: str) -> Self:
        """Return this store as an action sees it that is about *key* only: damage elsewhere does not stand in its way.

        What *key* itself holds counts as a text where it is damaged. Whoever keeps all values together returns itself.
        """
        if not self._keeps_apart:
            return self
        other = copy.copy(self)
        other._about = key  # noqa: SLF001 - one of our own
        return other

    def _version_of(self, held: dict[str, Held]) -> Version:
        if any(isinstance(value, Unreadable) for value in held.values()):
            return Damaged(held, self._about)
        return Kept(Revision.of(cloned(dict(sound(held)))))

    def _held(self) -> dict[str, Held]:
        """Return what all keys hold, also where that is damaged; nothing where not even that can be told."""
        return {}

    def _keep_damaged(self, transaction: Transaction) -> None:
        """Keep what a transaction does away with unread. Raises RefusedError when that cannot be kept."""
        if transaction.damaged and not transaction.kept:
            copies.keep(self.source, Damaged(transaction.damaged), time.time())
            transaction.kept = True

    def version_in(self, copy: Snapshot) -> Version:
        """Return the version that a safety copy holds."""
        return copy

    def rendered(self, base: Version, document: JSON, now: float) -> bytes:  # noqa: ARG002 - files keep a style
        """Return *document* as the engine would keep it in place of *base*."""
        return codec.encode(document)

    def refuse_read_only(self, operation: str) -> None:  # noqa: B027 - what has no mode refuses nothing
        """Raise RefusedError where a mode says that nothing may be written."""

    def create(self) -> None:
        """Make the file or the tables of the namespace, without keys; what is there already stays as it is.

        Saving does so too. An engine that has nothing to make looks whether the namespace can be read.
        """
        self.snapshot()

    def holders(self) -> list[Holder]:
        """Return who holds the lock of the namespace at this moment, as far as the engine can tell."""
        return []

    def rewrite(self, planner: Callable[[Version], P], keeper: Keeper[P], operation: str) -> P:
        """Put what *planner* makes of the present version in its place, and return its plan as it was carried out.

        It is asked again when other writers come in between.
        """

        def body(transaction: Transaction) -> P:
            version = self._version_of(transaction.held())
            plan = planner(version)
            if plan.changed:
                if not isinstance(plan.after, dict):
                    raise RefusedError(f"{self.url}: a namespace is an object of keys and values")
                keeper.before(plan)
                transaction.kept = True
                transaction.replace(plan.after, version.left_alone if isinstance(version, Damaged) else ())
            return plan

        return self.transact(body, operation)

    # --- checkpoints

    def checkpoint(
        self,
        name: str | None = None,
        *,
        note: str = "",
        by: str | None = None,
        pinned: bool = False,
        replacing: bool = False,
    ) -> Checkpoint:
        """Keep the namespace as it is now under *name*, by default `auto_YYYYmmdd_HHMMSS` (UTC).

        Raises RefusedError for a name that cannot be one, that another checkpoint has (unless *replacing*), or that
        could be confused with another's.
        """
        while True:
            now = time.time()
            existing = [checkpoint.name for checkpoint in self.checkpoints()]
            if name is not None:
                self._check_new_name(name, existing, replacing=replacing)
            made = Checkpoint(name or automatic_name(now, existing), now, note, user() if by is None else by, pinned)
            try:
                return self._write_checkpoint(made, None, replacing=replacing)
            except RefusedError:  # perhaps another had the same automatic name in mind
                if name is not None or all(made.name != checkpoint.name for checkpoint in self.checkpoints()):
                    raise

    def put_checkpoint(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool = True) -> Checkpoint:
        """Write a checkpoint that was made elsewhere, as it is.

        One of that name is replaced, or when not *replacing* it is refused, with RefusedError.
        """
        check_checkpoint(checkpoint.name)
        if not isinstance(document, dict):
            raise RefusedError(f"{self.url}: a checkpoint of a namespace is an object of keys and values")
        try:
            kept = private(document)
        except NotJSONError as error:
            raise RefusedError(f"{self.url}: the checkpoint {checkpoint.name!r} cannot be kept: {error}.") from None
        return self._write_checkpoint(replace(checkpoint, foreign=False), kept, replacing=replacing)

    def find_checkpoint(self, name: str) -> Checkpoint:
        """Return the checkpoint of that name. Raises MissingCheckpointError, with the near ones named."""
        existing = self.checkpoints()
        found = next((checkpoint for checkpoint in existing if checkpoint.name == name), None)
        if found is None:
            raise MissingCheckpointError(self.url, name, [checkpoint.name for checkpoint in existing])
        return found

    def edit_checkpoint(
        self, name: str, *, new_name: str | None = None, note: str | None = None, pinned: bool | None = None
    ) -> Checkpoint:
        """Rename, annotate, pin or unpin a checkpoint. Raises RefusedError for one that another tool left."""
        self._own_checkpoint(name)
        if new_name is not None and new_name != name:
            others = [checkpoint.name for checkpoint in self.checkpoints() if checkpoint.name != name]
            self._check_new_name(new_name, others, replacing=False)

        def change(old: Checkpoint) -> Checkpoint:
            return replace(
                old,
                name=old.name if new_name is None else new_name,
                note=old.note if note is None else note,
                pinned=old.pinned if pinned is None else pinned,
            )

        return self._change_checkpoint(name, change)

    def _change_checkpoint(self, name: str, change: Callable[[Checkpoint], Checkpoint]) -> Checkpoint:
        """Make of a checkpoint what *change* does; an engine that can lets no other edit come in between."""
        old = self._own_checkpoint(name)
        edited = change(old)
        if edited != old:
            self._edit_checkpoint(name, edited)
        return edited

    def delete_checkpoint(self, name: str) -> None:
        """Delete a checkpoint. Raises RefusedError for a pinned one, and for one that another tool left."""
        self.refuse_deletion(name)
        self._delete_checkpoint(name)

    def refuse_deletion(self, name: str) -> None:
        """Raise what `delete_checkpoint` would raise for a checkpoint; nothing is deleted."""
        if self._own_checkpoint(name).pinned:
            raise RefusedError(f"{self.url}: the checkpoint {name!r} is pinned. Unpin it first, then delete it.")

    def verify_checkpoint(self, name: str) -> bool:
        """Tell whether a checkpoint is as it was made. Raises SourceError when it cannot even be read.

        One whose maker left no digest counts as good when it can be read.
        """
        made = self.find_checkpoint(name)
        return made.digest in ("", self.read_checkpoint(name).digest)

    def kept(self, name: str) -> Version:
        """Return what a checkpoint holds, as it is kept. Raises as `read_checkpoint` does."""
        return Kept(self.read_checkpoint(name))

    def _own_checkpoint(self, name: str) -> Checkpoint:
        found = self.find_checkpoint(name)
        if found.foreign:
            raise RefusedError(
                f"{self.url}: {name!r} is a backup that another tool left. It can be shown, compared and restored, but "
                "only that tool may change or delete it."
            )
        return found

    def _check_new_name(self, name: str, existing: Iterable[str], *, replacing: bool) -> None:
        check_checkpoint(name)
        names = set(existing)
        if name in names:
            if not replacing:
                raise RefusedError(f"{self.url}: there is a checkpoint {name!r} already. Choose another name.")
            self._own_checkpoint(name)  # another tool's is not replaced
        elif like := clash(name, names):
            raise RefusedError(
                f"{self.url}: the name {name!r} looks like that of the checkpoint {like!r}. Choose another name."
            )

    # --- what every engine has to provide

    @abstractmethod
    def _load(self, key: str) -> Found:
        """Return the value of *key*, or RAISE when there is none."""

    @abstractmethod
    def keys(self) -> list[str]:
        """Return the keys: in the order of the document where it has one, else sorted."""

    @abstractmethod
    def snapshot(self) -> Revision:
        """Return the whole namespace at one moment; an empty object where there is nothing yet."""

    @abstractmethod
    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        """Run *body* and write what it saved and deleted: all of it, or none when it raises.

        No other writer comes between what *body* reads and what is written, in this process, another one or (Redis,
        PostgreSQL) on another host. *body* may be run more than once, so it must have no other effect. *operation* is
        what others are told who wait for it.
        """

    @abstractmethod
    def wait(self, since: str, timeout: float) -> bool:
        """Wait until the revision may differ from the digest *since*, at most *timeout* seconds; tell whether it does.

        Writers that are not of statewatch are seen too, if perhaps later.
        """

    @abstractmethod
    def checkpoints(self) -> list[Checkpoint]:
        """Return all checkpoints, oldest first."""

    @abstractmethod
    def read_checkpoint(self, name: str) -> Revision:
        """Return what a checkpoint holds. Raises MissingCheckpointError, and SourceError when it is damaged."""

    @abstractmethod
    def _write_checkpoint(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool) -> Checkpoint:
        """Keep *document*, or where that is None the namespace at one moment.

        Returns the checkpoint with the digest and size of what was kept. Raises RefusedError when one of that name has
        appeared meanwhile and not *replacing*.
        """

    @abstractmethod
    def _edit_checkpoint(self, name: str, edited: Checkpoint) -> None:
        """Give the checkpoint *name* the name, note and pin of *edited*; its content stays."""

    @abstractmethod
    def _delete_checkpoint(self, name: str) -> None:
        """Delete a checkpoint."""

    def close(self) -> None:  # noqa: B027 - what holds no connection has none to let go of
        """Let go of connections. The store may be used again and then connects anew."""

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

"""What a store is: a namespace of keys with JSON values, changed only in transactions, with named checkpoints.

An engine (a file, SQLite, Redis, PostgreSQL, memory) provides the few abstract methods at the end of `Store`; all that
can be said in their terms stands here once, so that every store behaves alike. `statewatch.conformance` is the suite
that every engine passes.
"""

import copy
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from types import TracebackType
from typing import ClassVar, Final, Self, TypeVar

from statewatch.core import copies
from statewatch.core.errors import ConflictError, RefusedError, SourceError, UnavailableError
from statewatch.core.lock import Holder
from statewatch.core.names import check_is_text
from statewatch.core.reading import Snapshot
from statewatch.core.stores.checkpointing import Checkpoints
from statewatch.core.stores.model import Checkpoint, Damaged, Keeper, Kept, P, Revision, Version
from statewatch.core.stores.transaction import RAISE, Found, Held, Raise, Transaction, Unreadable, missing_key, sound
from statewatch.documents import codec
from statewatch.documents.values import JSON, cloned, digest

T = TypeVar("T")

_FEW_KEYS: Final = 64
"""Keys up to which a namespace may be a document of some kind: none has that many at its top."""
_GLANCE: Final = 0.02
"""Seconds between two looks at single keys."""

__all__ = ["Checkpoint", "Keeper", "Kept", "P", "Revision", "Store", "Version"]


class Store(Checkpoints):
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
    _about: tuple[str, ...] | None = None

    # --- reading and writing keys

    def load(self, key: str, default: Found = RAISE) -> JSON:
        """Return the value of *key*, else *default*. Raises MissingKeyError when there is neither."""
        check_is_text(key)
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
        if self._scope is not None:
            return self._version_of({key: self._held_by(key) for key in self._scope})
        try:
            return Kept(self.snapshot())
        except UnavailableError:
            raise
        except SourceError:
            if held := self._held():
                return self._version_of(held)
            raise

    def around(self, *keys: str) -> Self:
        """Return this store as an action sees it that is about *keys* only: damage elsewhere does not stand in its way.

        What they hold counts as a text where it is damaged. Of a namespace with many keys nothing else is even read;
        one with few may be a document of some kind, which is judged as a whole. Whoever keeps all values together
        returns itself.
        """
        if not self._keeps_apart:
            return self
        other = copy.copy(self)
        other._about = keys  # noqa: SLF001 - one of our own
        other.__dict__.pop("_scope", None)  # what was true of all keys
        return other

    def made_anew(self) -> Self:
        """Return this store as an action sees it that may make its file where there is none any more."""
        return self

    @cached_property
    def _scope(self) -> tuple[str, ...] | None:
        """The keys that an action reads, None where it reads all."""
        if self._about is None:
            return None
        try:
            return self._about if len(self.keys()) > _FEW_KEYS else None
        except UnavailableError:
            raise
        except SourceError:
            return None

    def _held_by(self, key: str) -> Held:
        try:
            return self._load(key)
        except UnavailableError:
            raise
        except SourceError:
            return self._held().get(key, RAISE)

    def _version_of(self, held: dict[str, Held]) -> Version:
        is_part = self._scope is not None
        if any(isinstance(value, Unreadable) for value in held.values()):
            return Damaged(held, self._about, is_part)
        return Kept(Revision.of(cloned(dict(sound(held)))), is_part)

    def _held(self) -> dict[str, Held]:
        """Return what all keys hold, also where that is damaged; nothing where not even that can be told."""
        return {}

    def _keep_damaged(self, transaction: Transaction) -> None:
        """Keep what a transaction does away with unread. Raises RefusedError when that cannot be kept."""
        if transaction.damaged and not transaction.kept:
            copies.keep(self.source, Damaged(transaction.damaged), time.time())
            transaction.kept = True

    def version_in(self, kept: Snapshot) -> Version:
        """Return the version that a safety copy holds."""
        return kept

    def rendered(self, base: Version, document: JSON, now: float) -> bytes:  # noqa: ARG002 - files keep a style
        """Return *document* as the engine would keep it in place of *base*."""
        return codec.encode(document)

    def refuse_read_only(self, operation: str) -> None:
        """Raise RefusedError where a mode says that nothing may be written."""

    def notes(self) -> tuple[str, ...]:
        """Return what whoever has the store changed should know besides what changes in the document."""
        return ()

    def create(self) -> None:
        """Make the file or the tables of the namespace, without keys; what is there already stays as it is.

        Saving does so too. An engine that has nothing to make looks whether the namespace can be read.
        """
        self.snapshot()

    def await_other(self, version: Version | None, timeout: float) -> None:
        """Wait until there may be another version than the one that was seen, at most *timeout* seconds."""
        if version is None or self._about is not None:
            time.sleep(min(_GLANCE, timeout))
        else:
            self.wait(version.digest, timeout)

    def holders(self) -> list[Holder]:
        """Return who holds the lock of the namespace at this moment, as far as the engine can tell."""
        return []

    def rewrite(self, planner: Callable[[Version], P], keeper: Keeper[P], operation: str) -> P:
        """Put what *planner* makes of the present version in its place, and return its plan as it was carried out.

        It is asked again when other writers come in between.
        """
        scope = self._scope

        def body(transaction: Transaction) -> P:
            version = self._version_of(transaction.held(scope))
            plan = planner(version)
            if plan.changed:
                if not isinstance(plan.after, dict):
                    raise RefusedError(f"{self.url}: a namespace is an object of keys and values")
                keeper.before(plan)
                transaction.kept = True
                transaction.replace(plan.after, version.left_alone if isinstance(version, Damaged) else (), scope)
            return plan

        return self.transact(body, operation)

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

    def close(self) -> None:
        """Let go of connections. The store may be used again and then connects anew."""

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

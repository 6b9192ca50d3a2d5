"""StateManager: the namespace of a program, under the names that programs already use."""

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

from statewatch.core.actions import perform
from statewatch.core.errors import NotFoundError, RefusedError, StatewatchError
from statewatch.core.lock import TIMEOUT
from statewatch.core.migration import Migrated, Progress, migrate
from statewatch.core.names import check_is_text
from statewatch.core.restoring import candidates, damage, recover_action, restore, restore_action
from statewatch.core.stores.base import Revision, Store
from statewatch.core.stores.transaction import RAISE, Found, Raise, Transaction
from statewatch.core.stores.urls import backend_url, is_store_url, open_store, with_namespace
from statewatch.core.upgrading import upgrade
from statewatch.documents import pointer
from statewatch.documents.pointer import PointerError
from statewatch.documents.schema import Chain, NewerError, SchemaError
from statewatch.documents.values import JSON
from statewatch.managers.retrying import retrying

T = TypeVar("T")

StateException: TypeAlias = StatewatchError
"""What StateManager raises: the name that existing programs catch."""

ATTEMPTS = 3


class StateManager:
    """A namespace of keys with JSON values, in a file, SQLite, Redis or PostgreSQL.

    *backend* is `json`, `sqlite`, `redis` or `postgres` for the usual place of each (`.claude/state/NAMESPACE/` below
    the current directory, the server of REDIS_URL, that of DATABASE_URL), the URL of a store, or a store. Saves of
    threads, processes and (Redis, PostgreSQL) hosts never lose each other's. In a file and in SQLite a load costs
    microseconds while nothing has changed.

    With *schema*, a document of an older version is seen as migrated, and written so before the first save, after a
    checkpoint; one of a newer version can be read only. *timeout* is how many seconds to wait for other writers,
    *attempts* how often to try what fails for a passing reason. Every method raises StateException, which says what is
    wrong.
    """

    def __init__(
        self,
        backend: str | Store = "json",
        namespace: str | None = None,
        *,
        schema: Chain | None = None,
        timeout: float = TIMEOUT,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.store = _store(backend, namespace, timeout)
        self._schema = schema
        self._attempts = max(1, attempts)

    @property
    def namespace(self) -> str:
        """Return the name of the namespace."""
        return self.store.namespace

    # --- keys

    def save(self, key: str, value: JSON) -> None:
        """Set *key* to *value*; tuples become lists. What is there already is not written again."""
        self.transact(lambda transaction: transaction.save(key, value), f"save {key}")

    def load(self, key: str, default: Found = RAISE) -> JSON:
        """Return a copy of the value of *key*, else *default*; raises where there is neither. None is a default."""
        if self._schema is None:
            return retrying(lambda: self.store.load(key, default), self._attempts)
        check_is_text(key)
        document = retrying(lambda: self.snapshot().document, self._attempts)
        if isinstance(document, dict) and key in document:
            return document[key]
        return self.store.load(key, default) if isinstance(default, Raise) else default

    def delete(self, key: str) -> None:
        """Remove *key*; raises where it is not there."""
        self.transact(lambda transaction: transaction.delete(key), f"delete {key}")

    def list_keys(self) -> list[str]:
        """Return the keys."""
        return retrying(self.store.keys, self._attempts)

    def update(self, key: str, change: Callable[[JSON], JSON], default: Found = RAISE) -> JSON:
        """Set *key* to what *change* makes of its value, and return that; *change* may be called more than once."""
        self._come_up_to_date()
        return retrying(lambda: self.store.update(key, change, default), self._attempts)

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        """Run *body*, and write all it saves and deletes or, when it raises, nothing; it may be run more than once."""
        self._come_up_to_date()
        return retrying(lambda: self.store.transact(body, operation), self._attempts)

    def snapshot(self) -> Revision:
        """Return the whole namespace at one moment."""
        revision = retrying(self.store.snapshot, self._attempts)
        if self._schema is None or not revision.document:
            return revision
        try:
            result = self._schema.upgrade(revision.document)
        except NewerError:  # it can be read, and whoever writes is told
            return revision
        except SchemaError as error:
            raise RefusedError(f"{self.store.source}: {error}") from None
        return Revision.of(result.document, revision.at) if result.steps else revision

    def compare_and_swap(self, expected: str, body: Callable[[Transaction], T]) -> T:
        """Run *body* as `transact` does if the namespace still has the digest *expected*; else raises ConflictError."""
        return retrying(lambda: self.store.compare_and_swap(expected, body), self._attempts)

    def watch(self, since: str | None = None) -> Iterator[Revision]:
        """Yield each new revision as it comes, for ever."""
        return self.store.watch(since)

    # --- checkpoints

    def checkpoint(self, name: str | None = None, *, note: str = "", pinned: bool = False) -> str:
        """Keep the namespace as it is now, by default as `auto_YYYYmmdd_HHMMSS`; return the name.

        One of the same name is replaced, as the callers of this name expect.
        """
        made = retrying(
            lambda: self.store.checkpoint(name, note=note, pinned=pinned, replacing=name is not None), self._attempts
        )
        return made.name

    def list_checkpoints(self) -> list[str]:
        """Return the names of the checkpoints, oldest first."""
        return [checkpoint.name for checkpoint in retrying(self.store.checkpoints, self._attempts)]

    def restore_checkpoint(self, name: str, only: Sequence[str] = ()) -> None:
        """Bring a checkpoint back: all of it, keys added since go; or *only* the places with these JSON Pointers.

        What is there is kept as a checkpoint first, and the restore can be undone.
        """
        try:
            places = [pointer.parse(place) for place in only]
        except PointerError as error:
            raise RefusedError(str(error)) from None
        retrying(lambda: restore(restore_action(self.store, name, places), settle_for=0), self._attempts)

    def recover(self, name: str | None = None) -> str | None:
        """Replace state that cannot be read by the good version *name*; return it, or None when nothing is damaged.

        Without a name nothing is replaced: the error names the good versions, newest first. The damaged bytes are kept.
        """
        wrong = damage(self.store)
        if wrong is None:
            return None
        if name is None:
            good = ", ".join(f"{candidate.name} ({candidate.what})" for candidate in candidates(self.store))
            raise NotFoundError(f"{wrong}. Recover with one of: {good or 'there is no good version of it'}")
        perform(recover_action(self.store, name), settle_for=0)
        return name

    def migrate(
        self,
        backend: str | Store,
        namespace: str | None = None,
        *,
        overwrite: bool = False,
        progress: Progress = lambda _what, _done, _all: None,
    ) -> Migrated:
        """Copy the namespace and its checkpoints to another store, and check what arrived; done again it goes on."""
        target = _store(backend, namespace or self.namespace or None, TIMEOUT)
        return migrate(self.store, target, overwrite=overwrite, progress=progress)

    # --- the rest

    def close(self) -> None:
        """Let go of connections."""
        self.store.close()

    def __enter__(self) -> Self:
        """Return the manager itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

    def _come_up_to_date(self) -> None:
        """Write a document of an older schema version as one of the current, before anything is written to it."""
        schema = self._schema
        if schema is None or retrying(lambda: self.store.load(schema.field, None), self._attempts) == schema.current:
            return
        if self.store.keys():
            upgrade(self.store, schema)
        else:
            self.store.save(schema.field, schema.current)


def _store(backend: str | Store, namespace: str | None, timeout: float) -> Store:
    if isinstance(backend, Store):
        return backend
    check_is_text(backend, "backend")
    if namespace is not None:
        check_is_text(namespace, "namespace")
    if is_store_url(backend):
        return open_store(backend if namespace is None else with_namespace(backend, namespace), timeout)
    if "/" in backend or backend.endswith(".json"):
        return open_store(backend, timeout)
    return open_store(backend_url(backend, namespace or "default"), timeout)

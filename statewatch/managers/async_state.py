"""AsyncStateManager: StateManager for programs with an event loop. The work is done in threads, so nothing blocks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from statewatch.core.lock import TIMEOUT
from statewatch.core.migration import Migrated, Progress
from statewatch.core.stores.base import Revision, Store
from statewatch.core.stores.transaction import RAISE, Found, Transaction
from statewatch.documents.schema import Chain
from statewatch.documents.values import JSON
from statewatch.managers.state import ATTEMPTS, StateManager

T = TypeVar("T")

_LOOK = 1.0
"""Seconds for which a thread waits for a change: what a cancelled `watch` takes to let it go."""


class AsyncStateManager:
    """A namespace of keys with JSON values: the methods of StateManager, to be awaited.

    Where a task is cancelled, what its thread has begun is carried to its end.
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
        self.sync = StateManager(backend, namespace, schema=schema, timeout=timeout, attempts=attempts)

    @property
    def namespace(self) -> str:
        """Return the name of the namespace."""
        return self.sync.namespace

    async def save(self, key: str, value: JSON) -> None:
        """Set *key* to *value*."""
        await asyncio.to_thread(self.sync.save, key, value)

    async def load(self, key: str, default: Found = RAISE) -> JSON:
        """Return a copy of the value of *key*, else *default*; raises where there is neither."""
        return await asyncio.to_thread(self.sync.load, key, default)

    async def delete(self, key: str) -> None:
        """Remove *key*; raises where it is not there."""
        await asyncio.to_thread(self.sync.delete, key)

    async def list_keys(self) -> list[str]:
        """Return the keys."""
        return await asyncio.to_thread(self.sync.list_keys)

    async def update(self, key: str, change: Callable[[JSON], JSON], default: Found = RAISE) -> JSON:
        """Set *key* to what *change*, run in a thread, makes of its value; return that."""
        return await asyncio.to_thread(self.sync.update, key, change, default)

    async def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        """Run *body*, in a thread, and write all that it saves and deletes or, when it raises, nothing."""
        return await asyncio.to_thread(self.sync.transact, body, operation)

    async def snapshot(self) -> Revision:
        """Return the whole namespace at one moment."""
        return await asyncio.to_thread(self.sync.snapshot)

    async def compare_and_swap(self, expected: str, body: Callable[[Transaction], T]) -> T:
        """Run *body* if the namespace still has the digest *expected*; else raise ConflictError."""
        return await asyncio.to_thread(self.sync.compare_and_swap, expected, body)

    async def watch(self, since: str | None = None) -> AsyncIterator[Revision]:
        """Yield each new revision as it comes, for ever."""
        seen = since if since is not None else (await self.snapshot()).digest
        while True:
            await asyncio.to_thread(self.sync.store.wait, seen, _LOOK)
            revision = await self.snapshot()
            if revision.digest != seen:
                seen = revision.digest
                yield revision

    async def checkpoint(self, name: str | None = None, *, note: str = "", pinned: bool = False) -> str:
        """Keep the namespace as it is now; return the name of the checkpoint."""
        return await asyncio.to_thread(self.sync.checkpoint, name, note=note, pinned=pinned)

    async def list_checkpoints(self) -> list[str]:
        """Return the names of the checkpoints, oldest first."""
        return await asyncio.to_thread(self.sync.list_checkpoints)

    async def restore_checkpoint(self, name: str, only: Sequence[str] = ()) -> None:
        """Bring a checkpoint back, all of it or *only* the places with these JSON Pointers."""
        await asyncio.to_thread(self.sync.restore_checkpoint, name, only)

    async def recover(self, name: str | None = None) -> str | None:
        """Replace state that cannot be read by the good version *name*; None when nothing is damaged."""
        return await asyncio.to_thread(self.sync.recover, name)

    async def migrate(
        self,
        backend: str | Store,
        namespace: str | None = None,
        *,
        overwrite: bool = False,
        progress: Progress = lambda _what, _done, _all: None,
    ) -> Migrated:
        """Copy the namespace and its checkpoints to another store; *progress* is called in a thread."""
        return await asyncio.to_thread(self.sync.migrate, backend, namespace, overwrite=overwrite, progress=progress)

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.to_thread(self.sync.close)

    async def __aenter__(self) -> Self:
        """Return the manager itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        await self.close()

"""The store that lives in this process only: for tests and for embedding."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from statewatch.core.errors import LockedError, MissingCheckpointError, RefusedError
from statewatch.core.lock import TIMEOUT
from statewatch.core.stores.base import Checkpoint, Revision, Store
from statewatch.core.stores.transaction import RAISE, Found, Raise, Transaction, overlaid
from statewatch.documents.values import JSON, cloned, digest

T = TypeVar("T")


class MemoryStore(Store):
    """A namespace in memory. Its threads exclude each other; after a fork, parent and child each have their own."""

    def __init__(self, namespace: str = "default", timeout: float = TIMEOUT) -> None:
        self.namespace = namespace
        self.url = f"memory:?namespace={namespace}"
        self._timeout = timeout
        self._document: dict[str, JSON] = {}
        self._checkpoints: dict[str, tuple[Checkpoint, JSON]] = {}
        self._writing = threading.RLock()
        self._inside = False
        self._changed = threading.Condition()

    def _load(self, key: str) -> Found:
        value = self._document.get(key, RAISE)
        return value if isinstance(value, Raise) else cloned(value)

    def keys(self) -> list[str]:
        """Return the keys in the order in which they were first saved."""
        return list(self._document)

    def snapshot(self) -> Revision:
        """Return the whole namespace."""
        return Revision.of(cloned(self._document))

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        """Run *body*; see `Store.transact`."""
        if not self._writing.acquire(timeout=self._timeout):
            raise LockedError(f"{self.url}: cannot {operation}, another thread has held it for {self._timeout:g} s")
        try:
            if self._inside:
                raise RefusedError(
                    f"{self.url}: cannot {operation} inside a transaction on it; do it there, or after it"
                )
            self._inside = True
            try:
                transaction = Transaction(_Stored(self._document))
                result = body(transaction)
            finally:
                self._inside = False
            if transaction.writes:
                with self._changed:
                    document = overlaid(self._document, transaction.writes)
                    self._document = document  # one assignment: readers see it whole
                    self._changed.notify_all()
            return result
        finally:
            self._writing.release()

    def wait(self, since: str, timeout: float) -> bool:
        """Wait for a transaction; see `Store.wait`."""
        with self._changed:
            return self._changed.wait_for(lambda: digest(self._document) != since, timeout)

    def checkpoints(self) -> list[Checkpoint]:
        """Return all checkpoints, oldest first."""
        return sorted((made for made, _ in self._checkpoints.values()), key=lambda made: (made.created_at, made.name))

    def read_checkpoint(self, name: str) -> Revision:
        """Return what a checkpoint holds."""
        if name not in self._checkpoints:
            raise MissingCheckpointError(self.url, name, list(self._checkpoints))
        made, document = self._checkpoints[name]
        return Revision.of(cloned(document), made.created_at)

    def _write_checkpoint(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool) -> Checkpoint:
        with self._writing:
            if checkpoint.name in self._checkpoints and not replacing:
                raise RefusedError(f"{self.url}: there is a checkpoint {checkpoint.name!r} already")
            kept = cloned(self._document if document is None else document)
            made = replace(checkpoint, digest=digest(kept))
            self._checkpoints[checkpoint.name] = made, kept
        return made

    def _edit_checkpoint(self, name: str, edited: Checkpoint) -> None:
        with self._writing:
            _, document = self._checkpoints.pop(name)
            self._checkpoints[edited.name] = edited, document

    def _delete_checkpoint(self, name: str) -> None:
        with self._writing:
            del self._checkpoints[name]


class _Stored:
    """What a transaction reads: the document as it was when it began, since every change makes a new one."""

    def __init__(self, document: dict[str, JSON]) -> None:
        self._document = document

    def load(self, key: str) -> Found:
        return self._document.get(key, RAISE)

    def keys(self) -> list[str]:
        return list(self._document)

    def document(self) -> dict[str, JSON]:
        return self._document

"""Where a hook state may be: a file with two others beside it, or the keys of a namespace in a store."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeVar

from statewatch.core.errors import RefusedError
from statewatch.core.hook_file import HookFile
from statewatch.core.names import check_key
from statewatch.core.stores.base import Store
from statewatch.core.stores.file import FileStore
from statewatch.core.stores.transaction import Transaction
from statewatch.core.stores.urls import open_store
from statewatch.documents.values import JSON
from statewatch.kinds.circuit_calls import Called, Event
from statewatch.kinds.words import items, mapping

T = TypeVar("T")

HISTORY: Final = 200
"""Events of each hook that a store keeps, the newest; a file keeps them in a log, see `rotating`."""

HOOKS: Final = "hooks"
STATISTICS: Final = "global_stats"
EXTRAS: Final = "circuits"
"""The keys of a namespace that holds a hook state; the history of each hook has one of its own."""

Plan: TypeAlias = Callable[[JSON, JSON, int | None], Called[T]]
"""What a call makes of a document, of what is kept beside it, and of the count of open circuits where it is known."""


class Place(Protocol):
    """A hook state and what is kept beside it. What is returned is shared, and must not be changed."""

    @property
    def store(self) -> Store:
        """Return the store that holds it."""
        ...

    @property
    def file(self) -> Path | None:
        """Return the file, None where it is no file."""
        ...

    def create(self, blank: JSON) -> None:
        """Make the file, holding *blank*, where there is none."""
        ...

    def document(self) -> JSON:
        """Return the hook state; an empty object where there is none."""
        ...

    def hooks(self) -> JSON:
        """Return the hook state, perhaps with its records only."""
        ...

    def extras(self) -> JSON:
        """Return what is kept beside the records."""
        ...

    def events(self, hook: str | None) -> Iterator[Event]:
        """Yield the history of a hook, or of all, newest first."""
        ...

    def glance(self, plan: Plan[T]) -> T | None:
        """Return the result of a call that changes nothing; None where it would change something."""
        ...

    def call(self, plan: Plan[T], operation: str, strict: bool) -> T:
        """Carry out what *plan* makes of it; see `HookFile.call`."""
        ...


def place_of(source: Store | Path | str, timeout: float) -> Place:
    """Return the place of a hook state: a path, a URL, or a store. Raises RefusedError for what names none."""
    store = source if isinstance(source, Store) else open_store(source, timeout)
    if isinstance(store, FileStore) and not store.namespace:
        return _InFile(HookFile(store.path, timeout))
    return _InStore(store)


class _InFile:
    def __init__(self, file: HookFile) -> None:
        self.store = file
        self.file = file.path

    def create(self, blank: JSON) -> None:
        self.store.create_state(blank)

    def document(self) -> JSON:
        return self.store.peek()

    hooks = document

    def extras(self) -> JSON:
        return self.store.extras()

    def events(self, hook: str | None) -> Iterator[Event]:  # noqa: ARG002 - one log holds all
        return self.store.events()

    def glance(self, plan: Plan[T]) -> T | None:
        document, extras = self.store.peek(), self.store.extras()
        called = plan(document, extras, None)
        return called.result if called.document is document and called.extras is extras else None

    def call(self, plan: Plan[T], operation: str, strict: bool) -> T:
        return self.store.call(plan, operation, strict=strict)


class _InStore:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.file = None

    def create(self, blank: JSON) -> None:
        """Leave that to the first call: an empty namespace is a hook state without hooks."""

    def document(self) -> JSON:
        return self.store.snapshot().document

    def hooks(self) -> JSON:
        return {HOOKS: self.store.load(HOOKS, {})}

    def extras(self) -> JSON:
        return self.store.load(EXTRAS, {})

    def events(self, hook: str | None) -> Iterator[Event]:
        if hook is not None:
            told = items(self.store.load(_history_of(hook), []))
        else:
            document = mapping(self.document())
            told = [each for key in document if key.startswith(_history_of("")) for each in items(document[key])]
            told.sort(key=lambda each: str(mapping(each).get("at")))
        return (each for each in reversed(told) if isinstance(each, dict))

    def glance(self, plan: Plan[T]) -> T | None:
        document, extras = self.hooks(), self.extras()
        called = plan(document, extras, None)
        return called.result if called.document is document and called.extras is extras else None

    def call(self, plan: Plan[T], operation: str, strict: bool) -> T:  # noqa: ARG002 - all of it or nothing
        def body(transaction: Transaction) -> T:
            document: JSON = {key: transaction.load(key, {}) for key in (HOOKS, STATISTICS)}
            extras = transaction.load(EXTRAS, {})
            called = plan(document, extras, None)
            if called.document is not document:
                for key in (HOOKS, STATISTICS):
                    transaction.save(key, mapping(called.document)[key])
            if called.extras is not extras:
                transaction.save(EXTRAS, called.extras)
            add_events(transaction, called.events)
            return called.result

        return self.store.transact(body, operation)


def add_events(transaction: Transaction, events: Iterable[Event]) -> None:
    """Add events to the histories of their hooks, in a store: the newest are kept."""
    for event in events:
        key = _history_of(str(event["hook"]))
        transaction.save(key, [*items(transaction.load(key, [])), event][-HISTORY:])


def told_in(document: Mapping[str, JSON]) -> set[str]:
    """Return the hooks that have a history in the document of a namespace."""
    return {hook for hook in mapping(document.get(HOOKS)) if _history_of(hook) in document}


def _history_of(hook: str) -> str:
    """Return the key of a hook's history: with its name, or where that cannot be in a key, with what stands for it."""
    key = f"history/{hook}"
    try:
        check_key(key)
    except RefusedError:
        return f"history/{hashlib.sha256(hook.encode(errors='surrogatepass')).hexdigest()}"
    return key

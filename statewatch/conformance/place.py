"""Where the clauses find the engine they are about, and what a third party has to say about it."""

import json
from collections.abc import Callable, Mapping
from typing import Protocol

import pytest

from statewatch.core.errors import ConflictError
from statewatch.core.stores.base import Store
from statewatch.documents.values import JSON

PATIENCE = 30.0
"""Seconds after which a clause gives up waiting: far more than anything takes, so that a busy machine fails nothing."""

Opener = Callable[[str, float], Store]
"""Opens a store, given the namespace and the timeout in seconds."""


class Place:
    """A place where an engine keeps namespaces: empty when a test begins, and that test's alone.

    *opener* is called as `opener(namespace, timeout)` and returns another store object each time, on the same data for
    the same namespace. Where other processes can reach the place it must be picklable: `functools.partial` of a class
    or of a function of a module.
    """

    def __init__(self, opener: Opener) -> None:
        self.opener = opener
        self._opened: list[Store] = []

    def open(self, namespace: str = "default", timeout: float = PATIENCE) -> Store:
        """Open a namespace, by default the one that most clauses use; `close` closes it."""
        return self.kept(self.opener(namespace, timeout))

    def kept(self, store: Store) -> Store:
        """See to it that `close` closes a store, and return it."""
        self._opened.append(store)
        return store

    def close(self) -> None:
        """Close what has been opened."""
        while self._opened:
            self._opened.pop().close()

    def traces(self) -> Mapping[str, object]:
        """Return all that the engine keeps here, by name, each with something that differs after it was written again.

        Leave out what only says who holds a lock, and what goes away by itself.
        """
        raise NotImplementedError

    def damage(self, store: Store, checkpoint: str) -> None:
        """Change what is kept under that name behind the engine's back, so that it no longer holds what it held."""
        raise NotImplementedError


class Server(Protocol):
    """The server of an engine, which keeps its data and its address when it is stopped."""

    def start(self) -> object:
        """Start it, and return when it answers."""

    def stop(self) -> object:
        """End it in good order."""

    def kill(self) -> object:
        """End it at once."""


class Proxy(Protocol):
    """What stands between the store and its server, and breaks connections when told to."""

    def cut(self) -> object:
        """Cut all connections; new ones are taken."""

    def refuse(self) -> object:
        """Take no new connections."""

    def heal(self) -> object:
        """Take connections again, and break no more."""

    def lose_request(self, marker: bytes, *, nth: int = 1, then_refuse: bool = False) -> object:
        """Cut a connection instead of passing on the *nth* request with *marker*; then refuse new ones if so told."""

    def lose_reply(self, marker: bytes, *, nth: int = 1, then_refuse: bool = False) -> object:
        """Pass on the *nth* request with *marker* and cut the connection instead of passing back the reply."""


class ServerPlace(Place):
    """A place on a server of its own, reached through a proxy; *commit* is a part of the request that commits."""

    def __init__(self, opener: Opener, server: Server, proxy: Proxy, commit: bytes) -> None:
        super().__init__(opener)
        self.server = server
        self.proxy = proxy
        self.commit = commit

    def with_password(self, password: str, timeout: float) -> Store:
        """Open a namespace with a password, which need not be one that the server asks for."""
        raise NotImplementedError


class Clauses:
    """The base of all groups of clauses."""

    @pytest.fixture
    def place(self) -> Place:
        """Return the place of this test; every engine overrides it."""
        raise NotImplementedError("say where the engine keeps its namespaces: see statewatch.conformance")

    @pytest.fixture
    def store(self, place: Place) -> Store:
        """Return a store with an empty namespace."""
        return place.open()


def exact(value: JSON) -> str:
    """Return text that is equal for the same values only: types, the sign of zero and the order of keys included."""
    return json.dumps(value)


def save_all(store: Store, values: Mapping[str, JSON]) -> None:
    """Save several keys at once."""
    store.transact(lambda transaction: transaction.save_all(values))


def replace(store: Store, document: Mapping[str, JSON]) -> None:
    """Make a namespace hold exactly *document*."""
    store.transact(lambda transaction: transaction.replace(document))


def swap(store: Store, digest: str, key: str, value: JSON) -> bool:
    """Save a key on the revision with that digest; tell whether it was still the present one."""
    try:
        store.compare_and_swap(digest, lambda transaction: transaction.save(key, value))
    except ConflictError:
        return False
    return True


def held(store: Store) -> JSON:
    """Return what a namespace holds."""
    return store.snapshot().document


def number(value: JSON) -> int:
    """Return *value*, which is an integer."""
    assert isinstance(value, int)
    assert not isinstance(value, bool)
    return value


def one_more(value: JSON) -> JSON:
    """Return the next integer."""
    return number(value) + 1

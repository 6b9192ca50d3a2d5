"""The store in memory passes what a store of one process has to pass."""

from collections.abc import Mapping

import pytest

from statewatch.conformance.locking import LockingClauses
from statewatch.conformance.place import Place
from statewatch.conformance.suite import StoreConformance
from statewatch.core.stores.base import Store
from statewatch.core.stores.memory import MemoryStore
from tests.conformance.looks import SPOILT


class MemoryPlace(Place):
    """One object for each namespace, since a namespace in memory is there only for those who have the object."""

    def __init__(self, kind: type[MemoryStore] = MemoryStore) -> None:
        super().__init__(self._of)
        self._kind = kind
        self._stores: dict[str, MemoryStore] = {}
        self._versions: list[object] = []  # kept, so that no two have the same id

    def _of(self, namespace: str, timeout: float) -> Store:
        store = self._stores.setdefault(namespace, self._kind(namespace, timeout))
        store._timeout = timeout
        return store

    def traces(self) -> Mapping[str, object]:
        self._versions += [store._document for store in self._stores.values()]
        return {
            namespace: (id(store._document), dict(store._checkpoints))
            for namespace, store in self._stores.items()
            if store._document or store._checkpoints
        }

    def damage(self, store: Store, checkpoint: str) -> None:
        assert isinstance(store, MemoryStore)
        made, _ = store._checkpoints[checkpoint]
        store._checkpoints[checkpoint] = made, SPOILT


class TestMemory(StoreConformance, LockingClauses):
    @pytest.fixture
    def place(self) -> MemoryPlace:
        return MemoryPlace()

"""What programs are about to write to a file, and what is kept of others' writes on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from statewatch.core.reading import Snapshot
    from statewatch.documents.values import JSON

T = TypeVar("T")


class Draft(NamedTuple, Generic[T]):
    """A plan for a file: the version it was made for, what it shall hold (as text, as a value), what comes of it."""

    base: Snapshot
    data: bytes
    changed: bool
    raw: JSON
    result: T


class Displaced:
    """What the write of a program keeps: no copy of what it changes, but what it displaced; *source* is asked then."""

    def __init__(self, source: Callable[[], str]) -> None:
        self._source = source

    def before(self, plan: object) -> None:
        """Keep nothing: programs write often, and their own writes are no loss."""

    def displaced(self, snapshot: Snapshot) -> None:
        """Keep a version of another writer."""
        from statewatch.core import copies  # noqa: PLC0415 - it happens hardly ever

        copies.keep(self._source(), snapshot, time.time())

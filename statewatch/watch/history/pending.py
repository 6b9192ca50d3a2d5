"""Revisions that wait for being recorded: bounded, and the newest of each source is among them."""

from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from typing import Final

MAX_COUNT: Final = 1_000
MAX_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """A revision that was seen. `dropped` counts those before it that did not wait any longer."""

    source: str
    data: bytes
    at: float
    seen_at: float
    dropped: int = 0


class Pending:
    """A queue in the order in which revisions were seen. Where there are too many, older ones of a source give way.

    Not safe to use from several threads at once.
    """

    def __init__(self, max_count: int = MAX_COUNT, max_bytes: int = MAX_BYTES) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._items: OrderedDict[int, Item] = OrderedDict()
        self._of: dict[str, deque[int]] = {}
        self._next = 0
        self._size = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Let one more wait."""
        self._next += 1
        self._items[self._next] = item
        self._of.setdefault(item.source, deque()).append(self._next)
        self._size += len(item.data)
        self._shrink()

    def put_back(self, item: Item) -> None:
        """Let the one that was taken last wait again, before all others."""
        at = min(self._items, default=1) - 1
        self._items[at] = item
        self._items.move_to_end(at, last=False)
        self._of.setdefault(item.source, deque()).appendleft(at)
        self._size += len(item.data)
        self._shrink()

    def take(self, resting: frozenset[str] = frozenset()) -> Item | None:
        """Return the one that has waited longest, of a source that is not *resting*; None where there is none."""
        for at, item in self._items.items():
            if item.source not in resting:
                self._remove(at)
                return item
        return None

    def only_newest(self) -> None:
        """Let only the newest of each source wait any longer."""
        for waiting in list(self._of.values()):
            while len(waiting) > 1:
                self._drop(waiting[0])

    def _shrink(self) -> None:
        while len(self._items) > self._max_count or self._size > self._max_bytes:
            oldest = next((at for at, item in self._items.items() if len(self._of[item.source]) > 1), None)
            if oldest is None:
                return
            self._drop(oldest)

    def _drop(self, at: int) -> None:
        """Drop one behind which there is a newer one of its source, and let that say so."""
        item = self._remove(at)
        after = self._of[item.source][0]
        newer = self._items[after]
        self._items[after] = replace(newer, dropped=newer.dropped + item.dropped + 1)

    def _remove(self, at: int) -> Item:
        item = self._items.pop(at)
        waiting = self._of[item.source]
        waiting.remove(at)
        if not waiting:
            del self._of[item.source]
        self._size -= len(item.data)
        return item

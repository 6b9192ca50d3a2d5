"""Recent revisions, kept compressed in memory, so that the difference behind a change line can still be shown."""

import threading
import zlib
from collections import OrderedDict

from statewatch.documents import codec
from statewatch.documents.values import JSON

MAX_BYTES = 16 * 1024 * 1024
MAX_COUNT = 5_000
_LARGE = 64 * 1024


class Memory:
    """The bytes of revisions by digest, bounded by their compressed size and their number.

    The oldest go first; what a source shows now goes last of all. Safe to use from any thread.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, max_count: int = MAX_COUNT) -> None:
        self._max_bytes = max_bytes
        self._max_count = max_count
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._current: dict[str, str] = {}
        self._fresh: tuple[str, str, bytes] | None = None
        self._size = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Return how many bytes the kept revisions take."""
        return self._size

    def __len__(self) -> int:
        return len(self._kept)

    def store(self, source: str, digest: str, data: bytes) -> None:
        """Keep *data* as what *source* holds now. What is large is compressed by `pack`, or when the next one comes."""
        self.pack()
        if _LARGE <= len(data) <= self._max_bytes:
            self._fresh = source, digest, data
        else:
            self._keep(source, digest, data)

    def pack(self) -> None:
        """Compress what was stored last: when there is time for it."""
        if self._fresh is not None:
            self._keep(*self._fresh)
            self._fresh = None

    def _keep(self, source: str, digest: str, data: bytes) -> None:
        packed = zlib.compress(data, 1)
        with self._lock:
            before = self._current.get(source)
            if before is not None and before in self._kept:
                self._kept.move_to_end(before)  # the last change of a source can be shown however long ago it began
            self._current[source] = digest
            if digest not in self._kept:
                self._kept[digest] = packed
                self._size += len(packed)
            self._kept.move_to_end(digest)
            self._shrink()

    def forget(self, source: str) -> None:
        """Let go of a source that is no longer shown; its revisions stay until they are the oldest."""
        self.pack()
        with self._lock:
            self._current.pop(source, None)

    def recall_bytes(self, digest: str) -> bytes | None:
        """Return the bytes of a revision, or None when it is no longer kept."""
        fresh = self._fresh
        if fresh is not None and fresh[1] == digest:
            return fresh[2]
        with self._lock:
            packed = self._kept.get(digest)
        return None if packed is None else zlib.decompress(packed)

    def recall(self, digest: str) -> JSON:
        """Return the document of a revision, or None when it is no longer kept."""
        data = self.recall_bytes(digest)
        return None if data is None else codec.decode(data)

    def _shrink(self) -> None:
        if not self._is_over():
            return
        shown = set(self._current.values())
        for digest in [*(each for each in self._kept if each not in shown), *shown]:
            if not self._is_over():
                return
            self._size -= len(self._kept.pop(digest, b""))

    def _is_over(self) -> bool:
        return self._size > self._max_bytes or len(self._kept) > self._max_count

"""A history of files as a recorder that has been at work for a while leaves it."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statewatch.watch.history.model import Entry
from statewatch.watch.history.store import History

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


class Recording:
    """Writes files and records them, at moments that lie so many seconds before now."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.now = time.time()

    def add(self, path: Path, document: Any, ago: float, *, written: float | None = None) -> Entry:
        """Write *document* (bytes as they are) so long ago, and record it; where *written* is given, only then seen."""
        data = self.write(path, document, ago if written is None else written)
        at = self.now - (ago if written is None else written)
        entry = self.history.record(str(path), data, at=at, seen_at=self.now - ago)
        assert entry is not None, "it is the same as before"
        return entry

    def write(self, path: Path, document: Any, ago: float) -> bytes:
        """Write a file so long ago, while nobody records."""
        data = document if isinstance(document, bytes) else json.dumps(document, indent=2).encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (self.now - ago, self.now - ago))
        return data


@pytest.fixture
def recording(stage: Any) -> Iterator[Recording]:
    """Return the usual history of the stage, to write to."""
    with History.open() as history:
        yield Recording(history)

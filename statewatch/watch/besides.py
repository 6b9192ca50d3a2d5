"""What lies beside a run in phases: the log of its events, and the artifacts that its agents have left.

It is read when somebody looks at the run, and again only where a file has changed.
"""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from statewatch.core import reading, rotating
from statewatch.core.errors import SourceError
from statewatch.core.reading import Signature, signature
from statewatch.documents.codec import DocumentError, decode
from statewatch.documents.values import JSON
from statewatch.kinds.agent_checkpoint import FILES
from statewatch.kinds.base import mapping, text
from statewatch.kinds.times import instant

EVENTS: Final = "events.jsonl"
"""The log of a workflow, beside its state."""

_MOST_LINES: Final = 5_000
_MOST_BYTES: Final = 2_000_000
_MOST_FILES: Final = 1_000
_LARGEST: Final = 1_000_000
_LARGEST_LOG: Final = 64_000_000


class Event(NamedTuple):
    """One event of a run: when (an instant), what happened to what, and what the log says of it."""

    at: float | None
    what: str
    subject: str
    data: JSON = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What lies beside one run: events, newest first; names of files; and the artifacts that can be read, by name.

    `skipped` lines of the log could not be read.
    """

    events: tuple[Event, ...] = ()
    files: frozenset[str] = frozenset()
    artifacts: Mapping[str, JSON] = field(default_factory=dict)
    skipped: int = 0


NOTHING: Final = Beside()


class Besides:
    """What lies beside the runs that are looked at. Several threads may ask: at worst a file is read twice."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[Signature | None, ...], Beside]] = {}

    def of(self, key: str, kind: str) -> Beside:
        """Return what lies beside the run of that *kind* at the path *key*; what cannot be read is left out."""
        directory = Path(key).parent
        if kind == "workflow":
            return self._fresh(key, (directory / EVENTS,), lambda: _logged(directory / EVENTS))
        if kind == "checkpoint":
            paths = (directory, *(directory / name for name in FILES))
            return self._fresh(key, paths, lambda: _left_in(directory))
        return NOTHING

    def _fresh(self, key: str, paths: tuple[Path, ...], read: Callable[[], Beside]) -> Beside:
        seen = tuple(map(signature, paths))
        known = self._known.get(key)
        if known is None or known[0] != seen:
            known = self._known[key] = seen, read()
        return known[1]


def events_of(lines: Iterator[bytes]) -> tuple[tuple[Event, ...], int]:
    """Return the events of a log's lines, in their order, and how many lines hold none; blank ones do not count."""
    found, skipped, left = [], 0, _MOST_BYTES
    for line in itertools.islice(lines, _MOST_LINES):
        left -= len(line)
        if left < 0:
            break
        if not line.strip():
            continue
        told: Mapping[str, JSON] = {}
        with contextlib.suppress(DocumentError):
            told = mapping(decode(line))
        if (what := text(told.get("event_type"))) is None:
            skipped += 1
            continue
        data = told.get("data")
        at = instant(told.get("timestamp"), naive="local")
        found.append(Event(at, what, text(mapping(data).get("phase")) or "", data))
    return tuple(found), skipped


def _logged(log: Path) -> Beside:
    events: tuple[Event, ...] = ()
    skipped = 0
    with contextlib.suppress(SourceError, OSError):
        if log.stat().st_size <= _LARGEST_LOG:
            events, skipped = events_of(rotating.lines_from_the_end(log))
    return Beside(events=events, skipped=skipped)


def _left_in(directory: Path) -> Beside:
    names: set[str] = set()
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        names = {entry.name for entry in itertools.islice(entries, _MOST_FILES)}
    artifacts: dict[str, JSON] = {}
    for name in FILES:
        if name in names:
            with contextlib.suppress(SourceError, OSError):
                path = directory / name
                if path.stat().st_size <= _LARGEST:
                    artifacts[name] = reading.read(path).document()
    return Beside(files=frozenset(names), artifacts=artifacts)

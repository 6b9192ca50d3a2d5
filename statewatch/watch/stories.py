"""What is kept beside the hook states that are shown: modes and back-off of circuits, and what happened to them."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from statewatch.core import rotating
from statewatch.core.beside import extras_file, history_file
from statewatch.core.errors import SourceError
from statewatch.core.hook_glance import extras_of
from statewatch.core.reading import Signature, signature
from statewatch.documents.codec import DocumentError, decode
from statewatch.documents.values import JSON
from statewatch.kinds import times
from statewatch.kinds.circuit_history import by_hook

Event: TypeAlias = Mapping[str, JSON]

_MOST_LINES = 5_000
_MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Story:
    """What is kept beside one hook state: its extras, and the newest events of each hook, newest first."""

    extras: JSON = None
    events: Mapping[str, list[Event]] = field(default_factory=dict)


NOTHING = Story()


def until(story: Story, moment: float) -> Story:
    """Return what of a story was known at an instant: what had happened. What was beside the record is not kept."""
    return Story(None, {hook: [each for each in told if _at(each) <= moment] for hook, told in story.events.items()})


def _at(event: Event) -> float:
    return times.instant(event.get("at")) or 0.0


class Stories:
    """The stories of hook states, read again only when a file has changed. For one thread."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[Signature | None, Signature | None], Story]] = {}

    def of(self, key: str) -> Story:
        """Return the story of the hook state at the path *key*; what cannot be read is left out."""
        try:
            real = Path(key).resolve()
        except (OSError, RuntimeError, ValueError):
            return NOTHING
        seen = signature(extras_file(real)), signature(history_file(real))
        known = self._known.get(key)
        if known is None or known[0] != seen:
            known = seen, _read(real) if any(seen) else NOTHING
            self._known[key] = known
        return known[1]


def _read(real: Path) -> Story:
    extras: JSON = None
    with contextlib.suppress(SourceError):
        extras = extras_of(real)
    return Story(extras, by_hook(_events(history_file(real))))


def _events(log: Path) -> Iterator[Event]:
    """Yield the newest events, as many as can be read without a pause."""
    left = _MOST_BYTES
    with contextlib.suppress(SourceError):
        for line in itertools.islice(rotating.lines_from_the_end(log), _MOST_LINES):
            left -= len(line)
            if left < 0:
                return
            with contextlib.suppress(DocumentError):
                told = decode(line)
                if isinstance(told, dict):
                    yield told

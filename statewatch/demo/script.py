"""What a script of the simulated world is made of: a clock, events, seeded dice and the tools' ways to write times.

Nothing here reads a clock: moments are simulated seconds, 0 is the start of the demo and the past is negative.
"""

import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
"""A JSON object as a foreign tool handles it: read, changed in the places it knows, written back."""

Files: TypeAlias = dict[str, Any]
"""The content of files by path relative to the demo's directory: a JSON value, a list of them for `.jsonl`, or text."""

Change: TypeAlias = Callable[[Any], Any]
"""From a file's content to its next content. None stands for "no such file", before and after."""


@dataclass(frozen=True, slots=True)
class Event:
    """At a simulated second, something happens to one file."""

    at: float
    path: str
    change: Change


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns simulated seconds into the time of day, so that what is written fits the reader's own clock.

    Speed acts from the start on: the past lies where it would lie at any speed.
    """

    start: float
    speed: float = 1.0

    def at(self, second: float) -> float:
        """Give the epoch second of a simulated one."""
        return self.start + (second / self.speed if second > 0 else second)


def play(events: Iterator[Event], seconds: Iterable[float]) -> Iterator[Files]:
    """Give the files at each of some simulated *seconds*, which must not fall."""
    files: Files = {}
    coming = next(events)
    for second in seconds:
        while coming.at <= second:
            files[coming.path] = coming.change(files.get(coming.path))
            coming = next(events)
        yield {path: content for path, content in files.items() if content is not None}


def merged(*streams: Iterable[Event]) -> Iterator[Event]:
    """Bring streams that are each in order of time into one; they may be endless."""
    return heapq.merge(*streams, key=attrgetter("at"))


def dice(*key: object) -> random.Random:
    """Give the random numbers that belong to *key*: the same ones every time, on every machine."""
    return random.Random("/".join(map(str, key)))  # noqa: S311 - a script, not a secret


def utc_time(epoch: float) -> str:
    """Write a time as the hooks' tool does: UTC with its offset."""
    return datetime.fromtimestamp(epoch, UTC).isoformat()


def zulu_time(epoch: float) -> str:
    """Write a time as the batch tool does: UTC without an offset, and a literal Z behind it."""
    return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None).isoformat() + "Z"


def local_time(epoch: float) -> str:
    """Write a time as the workflow tool does: local and without an offset."""
    return datetime.fromtimestamp(epoch).isoformat()


def epoch_of(text: str) -> float:
    """Read a time that was written with an offset or a Z."""
    return datetime.fromisoformat(text).timestamp()

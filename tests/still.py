"""A picture that stands still: what the demo's tools have written at a fixed moment, for snapshots and screenshots."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from statewatch.demo import Clock, moments, write_files
from statewatch.documents.values import JSON
from statewatch.tui.feed import Feed
from statewatch.watch.memory import MAX_BYTES, Memory
from statewatch.watch.picture import Picture, Watching
from statewatch.watch.scope import Scope, scope_of
from statewatch.watch.sweep import Sweep

START = 1_794_838_980.0
"""2026-11-16 14:23:00 UTC, the instant at which the simulated runs are looked at first."""

SEED = 7


def utc() -> None:
    """Show times of day in UTC, wherever the tests run."""
    os.environ["TZ"] = "UTC"
    time.tzset()


class StillFeed:
    """Delivers one picture and nothing more. `pokes` counts how often somebody wanted it to look."""

    def __init__(self, picture: Picture, recall: Callable[[str], JSON]) -> None:
        """Deliver *picture*; *recall* gives the documents of its revisions."""
        self.picture = picture
        self.pokes = 0
        self._recall = recall
        self._deliver: Callable[[Picture], None] = lambda _picture: None

    def for_app(self, deliver: Callable[[Picture], None]) -> Feed:
        """Be the feed of an app that takes pictures with *deliver*."""
        self._deliver = deliver
        return self

    def start(self) -> None:
        """Deliver the picture."""
        self._deliver(self.picture)

    def show(self, picture: Picture) -> None:
        """Deliver another picture."""
        self.picture = picture
        self._deliver(picture)

    def stop(self) -> None:
        """Do nothing."""

    def poke(self) -> None:
        """Count."""
        self.pokes += 1

    def recall(self, digest: str) -> JSON:
        """Return the document of a revision."""
        return self._recall(digest)


def demo_feed(root: Path, seconds: float = 40.0, step: float = 1.0, seed: int = SEED) -> tuple[StillFeed, float]:
    """Write what the demo's tools have written after so many seconds, seen every *step* seconds.

    Returns the feed and the instant at which its picture was made.
    """
    instants = [index * step for index in range(int(seconds / step) + 1)]
    now = START
    memory = Memory(MAX_BYTES)
    (root / "project" / ".git").mkdir(parents=True)
    (root / "home").mkdir()
    scope = scope_of((), cwd=root / "project", home=root / "home", environment={})
    sweep = Sweep(scope, memory, lambda: now, lambda: now)
    for second, content in zip(instants, moments(seed, Clock(START), instants), strict=True):
        now = START + second
        write_files(root, content)
        _date(root, now)
        sweep.everything()
    return StillFeed(sweep.picture(_watching(scope)), _recalling(sweep.picture(_watching(scope)), memory)), now


def files_feed(scope: Scope, now: float) -> StillFeed:
    """Return a feed with the picture of files that are there."""
    memory = Memory(MAX_BYTES)
    sweep = Sweep(scope, memory, lambda: now)
    sweep.everything()
    deadline = time.monotonic() + 5
    while sweep.in_doubt and time.monotonic() < deadline:
        sweep.again()
    picture = sweep.picture(_watching(scope))
    return StillFeed(picture, _recalling(picture, memory))


def _watching(scope: Scope) -> Watching:
    return Watching(looked_in=scope.looked_in)


def _recalling(picture: Picture, memory: Memory) -> Callable[[str], JSON]:
    kept = {source.revision.digest: source.revision.document for source in picture.sources if source.revision}
    return lambda digest: kept.get(digest) if digest in kept else memory.recall(digest)


def _date(root: Path, now: float) -> None:
    """Give files that were just written the time of the simulated moment; ones dated before keep theirs."""
    for path in _files(root):
        if path.stat().st_mtime > now:
            os.utime(path, (now, now))


def _files(root: Path) -> Iterable[Path]:
    return (path for path in root.rglob("*") if path.is_file())

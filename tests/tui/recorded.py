"""A past for the tests of the dashboard: what the demo's tools wrote, recorded as it was seen."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from statewatch.demo import Clock, moments, write_files
from statewatch.documents.values import JSON
from statewatch.tui.app import StatewatchApp
from statewatch.tui.archive import Archive
from statewatch.watch.history.store import History
from statewatch.watch.memory import MAX_BYTES, Memory
from statewatch.watch.picture import Picture, Watching
from statewatch.watch.scope import Scope, scope_of
from statewatch.watch.sweep import Sweep
from tests.still import SEED, START
from tests.tui.dash import Still


@dataclass(frozen=True)
class Recorded:
    """Files with a history, at a moment at which the clock stands still."""

    scope: Scope
    path: Path
    picture: Picture
    now: float
    recall: Callable[[str], JSON] = field(default=lambda _digest: None)

    def archive(self) -> Archive:
        """Return the past, as a dashboard reads it."""
        return Archive(lambda: History.open(self.path, create=False), self.scope)

    def history(self) -> History:
        """Open the history."""
        return History.open(self.path)

    def app(self, **options: Any) -> StatewatchApp:
        """Return a dashboard with a past."""
        return self.still.app(**{"archive": self.archive(), **options})

    @property
    def still(self) -> Still:
        """The picture of the present, which stands still."""
        return Still(self.picture, self.now, self.recall)

    def key(self, name: str) -> str:
        """Return the key of the source whose label ends in *name*."""
        return next(source.key for source in self.picture.sources if source.label.endswith(name))


def demo_recorded(root: Path, seconds: int = 40) -> Recorded:
    """Let the demo's tools write for so many seconds, and record what they write each second."""
    memory, now = Memory(MAX_BYTES), START
    (root / "project" / ".git").mkdir(parents=True)
    (root / "home").mkdir()
    scope = scope_of((), cwd=root / "project", home=root / "home", environment={})
    sweep = Sweep(scope, memory, lambda: now, lambda: now)
    seen: dict[str, str] = {}
    with History.open(root / "history.db") as history:
        instants = [float(second) for second in range(seconds + 1)]
        for second, content in zip(instants, moments(SEED, Clock(START), instants), strict=True):
            now = START + second
            write_files(root, content)
            for path in root.rglob("*.json"):
                if path.stat().st_mtime > now:
                    os.utime(path, (now, now))
            sweep.everything()
            _record(history, sweep.picture(Watching()), memory, seen, now)
    picture = sweep.picture(Watching(looked_in=scope.looked_in))
    kept = {source.revision.digest: source.revision.document for source in picture.sources if source.revision}
    recall = lambda digest: kept.get(digest) if digest in kept else memory.recall(digest)  # noqa: E731
    return Recorded(scope, root / "history.db", picture, now, recall)


def _record(history: History, picture: Picture, memory: Memory, seen: dict[str, str], now: float) -> None:
    for source in picture.sources:
        revision = source.revision
        if revision is None or seen.get(source.key) == revision.digest:
            continue
        data = memory.recall_bytes(revision.digest)
        assert data is not None
        history.record(source.key, data, at=revision.modified_at, seen_at=now)
        seen[source.key] = revision.digest

"""The history as the dashboard reads it: opened when it is first needed, by whichever thread needs it."""

import contextlib
import threading
from typing import TYPE_CHECKING

from statewatch.core.errors import StatewatchError
from statewatch.documents.values import JSON, Path
from statewatch.watch.absences import Absences
from statewatch.watch.picture import ChangeLine, Picture, Source
from statewatch.watch.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from statewatch.core.actions import Action
    from statewatch.core.stores.base import Store
    from statewatch.tui.models.since import Since
    from statewatch.watch.history.model import Entry, Touch
    from statewatch.watch.history.store import History
    from statewatch.watch.past import Past


_MOST_REMEMBERED = 5_000
_MOST_LOOKED_THROUGH = 50


class Archive:
    """What was recorded of the sources of a scope. Every method may raise HistoryError; any thread may call them.

    All but two read files, so no other is for the thread of the screen.
    """

    def __init__(self, open_history: "Callable[[], History]", scope: Scope) -> None:
        """Read from what *open_history* opens."""
        self._open = open_history
        self._scope = scope
        self._lock = threading.RLock()
        self._history: History | None = None
        self._past: Past | None = None
        self._sources: frozenset[str] = frozenset()
        self._absences = Absences()
        self._touched: dict[tuple[str, Path, int | None], float | None] = {}

    @property
    def project(self) -> str:
        """Return what tells this project from others, for when it was looked at last."""
        return self._scope.base or self._scope.home

    @property
    def history(self) -> "History":
        """Return the store, open."""
        with self._lock:
            if self._history is None:
                self._history = self._open()
            return self._history

    def entries(self) -> tuple["Entry", ...]:
        """Return all revisions in the order in which they were seen, those just recorded too."""
        with self._lock:
            sources = frozenset(self.history.sources())
            if self._past is None or sources != self._sources:
                from statewatch.watch.past import Past  # noqa: PLC0415 - only who travels pays for it

                self._past = Past.of_scope(self.history, self._scope, self._absences)
                self._sources = sources
            else:
                self._past.refresh()
            return self._past.moments()

    def see(self, picture: Picture) -> None:
        """Take notice of a live picture: what is not in it was not there then. Reads no file."""
        self._absences.see(picture)

    def forget(self) -> None:
        """Let go of what was worked out of the past, until somebody wants to see it again."""
        if self._lock.acquire(blocking=False):  # who is at work on it goes on with it, and it is let go another time
            self._past = None
            self._lock.release()

    def picture(self, moment: float) -> Picture:
        """Return the picture of a moment."""
        with self._lock:
            return self._known.at(moment)

    def between(self, since: float, until: float) -> tuple[ChangeLine, ...]:
        """Return the change lines after *since*, up to *until*, newest first."""
        with self._lock:
            return self._known.between(since, until)

    @property
    def _known(self) -> "Past":
        if self._past is None:
            self.entries()
        assert self._past is not None
        return self._past

    def document(self, entry: "Entry") -> JSON:
        """Return the document of a revision. Raises SourceError where it is none."""
        return self.history.document(entry)

    def recall(self, source: str, digest: str) -> JSON:
        """Return the document of a source's revision with that digest, or None when it is not kept."""
        entry = self.history.by_digest(source, digest)
        return None if entry is None else self.history.document(entry)

    def blame(self, source: str, tokens: Path) -> "list[Touch]":
        """Return when a place was touched, newest first."""
        return self.history.blame(source, tokens)

    def touched_at(self, source: str, path: Path, until: float | None = None) -> float | None:
        """Return when a place was last seen to change, by *until*; None where it has not, or that is not known."""
        with contextlib.suppress(StatewatchError):
            if until is not None:
                found = self.history.blame(source, path, limit=_MOST_LOOKED_THROUGH)
                return next((touch.entry.seen_at for touch in found if touch.entry.seen_at <= until), None)
            newest = self.history.newest(source)
            known = (source, path, None if newest is None else newest.number)
            if known not in self._touched:
                if len(self._touched) >= _MOST_REMEMBERED:
                    self._touched.clear()
                found = self.history.blame(source, path, limit=1)
                self._touched[known] = found[0].entry.seen_at if found else None
            return self._touched[known]
        return None

    def since(self, source: str) -> float | None:
        """Return since when a source is recorded; None where it is not."""
        entries = self.history.entries(source)
        return entries[-1].seen_at if entries else None

    def bookmark(self, entry: "Entry", name: str) -> None:
        """Give a revision a name, under which it is kept."""
        self.history.bookmark(entry, name)

    def unbookmark(self, name: str) -> None:
        """Take a name away."""
        self.history.unbookmark(name)

    def changes_since_last_look(self, picture: Picture) -> "Since | None":
        """Return what changed since somebody looked at this project last; None where nothing did, or nobody had."""
        from statewatch.tui.models.since import Since, renumbered, summed_up  # noqa: PLC0415 - not at each start

        last = self.last_look()
        if last is None:
            return None
        summed = summed_up(picture, lambda source: self._then(source, last))
        return Since(last, summed, renumbered(self.between(last, picture.at))) if summed else None

    def _then(self, source: Source, moment: float) -> tuple[str, JSON] | None:
        """Return the digest and the document that a source had, None where it is the same now or cannot be told."""
        entry = self.history.at(source.key, moment)
        if entry is None or source.revision is None or entry.digest == source.revision.digest:
            return None
        with contextlib.suppress(StatewatchError):
            return entry.digest, self.history.document(entry)
        return None

    def last_look(self) -> float | None:
        """Return when somebody looked at this project last, or None when nobody did."""
        return self.history.last_look(self.project)

    def looked(self, moment: float) -> None:
        """Remember that somebody looked at this project until *moment*; where that cannot be kept, it is not."""
        with contextlib.suppress(StatewatchError):
            self.history.looked(self.project, moment)

    def restore_action(self, entry: "Entry", store: "Store", when: str) -> "Action":
        """Return the action that brings a source back to a revision, which people know as *when*: byte for byte."""
        from statewatch.core.restoring import restore_version_action  # noqa: PLC0415 - only who acts pays for it
        from statewatch.watch.past import snapshot_of  # noqa: PLC0415

        kept = snapshot_of(self.history, entry)
        return restore_version_action(store, store.version_in(kept), when, via="dashboard")

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._history is not None:
                self._history.close()
                self._history = None

"""The history of all sources that were watched: what they were at any moment, byte for byte, and who changed what."""

import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from statewatch.core.errors import SourceError, StatewatchError
from statewatch.core.lock import locked
from statewatch.core.reading import MAX_BYTES as LARGEST
from statewatch.documents import codec, values
from statewatch.documents.noise import Noise
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.watch.history import blame as blaming
from statewatch.watch.history import pruning, reading, schema
from statewatch.watch.history.compaction import compact
from statewatch.watch.history.model import Entry, HistoryError, Touch, default_path
from statewatch.watch.history.thinning import DENSE
from statewatch.watch.history.writing import Seen, Writer, exclusively

__all__ = ["HEARTBEAT", "LARGEST", "Entry", "History", "HistoryError", "Touch", "default_path"]

HEARTBEAT: Final = Noise(timestamps=True)
"""Revisions that differ in nothing else coalesce. Counters are no noise here: they are how far a run has come."""

_LONGEST_NAME: Final = 100


class History:
    """A history, open; to be closed after use, by itself at the end of a `with` block. Safe to use from any thread.

    Any number of processes may read one and record in it at a time. All methods raise HistoryError when the store
    cannot be used. `notes` says what whoever opened it should tell.
    """

    def __init__(self, path: Path, link: sqlite3.Connection, notes: tuple[str, ...], noise: Noise) -> None:
        self.path = path
        self.notes = notes
        self._noise = noise
        self._lock = threading.RLock()
        self._take(link)

    @classmethod
    def open(
        cls, path: Path | None = None, *, create: bool = True, repair: bool = False, noise: Noise = HEARTBEAT
    ) -> "History":
        """Open the history at *path*, by default the user's own.

        With *create* one is begun where there is none; else HistoryError is raised, `missing`. With *repair* it is
        looked through, and a damaged one is set aside under another name and begun anew, which `notes` says. One that a
        newer version has written is left alone: HistoryError. Revisions whose changes are all covered by *noise*
        coalesce when they are recorded.
        """
        place = Path(os.path.abspath(path or default_path()))  # noqa: PTH100 - resolve() follows links
        if not repair:
            return cls(place, schema.connected(place, create=create), (), noise)
        try:
            return cls(place, schema.checked(schema.connected(place, create=create), place), (), noise)
        except HistoryError as error:
            if not error.corrupt:
                raise
        with _repairing(place):
            try:  # another recorder may have been here first
                return cls(place, schema.checked(schema.connected(place, create=create), place), (), noise)
            except HistoryError as error:
                if not error.corrupt:
                    raise
                note = _set_aside(place, str(error))
            return cls(place, schema.connected(place, create=True), (note,), noise)

    # --- recording

    def record(self, source: str, data: bytes, *, at: float, seen_at: float, dropped: int = 0) -> Entry | None:
        """Add a revision of *source* that was written *at* one instant and seen at another; return its entry.

        Returns None where nothing is to be added: the newest entry has the same bytes, or another recorder has seen
        something later. *dropped* are revisions that were seen since the one recorded last, and are lost. Raises
        HistoryError, for what is over 64 MB too.
        """
        if len(data) > LARGEST:
            raise HistoryError(
                f"{source}: {len(data) / 1e6:.0f} MB are not recorded; the history takes up to {LARGEST / 1e6:.0f} MB."
            )
        seen = Seen(source, data, at, seen_at, dropped)
        with self._lock:
            if schema.identity(self.path) is None:
                self._renew()
            with self._use():
                return self._writer.record(seen)

    def prune(
        self,
        now: float,
        *,
        max_age: float = pruning.MAX_AGE,
        max_bytes: int = pruning.MAX_BYTES,
        dense: int = DENSE,
    ) -> int:
        """Drop what is too old or too much at the instant *now*; return how many entries.

        *max_age* is in seconds. Of each source the latest *dense* revisions stay, and ever fewer of those before.
        The newest of each source stays in any case, and all that have a bookmark.
        """
        with self._use() as link:
            return pruning.pruned(link, now, max_age=max_age, max_bytes=max_bytes, dense=dense)

    def tidy(self) -> bool:
        """Make the index of changed places a little smaller after a `prune`; tell whether all of it is done.

        Takes a few milliseconds, and is to be called again when there is time for more.
        """
        with self._use() as link:
            return compact(link)

    def size(self) -> int:
        """Return how many bytes of the store are in use."""
        with self._use() as link:
            return pruning.used(link)

    # --- looking

    def sources(self) -> tuple[str, ...]:
        """Return all sources of which there are entries, sorted."""
        with self._use() as link:
            rows = link.execute("SELECT name FROM sources WHERE id IN (SELECT source FROM entries)").fetchall()
        return tuple(sorted(os.fsdecode(row[0]) for row in rows))

    def entries(
        self, source: str, *, since: float | None = None, until: float | None = None, limit: int | None = None
    ) -> list[Entry]:
        """Return the entries of a source, newest first, those that were seen from *since* to *until*."""
        first, last = _bounds(since, until)
        return self._entries(
            "WHERE name = ? AND seen_at BETWEEN ? AND ? ORDER BY seen_at DESC, number DESC LIMIT ?",
            os.fsencode(source),
            first,
            last,
            -1 if limit is None else limit,
        )

    def moments(
        self, sources: Sequence[str] | None = None, since: float | None = None, until: float | None = None
    ) -> list[Entry]:
        """Return the entries of all *sources* (of all there are when None) in the order in which they were seen."""
        first, last = _bounds(since, until)
        found = self._entries("WHERE seen_at BETWEEN ? AND ? ORDER BY seen_at, number", first, last)
        wanted = None if sources is None else frozenset(sources)
        return found if wanted is None else [entry for entry in found if entry.source in wanted]

    def newest(self, source: str) -> Entry | None:
        """Return the newest entry of a source, None when there is none."""
        return self.back(source, 0)

    def back(self, source: str, count: int) -> Entry | None:
        """Return the entry that is *count* before the newest one, None when there are not as many."""
        if count < 0:
            return None
        return self._entry("WHERE name = ? ORDER BY number DESC LIMIT 1 OFFSET ?", os.fsencode(source), count)

    def at(self, source: str, moment: float) -> Entry | None:
        """Return the newest entry that had been seen at *moment*, None when the history begins later."""
        return self._entry(
            "WHERE name = ? AND seen_at <= ? ORDER BY seen_at DESC, number DESC LIMIT 1", os.fsencode(source), moment
        )

    def by_digest(self, source: str, digest: str) -> Entry | None:
        """Return the newest entry with that digest."""
        try:
            wanted = bytes.fromhex(digest)
        except ValueError:
            return None
        return self._entry(
            "WHERE name = ? AND substr(digest, 1, 4) = ? AND digest = ? ORDER BY number DESC LIMIT 1",
            os.fsencode(source),
            wanted[:4],
            wanted,
        )

    def data(self, entry: Entry) -> bytes:
        """Return the bytes of an entry. Raises HistoryError, `missing` where they have been pruned meanwhile."""
        with self._use() as link, reading.one_moment(link):
            return reading.data_of(link, entry)

    def document(self, entry: Entry) -> JSON:
        """Return the document of an entry. Raises HistoryError, and SourceError where its bytes are no JSON."""
        try:
            return codec.decode(self.data(entry))
        except codec.DocumentError as error:
            raise SourceError(f"{entry.source} (revision {entry.number})", str(error)) from None

    def blame(self, source: str, tokens: values.Path, *, limit: int = blaming.MOST_TOUCHES) -> list[Touch]:
        """Return the latest changes of a place, inside it, or of what it is in; newest first.

        A change of what it is in is told as what that did to the place. List positions may be text or numbers.
        """
        with self._use() as link, reading.one_moment(link):
            return blaming.blame(link, source, tokens, limit)

    # --- bookmarks, and when somebody last looked

    def bookmark(self, entry: Entry, name: str) -> None:
        """Give an entry a name, which pins it. Raises HistoryError where another one of the source has that name."""
        if not name or len(name) > _LONGEST_NAME or harmless(name) != name:
            raise HistoryError(f"{harmless(name)!r}: a bookmark has a name of 1 to {_LONGEST_NAME} visible characters.")
        with self._use() as link, exclusively(link):
            taken = reading.entries(link, "WHERE name = ? AND bookmark = ?", os.fsencode(entry.source), name)
            if taken and taken[0].number != entry.number:
                raise HistoryError(f"{entry.source}: there is a bookmark {name!r} already. Take another name.")
            changed = link.execute("UPDATE entries SET bookmark = ? WHERE number = ?", (name, entry.number)).rowcount
            if not changed:
                raise HistoryError(f"{entry.source}: revision {entry.number} is kept no longer.", missing=True)

    def unbookmark(self, name: str) -> None:
        """Take a bookmark away, from all entries that have it. Raises HistoryError, `missing` where none has."""
        with self._use() as link, exclusively(link):
            query = "UPDATE entries SET bookmark = '' WHERE bookmark = ? AND bookmark <> ''"
            if not link.execute(query, (name,)).rowcount:
                raise HistoryError(f"{self.path}: there is no bookmark {harmless(name)!r}.", missing=True)

    def bookmarks(self) -> list[Entry]:
        """Return the entries with bookmarks, oldest first."""
        return self._entries("WHERE bookmark <> '' ORDER BY seen_at, number")

    def last_look(self, project: str) -> float | None:
        """Return the instant until which somebody last looked at a project."""
        with self._use() as link:
            row = link.execute("SELECT moment FROM looks WHERE project = ?", (os.fsencode(project),)).fetchone()
        return None if row is None else float(row[0])

    def looked(self, project: str, moment: float) -> None:
        """Remember until when somebody looked at a project."""
        with self._use() as link, exclusively(link):
            link.execute("INSERT OR REPLACE INTO looks VALUES (?, ?)", (os.fsencode(project), moment))

    # --- the store itself

    def close(self) -> None:
        """Close the store. May be called more than once."""
        with self._lock, suppress(sqlite3.Error):
            self._link.close()

    def set_aside(self, error: HistoryError) -> str:
        """Close a store that turned out to be damaged while it was used, and give it another name.

        Returns what to tell, nothing where another recorder has done it. Raises HistoryError where it cannot be done.
        """
        self.close()
        with _repairing(self.path):
            return _set_aside(self.path, str(error)) if schema.identity(self.path) == self._identity else ""

    def __enter__(self) -> Self:
        """Return the history itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _entries(self, rest: str, *given: object) -> list[Entry]:
        with self._use() as link:
            return reading.entries(link, rest, *given)

    def _entry(self, rest: str, *given: object) -> Entry | None:
        return next(iter(self._entries(rest, *given)), None)

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        """Have the connection alone; what SQLite reports becomes a HistoryError."""
        with self._lock:
            if schema.identity(self.path) not in {None, self._identity}:
                self._renew()
            try:
                yield self._link
            except sqlite3.Error as error:
                raise schema.explained(error, self.path) from None

    def _renew(self) -> None:
        """Open the store anew: another recorder has set the old one aside, or somebody has deleted it."""
        fresh = schema.connected(self.path, create=True)
        self._link.close()
        self._take(fresh)

    def _take(self, link: sqlite3.Connection) -> None:
        self._link = link
        self._identity = schema.identity(self.path)
        self._writer = Writer(link, self._noise)


def _bounds(since: float | None, until: float | None) -> tuple[float, float]:
    return -math.inf if since is None else since, math.inf if until is None else until


@contextmanager
def _repairing(path: Path) -> Iterator[None]:
    try:
        with locked(path, "set the damaged history aside"):
            yield
    except HistoryError:
        raise
    except StatewatchError as error:
        raise HistoryError(f"{path}: the history is damaged and cannot be set aside. {error}") from None


def _set_aside(path: Path, reason: str) -> str:
    """Set a damaged history aside; return what to tell. Raises HistoryError where it may be somebody else's file."""
    if path != default_path() and not schema.is_database(path):
        raise HistoryError(f"{path}: this is no history, nor what is left of one. Name another place with --history.")
    aside = schema.set_aside(path, time.strftime("%Y%m%d-%H%M%S"))
    what = harmless(reason.partition(" The next")[0])
    return f"{what} It is set aside as {harmless(aside.name)}, and a new one has begun."

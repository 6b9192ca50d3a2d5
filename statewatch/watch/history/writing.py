"""Adding a revision to a history's tables."""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from statewatch.documents.diff import diff
from statewatch.documents.noise import Noise
from statewatch.watch.history import deltas, touching
from statewatch.watch.history.model import Entry
from statewatch.watch.history.reading import Newest, content, newest, one_moment, source_of

LAG: Final = 10.0
"""Seconds that a recorder may be behind another one; a look that is older than this is one after the clock was set."""
_BLUR: Final = 0.5
"""Seconds within which two recorders' looks at one source cannot be told apart in time."""
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """A revision as it was seen."""

    source: str
    data: bytes
    at: float
    seen_at: float
    dropped: int = 0
    digest: bytes = field(default=b"", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.data).digest())


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is to be written after the entry `last`, or in its place."""

    last: Newest | None
    position: int
    payload: bytes
    rows: list[touching.Row]
    is_noise: bool = False
    replaces: bool = False


class Writer:
    """Adds what one recorder saw; knows which entries it has seen itself."""

    def __init__(self, link: sqlite3.Connection, noise: Noise) -> None:
        self._link = link
        self._noise = noise
        self._known: dict[str, int] = {}

    def record(self, seen: Seen) -> Entry | None:
        """Add a revision; None where it is the newest already, or older than that. Raises sqlite3.Error.

        What takes long is done before others are kept out, and again where one of them came in between.
        """
        for trial in range(_TRIES):
            if trial == _TRIES - 1:
                with exclusively(self._link):
                    return self._write(seen, self._source(seen), self._drafted(seen))
            with one_moment(self._link):
                draft = self._drafted(seen)
            if draft is None:
                return None
            with exclusively(self._link):
                source = self._source(seen)
                if _same(newest(self._link, source), draft.last):
                    return self._write(seen, source, draft)
        raise AssertionError  # the last turn returns

    def _drafted(self, seen: Seen) -> _Draft | None:
        source = source_of(self._link, seen.source)
        last = None if source is None else newest(self._link, source)
        if source is None or last is None:
            return _Draft(None, 0, deltas.packed(seen.data, None), [])
        if last.digest == seen.digest:
            self._known[seen.source] = last.number
            return None
        if self._is_late(seen, last):
            return None
        rows, is_noise = self._changes(source, last, seen.data)
        replaces = is_noise and bool(last.noise) and not last.bookmark
        position = last.position if replaces else last.position + 1
        try:
            base = deltas.base_of(position)
            payload = deltas.packed(seen.data, None if base is None else content(self._link, source, base))
        except deltas.DeltaError:  # what it would lean on is damaged: a new keyframe
            position = (position // deltas.KEYFRAMES + 1) * deltas.KEYFRAMES
            payload, replaces = deltas.packed(seen.data, None), False
        return _Draft(last, position, payload, rows, is_noise, replaces)

    def _is_late(self, seen: Seen, last: Newest) -> bool:
        """Tell whether another recorder has seen a later revision already. It may have coalesced this one away."""
        if self._known.get(seen.source) == last.number:
            return False
        behind = last.seen_at - seen.seen_at
        return seen.at <= last.at and -_BLUR < behind < LAG

    def _changes(self, source: int, last: Newest, data: bytes) -> tuple[list[touching.Row], bool]:
        try:
            before = touching.indexed(content(self._link, source, last.position))
        except deltas.DeltaError:
            before = None
        after = touching.indexed(data)
        if before is None or after is None:
            return [touching.WHOLE], False
        changes = diff(before[0], after[0])
        if not changes:  # it is spelt differently, or differs in digits that no comparison this quick can see
            return [touching.WHOLE], False
        return touching.rows_of(changes, before[0], after[0]), all(map(self._noise.covers, changes))

    def _source(self, seen: Seen) -> int:
        found = source_of(self._link, seen.source)
        if found is not None:
            return found
        return int(
            self._link.execute("INSERT INTO sources (name) VALUES (?)", (os.fsencode(seen.source),)).lastrowid or 0
        )

    def _write(self, seen: Seen, source: int, draft: _Draft | None) -> Entry | None:
        if draft is None:
            return None
        last = draft.last
        dropped, before = seen.dropped, None if last is None else last.digest
        if draft.replaces and last is not None:
            dropped, before = dropped + last.dropped + 1, last.before
            self._link.execute("DELETE FROM entries WHERE number = ?", (last.number,))
        number = self._link.execute(
            "INSERT INTO entries (source, position, at, seen_at, size, digest, before, dropped, bookmark, noise) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?)",
            (
                source,
                draft.position,
                seen.at,
                seen.seen_at,
                len(seen.data),
                seen.digest,
                before,
                dropped,
                draft.is_noise,
            ),
        ).lastrowid
        assert number is not None
        self._link.execute(
            "INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?)",
            (source, draft.position, len(seen.data), draft.payload),
        )
        self._note(source, number, draft.rows, last.number if draft.replaces and last is not None else None)
        self._known[seen.source] = number
        earlier = None if before is None else before.hex()
        return Entry(number, seen.source, seen.at, seen.seen_at, len(seen.data), seen.digest.hex(), earlier, dropped)

    def _note(self, source: int, number: int, rows: Iterable[touching.Row], replaced: int | None) -> None:
        """Note which places were touched; what the replaced entry had noted of them is taken over."""
        for row in rows:
            place = self._place(source, row)
            if (
                replaced is not None
                and self._link.execute(
                    "UPDATE touches SET number = ?, after = ? WHERE place = ? AND number = ?",
                    (number, row.after, place, replaced),
                ).rowcount
            ):
                continue
            self._link.execute("INSERT INTO touches VALUES (?, ?, ?, ?, ?)", (place, number, *row[1:]))

    def _place(self, source: int, row: touching.Row) -> int:
        key = (source, *touching.place_of(row.path))
        found = self._link.execute(
            "SELECT id FROM places WHERE source = ? AND pointer = ? AND positions = ?", key
        ).fetchone()
        if found is not None:
            return int(found[0])
        identity = self._link.execute(
            "INSERT INTO counters VALUES ('places', 1) ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value"
        ).fetchone()[0]
        self._link.execute("INSERT INTO places VALUES (?, ?, ?, ?)", (*key, identity))
        return int(identity)


@contextmanager
def exclusively(link: sqlite3.Connection) -> Iterator[None]:
    """Keep the other recorders out while something is written: all of the block is, or nothing."""
    link.execute("BEGIN IMMEDIATE")
    try:
        yield
        link.execute("COMMIT")
    finally:
        if link.in_transaction:  # it came to nothing; a full disk ends it by itself
            link.execute("ROLLBACK")


def _same(one: Newest | None, other: Newest | None) -> bool:
    return (one and one.number) == (other and other.number)

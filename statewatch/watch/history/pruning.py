"""Keeping a history within bounds of age and size."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, Final

from statewatch.watch.history.compaction import compact
from statewatch.watch.history.thinning import DENSE, RECENT, Kept, to_drop, unneeded
from statewatch.watch.history.writing import exclusively

MAX_AGE: Final = 14 * 86_400.0
"""Seconds for which a revision is kept."""

MAX_BYTES: Final = 256 * 1024 * 1024
"""Bytes that all of it may take."""

_ENOUGH: Final = 0.9
_FREED: Final = 1_024
"""Pages of 4 KB that are given back to the disk at a time."""


def pruned(link: sqlite3.Connection, now: float, *, max_age: float, max_bytes: int, dense: int = DENSE) -> int:
    """Drop what is too old or too much; return how many entries. Raises sqlite3.Error.

    The newest entry of each source stays, and those with a bookmark, whatever they take.
    """
    count = _thinned(link, now, max_age, dense, RECENT)
    compact(link)
    if used(link) > max_bytes:
        count += _squeezed(link, now, max_age, max_bytes, dense)
    link.executescript(f"PRAGMA incremental_vacuum({_FREED})")  # `execute` would free one page, and no more
    return count


def used(link: sqlite3.Connection) -> int:
    """Return how many bytes of the database are in use."""
    pages, free, size = (
        int(link.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _squeezed(link: sqlite3.Connection, now: float, max_age: float, max_bytes: int, dense: int) -> int:
    """Thin out more and more, then let go of the oldest, until it fits."""
    count = 0
    compact(link, wholly=True)
    goal = max_bytes * _ENOUGH
    while used(link) > goal and dense > 1:
        dense //= 2
        gone = _thinned(link, now, max_age, dense, 0.0)
        count += gone
        if gone:
            compact(link, wholly=True)
    while used(link) > goal and max_age > 1.0:
        max_age /= 2
        gone = _thinned(link, now, max_age, dense, 0.0)
        count += gone
        if gone:
            compact(link, wholly=True)
    return count


def _thinned(link: sqlite3.Connection, now: float, max_age: float, dense: int, recent: float) -> int:
    sources = [row[0] for row in link.execute("SELECT id FROM sources").fetchall()]
    return sum(_thin(link, source, now, max_age, dense, recent) for source in sources)


def _thin(link: sqlite3.Connection, source: int, now: float, max_age: float, dense: int, recent: float) -> int:
    if not _may_go(link, source, now, max_age, dense):
        return 0
    with exclusively(link):
        rows = link.execute(
            "SELECT number, position, seen_at, dropped, bookmark FROM entries WHERE source = ? ORDER BY number",
            (source,),
        ).fetchall()
        revisions = [Kept(row[1], now - row[2], bool(row[4])) for row in rows]
        places = to_drop(revisions, max_age=max_age, dense=dense, recent=recent)
        if not places:
            return 0
        gone = set(places)
        kept = [row[1] for at, row in enumerate(rows) if at not in gone]
        positions = unneeded((rows[at][1] for at in places), kept)
        link.executemany("UPDATE entries SET dropped = ? WHERE number = ?", _dropped(rows, gone))
        link.execute(
            "DELETE FROM entries WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps([rows[at][0] for at in places]),),
        )
        link.execute(
            "DELETE FROM contents WHERE source = ? AND position IN (SELECT value FROM json_each(?))",
            (source, json.dumps(positions)),
        )
        return len(places)


def _may_go(link: sqlite3.Connection, source: int, now: float, max_age: float, dense: int) -> bool:
    """Tell quickly of a source that all of it stays, as is usual."""
    oldest, first, last = link.execute(
        "SELECT (SELECT min(seen_at) FROM entries WHERE source = ?1), "
        "(SELECT position FROM entries WHERE source = ?1 ORDER BY number LIMIT 1), "
        "(SELECT position FROM entries WHERE source = ?1 ORDER BY number DESC LIMIT 1)",
        (source,),
    ).fetchone()
    return oldest is not None and (now - oldest > max_age or last - first >= dense)


def _dropped(rows: list[tuple[Any, ...]], gone: set[int]) -> Iterable[tuple[int, int]]:
    """Yield how many are missing before each entry that stays, where that is another number now."""
    missing = 0
    for at, (number, _, _, dropped, _) in enumerate(rows):
        if at in gone:
            missing += dropped + 1
        elif missing:
            yield dropped + missing, number
            missing = 0

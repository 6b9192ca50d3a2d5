"""Keeping the index of changed places small: what belongs to the same entry by now is put together.

A touch by a revision that was thinned out belongs to the first entry after it that is kept. Reading does that too, so
it may wait: a part of the index is done at a time, and the next part the next time.
"""

import json
import sqlite3
from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from statewatch.watch.history.touching import ADD, COARSE, REMOVE, REPLACE
from statewatch.watch.history.writing import exclusively

BATCH: Final = 1_000
"""Rows of the index that are looked at while other recorders are kept out."""

_BEGINNING: Final = (0, b"", b"", 0)
_QUERY: Final = """
SELECT source, pointer, positions, ifnull(number, 0), id, op, before, after
FROM places LEFT JOIN touches ON place = id
WHERE (source, pointer) >= (?1, ?2)
  AND NOT (source = ?1 AND pointer = ?2 AND (positions, ifnull(number, 0)) <= (?3, ?4))
ORDER BY 1, 2, 3, 4 LIMIT ?5"""


def compact(link: sqlite3.Connection, *, wholly: bool = False) -> bool:
    """Look at the next part of the index, or at all of it; tell whether that was the end. Raises sqlite3.Error."""
    at: tuple[int, bytes, bytes, int] | None = _BEGINNING if wholly else _remembered(link)
    while at is not None:
        at = _part(link, at)
        if not wholly:
            break
    return at is None


def _part(link: sqlite3.Connection, start: tuple[int, bytes, bytes, int]) -> tuple[int, bytes, bytes, int] | None:
    """Look at the rows after *start*; return where to go on, None at the end."""
    with exclusively(link):
        rows = link.execute(_QUERY, (*start, BATCH)).fetchall()
        numbers: dict[int, list[int]] = {}
        for key, group in groupby(rows, key=lambda row: row[:3]):
            source = key[0]
            if source not in numbers:
                numbers[source] = _numbers(link, source)
            _tidy(link, key, list(group), numbers[source])
        end = rows[-1][:4] if len(rows) == BATCH else None
        source, pointer, positions, number = end or _BEGINNING
        cursor = json.dumps([source, pointer.hex(), positions.hex(), number])
        link.execute("INSERT OR REPLACE INTO counters VALUES ('compacted', ?)", (cursor,))
    return end


def _tidy(
    link: sqlite3.Connection, key: tuple[Any, ...], found: Sequence[tuple[Any, ...]], numbers: Sequence[int]
) -> None:
    """Put the rows of a place together that belong to one entry, and delete what is older than all of them."""
    place = found[0][4]
    rows = [(row[3], *row[5:]) for row in found]  # number, op, before, after
    if rows[0][0] == 0:  # no touch of it is left
        link.execute("DELETE FROM places WHERE source = ? AND pointer = ? AND positions = ?", key)
        return
    gone: list[int] = []
    for at, group in groupby(rows, key=lambda row: bisect_left(numbers, row[0])):
        same = list(group)
        if at == 0:
            gone += [row[0] for row in same]
        elif len(same) > 1:
            gone += [row[0] for row in same[:-1]]
            link.execute(
                "UPDATE touches SET op = ?, before = ?, after = ? WHERE place = ? AND number = ?",
                (*_composed(same), place, same[-1][0]),
            )
    link.executemany("DELETE FROM touches WHERE place = ? AND number = ?", ((place, number) for number in gone))


def _composed(rows: Sequence[tuple[Any, ...]]) -> tuple[int, bytes | None, bytes | None]:
    first, last = rows[0], rows[-1]
    if any(row[1] == COARSE for row in rows) or (first[1] == ADD and last[1] == REMOVE):
        return COARSE, None, None
    if first[1] == ADD:
        return ADD, None, last[3]
    return (REMOVE, first[2], None) if last[1] == REMOVE else (REPLACE, first[2], last[3])


def _numbers(link: sqlite3.Connection, source: int) -> list[int]:
    return [row[0] for row in link.execute("SELECT number FROM entries WHERE source = ? ORDER BY number", (source,))]


def _remembered(link: sqlite3.Connection) -> tuple[int, bytes, bytes, int]:
    row = link.execute("SELECT value FROM counters WHERE name = 'compacted'").fetchone()
    if row is None:
        return _BEGINNING
    source, pointer, positions, number = json.loads(row[0])
    return source, bytes.fromhex(pointer), bytes.fromhex(positions), number

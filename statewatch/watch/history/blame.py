"""Who touched a place: the index of changed places, read back as changes of one of them.

What the index holds in full is taken from there. What it does not (large values, lists whose items moved, revisions
with more changes than it notes) is read from the documents before and after. A touch by a revision that is kept no
longer belongs to the first one after it that is.
"""

import sqlite3
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias

import orjson

from statewatch.core.errors import StatewatchError
from statewatch.documents import codec, pointer
from statewatch.documents.values import JSON, Path, same
from statewatch.watch.history import touching
from statewatch.watch.history.model import Entry, Touch
from statewatch.watch.history.reading import data_of, entries, source_of
from statewatch.watch.history.touching import ADD, COARSE, REMOVE

MOST_TOUCHES: Final = 1_000
"""Touches that are listed, the latest of them."""

_PLACE: Final = "SELECT pointer, positions, touches.number, op, before, after FROM places JOIN touches ON place = id "
_DOCUMENTS: Final = 4


class _Row(NamedTuple):
    """A row of the index: a place, the revision that touched it, and what it noted of that."""

    pointer: str
    positions: bytes
    number: int
    op: int
    before: bytes | None
    after: bytes | None

    @property
    def path(self) -> Path:
        return touching.path_of(self.pointer, self.positions)


class _Nothing:
    """The value of a place that is not there."""


_NOTHING: Final = _Nothing()
_Value: TypeAlias = "JSON | _Nothing"


def blame(link: sqlite3.Connection, name: str, tokens: Path, limit: int = MOST_TOUCHES) -> list[Touch]:
    """Return the latest changes of a place, inside it, or of what it is in; newest first."""
    source = source_of(link, name)
    if source is None:
        return []
    numbers = [row[0] for row in link.execute("SELECT number FROM entries WHERE source = ? ORDER BY number", (source,))]
    found = [row for row in _rows(link, source, pointer.render(tokens), limit) if row.number >= numbers[0]]
    kept = {row.number: numbers[bisect_left(numbers, row.number)] for row in found}
    reader = _Reader(link, tokens)
    touches: list[Touch] = []
    for number, group in groupby(found, key=lambda row: kept[row.number]):
        at = bisect_left(numbers, number)
        if at:  # what the oldest one brought is not known: what was before it is gone
            touches += reader.touches(numbers[at - 1], number, list(group))
    return touches[:limit]


def _rows(link: sqlite3.Connection, source: int, text: str, limit: int) -> list[_Row]:
    """Return what the index has of a place, what is inside it and what it is in, newest first."""
    around = [text]
    while around[-1]:
        around.append(around[-1].rpartition("/")[0])
    query = (
        f"{_PLACE} WHERE source = ? AND pointer IN ({','.join('?' * len(around))}) UNION ALL "
        f"{_PLACE} WHERE source = ? AND pointer >= ? AND pointer < ? ORDER BY 3 DESC, 1 LIMIT ?"
    )
    inside = touching.spelt(f"{text}/"), touching.spelt(f"{text}0")
    rows = link.execute(query, (source, *map(touching.spelt, around), source, *inside, limit * 8))
    return [_Row(touching.read(row[0]), *row[1:]) for row in rows]


class _Reader:
    """Makes touches of rows, with the documents at hand that were read last."""

    def __init__(self, link: sqlite3.Connection, tokens: Path) -> None:
        self._link = link
        self._tokens = tokens
        self._text = pointer.render(tokens)
        self._documents: OrderedDict[int, _Value] = OrderedDict()

    def touches(self, before: int, number: int, rows: Sequence[_Row]) -> Iterator[Touch]:
        """Yield what the revision *number*, which followed *before*, changed of the place."""
        entry = entries(self._link, "WHERE number = ?", number)[0]
        outside = any(len(row.pointer) < len(self._text) or _is_coarse(row, self._text) for row in rows)
        if outside:
            yield from self._read(before, entry, self._tokens)
            return
        for group in _apart(rows):
            if len({row.pointer for row in group}) > 1 or any(row.op == COARSE for row in group):
                yield from self._read(before, entry, group[0].path)
            else:
                yield from self._composed(before, entry, group)

    def _composed(self, before: int, entry: Entry, rows: Sequence[_Row]) -> Iterator[Touch]:
        """Put together what several revisions, of which the last is kept, did to one place."""
        first, last = rows[0], rows[-1]
        was = first.before if first.op != ADD else b""
        became = last.after if last.op != REMOVE else b""
        if was is None or became is None:
            yield from self._read(before, entry, last.path)
        elif was != became:
            yield _touch(entry, last.path, _value(was), _value(became))

    def _read(self, before: int, entry: Entry, path: Path) -> Iterator[Touch]:
        """Compare a place in the documents before and after."""
        old, typed = _at(self._document(before), path)
        new, typed_now = _at(self._document(entry.number), path)
        if old is _NOTHING and new is _NOTHING:
            return
        if not isinstance(old, _Nothing) and not isinstance(new, _Nothing) and same(old, new):
            return
        yield _touch(entry, typed if new is _NOTHING else typed_now, old, new)

    def _document(self, number: int) -> _Value:
        if number not in self._documents:
            self._documents[number] = self._decoded(number)
            if len(self._documents) > _DOCUMENTS:
                self._documents.popitem(last=False)
        self._documents.move_to_end(number)
        return self._documents[number]

    def _decoded(self, number: int) -> _Value:
        found = entries(self._link, "WHERE number = ?", number)
        try:
            return codec.decode(data_of(self._link, found[0])) if found else _NOTHING
        except (codec.DocumentError, StatewatchError):
            return _NOTHING


def _apart(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Yield the rows of places of which none is inside another: each with the rows inside it, those of one in order."""
    group: list[_Row] = []
    for row in sorted(rows, key=lambda row: (f"{row.pointer}/", row.positions, row.number)):
        if group and not f"{row.pointer}/".startswith(f"{group[0].pointer}/"):
            yield group
            group = []
        group.append(row)
    yield group


def _is_coarse(row: _Row, text: str) -> bool:
    return row.op == COARSE and row.pointer == text


def _at(document: _Value, path: Path) -> tuple[_Value, Path]:
    """Return what is at a place, and the place with positions in lists as numbers, however it was asked for."""
    if isinstance(document, _Nothing):
        return document, path
    try:
        located = pointer.locate(document, tuple(str(token) for token in path))
        return pointer.get(document, located), located
    except pointer.PointerError:
        return _NOTHING, path


def _value(text: bytes) -> _Value:
    return orjson.loads(text) if text else _NOTHING


def _touch(entry: Entry, path: Path, before: _Value, after: _Value) -> Touch:
    if isinstance(before, _Nothing):
        return Touch(entry, path, "add", None, None if isinstance(after, _Nothing) else after)
    if isinstance(after, _Nothing):
        return Touch(entry, path, "remove", before, None)
    return Touch(entry, path, "replace", before, after)

"""What the index of changed places has of a revision: which places it touched, with the small values in full."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import orjson

from statewatch.documents import codec, pointer
from statewatch.documents.changes import Change
from statewatch.documents.values import JSON, Path

ADD, REMOVE, REPLACE, COARSE = range(4)
"""What happened at a place. `COARSE`: something may have happened there, or inside; the documents know what."""

MOST_PLACES: Final = 256
"""Places that are noted of one revision. Where there were more, what they are in is noted in their stead."""

_LONGEST_POINTER: Final = 500
_LARGEST_VALUE: Final = 48
_LARGEST_DOCUMENT: Final = 8 << 20
_LONG_NUMBER: Final = b"0" * 19
"""Integers of as many digits may be too long for the quick decoder, which then makes them inexact without a word."""
_DIGITS: Final = bytes(ord("0") if chr(code).isdigit() and code < 128 else ord(" ") for code in range(256))


class Row(NamedTuple):
    """One touched place. A value is JSON text, None where there was none or where it is too large to be noted."""

    path: Path
    op: int
    before: bytes | None = None
    after: bytes | None = None


WHOLE: Final = Row((), COARSE)
"""Says of a revision only that it is another one."""


def indexed(data: bytes) -> tuple[JSON] | None:
    """Return the document for the index, None where it is none or too large to be compared with each revision."""
    if len(data) > _LARGEST_DOCUMENT:
        return None
    if _LONG_NUMBER in data.translate(_DIGITS):
        return _exactly(data)
    try:
        return (orjson.loads(data),)
    except orjson.JSONDecodeError:
        return _exactly(data)


def _exactly(data: bytes) -> tuple[JSON] | None:
    try:
        return (codec.decode(data),)
    except codec.DocumentError:
        return None


def rows_of(changes: Iterable[Change], before: JSON, after: JSON) -> list[Row]:
    """Return what is noted of the *changes* between two documents, each place once."""
    rows: dict[Path, Row] = {}
    for change in changes:
        for row in _rows(change, before, after):
            known = rows.get(row.path)
            rows[row.path] = row if known is None else Row(row.path, COARSE)
    return list(rows.values()) if len(rows) <= MOST_PLACES else _coarser(rows)


def place_of(path: Path) -> tuple[bytes, bytes]:
    """Return a place as a pointer, and which of its steps are positions in lists."""
    return spelt(pointer.render(path)), bytes(
        at for at, token in enumerate(path) if isinstance(token, int) and at < 256
    )


def spelt(text: str) -> bytes:
    """Return a pointer as the tables have it: keys may hold half of a surrogate pair, which text in tables may not."""
    return text.encode(errors="surrogatepass")


def read(pointed: bytes) -> str:
    """Return the pointer that `spelt` was given."""
    return pointed.decode(errors="surrogatepass")


def path_of(text: str, positions: bytes) -> Path:
    """Return the place that `place_of` was given."""
    tokens = pointer.parse(text)
    return tuple(int(token) if at in positions else token for at, token in enumerate(tokens))


def _rows(change: Change, before: JSON, after: JSON) -> list[Row]:
    path = _short(change.path)
    if path != change.path:
        return [Row(path, COARSE)]
    if change.op == "move":
        assert change.source is not None
        return [Row(place, COARSE) for place in {_short(path[:-1]), _short(change.source[:-1])}]
    if change.op == "replace":
        rows = [Row(path, REPLACE, _small(change.before), _small(change.after))]
    elif change.op == "add":
        rows = [Row(path, ADD, None, _small(change.after))]
    else:
        rows = [Row(path, REMOVE, _small(change.before), None)]
    if change.op != "replace" and _shifts(path, before if change.op == "add" else after):
        rows.append(Row(path[:-1], COARSE))
    return rows


def _shifts(path: Path, document: JSON) -> bool:
    """Tell whether an item that comes or goes moves others: one at the end of the list, as *document* has it, not."""
    if not path or not isinstance(path[-1], int):
        return False
    try:
        items = pointer.get(document, path[:-1])
    except pointer.PointerError:
        return True
    return not isinstance(items, list) or path[-1] < len(items)


def _small(value: JSON) -> bytes | None:
    if isinstance(value, dict | list) or (isinstance(value, str) and len(value) > _LARGEST_VALUE):
        return None
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:  # what only the standard library writes
        return None
    return text if len(text) <= _LARGEST_VALUE else None


def _short(path: Path) -> Path:
    """Return the place, or the nearest around it whose pointer is not beyond all bounds."""
    if len(path) < 32 and sum(len(token) for token in path if isinstance(token, str)) < _LONGEST_POINTER // 2:
        return path
    kept = path[:255]
    while len(pointer.render(kept)) > _LONGEST_POINTER:
        kept = kept[:-1]
    return kept


def _coarser(rows: dict[Path, Row]) -> list[Row]:
    """Return rows for fewer places: all that are deeper than so many steps become what they are in."""
    for depth in range(max(map(len, rows)) - 1, 0, -1):
        fewer: dict[Path, Row] = {}
        for path, row in rows.items():
            place = path[:depth]
            fewer[place] = Row(place, COARSE) if len(path) > depth or place in fewer else row
        if len(fewer) <= MOST_PLACES:
            return list(fewer.values())
    return [WHOLE]

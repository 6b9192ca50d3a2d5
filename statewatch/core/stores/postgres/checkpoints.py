"""Checkpoints in PostgreSQL: rows of `workflow_checkpoints`, ours with what is known of them in `metadata`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from statewatch.core.stores.base import Checkpoint
from statewatch.core.stores.postgres.layout import storable
from statewatch.core.stores.postgres.rows import encoded
from statewatch.core.stores.postgres.session import Row
from statewatch.documents.values import JSON

_VERSION: Final = 1
_MARK, _EXACT = "statewatch", "exact"


@dataclass(frozen=True, slots=True)
class Listed:
    """A checkpoint, with the `id` of its row and the JSON text of its `metadata`."""

    id: str
    checkpoint: Checkpoint
    metadata: str | None


def listed(rows: Iterable[Row]) -> list[Listed]:
    """Return the checkpoints that rows of id, moment, metadata and size make, oldest first.

    A row of another tool goes by the name in its metadata, unless it has none or that is another checkpoint's: then it
    is called after its moment and id.
    """
    found = [(row, _glance(row[2])) for row in rows]
    found.sort(key=lambda each: each[1].get(_MARK) != _VERSION)  # ours first: they are called what they were called
    names: set[str] = set()
    result = []
    for (id_, moment, text, size), metadata in found:
        checkpoint = _checkpoint(id_, moment or 0.0, metadata, size, names)
        names.add(checkpoint.name)
        result.append(Listed(id_, checkpoint, text))
    return sorted(result, key=lambda each: (each.checkpoint.created_at, each.checkpoint.name))


def metadata_of(checkpoint: Checkpoint, kept: str | None, *, unicode: bool) -> str:
    """Return as JSON what `metadata` shall hold: what is *kept* there already, with what *checkpoint* says.

    Texts that a jsonb column cannot take are kept in a form that it can, and the exact ones in a text of JSON beside.
    """
    said: dict[str, JSON] = {
        "name": checkpoint.name,
        "note": checkpoint.note,
        "by": checkpoint.by,
        "pinned": checkpoint.pinned,
        "digest": checkpoint.digest,
        "size": checkpoint.size,
        "created_at": checkpoint.created_at,
    }
    others = {name: value for name, value in _object(kept).items() if name != _EXACT}
    text = encoded(others | {_MARK: _VERSION} | said)
    plain = storable(text, unicode=unicode)
    return text if plain is None else encoded(_object(plain) | {_EXACT: encoded(said)})


def _checkpoint(id_: str, moment: float, metadata: dict[str, JSON], size: int | None, taken: set[str]) -> Checkpoint:
    own, exact = metadata.get(_MARK) == _VERSION, metadata.get(_EXACT)
    said = metadata | _object(exact) if own and isinstance(exact, str) else metadata
    name, made, length = _text(said.get("name")), said.get("created_at"), said.get("size")
    if not own or not name or name in taken:
        free = name if name and name not in taken else _called_after(id_, moment)
        return Checkpoint(free, moment, size=size, foreign=True)
    return Checkpoint(
        name,
        float(made) if isinstance(made, int | float) else moment,
        _text(said.get("note")),
        _text(said.get("by")),
        said.get("pinned") is True,
        _text(said.get("digest")),
        length if isinstance(length, int) else None,
    )


def _called_after(id_: str, moment: float) -> str:
    try:
        return datetime.fromtimestamp(moment, UTC).strftime(f"%Y%m%d_%H%M%S_{id_}")
    except (OverflowError, ValueError):  # PostgreSQL knows moments that Python does not, infinity among them
        return id_


def _glance(text: str | None) -> dict[str, JSON]:
    """Return what `_object` does, four times as fast; numbers may lack precision."""
    try:
        value = orjson.loads(text or "{}")
    except ValueError:
        return _object(text)
    return value if isinstance(value, dict) else {}


def _object(text: str | None) -> dict[str, JSON]:
    """Return the object that *text* is; an empty one where it is something else, as another tool may have left it."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""

"""What is known about the checkpoints of a file besides their content: an index beside them, one JSON document."""

import itertools
import json
import math
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from statewatch.core import copies
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.reading import Snapshot, kind_of_file
from statewatch.core.rewriting import present
from statewatch.core.swap import Replacement, create, swap

NAME: Final = ".statewatch-index.json"
_FORMAT: Final = 1
_LATEST: Final = 2.5e11
"""Seconds since the epoch; Python knows no time beyond the year 9999."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a checkpoint; `inode` is the number of the file that it is about."""

    created_at: float
    note: str = ""
    by: str = ""
    pinned: bool = False
    digest: str = ""
    size: int | None = None
    inode: int = 0


_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "created_at": (int, float),
    "note": (str,),
    "by": (str,),
    "pinned": (bool,),
    "digest": (str,),
    "size": (int, type(None)),
    "inode": (int,),
}


_all_of: Final = attrgetter(*_KINDS)
_USUAL: Final = set(itertools.product(*_KINDS.values()))
"""The types of a note that says everything."""


class Index:
    """The notes on the files of one directory; they are given by name, with their inode numbers.

    What is said about a file is written before the file comes to its place, as `coming`, so that no checkpoint is ever
    without it; and it holds from the moment on at which the file is there.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME

    def notes(self, files: Mapping[str, int]) -> dict[str, Note]:
        """Return what is known of *files*. Raises SourceError when the index cannot be read.

        What is damaged in it only loses notes, since the checkpoints are files of their own.
        """
        known, coming = _told_of(self._present().data)
        found = {}
        for name, inode in files.items():
            note = known.get(name)
            if name in coming and (note is None or note.inode != inode):
                note = coming[name]
            if note is not None:
                found[name] = note if note.inode == inode else replace(note, inode=inode)  # it is a copy of all
        return found

    def write(self, notes: Mapping[str, Note], coming: Mapping[str, Note] | None = None) -> None:
        """Say what is known of the files that are there, and of one that is *coming*.

        Raises RefusedError and SourceError; it is as it was then.
        """
        there = self._present()
        index = _decoded(there.data)
        if index is None:
            copies.keep(self._path, there, time.time())
        elif index.get("format", _FORMAT) != _FORMAT:
            raise RefusedError(
                f"{self._path}: a newer statewatch has written what is known about these checkpoints. Nothing was "
                "changed. Use that one."
            )
        parts = {"checkpoints": notes, "coming": coming or {}}
        told = {part: {name: _told(note) for name, note in of.items()} for part, of in parts.items()}
        data = json.dumps({"format": _FORMAT, **told}).encode()
        with Replacement(self._path, data) as new:
            if not create(new.file, self._path):
                swap(new.file, self._path)

    def _present(self) -> Snapshot:
        if kind_of_file(self._path) == stat.S_IFLNK:
            raise SourceError(self._path, "it is a symbolic link, not what is known about checkpoints. Move it away.")
        return present(self._path)


@lru_cache(maxsize=2)  # one checkpoint asks three times, and what a thousand notes mean takes longer than the rest
def _told_of(data: bytes) -> tuple[Mapping[str, Note], Mapping[str, Note]]:
    """Return what an index says of the files that are there, and of those that were coming."""
    index = _decoded(data) or {}
    return _notes_in(index.get("checkpoints")), _notes_in(index.get("coming"))


def _decoded(data: bytes) -> dict[str, Any] | None:
    """Return what the index says, nothing where there is none; None where it is damaged."""
    try:
        index = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        return None
    return index if isinstance(index, dict) else None


def _told(note: Note) -> dict[str, object]:
    return dict(zip(_KINDS, _all_of(note), strict=True))


def _notes_in(part: object) -> dict[str, Note]:
    found = part.items() if isinstance(part, dict) else ()
    return {name: note for name, told in found if (note := _note(told)) is not None}


def _note(told: object) -> Note | None:
    if not isinstance(told, dict):
        return None
    if tuple(map(type, map(told.get, _KINDS))) in _USUAL and 0 <= told["created_at"] <= _LATEST:
        return Note(*map(told.get, _KINDS))  # type: ignore[arg-type] # as the line above has seen
    known = {name: told[name] for name in _KINDS if name in told}
    at = known.get("created_at")
    if not isinstance(at, int | float) or not math.isfinite(at) or not 0 <= at <= _LATEST:
        return None
    return Note(**known) if all(isinstance(value, _KINDS[name]) for name, value in known.items()) else None

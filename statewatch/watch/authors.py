"""Who brought a revision, as far as the audit log knows: an action's record names the digest of what it wrote."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from statewatch.core.audit import Record
from statewatch.kinds.times import instant

if TYPE_CHECKING:
    from statewatch.watch.history.model import Entry

EARLIEST, LATEST = -1.0, 60.0
"""Seconds from an action to when what it wrote was written: before and after that another writer had the same to write,
as the one whose revision a restore brings back. The times of a file may be a bit behind the clock."""


class Authors:
    """The actions on one source, by what they wrote. *records* are those of the audit log, in any order."""

    def __init__(self, records: Iterable[Record], source: str) -> None:
        names = {source, os.path.realpath(source)}
        self._by_digest: dict[str, list[tuple[float, Record]]] = {}
        for record in records:
            at = instant(record.at)
            if record.source in names and record.after and at is not None and _writes(record):
                self._by_digest.setdefault(record.after, []).append((at, record))

    def of(self, entry: "Entry") -> Record | None:
        """Return the action that brought a revision; None where it was another program, or is not known."""
        found = [
            (abs(entry.at - at), record)
            for at, record in self._by_digest.get(entry.digest, ())
            if EARLIEST <= entry.at - at <= LATEST
        ]
        return min(found, key=lambda each: each[0])[1] if found else None


def _writes(record: Record) -> bool:
    """Tell whether a record is of something that may have been written to its source."""
    return record.outcome != "void" and record.checkpoint is None

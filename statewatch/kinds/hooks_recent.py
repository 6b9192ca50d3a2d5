"""What was made of the records of large hook states last, so that a look at the next revision costs what has changed.

Documents are never changed in place: a record that is the very same object is the same circuit.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final, Generic, TypeVar

from statewatch.documents.values import JSON

T = TypeVar("T")

_REVISIONS: Final = 4
_LOOKED_AT: Final = 16
_NOTHING: Final = object()


class Recent(Generic[T]):
    """What was made of each record in the latest revisions. To be used by any thread: at worst it forgets."""

    def __init__(self) -> None:
        self._seen: tuple[tuple[Mapping[str, JSON], Mapping[str, T]], ...] = ()

    def made(self, records: Mapping[str, JSON], make: Callable[[str, JSON], T]) -> Mapping[str, T]:
        """Return what *make* makes of each record, taken over for those that a revision seen lately has, too."""
        seen = self._seen
        for old, made in seen:
            if old is records:
                return made
        old, known = next((each for each in seen if _shares(each[0], records)), ({}, {}))
        result = {
            name: known[name] if old.get(name, _NOTHING) is record else make(name, record)
            for name, record in records.items()
        }
        self._seen = ((records, result), *(each for each in seen if each[0] is not old))[:_REVISIONS]
        return result


def _shares(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> bool:
    """Tell by some of the records whether two revisions have most of them in common."""
    step = max(1, len(new) // _LOOKED_AT)
    return any(old.get(name, _NOTHING) is record for name, record in islice(new.items(), 0, None, step))

"""A transaction: what its body read, saved and deleted, laid over what the engine reads. It writes nothing itself."""

import difflib
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, Protocol, TypeAlias

from statewatch.core.errors import MissingKeyError, RefusedError
from statewatch.core.names import check_key
from statewatch.documents.values import JSON, MAX_DEPTH, NotJSONError, cloned, private, same


class Raise(Enum):
    """The type of RAISE: stands for "no value", where None is a value."""

    RAISE = "raise"


RAISE: Final = Raise.RAISE

Found: TypeAlias = "JSON | Raise"
"""A value, or RAISE where there is none."""

_DEEPEST: Final = MAX_DEPTH - 2
"""Levels of nesting of a value: what holds it, at most a namespace and an entry in that, can still be read."""

Writes: TypeAlias = "dict[str, Found]"
"""What a transaction wants written: the new value of a key, or RAISE where the key shall go."""


class Reader(Protocol):
    """What an engine lets a transaction read: of one moment, or guarded by the commit; copied before it is shown."""

    def load(self, key: str) -> Found:
        """Return the value of *key*, or RAISE when there is none."""
        ...

    def document(self) -> dict[str, JSON]:
        """Return all keys and values."""
        ...

    def keys(self) -> list[str]:
        """Return all keys."""
        ...


class Transaction:
    """What a body may do: reads see its own writes, and nothing is written before it has returned."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.writes: Writes = {}
        self.unchanged: set[str] = set()
        """What was saved with the value that is there: nothing to write, but a time to live may begin anew."""

    def load(self, key: str, default: Found = RAISE) -> JSON:
        """Return the value of *key*, else *default*. Raises MissingKeyError when there is neither."""
        value = self._found(key)
        if not isinstance(value, Raise):
            return value
        if isinstance(default, Raise):
            raise missing_key("the namespace", key, self.keys())
        return default

    def save(self, key: str, value: JSON) -> None:
        """Set *key*. Raises RefusedError for a key that cannot be one and for what JSON cannot hold."""
        self._set(key, value, self._reader.load(key))

    def save_all(self, values: Mapping[str, JSON]) -> None:
        """Set many keys: as `save`, but what is there is read in one go."""
        stored = self._reader.document()
        for key, value in values.items():
            self._set(key, value, stored.get(key, RAISE))

    def delete(self, key: str) -> None:
        """Remove *key*. Raises MissingKeyError when it is not there."""
        self.load(key)
        if isinstance(self._reader.load(key), Raise):
            del self.writes[key]
        else:
            self.writes[key] = RAISE
            self.unchanged.discard(key)

    def replace(self, document: Mapping[str, JSON]) -> None:
        """Make the namespace hold exactly *document*."""
        stored = self._reader.document()
        self.writes = {key: RAISE for key in stored if key not in document}
        for key, value in document.items():
            self._set(key, value, stored.get(key, RAISE))

    def keys(self) -> list[str]:
        """Return the keys, those added by this transaction last."""
        stored = self._reader.keys()
        known = set(stored)
        kept = [key for key in stored if not isinstance(self.writes.get(key), Raise)]
        return kept + [key for key, value in self.writes.items() if key not in known and not isinstance(value, Raise)]

    def document(self) -> dict[str, JSON]:
        """Return all keys and values as this transaction leaves them."""
        return {key: cloned(value) for key, value in overlaid(self._reader.document(), self.writes).items()}

    def _found(self, key: str) -> Found:
        value = self.writes[key] if key in self.writes else self._reader.load(key)
        return value if isinstance(value, Raise) else cloned(value)

    def _set(self, key: str, value: JSON, old: Found) -> None:
        if isinstance(old, Raise):
            check_key(key)
        try:
            new = private(value, _DEEPEST)
        except NotJSONError as error:
            raise RefusedError(f"the value of {key!r} cannot be saved: {error}. Nothing was changed.") from None
        if not isinstance(old, Raise) and same(old, new):
            self.writes.pop(key, None)
            self.unchanged.add(key)
        else:
            self.writes[key] = new
            self.unchanged.discard(key)


def overlaid(document: dict[str, JSON], writes: Writes) -> dict[str, JSON]:
    """Return *document* with *writes* applied, sharing their values; the order of the keys that stay is kept."""
    result = dict(document)
    for key, value in writes.items():
        if isinstance(value, Raise):
            result.pop(key, None)
        else:
            result[key] = value
    return result


def missing_key(where: str, key: str, keys: Iterable[str]) -> MissingKeyError:
    """Return the error that names *key* and the existing ones that are near it."""
    return MissingKeyError(where, key, difflib.get_close_matches(key, list(keys), n=3, cutoff=0.6))

"""A transaction: what its body read, saved and deleted, laid over what the engine reads. It writes nothing itself."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, TypeAlias

from statewatch.core.errors import MissingKeyError, RefusedError, SourceError, UnavailableError
from statewatch.core.names import check_is_text, check_key
from statewatch.core.near import near
from statewatch.documents.values import JSON, MAX_DEPTH, NotJSONError, cloned, private, same


class Raise(Enum):
    """The type of RAISE: stands for "no value", where None is a value."""

    RAISE = "raise"


RAISE: Final = Raise.RAISE

Found: TypeAlias = "JSON | Raise"
"""A value, or RAISE where there is none."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that is there and cannot be read: the bytes it is kept as, and the error that says why."""

    raw: bytes
    error: SourceError


Held: TypeAlias = "Found | Unreadable"
"""What a key holds, also where that is damaged."""

_DEEPEST: Final = MAX_DEPTH - 2
"""Levels of nesting of a value: what holds it, at most a namespace and an entry in that, can still be read."""

Writes: TypeAlias = "dict[str, Found]"
"""What a transaction wants written: the new value of a key, or RAISE where the key shall go."""


class Reader(Protocol):
    """What an engine lets a transaction read: of one moment, or guarded by the commit; copied before it is shown.

    A reader whose values can be damaged one by one has a method `held` besides, see `HeldReader`.
    """

    def load(self, key: str) -> Found:
        """Return the value of *key*, or RAISE when there is none."""
        ...

    def document(self) -> dict[str, JSON]:
        """Return all keys and values."""
        ...

    def keys(self) -> list[str]:
        """Return all keys."""
        ...


class HeldReader(Reader, Protocol):
    """A reader for an engine that keeps each value by itself, so that one can be damaged without the others."""

    def held(self, keys: Collection[str] | None = None) -> dict[str, Held]:
        """Return what *keys* hold, or all keys there are, read in one go."""
        ...


class Transaction:
    """What a body may do: reads see its own writes, and nothing is written before it has returned."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._held: Callable[[Collection[str] | None], dict[str, Held]] = getattr(reader, "held", self._loaded)
        self.writes: Writes = {}
        self.damaged: dict[str, Unreadable] = {}
        """The values that cannot be read and that `writes` does away with."""
        self.kept = False
        """Whether somebody has kept these already."""
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
        self._set(key, value, self._stored(key))

    def save_all(self, values: Mapping[str, JSON]) -> None:
        """Set many keys: as `save`, but what is there is read in one go."""
        stored = self._held(values.keys())
        for key, value in values.items():
            self._set(key, value, stored.get(key, RAISE))

    def delete(self, key: str) -> None:
        """Remove *key*. Raises MissingKeyError when it is not there; what cannot be read can be removed."""
        stored = self._stored(key)
        if isinstance(self.writes.get(key, stored), Raise):
            raise missing_key("the namespace", key, self.keys())
        if isinstance(stored, Raise):
            del self.writes[key]
        else:
            self._remove(key, stored)

    def replace(
        self, document: Mapping[str, JSON], sparing: Collection[str] = (), within: Collection[str] | None = None
    ) -> None:
        """Make the namespace, or of the keys *within* it, hold exactly *document*, and what the keys *sparing* hold."""
        stored = self.held(within)
        self.writes = {}
        for key, value in stored.items():
            if key not in document and key not in sparing and not isinstance(value, Raise):
                self._remove(key, value)
        for key, value in document.items():
            self._set(key, value, stored.get(key, RAISE))

    def held(self, keys: Collection[str] | None = None) -> dict[str, Held]:
        """Return what *keys* hold, or all, also where that cannot be read, as it was before this transaction."""
        return self._held(keys)

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
        check_is_text(key)
        value = self.writes[key] if key in self.writes else self._reader.load(key)
        return value if isinstance(value, Raise) else cloned(value)

    def _stored(self, key: str) -> Held:
        check_is_text(key)
        try:
            return self._reader.load(key)
        except UnavailableError:  # it would be so again
            raise
        except SourceError:
            found = self._held((key,))[key]
            if isinstance(found, Unreadable):
                return found
            raise

    def _loaded(self, keys: Collection[str] | None) -> dict[str, Held]:
        """Do as `held` of a reader that has none: its values are all sound, or none can be read."""
        if keys is None:
            return dict(self._reader.document())
        return {key: self._reader.load(key) for key in keys}

    def _remove(self, key: str, old: Held) -> None:
        self.writes[key] = RAISE
        self.unchanged.discard(key)
        if isinstance(old, Unreadable):
            self.damaged[key] = old

    def _set(self, key: str, value: JSON, old: Held) -> None:
        if isinstance(old, Raise):
            check_key(key)
        try:
            new = private(value, _DEEPEST)
        except NotJSONError as error:
            raise RefusedError(f"the value of {key!r} cannot be saved: {error}. Nothing was changed.") from None
        if isinstance(old, Unreadable):
            self.writes[key] = new
            self.damaged[key] = old
        elif not isinstance(old, Raise) and same(old, new):
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
    return MissingKeyError(where, key, near(key, list(keys)))


def sound(held: Mapping[str, Held]) -> dict[str, JSON]:
    """Return the document that *held* makes, without keys that are not there. Raises the error of what is damaged."""
    document = {}
    for key, value in held.items():
        if isinstance(value, Unreadable):
            raise value.error
        if not isinstance(value, Raise):
            document[key] = value
    return document

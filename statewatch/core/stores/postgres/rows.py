"""Reading and writing keys in PostgreSQL: values as text, and the rows that a transaction relies on."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from statewatch.core.errors import SourceError
from statewatch.core.stores import many
from statewatch.core.stores.postgres.faults import PostgresError
from statewatch.core.stores.postgres.layout import STATE, storable
from statewatch.core.stores.postgres.session import Row, Session
from statewatch.core.stores.postgres.statements import Statements
from statewatch.core.stores.transaction import RAISE, Found, Held, Raise, Unreadable, Writes, sound
from statewatch.documents import codec
from statewatch.documents.values import JSON

_STYLE: Final = codec.Style(indent=None)
_MOST_KEYS, _MOST_CHARACTERS = 5_000, 8_000_000
"""How much goes into one statement, where there is more than one key."""


def encoded(value: JSON) -> str:
    """Return a value as it is kept: JSON on one line, in ASCII."""
    return codec.encode(value, _STYLE).decode("ascii")


def decoded(text: str | None, where: str, what: str) -> JSON:
    """Return the value that is kept as *text*; None, a NULL that another tool has left, is null.

    Raises SourceError for what is none, with *what* naming it.
    """
    if text is None:
        return None
    try:
        return codec.decode(text.encode())
    except codec.DocumentError as error:
        raise SourceError(
            where,
            f"{what} cannot be read: {error}. Restore a checkpoint, or have the tool that wrote it write it anew.",
        ) from None


def values(rows: Iterable[Row], where: str) -> dict[str, JSON]:
    """Return the document that rows of keys and texts make. Raises SourceError, as `decoded` does."""
    found = [(key, text) for key, text, *_ in rows]
    decoded_all = _decoded_at_once(found)
    if decoded_all is not None:
        return decoded_all
    return {key: _value(key, text, where) for key, text in found}


def held_in(rows: Iterable[Row], where: str) -> dict[str, Held]:
    """Return what the keys in rows hold, also where that is damaged."""
    given = [(key, text) for key, text, *_ in rows]
    decoded_all = _decoded_at_once(given)
    if decoded_all is not None:
        return dict(decoded_all)
    found: dict[str, Held] = {}
    for key, text in given:
        try:
            found[key] = _value(key, text, where)
        except SourceError as error:
            found[key] = Unreadable((text or "").encode(), error)
    return found


def _decoded_at_once(found: list[tuple[str, str | None]]) -> dict[str, JSON] | None:
    values = many.decoded([b"null" if text is None else text.encode() for _, text in found])
    return None if values is None else {key: value for (key, _), value in zip(found, values, strict=True)}


def _value(key: str, text: str | None, where: str) -> JSON:
    return decoded(text, where, f"the value of {key!r}")


def possible(key: str) -> bool:
    """Tell whether there can be such a key: PostgreSQL cannot even be asked for another."""
    try:
        return b"\0" not in key.encode()
    except UnicodeEncodeError:
        return False


class Rows:
    """What a transaction reads and writes.

    The rows that it reads are locked until it ends; that there are no others is looked at again before the commit.
    """

    def __init__(self, session: Session, agent: UUID, where: str) -> None:
        self.error: PostgresError | None = None
        """What went wrong while reading, kept for when the body of the transaction takes no notice of it."""
        self._session = session
        self._agent = agent
        self._where = where
        self._known: dict[str, Held] = {}
        self._keys: list[str] | None = None
        self._whole = False

    def load(self, key: str) -> Found:
        """Return the value of *key*, or RAISE when there is none."""
        found = self.held((key,))[key]
        if isinstance(found, Unreadable):
            raise found.error
        return found

    def document(self) -> dict[str, JSON]:
        """Return all keys and values."""
        return sound(self.held())

    def held(self, keys: Collection[str] | None = None) -> dict[str, Held]:
        """Return what *keys* hold, or all that there are, also where that is damaged."""
        if keys is None:
            if not self._whole:
                found = held_in(self._read(lambda statements: statements.load_all_locked), self._where)
                self._list(list(found))
                self._known |= found
                self._whole = True
            return {key: value for key, value in self._known.items() if not isinstance(value, Raise)}
        asked = [key for key in keys if key not in self._known and not self._whole and possible(key)]
        for start in range(0, len(asked), _MOST_KEYS):
            some = asked[start : start + _MOST_KEYS]
            rows = self._read(lambda statements: statements.load_some_locked, keys=some)
            self._known |= dict.fromkeys(some, RAISE) | held_in(rows, self._where)
        return {key: self._known.get(key, RAISE) for key in keys}

    def keys(self) -> list[str]:
        """Return all keys."""
        if self._keys is None:
            self._list(list(dict.fromkeys(key for (key,) in self._read(lambda statements: statements.keys))))
        return list(self._keys or ())

    def write(self, writes: Writes, by: str) -> None:
        """Write what the body wants written, in the name of *by*. Raises PostgresError."""
        for part in _parts(writes):
            texts = {key: text for key, text in part if text is not None}
            there = self.held([key for key, _ in part])
            columns = {
                "keys": list(texts),
                "exact": list(texts.values()),
                "data": [storable(text, unicode=self._session.unicode) for text in texts.values()],
                "fresh": [isinstance(there[key], Raise) for key in texts],
                "gone": [key for key, text in part if text is None],
                "damaged": [key for key, value in there.items() if isinstance(value, Unreadable)],
            }
            [(changed, _)] = self._read(lambda statements: statements.write, by=by, **columns)
            if changed != len(part):
                raise PostgresError(
                    f"{changed} of {len(part)} rows were written; a trigger or row security did the rest"
                )
        self._check(writes)

    def _check(self, writes: Writes) -> None:
        """Look again for what was not there when the body decided."""
        if self._keys is not None:
            gone = {key for key, value in writes.items() if isinstance(value, Raise)}
            now = {key for (key,) in self._read(lambda statements: statements.keys)}
            if now != ({*self._keys, *writes} - gone):
                raise _collision()
            return
        absent = [key for key, value in self._known.items() if isinstance(value, Raise) and key not in writes]
        if absent and self._read(lambda statements: statements.any_of, keys=absent):
            raise _collision()

    def _list(self, keys: list[str]) -> None:
        there = set(keys)
        if self._keys not in (None, keys) or any(
            isinstance(value, Raise) == (key in there) for key, value in self._known.items()
        ):
            self.error = _collision()
            raise self.error
        self._keys = keys

    def _read(self, query: Callable[[Statements], bytes], **given: Any) -> list[Row]:
        if self.error is not None:
            raise self.error  # the transaction is over, and nothing that could be read now would say why
        try:
            statements = self._session.look()
            if not statements.layout.has(STATE):
                return []
            return self._session.execute(query(statements), {"agent": self._agent, **given})
        except PostgresError as error:
            self.error = error
            raise


def _parts(writes: Writes) -> Iterator[list[tuple[str, str | None]]]:
    """Yield keys and texts, None where a key shall go, in parts that are not too large for one statement."""
    part: list[tuple[str, str | None]] = []
    size = 0
    for key, value in writes.items():
        text = None if isinstance(value, Raise) else encoded(value)
        if part and (len(part) >= _MOST_KEYS or size + len(text or "") > _MOST_CHARACTERS):
            yield part
            part, size = [], 0
        part.append((key, text))
        size += len(text or "")
    if part:
        yield part


def _collision() -> PostgresError:
    return PostgresError("another program has written to the same keys at the same time", passing=True)

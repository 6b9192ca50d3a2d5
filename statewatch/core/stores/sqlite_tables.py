"""How a namespace stands in the tables of an SQLite database: rows of keys, JSON texts and times."""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Final

from statewatch.core.errors import SourceError
from statewatch.core.stores import many
from statewatch.core.stores.spaces import refuse_look_alike
from statewatch.core.stores.sqlite_session import Row, Session
from statewatch.core.stores.transaction import RAISE, Found, Held, Raise, Unreadable, Writes
from statewatch.documents import codec
from statewatch.documents.codec import DocumentError
from statewatch.documents.values import JSON
from statewatch.kinds.times import instant

_STYLE = codec.Style(indent=None)
_AT_ONCE: Final = 500
"""Keys that one statement asks for: SQLite takes at least 999 parameters."""


class Tables:
    """The names of the tables: `state` and `checkpoints`, with the namespace behind where a file holds several.

    SQLite takes `A` and `a` in them for the same, so there a capital becomes `^` and the small letter, which no
    namespace has.
    """

    def __init__(self, namespace: str = "") -> None:
        self.namespace = namespace
        self._suffix = ":" + re.sub("[A-Z]", lambda capital: f"^{capital[0].lower()}", namespace) if namespace else ""

    @cached_property
    def state(self) -> str:
        """The table of keys, as it stands in a statement."""
        return f'"state{self._suffix}"'

    @cached_property
    def checkpoints(self) -> str:
        """The table of checkpoints, as it stands in a statement."""
        return f'"checkpoints{self._suffix}"'

    def create(self, session: Session) -> None:
        """Make those that are missing. Raises RefusedError for a namespace that would be taken for another one."""
        if self.namespace:
            refuse_look_alike(self.namespace, _namespaces(session), session.url.partition("?")[0])
        session.run(f"CREATE TABLE IF NOT EXISTS {self.state} (key TEXT PRIMARY KEY, value TEXT, timestamp TEXT)")
        session.run(
            f"CREATE TABLE IF NOT EXISTS {self.checkpoints} (name TEXT PRIMARY KEY, state TEXT, created_at TEXT)"
        )


def _namespaces(session: Session) -> list[str]:
    """Return the namespaces that the file holds besides the default one."""
    rows = session.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'state:*'")
    names = [text_of(session.url, name).removeprefix("state:") for (name,) in rows]
    return [re.sub(r"\^([a-z])", lambda small: small[1].upper(), name) for name in names]


class Stored:
    """The keys and values as one session sees them: what a transaction reads, and where it is written."""

    def __init__(self, session: Session, tables: Tables) -> None:
        self._session = session
        self._tables = tables

    def load(self, key: str) -> Found:
        """Return the value of a key, or RAISE."""
        rows = self._session.run(f"SELECT value FROM {self._tables.state} WHERE key = ?", (key,))
        return value_of(self._session.url, key, rows[0][0]) if rows else RAISE

    def keys(self) -> list[str]:
        """Return the keys, sorted."""
        rows = self._session.run(f"SELECT key FROM {self._tables.state} ORDER BY key")
        return [text_of(self._session.url, key) for (key,) in rows]

    def held(self, keys: Collection[str] | None = None) -> dict[str, Held]:
        """Return what *keys* hold, or all that there are, also where that is damaged."""
        url = self._session.url
        if keys is None:
            return _held_in(url, self.rows())
        found: dict[str, Held] = dict.fromkeys(keys, RAISE)
        for some in _batches(key for key in keys if _is_utf8(key)):
            marks = ",".join("?" * len(some))
            rows = self._session.run(f"SELECT key, value FROM {self._tables.state} WHERE key IN ({marks})", some)
            found |= _held_in(url, rows)
        return found

    def rows(self) -> list[Row]:
        """Return all rows, with key, value and timestamp as bytes."""
        return self._session.run(f"SELECT key, value, timestamp FROM {self._tables.state} ORDER BY key")

    def document(self) -> dict[str, JSON]:
        """Return all keys and values."""
        return document_of(self._session.url, self.rows())

    def put(self, writes: Writes, now: float) -> None:
        """Write what a transaction wants written, inside one of the database. A row that stays keeps its place."""
        at = naive(now)
        state = self._tables.state
        saved = [(key, text, at) for key, value in writes.items() if (text := _encoded(value)) is not None]
        self._tables.create(self._session)
        self._session.run_many(
            f"INSERT INTO {state} (key, value, timestamp) VALUES (?, ?, ?) ON CONFLICT (key) "
            "DO UPDATE SET value = excluded.value, timestamp = excluded.timestamp",
            saved,
        )
        deleted = [(key,) for key, value in writes.items() if isinstance(value, Raise)]
        self._session.run_many(f"DELETE FROM {state} WHERE key = ?", deleted)


def document_of(url: str, rows: Iterable[Row], where: str = "") -> dict[str, JSON]:
    """Return the keys and values in *rows*. Raises SourceError for what is none; *where* says where they stand."""
    found = [(text_of(url, key, where), value) for key, value, *_ in rows]
    decoded = _decoded(found)
    if decoded is not None:
        return decoded
    return {name: value_of(url, name, value, where) for name, value in found}


def _held_in(url: str, rows: Iterable[Row]) -> dict[str, Held]:
    found = [(text_of(url, key), value) for key, value, *_ in rows]
    decoded = _decoded(found)
    if decoded is not None:
        return dict(decoded)
    return {name: _held(url, name, value) for name, value in found}


def _decoded(found: list[tuple[str, object]]) -> dict[str, JSON] | None:
    """Return the values by key, all decoded at once; None where one of them is damaged."""
    texts = [value for _, value in found if isinstance(value, bytes)]
    values = many.decoded(texts) if len(texts) == len(found) else None
    return None if values is None else {name: value for (name, _), value in zip(found, values, strict=True)}


def value_of(url: str, key: str, value: object, where: str = "") -> JSON:
    """Return the value in a column, which comes as bytes. Raises SourceError when it is no JSON text."""
    reason = "it is not text"
    if isinstance(value, bytes):
        try:
            return codec.decode(value)
        except DocumentError as error:
            reason = str(error)
    raise SourceError(
        url,
        f"the value of the key {key!r}{where} is damaged: {reason}. Nothing was changed. `statewatch state recover` "
        "offers the newest good checkpoint.",
    )


def _held(url: str, key: str, value: object) -> Held:
    try:
        return value_of(url, key, value)
    except SourceError as error:
        return Unreadable(value if isinstance(value, bytes) else str(value).encode(), error)


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while batch := list(islice(left, _AT_ONCE)):
        yield batch


def _is_utf8(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:  # so it cannot be there
        return False
    return True


def text_of(url: str, key: object, where: str = "") -> str:
    """Return a key. Raises SourceError when it is no text."""
    if isinstance(key, bytes):
        try:
            return key.decode()
        except UnicodeDecodeError:
            pass
    raise SourceError(
        url, f"a key{where} is no text but {key!r}, which the tools of this layout do not write. Delete it."
    )


def encoded(value: JSON) -> str:
    """Return the text of a value: ASCII, so that any database can keep it."""
    return codec.encode(value, _STYLE).decode("ascii")


def _encoded(value: Found) -> str | None:
    return None if isinstance(value, Raise) else encoded(value)


def naive(moment: float) -> str:
    """Return *moment*, in seconds since the epoch, as the layout writes times: ISO 8601 in UTC that does not say so."""
    return datetime.fromtimestamp(moment, UTC).replace(tzinfo=None).isoformat()


def at_of(column: object) -> float | None:
    """Return the moment that a time of the layout means, in seconds since the epoch, or None when it means none."""
    return instant(column.decode(errors="replace"), "utc") if isinstance(column, bytes) else None

"""Where a namespace is in Redis, and how it is read.

In the layout that agent frameworks share, `state:NAMESPACE:KEY` is a value as JSON, perhaps with a time to live, and
`checkpoint:NAMESPACE:NAME` an object of keys and values. Our own keys stand beside them, `statewatch:NAMESPACE:…`:
`meta` (a hash: the format of these keys, how often statewatch has written, and who did last), `checkpoint:NAME` (what
is known about a checkpoint besides), `writer:…` (which commit was a writer's last, for ten minutes) and `turn` (who is
let go first, for two seconds at most).

Redis finds keys by a prefix only by looking at all names in the database: 0.1 seconds for a million of them, in which
it does nothing else. To this a namespace of 100,000 keys adds half a second when it is read as a whole.
"""

import shlex
from typing import Final

from statewatch.core.errors import SourceError
from statewatch.core.stores.redis_link import Link, WrongTypeError
from statewatch.core.stores.redis_scripts import NAMES, VALUES, Field, unpacked
from statewatch.core.stores.transaction import RAISE, Found
from statewatch.documents import codec
from statewatch.documents.codec import DocumentError, Style
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON

_COMPACT: Final = Style(indent=None)


def encoded(value: JSON) -> bytes:
    """Return a value as it is kept."""
    return codec.encode(value, _COMPACT)


class Namespace:
    """The keys of a namespace and their texts. *shown* is what messages call the store."""

    def __init__(self, link: Link, shown: str, name: str) -> None:
        self._link = link
        self._shown = shown
        self.prefix = f"state:{name}:".encode()
        self.pattern = self.prefix + b"*"  # no namespace has a character that means something in a pattern

    def stored(self, key: str) -> bytes:
        """Return what a key is called in Redis."""
        return self.prefix + key.encode()

    def text(self, key: str) -> Field:
        """Return the text of a key, None when it is not there."""
        try:
            text: Field = self._link.ask("GET", self.stored(key))
        except WrongTypeError:
            raise self._wrong_type(self.stored(key)) from None
        return text

    def texts(self) -> dict[str, bytes]:
        """Return all keys and their texts at one moment, sorted by key."""
        fields = unpacked(*self._link.run(VALUES, self.pattern))
        found = {}
        for stored, text in zip(fields[::2], fields[1::2], strict=True):
            assert stored is not None
            if text is None:
                raise self._wrong_type(stored)
            found[self._key(stored)] = text
        return dict(sorted(found.items()))

    def names(self) -> list[str]:
        """Return all keys, sorted."""
        return sorted({self._key(stored) for stored in unpacked(*self._link.run(NAMES, self.pattern)) if stored})

    def value(self, key: str, text: bytes) -> JSON:
        """Return what a text means. Raises SourceError, which names the key, when it means nothing."""
        try:
            return codec.decode(text)
        except DocumentError as error:
            raise self._damaged(self.stored(key), f"is {error}") from None

    def _key(self, stored: bytes) -> str:
        try:
            return stored.removeprefix(self.prefix).decode()
        except UnicodeDecodeError:
            raise SourceError(
                self._shown,
                f"the name of the Redis key {stored!r} is not UTF-8. Rename it with RENAME, or delete it with DEL.",
            ) from None

    def _wrong_type(self, stored: bytes) -> SourceError:
        kind = self._link.ask("TYPE", stored).decode()
        return self._damaged(stored, f"holds a Redis {kind}, and not the text of a JSON value")

    def _damaged(self, stored: bytes, what: str) -> SourceError:
        name = harmless(stored.decode(errors="replace"))
        return SourceError(
            self._shown,
            f"the Redis key {name!r} {what}. The other keys can be used. Look at it with `redis-cli TYPE` and "
            f"`redis-cli GET {shlex.quote(name)}`, and put it right there or delete it with DEL.",
        )


class Reads:
    """What the body of a transaction has read: the commit makes sure that it is still so."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.texts: dict[str, Field] = {}
        """The text of each key that was asked for, None when there was none."""
        self.names: list[str] | None = None
        """All keys, when they were asked for."""
        self.times = 0
        """How often Redis was asked: what was read more than once need not be of one moment."""
        self._values: dict[str, JSON] = {}
        self._has_all = False

    def load(self, key: str) -> Found:
        """Return the value of *key*, or RAISE when there is none."""
        if key not in self.texts and not self._has_all:
            if not _is_utf8(key):  # so it cannot be there
                return RAISE
            self.times += 1
            self.texts[key] = self._namespace.text(key)
        text = self.texts.get(key)
        if text is None:
            return RAISE
        if key not in self._values:
            self._values[key] = self._namespace.value(key, text)
        return self._values[key]

    def keys(self) -> list[str]:
        """Return all keys, sorted."""
        if self.names is None:
            self.times += 1
            self.names = self._namespace.names()
        return list(self.names)

    def document(self) -> dict[str, JSON]:
        """Return all keys and values."""
        if not self._has_all:
            self.times += 1
            texts = self._namespace.texts()
            self.texts = {**texts, **self.texts}  # what was read first is what must still be so
            self.names = list(texts) if self.names is None else self.names
            self._has_all = True
        found = {key: self.load(key) for key in self.texts}
        return {key: value for key, value in found.items() if value is not RAISE}


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

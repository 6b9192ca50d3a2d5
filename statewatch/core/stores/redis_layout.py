"""Where a namespace is in Redis, and how it is read.

In the layout that agent frameworks share, `state:NAMESPACE:KEY` is a value as JSON, perhaps with a time to live, and
`checkpoint:NAMESPACE:NAME` an object of keys and values. Our own keys stand beside them, `statewatch:NAMESPACE:…`:
`meta` (a hash: the format of these keys, how often statewatch has written, and who did last), `checkpoints` (a hash:
what is known about each checkpoint besides; `checkpoint:NAME` is an older form of that), `writer:…` (which commit was a
writer's last, for ten minutes) and `turn` (who is let go first, for two seconds at most).

Redis finds keys by a prefix only by looking at all names in the database: 0.1 seconds for a million of them, in which
it does nothing else. To this a namespace of 100,000 keys adds half a second when it is read as a whole.
"""

import shlex
from collections.abc import Collection, Iterable
from typing import Final

from statewatch.core.errors import SourceError, UnavailableError
from statewatch.core.stores import many
from statewatch.core.stores.redis_link import Link, WrongTypeError
from statewatch.core.stores.redis_scripts import NAMES, VALUES, Field, unpacked
from statewatch.core.stores.transaction import RAISE, Found, Held, Unreadable, sound
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
        found = {}
        for key, text in self.fields().items():
            if text is None:
                raise self._wrong_type(self.stored(key))
            found[key] = text
        return found

    def fields(self) -> dict[str, Field]:
        """Return as `texts` does all keys, those with None that hold something other than text."""
        fields = unpacked(*self._link.run(VALUES, self.pattern))
        pairs = zip(fields[::2], fields[1::2], strict=True)
        return dict(sorted((self._key(stored), text) for stored, text in pairs if stored is not None))

    def some(self, keys: Collection[str]) -> dict[str, Field]:
        """Return the texts of *keys*; None for what is not there, or holds something other than text."""
        names = [self.stored(key) for key in keys]
        return dict(zip(keys, self._link.ask("MGET", *names), strict=True)) if names else {}

    def exist(self, keys: Iterable[str]) -> bool:
        """Tell whether any of *keys* is there, whatever it holds."""
        names = [self.stored(key) for key in keys]
        return bool(names) and self._link.ask("EXISTS", *names) > 0

    def other(self, key: str) -> Held:
        """Return what a key holds that is no text, as DUMP gives it, which RESTORE takes; RAISE when it is gone."""
        raw = self._link.ask("DUMP", self.stored(key))
        return RAISE if raw is None else Unreadable(raw, self._wrong_type(self.stored(key)))

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
        self.others: set[str] = set()
        """The keys that hold something other than text."""
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
        return sound(self.held())

    def held(self, keys: Collection[str] | None = None) -> dict[str, Held]:
        """Return what *keys* hold, or all that there are, also where that is damaged."""
        if keys is None:
            self._read_all()
            self._decode([key for key in self.texts if key not in self._values])
            found = {key: self._held(key) for key in [*self.texts, *self.others - self.texts.keys()]}
            return {key: value for key, value in found.items() if value is not RAISE}
        if missing := [key for key in keys if key not in self.texts and not self._has_all and _is_utf8(key)]:
            self.times += 1
            self.texts |= self._namespace.some(missing)
            self._decode(missing)
            absent = [key for key in missing if self.texts[key] is None]
            if absent and self._look_again(absent):
                for key in absent:
                    self._look_closer(key)
        return {key: self._held(key) for key in keys}

    def _decode(self, keys: Iterable[str]) -> None:
        """Decode many texts at once, if none is damaged; else each is when it is asked for."""
        texts = {key: text for key in keys if (text := self.texts[key]) is not None}
        values = many.decoded(list(texts.values()))
        if values is not None:
            self._values |= zip(texts, values, strict=True)

    def _read_all(self) -> None:
        if self._has_all:
            return
        self.times += 1
        texts = self._namespace.fields()
        self.others |= {key for key, text in texts.items() if text is None and key not in self.texts}
        known = {key: text for key, text in texts.items() if key not in self.others}
        self.texts = {**known, **self.texts}  # what was read first is what must still be so
        self.names = list(texts) if self.names is None else self.names
        self._has_all = True

    def _look_again(self, absent: list[str]) -> bool:
        self.times += 1
        return self._namespace.exist(absent)

    def _look_closer(self, key: str) -> None:
        try:
            self.texts[key] = self._namespace.text(key)
        except UnavailableError:
            raise
        except SourceError:
            del self.texts[key]
            self.others.add(key)

    def _held(self, key: str) -> Held:
        if key in self.others:
            return self._namespace.other(key)
        try:
            return self.load(key)
        except UnavailableError:
            raise
        except SourceError as error:
            if key not in self.texts:  # it is of another type
                self.others.add(key)
                return self._namespace.other(key)
            return Unreadable(self.texts[key] or b"", error)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

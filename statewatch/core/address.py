"""Addresses: `SOURCE[@WHEN][#POINTER]` names a source, a moment in it and a place inside it, as git names things."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from statewatch.core.errors import NotFoundError
from statewatch.core.stores.urls import is_store_url, without_password
from statewatch.documents import pointer
from statewatch.documents.pointer import PointerError


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address: the source as given, the moment (None: now) and the reference tokens of the pointer."""

    source: str
    when: str | None = None
    tokens: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the text form, with what belongs to the syntax escaped in the names of the source and the moment."""
        when = f"@{_escaped(self.when, '@#/')}" if self.when else ""
        place = f"#{pointer.render(self.tokens)}" if self.tokens else ""
        if not is_store_url(self.source):
            return _escaped(self.source, "@#") + when + place
        start = _end_of_account(self.source)
        return self.source[:start] + self.source[start:].replace("@", "%40") + when + place


def parse(text: str, exists: Callable[[str], bool] = os.path.exists) -> Address:
    """Take an address apart.

    A file whose own name holds `@` or `#` wins over the syntax: of all ways to read the text the one with the longest
    source that *exists* is taken. In the URL of a store the pointer follows the first `#`, and the moment the last `@`
    behind `namespace=`, or where the URL names none in the last part of its path. Raises NotFoundError when the pointer
    part is not a JSON Pointer.
    """
    source, when, place = _url_read(text) if is_store_url(text) else _path_read(text, exists)
    try:
        return Address(source, when and unquote(when), pointer.parse(place))
    except PointerError as error:
        raise NotFoundError(f"{without_password(text) if is_store_url(text) else text}: {error}") from None


def _path_read(text: str, exists: Callable[[str], bool]) -> tuple[str, str | None, str]:
    readings = sorted(_readings(text), key=lambda reading: -len(reading[0]))
    chosen = next((reading for reading in readings if exists(reading[0])), None)
    if chosen is None:
        chosen = next((reading for reading in readings if exists(unquote(reading[0]))), readings[-1])
        chosen = (unquote(chosen[0]), *chosen[1:])
    return chosen


def _url_read(text: str) -> tuple[str, str | None, str]:
    front, _, place = text.partition("#")
    at = front.rfind("@", _end_of_account(front))
    if at < 0 or at + 1 == len(front):
        return front, None, place
    return front[:at], front[at + 1 :], place


def _end_of_account(url: str) -> int:
    """Return where in the URL of a store an `@` is no longer that of an account, a password or a directory."""
    if found := re.search(r"[?&]namespace=", url):
        return found.end()
    if "?" in url:
        return url.index("?")
    server = re.match(r"[^:]*://[^/]*", url)
    return max(server.end() if server else 0, url.rfind("/"))


def _escaped(text: str, marks: str) -> str:
    return re.sub(f"[%{marks}]", lambda found: quote(found[0], safe=""), text)


def _readings(text: str) -> Iterator[tuple[str, str | None, str]]:
    cuts = [len(text), *(index for index, character in enumerate(text) if character == "#")]
    for cut in cuts:
        front, place = text[:cut], text[cut + 1 :]
        if cut < len(text) and place and not place.startswith("/"):
            continue
        yield front, None, place
        for index, character in enumerate(front):
            if character == "@" and index and "/" not in front[index:] and index + 1 < len(front):
                yield front[:index], front[index + 1 :], place

"""Addresses: `SOURCE[@WHEN][#POINTER]` names a source, a moment in it and a place inside it, as git names things."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from statewatch.core.errors import NotFoundError
from statewatch.documents import pointer
from statewatch.documents.pointer import PointerError


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address: the source as given, the moment (None: now) and the reference tokens of the pointer."""

    source: str
    when: str | None = None
    tokens: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the text form, with `@` and `#` of the source's own name escaped."""
        source = self.source.replace("%", "%25").replace("@", "%40").replace("#", "%23")
        return (
            source + (f"@{self.when}" if self.when else "") + (f"#{pointer.render(self.tokens)}" if self.tokens else "")
        )


def parse(text: str, exists: Callable[[str], bool] = os.path.exists) -> Address:
    """Take an address apart.

    A source whose own name holds `@` or `#` wins over the syntax: of all ways to read the text the one with the longest
    source that *exists* is taken. Raises NotFoundError when the pointer part is not a JSON Pointer.
    """
    readings = sorted(_readings(text), key=lambda reading: -len(reading[0]))
    chosen = next((reading for reading in readings if exists(reading[0])), None)
    if chosen is None:
        chosen = next((reading for reading in readings if exists(unquote(reading[0]))), readings[-1])
        chosen = (unquote(chosen[0]), *chosen[1:])
    source, when, place = chosen
    try:
        return Address(source, when, pointer.parse(place))
    except PointerError as error:
        raise NotFoundError(f"{text}: {error}") from None


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

"""The two sides of a comparison: a source at a moment, a place in it, or what comes from standard input."""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from statewatch.cli import output
from statewatch.cli.arguments import parsed, patiently
from statewatch.cli.errors import MistakeError
from statewatch.cli.sources import address_of, opened, refuse_missing, version_at
from statewatch.core.address import Address
from statewatch.core.errors import NotFoundError, SourceError, UnavailableError
from statewatch.core.reading import MAX_BYTES
from statewatch.core.stores.base import Store, Version
from statewatch.documents import codec, pointer
from statewatch.documents.codec import DocumentError
from statewatch.documents.values import JSON

STDIN: Final = "-"
_NAME: Final = "standard input"
_SUBSTITUTED: Final = re.compile(r"/(dev|proc/self)/fd/\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Side:
    """One side. `address` names it; `problem` says why it is no document, and `data` gives the bytes of it."""

    address: str
    document: JSON
    data: Callable[[], bytes]
    problem: str = ""
    tokens: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Return what people see of it: as short as it may be from here; harmless."""
        return output.near_path(self.address)

    @property
    def record(self) -> str:
        """Return what the audit log says of it, which is read from elsewhere; harmless."""
        return output.shown_path(self.address)

    def refuse_damage(self) -> None:
        """Raise SourceError where it is no document."""
        if self.problem:
            raise SourceError(self.address, self.problem)

    def text_lines(self) -> list[str]:
        """Return it as lines of text, whether it is a document or not; bytes that are no UTF-8 as escapes."""
        return self.data().decode(errors="backslashreplace").splitlines()


def is_stream(word: str) -> bool:
    """Tell whether a word means what can be read once: standard input, or what a shell gives for `<(command)`."""
    return word == STDIN or (_SUBSTITUTED.fullmatch(word) is not None and Path(word).is_fifo())


def side(word: str) -> Side:
    """Return the side that a word of a command line means. Raises StatewatchError."""
    if word == STDIN:
        return _from_stream(_NAME, None if sys.stdin is None else sys.stdin.buffer)
    if is_stream(word):
        with open(word, "rb") as stream:  # noqa: PTH123 - not a file of anybody's
            return _from_stream(word, stream)
    return _side(parsed(word))


def sides(first: str, second: str | None) -> tuple[Side, Side]:
    """Return the two sides that the words of a command line mean; one that begins with `@` is of the first source.

    With one word it is the moment that it names and now, or else the newest checkpoint of the source, or without any
    the last revision before now. Raises StatewatchError.
    """
    streams = [word for word in (first, second) if word is not None and is_stream(word)]
    if streams:
        if second is None or first == second:
            what = repr(streams[0])
            raise MistakeError(f"with {what} something else to compare it with is needed, which is not {what} too")
        return side(first), side(second)
    left = parsed(first)
    store = opened(left.source)
    if second is not None and (second[:1] != "@" or os.path.lexists(second)):
        return _side(left, store), _side(parsed(second))
    right = replace(left, when=None)
    if second is not None:
        when, _, place = second[1:].partition("#")
        right = replace(right, when=when, tokens=pointer.parse(place) if place else left.tokens)
    elif left.when is None:
        return _before_now(left, store), _side(right, store)
    return _side(left, store), _side(right, store)


def _before_now(found: Address, store: Store) -> Side:
    """Return the moment to compare now with where none was named."""
    checkpoints = store.checkpoints()
    if checkpoints:
        return _side(replace(found, when=checkpoints[-1].name), store)
    try:
        return _side(replace(found, when="-1"), store)
    except NotFoundError:
        raise NotFoundError(
            f"{store.source}: there is nothing to compare it with: it has no checkpoint, and no earlier revision of it "
            "was recorded. Name something else behind it; `statewatch checkpoint create` makes a checkpoint."
        ) from None


def _side(found: Address, store: Store | None = None) -> Side:
    store = opened(found.source) if store is None else store
    if found.when is None:
        refuse_missing(store)
        name, look = None, store.version
    else:
        name, version = version_at(store, found.when)
        look = partial(_as_it_is, version)
    address = address_of(store, name, *found.tokens)
    try:
        seen, document = patiently(look)
        return Side(address, document, partial(_data, seen), tokens=found.tokens)
    except SourceError as error:
        if error.missing or isinstance(error, UnavailableError):
            raise
        seen = look()  # what else is wrong with it than that it is no JSON is raised
        return Side(address, None, partial(_data, seen), error.reason, found.tokens)


def _as_it_is(version: Version) -> Version:
    return version


def _data(version: Version) -> bytes:
    return version.data


def _from_stream(name: str, stream: BinaryIO | None) -> Side:
    data = b"" if stream is None else stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SourceError(name, f"it is over {MAX_BYTES // 1_000_000} MB large")
    try:
        return Side(name, codec.decode(data), lambda: data)
    except DocumentError as error:
        return Side(name, None, lambda: data, str(error))

"""What an operator types into the filter, as a predicate over rows: `words key:value !not /regex/`."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

Predicate: TypeAlias = Callable[[Mapping[str, str]], bool]

_PARTS = re.compile(r'!?/(?:[^/\\]|\\.)+/(?=\s|$)|(?:"[^"]*"|\S)+')


def parse(text: str) -> Predicate:
    """Return the predicate for *text*: every part must hold. Anything typed so far means something, never an error."""
    parts = [_part(part) for part in _split(text)]
    return lambda fields: all(part(fields) for part in parts)


def _split(text: str) -> list[str]:
    """Split at blanks, but not inside a closed pair of quotes or slashes."""
    return _PARTS.findall(text)


def _part(part: str) -> Predicate:
    if part.startswith("!"):
        inner = _part(part[1:])
        unfinished = part in {"!", "!/"} or part.endswith(":")
        return _anything if unfinished else lambda fields: not inner(fields)
    if part.startswith("/"):
        return _regex(part[1:].removesuffix("/"))
    part = part.replace('"', "")
    key, colon, value = part.partition(":")
    if colon and key:
        return _named(key.casefold(), value.casefold(), part.casefold())
    return _word(part.casefold())


def _anything(_fields: Mapping[str, str]) -> bool:
    return True


def _word(word: str) -> Predicate:
    return lambda fields: any(word in value.casefold() for value in _plainly(fields))


def _plainly(fields: Mapping[str, str]) -> list[str]:
    """Return what is looked at without being named: not the source, since `aud` is not meant to find `.claude`."""
    return [value for name, value in fields.items() if name != "source"]


def _named(key: str, value: str, whole: str) -> Predicate:
    def holds(fields: Mapping[str, str]) -> bool:
        names = [name for name in fields if name.startswith(key)]
        if not names:  # `Error: no such file` is a text with a colon, not a field
            return _word(whole)(fields)
        return any(value in fields[name].casefold() for name in names)

    return holds


def _regex(pattern: str) -> Predicate:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error:
        return _word(pattern.casefold())
    return lambda fields: any(compiled.search(value) for value in _plainly(fields))

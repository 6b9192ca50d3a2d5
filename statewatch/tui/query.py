"""What an operator types into the filter, as a predicate over rows: `words key:value !not /regex/`."""

import re
import shlex
from collections.abc import Callable, Mapping
from typing import TypeAlias

Predicate: TypeAlias = Callable[[Mapping[str, str]], bool]


def parse(text: str) -> Predicate:
    """Return the predicate for *text*: every part must hold. Anything typed so far means something, never an error."""
    parts = [_part(part) for part in _split(text)]
    return lambda fields: all(part(fields) for part in parts)


def _split(text: str) -> list[str]:
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
        lexer.whitespace_split, lexer.commenters, lexer.escape, lexer.quotes = True, "", "", '"'
        return list(lexer)
    except ValueError:  # a quote still open
        return text.split()


def _part(part: str) -> Predicate:
    if part.startswith("!") and len(part) > 1:
        inner = _part(part[1:])
        return lambda fields: not inner(fields)
    if len(part) > 2 and part.startswith("/") and part.endswith("/"):
        return _regex(part[1:-1])
    key, colon, value = part.partition(":")
    if colon and key and value:
        return _named(key.casefold(), value.casefold(), part.casefold())
    return _word(part.casefold())


def _word(word: str) -> Predicate:
    return lambda fields: any(word in value.casefold() for value in fields.values())


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
    return lambda fields: any(compiled.search(value) for value in fields.values())

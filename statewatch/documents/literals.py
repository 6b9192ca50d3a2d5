"""The texts of a JSON document as they are spelt in the file: for changes that leave every other byte alone."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from statewatch.documents.values import Path

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s"\[\]{}:,]+', re.DOTALL)
_UNIT = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL)


class Literal(NamedTuple):
    """A text value: its place in the document, and where its literal, quotes included, stands in the file's text."""

    path: Path
    start: int
    end: int


def literals(text: str) -> Iterator[Literal]:
    """Yield every text value of *text*, which is known to be JSON, in the order of the file."""
    path: list[str | int] = []
    is_key = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in {"{", "["}:
            path.append("" if token == "{" else 0)
            is_key = token == "{"
        elif token in {"}", "]"}:
            path.pop()
        elif token == ",":
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
            else:
                is_key = True
        elif token == ":":
            is_key = False
        elif token[0] == '"' and is_key:
            path[-1] = json.loads(token)
        elif token[0] == '"':
            yield Literal(tuple(path), match.start(), match.end())


def respelt(text: str, changes: Mapping[Literal, str]) -> str:
    """Return *text* with new literals, quotes included, in place of some."""
    parts, done = [], 0
    for literal in sorted(changes, key=lambda each: each.start):
        parts += [text[done : literal.start], changes[literal]]
        done = literal.end
    return "".join((*parts, text[done:]))


def units(literal: str) -> list[str]:
    """Return the characters of a literal as they are spelt in it: an escape is one of them."""
    return _UNIT.findall(literal[1:-1])


def meaning(unit: str) -> str:
    """Return the character that a unit of a literal stands for; half of a surrogate pair stands alone."""
    found: str = json.loads(f'"{unit}"')
    return found

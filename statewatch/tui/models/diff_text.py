"""Two values beside each other, line by line, with the words marked that differ. Pure, and bounded in time."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from statewatch.documents.merge import ABSENT, Absent, Maybe
from statewatch.documents.sequences import common
from statewatch.documents.text import harmless, harmless_lines
from statewatch.documents.values import JSON
from statewatch.documents.words import word_changes
from statewatch.tui.widgets.table_model import Cell, Span

MOST_LINES = 2_000
"""Lines of a value that are shown and compared."""
_LONGEST = 20_000  # characters of a text
_CONTEXT = 3
_FOLDED_FROM = 2 * _CONTEXT + 2
_NEAR = 48  # characters shown on either side of a difference within a long line
_LONG = 3 * _NEAR
_ALIKE = 0.25
"""How much of two lines must be the same for marks within them."""
_MARKED = 12_000
"""Characters after which no further line is looked at word by word: where all words differ, that takes its time."""


_Step: TypeAlias = "tuple[str, JSON, Maybe, int] | str"


class Pair(NamedTuple):
    """A line of the one value and what it became in the other; None where one of them has no such line.

    The first pair of lines that are not the same, and every further one, `differs`.
    """

    before: Cell | None
    after: Cell | None
    differs: bool = True


def pairs(before: Maybe, after: Maybe, *, folded: bool = True, name: str = "") -> tuple[Pair, ...]:
    """Return the lines of two values, aligned; what is long and the same on both sides is *folded* away.

    Scalars that are not texts are told with the *name* of their place, where they have one.
    """
    ours, theirs = _lines(before, after, name), _lines(after, before, name, like=before)
    result = list(_aligned(ours, theirs, folded=folded))
    return tuple(_folded(result)) if folded else tuple(result)


def _lines(value: Maybe, other: Maybe, name: str, like: Maybe = ABSENT) -> list[str]:
    """Return a value as lines: texts as they are, where there is no value of another sort on the *other* side."""
    if isinstance(value, Absent):
        return []
    if isinstance(value, str) and isinstance(other, str | Absent):
        return _bounded(harmless_lines(value, _LONGEST), len(value) > _LONGEST)
    prefix = f"{json.dumps(name, ensure_ascii=False)}: " if name and not isinstance(value, dict | list) else ""
    found = list(islice(pretty(value, like), MOST_LINES + 1))
    return _bounded([harmless(prefix + line, _LONGEST) for line in found], len(found) > MOST_LINES)


def _bounded(lines: list[str], more: bool) -> list[str]:
    return [*lines[:MOST_LINES], "…"] if more or len(lines) > MOST_LINES else lines


def pretty(value: JSON, like: Maybe = ABSENT) -> Iterator[str]:
    """Yield a value as lines of indented JSON, without the commas at their ends, which say nothing about a change.

    Members come in the order that they have in *like*. Needs no recursion, and no more than what is taken of it.
    """
    todo: list[_Step] = [("", value, like, 0)]
    while todo:
        step = todo.pop()
        if isinstance(step, str):
            yield step
            continue
        key, here, other, depth = step
        indent = "  " * depth
        if isinstance(here, dict) and here:
            yield f"{indent}{key}{{"
            todo.append(f"{indent}}}")
            todo += reversed(_members(here, other, depth + 1))
        elif isinstance(here, list) and here:
            yield f"{indent}{key}["
            todo.append(f"{indent}]")
            todo += [("", item, ABSENT, depth + 1) for item in reversed(here)]
        else:
            yield f"{indent}{key}{json.dumps(here, ensure_ascii=False)}"


def _members(value: dict[str, JSON], other: Maybe, depth: int) -> list[_Step]:
    there = other if isinstance(other, dict) else {}
    names = [*(name for name in there if name in value), *(name for name in value if name not in there)]
    return [
        (f"{json.dumps(name, ensure_ascii=False)}: ", value[name], there.get(name, ABSENT), depth) for name in names
    ]


def _aligned(ours: Sequence[str], theirs: Sequence[str], *, folded: bool) -> Iterator[Pair]:
    left = _MARKED
    i = j = 0
    for p, q in [*common(ours, theirs), (len(ours), len(theirs))]:
        both = min(p - i, q - j)
        for one, other in zip(ours[i : i + both], theirs[j : j + both], strict=True):
            yield _marked(one, other, folded=folded) if left > 0 else _unmarked(one, other, folded=folded)
            left -= len(one) + len(other)
        for line in ours[i + both : p]:
            yield Pair(((_shorter(line, folded), "bad"),), None)
        for line in theirs[j + both : q]:
            yield Pair(None, ((_shorter(line, folded), "good"),))
        if p < len(ours):
            yield Pair(_plain(ours[p], folded), _plain(theirs[q], folded), differs=False)
        i, j = p + 1, q + 1


def _marked(one: str, other: str, *, folded: bool) -> Pair:
    """Return two lines with the words marked that differ; none are, where hardly anything is the same."""
    spans = word_changes(one, other)
    shared = sum(len(span.text) for span in spans if span.what == "same" and not span.text.isspace())
    if shared < _ALIKE * min(len(one), len(other)):
        return _unmarked(one, other, folded=folded)
    before: list[Span] = []
    after: list[Span] = []
    last = len(spans) - 1
    for at, (what, text) in enumerate(spans):
        if what == "same":
            shown: Span = (_ends(text, start=at > 0, end=at < last) if folded else text, "")
            before.append(shown)
            after.append(shown)
        elif what == "removed":
            before.append((_shorter(text, folded), "removed"))
        else:
            after.append((_shorter(text, folded), "added"))
    return Pair(tuple(before), tuple(after))


def _unmarked(one: str, other: str, *, folded: bool) -> Pair:
    return Pair(((_shorter(one, folded), "bad"),), ((_shorter(other, folded), "good"),))


def _ends(text: str, *, start: bool, end: bool) -> str:
    """Return what is near a difference of a text that is the same: its *start*, its *end*, or both."""
    if len(text) <= _LONG:
        return text
    return (text[:_NEAR] if start else "") + " … " + (text[-_NEAR:] if end else "")


def _shorter(text: str, folded: bool) -> str:
    return text if not folded or len(text) <= 2 * _LONG else f"{text[:_LONG]} … {text[-_NEAR:]}"


def _folded(lines: Sequence[Pair]) -> Iterator[Pair]:
    """Yield lines with long runs of those that are the same on both sides told as their number."""
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and not lines[end].differs:
            end += 1
        head = _CONTEXT if at else 0
        tail = _CONTEXT if end < len(lines) else 0
        if end - at > max(_FOLDED_FROM, head + tail + 1):
            yield from lines[at : at + head]
            told: Cell = ((f"⋯ {end - at - head - tail:,} lines are the same", "muted"),)
            yield Pair(told, told, differs=False)
            yield from lines[end - tail : end]
        else:
            yield from lines[at:end]
        yield from lines[end : end + 1]
        at = end + 1


def _plain(line: str, folded: bool) -> Cell:
    return ((_shorter(line, folded), ""),)

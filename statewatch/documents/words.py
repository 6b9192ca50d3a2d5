"""What changed within a text: word by word, for views."""

import re
from typing import Final, Literal, NamedTuple

from statewatch.documents.sequences import common
from statewatch.documents.shared_ends import shared_start

_WORD: Final = re.compile(r"\w+|\s+|.", re.DOTALL)
_LONG: Final = 40_000
"""Characters from which on what lies between the first and the last difference is one piece."""


class Span(NamedTuple):
    """A piece of two texts: one that both have, that only the first has, or only the second."""

    what: Literal["same", "removed", "added"]
    text: str


def word_changes(before: str, after: str) -> list[Span]:
    """Return the pieces of two texts, in order: all but the added ones are *before*, all but the removed are *after*.

    Words, and the space between them, are never cut. Where very much lies between the first and the last difference,
    that is one piece.
    """
    most = min(len(before), len(after))
    head = _whole_words_shared(before, after, most)
    tail = _whole_words_shared(before[::-1], after[::-1], most - head)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    spans = [Span("same", before[:head]), *_between(old, new), Span("same", before[len(before) - tail :])]
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].what == span.what:
            joined[-1] = Span(span.what, joined[-1].text + span.text)
        elif span.text:
            joined.append(span)
    return joined


def _between(before: str, after: str) -> list[Span]:
    if len(before) + len(after) > _LONG:
        return [Span("removed", before), Span("added", after)]
    old, new = _WORD.findall(before), _WORD.findall(after)
    spans: list[Span] = []
    i = j = 0
    for p, q in [*common(old, new), (len(old), len(new))]:
        spans += [Span("removed", "".join(old[i:p])), Span("added", "".join(new[j:q]))]
        spans += [Span("same", word) for word in old[p : p + 1]]
        i, j = p + 1, q + 1
    return [span for span in spans if span.text]


def _whole_words_shared(one: str, other: str, most: int) -> int:
    """Return how long the common beginning of two texts is, up to the end of a word and to *most*."""
    low = shared_start(one, other, most)
    while low and (_within_word(one, low) or _within_word(other, low)):
        low -= 1
    return low


def _within_word(text: str, at: int) -> bool:
    """Tell whether a place in a text lies within a word, or within a space."""
    return at < len(text) and len(_WORD.findall(text[at - 1 : at + 1])) == 1

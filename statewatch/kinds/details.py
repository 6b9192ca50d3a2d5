"""What changed in a document beside what its kind has words of its own for: the first few places, in one sentence."""

from typing import Final

from statewatch.documents.diff import Change, Identities, diff
from statewatch.documents.noise import Noise
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import Sentence
from statewatch.kinds.plain import brief

_NAMED: Final = 3
_VALUE: Final = 40
_PLACE: Final = 80
_TIMES: Final = Noise(timestamps=True)


def details(
    subject: str, before: JSON, after: JSON, identities: Identities | None = None, *, routine: bool = False
) -> list[Sentence]:
    """Return a sentence that names what changed: `quality metrics 2 added, notes "a" → "b" and 4 more`.

    It is *routine* where that is so of all that the kind has no words for, or only times moved on; there is none where
    nothing changed.
    """
    found = diff(before, after, identities)
    if not found:
        return []
    news = [change for change in found if not _TIMES.covers(change)]
    if not news:
        return [Sentence(subject, f"{_place(found[0].path)} moved on", routine=True)]
    said = ", ".join(map(_words, news[:_NAMED]))
    more = f" and {len(news) - _NAMED:,} more" if len(news) > _NAMED else ""
    return [Sentence(subject, said + more, routine=routine)]


def _words(change: Change) -> str:
    place = _place(change.path)
    if change.op == "add":
        return f"{place} added" if isinstance(change.after, dict | list) else f"{place} set to {_value(change.after)}"
    if change.op == "remove":
        return f"{place} removed"
    if change.op == "move":
        return f"{place} moved there from {_place(change.source or ())}"
    if change.before is None:
        return f"{place} set to {_value(change.after)}"
    if change.after is None:
        return f"{place} cleared, was {_value(change.before)}"
    return f"{place} {_value(change.before)} → {_value(change.after)}"


def _place(path: Path) -> str:
    """Return a place as people say it: its names with blanks in them."""
    text = " ".join(str(token).replace("_", " ") for token in path) or "the document"
    return text if len(text) <= _PLACE else f"{text[: _PLACE - 1]}…"


def _value(value: JSON) -> str:
    return brief(value, _VALUE)

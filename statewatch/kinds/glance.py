"""A glance at any JSON: its keys, a word that says how it stands, and the newest time in it."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from statewatch.documents import pointer
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import mapping, type_name
from statewatch.kinds.declared_view import CircuitsView
from statewatch.kinds.plain import brief
from statewatch.kinds.times import instant

_STATUS: Final = ("status", "state", "phase", "current_phase", "currentPhase", "outcome", "result")
_TIMES: Final = ("time", "date", "_at", "at", "since", "until", "created", "updated", "started", "ended", "last", "ts")
_MOST: Final = 5_000
"""Values that are looked at: a glance at a large file must not take long."""
_NAMED: Final = 6
_EARLIEST: Final = 946_684_800.0  # 2000: a smaller number is a count or a duration


def view(document: JSON) -> CircuitsView:
    """Return what can be told of a document that no kind knows."""
    values = list(_values(document))
    status, place = _status(values)
    at_top = len(place) == 1
    inside = () if at_top or not status else ((pointer.render(place), status),)
    return CircuitsView(status=status if at_top else "", facts=(("holds", _holds(document)), *inside, *_newest(values)))


def _values(document: JSON) -> Iterator[tuple[Path, JSON]]:
    """Yield the values of a document with their places, those near the top first, so many of them at most."""
    waiting: deque[tuple[Path, JSON]] = deque([((), document)])
    left = _MOST
    while waiting and left:
        left -= 1
        path, value = waiting.popleft()
        yield path, value
        room = _MOST - len(waiting)
        if isinstance(value, dict):
            waiting.extend(((*path, key), child) for key, child in list(value.items())[:room])
        elif isinstance(value, list):
            waiting.extend(((*path, index), child) for index, child in enumerate(value[:room]))


def _status(values: list[tuple[Path, JSON]]) -> tuple[str, Path]:
    """Return the word nearest to the top that says how something stands, and its place; of two the more telling."""
    found = [
        (len(path), _STATUS.index(str(path[-1])), value, path)
        for path, value in values
        if path and path[-1] in _STATUS and isinstance(value, str) and 0 < len(value) <= 40
    ]
    if not found:
        return "", ()
    *_, value, path = min(found, key=lambda each: each[:2])
    return value, path


def _newest(values: list[tuple[Path, JSON]]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[float, str, str]] = []
    for path, value in values:
        name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
        if not isinstance(value, str) and not name.lower().endswith(_TIMES):
            continue  # any number could be a time
        at = instant(value)
        if at is not None and at > _EARLIEST:
            found.append((at, name, str(value)))
    return ((f"newest time ({max(found)[1]})", max(found)[2]),) if found else ()


def _holds(document: JSON) -> str:
    if isinstance(document, dict):
        keys = list(mapping(document))
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        return (", ".join(keys[:_NAMED]) + more) if keys else "nothing"
    if isinstance(document, list):
        return f"{len(document)} {'item' if len(document) == 1 else 'items'}"
    return f"{type_name(document)}: {brief(document)}"

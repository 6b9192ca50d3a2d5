"""Changes that are not worth a look: rules that mark them, and rules that the history of a source suggests."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from statewatch.documents import pointer
from statewatch.documents.changes import Change
from statewatch.documents.patterns import pattern
from statewatch.documents.values import JSON, Path

_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?|\d{8}[-_T]\d{6}Z?", re.ASCII
)
_TIMES_OF_NOW: Final = (1e9, 4e9)
"""Seconds since 1970 that are taken for a time: the years from 2001 to 2096."""
_NAMED_LIKE_A_TIME: Final = re.compile(r"(?:^|_)(?:at|time|timestamp|updated|modified|mtime|ts)(?:_ms)?$")
_FEWEST: Final = 5
_MOST: Final = 20
_DEEPEST: Final = 16
_FEWEST_PLACES: Final = 3


@dataclass(frozen=True, slots=True)
class Noise:
    """What is noise: whatever changes in places that match *patterns* or inside of them, times, counters that go up.

    Patterns are JSON Pointers in which `*` stands for any text in one step, and a step `**` for any number of steps.
    """

    patterns: tuple[str, ...] = ()
    timestamps: bool = False
    counters: bool = False

    def covers(self, change: Change) -> bool:
        """Tell whether a change is noise. Raises PointerError for a pattern that is not well-formed."""
        if (self.timestamps and _is_time(change)) or (self.counters and _counts_up(change)):
            return True
        places = (change.path,) if change.source is None else (change.path, change.source)
        return any(all(pattern(text).matches(place, within=True) for place in places) for text in self.patterns)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A pattern for places that changed in so many revisions `of` all that were looked at."""

    pattern: str
    revisions: int
    of: int


def marked(changes: Iterable[Change], noise: Noise) -> list[Change]:
    """Return all *changes*, of which those that are noise say so."""
    return [change._replace(noise=True) if noise.covers(change) else change for change in changes]


def suggest_noise(history: Iterable[Iterable[Change]], share: float = 0.6) -> list[Suggestion]:
    """Return patterns for places whose value was replaced in at least this *share* of the revisions in *history*.

    *history* has the changes of each revision. Nothing is suggested from fewer than five, or for what was added,
    removed or moved: that is news. A wildcard is suggested only for times and counters, and only where the places that
    it stands for are not suggested themselves.
    """
    exact: Counter[Path] = Counter()
    open_: Counter[Path] = Counter()
    places: dict[Path, set[Path]] = {}
    total = 0
    for revision in history:
        total += 1
        changed = [change for change in revision if change.op == "replace" and change.path]
        exact.update({change.path for change in changed})
        seen = [(shape, change.path) for change in changed if _goes_on(change) for shape in _opened(change.path)]
        open_.update({shape for shape, _ in seen})
        for shape, path in seen:
            places.setdefault(shape, set()).add(path)
    enough = max(share * total, 1)
    if total < _FEWEST:
        return []
    found = [(path, count) for path, count in exact.most_common() if count >= enough]
    wide = [(path, count) for path, count in open_.most_common() if count >= enough]
    wide = [each for each in wide if len(places[each[0]]) >= _FEWEST_PLACES and not _matches_any(each[0], found)]
    suggested = [*found, *_narrowest(wide)][:_MOST]
    return [Suggestion(pointer.render(path), count, total) for path, count in suggested]


def _goes_on(change: Change) -> bool:
    return _is_time(change) or _counts_up(change)


def _opened(path: Path) -> Iterator[Path]:
    """Yield the place with any one step, or all positions, left open; never the last, which says what it is."""
    if len(path) > _DEEPEST:
        return
    if any(isinstance(token, int) for token in path[:-1]):
        yield (*("*" if isinstance(token, int) else token for token in path[:-1]), path[-1])
    for at in range(len(path) - 1):
        if isinstance(path[at], str):
            yield (*path[:at], "*", *path[at + 1 :])


def _matches_any(path: Path, found: Sequence[tuple[Path, int]]) -> bool:
    shape = pattern(pointer.render(path))
    return any(shape.matches(place) for place, _ in found)


def _narrowest(found: Sequence[tuple[Path, int]]) -> list[tuple[Path, int]]:
    """Leave out what another of the patterns says too, with as many steps and fewer of them open."""
    kept: list[tuple[Path, int]] = []
    for path, count in sorted(found, key=lambda each: each[0].count("*")):
        if not _matches_any(path, kept):
            kept.append((path, count))
    return kept


def is_time(text: str) -> bool:
    """Tell whether a text is a date and time, as state files have them."""
    return len(text) < 40 and _TIME.fullmatch(text) is not None


def _is_time(change: Change) -> bool:
    """Tell whether a time became another one; one that is set for the first time is news."""
    if change.op != "replace":
        return False
    before, after = change.before, change.after
    if isinstance(before, str) and isinstance(after, str):
        return is_time(before) and is_time(after)
    named = isinstance(change.path[-1], str) and _NAMED_LIKE_A_TIME.search(change.path[-1]) if change.path else None
    return bool(named) and _is_now(before) and _is_now(after)


def _is_now(value: JSON) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    low, high = _TIMES_OF_NOW
    return low <= value <= high or low * 1_000 <= value <= high * 1_000


def _counts_up(change: Change) -> bool:
    if change.op != "replace" or isinstance(change.before, bool) or isinstance(change.after, bool):
        return False
    return isinstance(change.before, int) and isinstance(change.after, int) and change.before < change.after

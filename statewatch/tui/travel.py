"""Travelling in time, as pure values: what was recorded when, where among that one stands, and how to go on from there.

Going back by one change means to take one change away: from the present the first step shows how things were before
the newest one. A step forward adds one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from statewatch.watch.history.model import Entry

SPEEDS: Final = (1, 2, 4, 8, 16, 32, 64)
"""Seconds of the past that pass in one second of playing."""

USUAL_SPEED: Final = 8
SILENCE: Final = 3.0
"""Seconds of playing in which nothing happens, after which the rest of the silence is passed over."""

SHORTEST: Final = 60.0
TOGETHER: Final = 0.1
"""Seconds between two revisions of different sources that were seen at once."""

SPANS: Final = (600.0, 3_600.0, 6 * 3_600.0, 86_400.0, 7 * 86_400.0)
"""Seconds that the scrubber can show, besides all there is."""


@dataclass(frozen=True)
class Log:
    """What was recorded: `entries` in the order in which they were seen."""

    entries: tuple["Entry", ...] = ()

    @cached_property
    def _moments(self) -> Mapping[float, tuple["Entry", ...]]:
        """Return what was seen at once, by the instant at which all of it had been seen.

        A look at many files takes its time: what follows within a moment, of other sources, belongs to the same look.
        """
        found: dict[float, tuple[Entry, ...]] = {}
        together: list[Entry] = []
        for entry in self.entries:
            apart = together and (
                entry.seen_at - together[-1].seen_at > TOGETHER
                or (entry.seen_at > together[-1].seen_at and any(entry.source == each.source for each in together))
            )
            if apart:
                found[together[-1].seen_at] = tuple(together)
                together = []
            together.append(entry)
        if together:
            found[together[-1].seen_at] = tuple(together)
        return found

    @cached_property
    def instants(self) -> tuple[float, ...]:
        """Return when anything was seen to have changed."""
        return tuple(self._moments)

    @cached_property
    def _instants_of(self) -> Mapping[str, tuple[float, ...]]:
        found: dict[str, dict[float, None]] = {}
        for instant, entries in self._moments.items():
            for entry in entries:
                found.setdefault(entry.source, {})[instant] = None
        return {source: tuple(times) for source, times in found.items()}

    @cached_property
    def _entries_of(self) -> Mapping[str, list["Entry"]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.source, []).append(entry)
        return found

    @cached_property
    def _seen(self) -> list[float]:
        return [entry.seen_at for entry in self.entries]

    def of(self, source: str | None) -> tuple[float, ...]:
        """Return when a source was seen to have changed, or any source."""
        return self.instants if source is None else self._instants_of.get(source, ())

    def seen_at(self, instant: float) -> tuple["Entry", ...]:
        """Return what was seen at one of the instants."""
        return self._moments.get(instant, ())

    def count(self, start: float, end: float) -> int:
        """Return how many revisions were seen after *start*, up to *end*."""
        return bisect_right(self._seen, end) - bisect_right(self._seen, start)

    def revision(self, source: str, moment: float) -> "Entry | None":
        """Return the revision that a source had at *moment*; None before its first."""
        entries = self._entries_of.get(source, [])
        place = bisect_right(entries, moment, key=lambda entry: entry.seen_at)
        return entries[place - 1] if place else None

    @cached_property
    def bookmarks(self) -> tuple["Entry", ...]:
        """Return what has a bookmark."""
        return tuple(entry for entry in self.entries if entry.bookmark)

    @cached_property
    def bookmarked(self) -> tuple[float, ...]:
        """Return the instants at which something was seen that has a bookmark."""
        return tuple(at for at, entries in self._moments.items() if any(entry.bookmark for entry in entries))


@dataclass(frozen=True, slots=True)
class Journey:
    """Where one stands in the past: `at` is the instant, `span` how many seconds the scrubber shows (None: all).

    `start` is where the scrubber begins.
    """

    log: Log
    at: float
    now: float
    playing: bool = False
    speed: int = USUAL_SPEED
    span: float | None = SPANS[0]
    start: float = 0.0

    @property
    def oldest(self) -> float:
        """Return the first instant that is known."""
        return min(self.log.instants[0], self.now)

    @property
    def width(self) -> float:
        """Return how many seconds the scrubber shows."""
        return self.everything if self.span is None else min(self.span, max(self.everything, SHORTEST))

    @property
    def everything(self) -> float:
        """Return how many seconds there are, with one before the first change."""
        return self.now - self.oldest + 1.0

    def place(self, source: str | None = None) -> int:
        """Return how many changes (of *source*) there had been."""
        return bisect_right(self.log.of(source), self.at)


def begun(entries: Iterable["Entry"], now: float) -> Journey | None:
    """Return where a journey begins: now, with the clock stopped. None where nothing was recorded."""
    log = Log(tuple(entries))
    return _in_sight(Journey(log, now, now)) if log.entries else None


def stepped(here: Journey, by: int, source: str | None = None) -> Journey:
    """Return where one stands after *by* changes (of *source*) more, or fewer; as far as there are any."""
    times = here.log.of(source)
    place = here.place(source) - 1 + by
    if not times or place < 0:
        return here
    target = times[min(place, len(times) - 1)]
    return moved_to(here, target) if (target > here.at) == (by > 0) else here


def shifted(here: Journey, seconds: float) -> Journey:
    """Return where one stands so many seconds later, or earlier."""
    return moved_to(here, here.at + seconds)


def moved_to(here: Journey, at: float) -> Journey:
    """Return where one stands at the instant *at*, or as near to it as anything is known."""
    return _in_sight(replace(here, at=min(max(at, here.oldest), here.now), playing=False))


def at_the_beginning(here: Journey) -> Journey:
    """Return the first moment that was recorded."""
    return moved_to(here, here.oldest)


def to_bookmark(here: Journey, by: int) -> Journey:
    """Return where the next bookmark is, or the one before."""
    times = here.log.bookmarked
    place = bisect_right(times, here.at) if by > 0 else bisect_left(times, here.at) - 1
    return moved_to(here, times[place]) if 0 <= place < len(times) else here


def faster(here: Journey, by: int) -> Journey:
    """Return the journey played faster, or slower, by so many steps."""
    place = min(max(SPEEDS.index(here.speed) + by, 0), len(SPEEDS) - 1)
    return replace(here, speed=SPEEDS[place])


def started(here: Journey) -> Journey:
    """Return the journey that plays, from the beginning where it stood at the end; or that stands, if it played."""
    if here.playing:
        return replace(here, playing=False)
    again = at_the_beginning(here) if here.at >= here.log.instants[-1] else here
    return replace(again, playing=True)


def played(here: Journey, seconds: float) -> Journey:
    """Return where one stands after so many seconds of playing. It ends with the newest change.

    Where nothing happens for long, the rest of the silence is passed over.
    """
    if not here.playing:
        return here
    times = here.log.instants
    at = here.at + seconds * here.speed
    following = bisect_right(times, here.at)
    if following >= len(times):
        return replace(here, playing=False)
    if times[following] - at > SILENCE * here.speed:
        at = times[following] - here.speed  # a second of it is left, so that the change is seen to come
    at = min(at, times[-1])
    return _in_sight(replace(here, at=at, playing=at < times[-1]))


def widened(here: Journey) -> Journey:
    """Return the journey with a scrubber that shows more; after all there is, the least again."""
    if here.span is None:
        span: float | None = SPANS[0]
    else:
        span = next((each for each in SPANS if here.span < each < here.everything), None)
    return _in_sight(replace(here, span=span, start=here.at - (span or here.everything) / 2))


def brought_up(here: Journey, entries: Sequence["Entry"], now: float) -> Journey:
    """Return the journey with what was recorded meanwhile; the place stays."""
    return _in_sight(replace(here, log=Log(tuple(entries)), now=max(now, here.at))) if entries else here


def _in_sight(here: Journey) -> Journey:
    """Move the scrubber where it does not show the place any more."""
    latest = here.now - here.width
    start = here.start
    if here.width >= here.everything:
        start = latest
    elif not start < here.at <= start + here.width:
        start = here.at - here.width / 2
    return replace(here, start=min(start, latest))

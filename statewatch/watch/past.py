"""The picture of a past moment, from the history: the same reducer that makes the live picture, fed with what was kept.

What is worked out once is kept, bounded, so that a scrubber can ask for many moments a second. For one thread.
"""

import bisect
import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from statewatch.core.errors import StatewatchError
from statewatch.core.reading import Signature, Snapshot
from statewatch.kinds import batch
from statewatch.kinds.base import Sentence
from statewatch.kinds.batch import BatchView
from statewatch.kinds.hooks import Policy
from statewatch.watch import board as boards
from statewatch.watch import pace
from statewatch.watch.absences import Absences
from statewatch.watch.board import ACTIVITY_INTERVAL, MOST_CHANGES, MOST_INTERVALS, Board, Observation, Tracked
from statewatch.watch.contents import Reader
from statewatch.watch.discovery import Candidate, judge
from statewatch.watch.picture import ChangeLine, Picture, Problem, Revision, Watching
from statewatch.watch.policies import Policies
from statewatch.watch.recorded import recorded
from statewatch.watch.scope import Scope

if TYPE_CHECKING:
    from statewatch.watch.history.model import Entry
    from statewatch.watch.history.store import History

T = TypeVar("T")

MOST_SHOWN = 100
"""Change lines of a picture of the past, unless more are asked for: each new one costs the reading of a revision."""

MAX_BYTES = 16 * 1024 * 1024
"""Bytes of the revisions whose documents and views are kept; these take about five times that."""

LEAD, STRIDE = 24, 6
"""So many revisions before a moment tell the pace of a batch, of which so many are passed over each time."""

_MOST_REMEMBERED = 50_000
_LINES_OF_ONE = 64  # more than the lines that one revision can have, so that numbers grow with the revisions


@dataclass(frozen=True, slots=True)
class _Course:
    """The revisions of a source in time order, with their times for a quick search."""

    candidate: Candidate
    entries: tuple["Entry", ...]
    times: tuple[float, ...]

    def last(self, moment: float) -> int:
        """Return the place of the revision that was there at *moment*; -1 before the first."""
        return bisect.bisect_right(self.times, moment) - 1

    def place(self, entry: "Entry") -> int:
        """Return the place of a revision of this source."""
        place = self.last(entry.seen_at)
        while self.entries[place].number != entry.number:  # two may have been seen at once
            place -= 1
        return place


class Past:
    """What the history has of some sources, as pictures.

    *policy_of* gives the policy for the hook state at a path: those of now, for past ones are not recorded. *absences*
    tells when sources were not there, which is not recorded either.
    """

    def __init__(
        self,
        history: "History",
        candidates: Iterable[Candidate],
        policy_of: Callable[[str], Policy],
        *,
        absences: Absences | None = None,
        looked_in: tuple[str, ...] = (),
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._history = history
        self._absences = absences or Absences()
        self._candidates = {each.path: each for each in candidates}
        self._policy_of = policy_of
        self._watching = Watching(looked_in=looked_in)
        self._observations: _Kept[Observation] = _Kept(max_bytes)
        self._stages: _Kept[Tracked | None] = _Kept(max_bytes)
        self._lines: OrderedDict[int, tuple[ChangeLine, ...]] = OrderedDict()
        self._readers: dict[str, Reader] = {}
        self.refresh()

    @classmethod
    def of_scope(cls, history: "History", scope: Scope, absences: Absences | None = None) -> "Past":
        """Return what the history has of the sources that a scope looks at, deleted ones included."""
        candidates = recorded(scope, history.sources())
        policy_of = Policies(scope.environment).of
        return cls(history, candidates, policy_of, absences=absences, looked_in=scope.looked_in)

    def refresh(self) -> None:
        """Take up what was recorded, thinned or bookmarked since. Raises HistoryError when the history cannot be read.

        Sources that were recorded for the first time since are not among those looked at; that takes a new `Past`.
        """
        known = self._history.moments(tuple(self._candidates)) if self._candidates else []
        self._entries = tuple(sorted(known, key=lambda entry: (entry.seen_at, entry.number)))
        self._times = [entry.seen_at for entry in self._entries]
        by_source: dict[str, list[Entry]] = {}
        for entry in self._entries:
            by_source.setdefault(entry.source, []).append(entry)
        self._courses = {
            key: _Course(self._candidates[key], tuple(entries), tuple(entry.seen_at for entry in entries))
            for key, entries in by_source.items()
        }
        begun = (time // ACTIVITY_INTERVAL * ACTIVITY_INTERVAL for time in self._times)
        self._activity = [(start, len(list(group))) for start, group in itertools.groupby(begun)]

    def moments(self) -> tuple["Entry", ...]:
        """Return every revision of the sources, in the order in which they were seen."""
        return self._entries

    def entry(self, key: str, moment: float) -> "Entry | None":
        """Return the revision that a source had at *moment*; None before its first."""
        course = self._courses.get(key)
        place = -1 if course is None else course.last(moment)
        return None if course is None or place < 0 else course.entries[place]

    def step(self, moment: float, by: int, key: str | None = None) -> "Entry | None":
        """Return the revision so many changes after *moment* (before it where *by* is negative), of *key* or of any.

        None where there are not so many.
        """
        course = None if key is None else self._courses.get(key)
        if key is not None and course is None:
            return None
        entries, times = (self._entries, self._times) if course is None else (course.entries, course.times)
        at = bisect.bisect_right(times, moment) - 1 if by > 0 else bisect.bisect_left(times, moment)
        return entries[at + by] if 0 <= at + by < len(entries) else None

    def begins(self) -> dict[str, float]:
        """Return since when each source is recorded, by key."""
        return {key: course.times[0] for key, course in self._courses.items()}

    def at(self, moment: float, lines: int = MOST_SHOWN) -> Picture:
        """Return the picture at the instant *moment*: the sources recorded by then, and the latest change lines.

        At most so many *lines*. What cannot be read any more shows as a problem of its source. Of a file that was
        deleted while nobody looked it is not known when: until somebody did, it is shown as it last was.
        """
        tracked: dict[str, Tracked] = {}
        begun = moment
        for key, course in self._courses.items():
            place = course.last(moment)
            stage = self._stage(course, place) if place >= 0 else None
            if stage is not None:
                tracked[key] = self._as_there(stage, course.times[place], moment)
                begun = min(begun, course.times[place])
        board = Board(tracked, self._latest(moment, lines), activity=self._activity_until(moment))
        return boards.pass_time(board, begun, moment).picture(moment, self._watching)

    def _as_there(self, stage: Tracked, seen_at: float, moment: float) -> Tracked:
        """Return how a source stood, said to be deleted where it was by *moment*, and after what was seen last."""
        gone = self._absences.since(stage.source.key, moment)
        if gone is None or seen_at > gone:
            return stage
        since = seen_at if gone == self._absences.begun else gone
        return replace(stage, source=replace(stage.source, problem=Problem("deleted", since, gone=True)))

    def between(self, since: float, until: float, most: int = MOST_CHANGES) -> tuple[ChangeLine, ...]:
        """Return the change lines after *since* and up to *until*, newest first, at most so many."""
        return self._latest(until, most, since)

    def _latest(self, moment: float, most: int, since: float | None = None) -> tuple[ChangeLine, ...]:
        found: list[ChangeLine] = []
        first = 0 if since is None else bisect.bisect_right(self._times, since)
        for place in range(bisect.bisect_right(self._times, moment) - 1, first - 1, -1):
            if len(found) >= most:
                break
            found += reversed(self._lines_of(self._entries[place]))
        return tuple(found[:most])

    def _activity_until(self, moment: float) -> tuple[tuple[float, int], ...]:
        end = bisect.bisect_right(self._activity, (moment, 0))
        counts = self._activity[max(0, end - MOST_INTERVALS) : end]
        if counts:
            begun = counts[-1][0]
            seen = bisect.bisect_right(self._times, moment) - bisect.bisect_left(self._times, begun)
            counts[-1] = (begun, seen)
        return tuple(reversed(counts))

    def _lines_of(self, entry: "Entry") -> tuple[ChangeLine, ...]:
        if entry.number not in self._lines:
            course = self._courses[entry.source]
            place = course.place(entry)
            self._remember(entry, self._told(course, place) if place else self._first(course))
        return self._lines[entry.number]

    def _first(self, course: _Course) -> tuple[ChangeLine, ...]:
        """Return the line of a source's first revision: it may have been there long before."""
        stage = self._stage(course, 0)
        if stage is None:
            return ()
        said = Sentence("", "recorded for the first time", routine=True)
        return (_line(course, course.entries[0], stage.source.kind, said, None),)

    def _told(self, course: _Course, place: int) -> tuple[ChangeLine, ...]:
        """Return the lines of a later revision: of two good ones, without what only views are made of."""
        candidate, (before, entry) = course.candidate, course.entries[place - 1 : place + 1]
        old, new = (self._observation(each, candidate).revision for each in (before, entry))
        verdict = None if old is None or new is None else judge(candidate, new.document)
        if old is None or new is None or verdict is None or verdict.problem or before.number in self._stages:
            return self._play(course, place, self._stage(course, place - 1))[1]
        said = boards.told(old.document, new.document, verdict.kind)
        return tuple(_line(course, entry, verdict.kind, sentence, before.digest) for sentence in said)

    def _stage(self, course: _Course, place: int) -> Tracked | None:
        """Return how a source stood with the revision at *place*, with what came before it where that matters."""
        entry = course.entries[place]
        if entry.number in self._stages:
            return self._stages[entry.number]
        before = course.entries[place - 1].number if place else None
        if before is not None and before in self._stages:
            stage, said = self._play(course, place, self._stages[before])
            self._remember(entry, said)
        else:
            stage, _ = self._play(course, place, None)
            if stage is None or stage.source.problem is not None or stage.source.kind == "plain":
                stage = self._played(course, place)
            elif isinstance(stage.source.view, BatchView):
                stage = self._paced(course, place, stage, stage.source.view)
        self._stages.keep(entry.number, stage, entry.size)
        return stage

    def _played(self, course: _Course, place: int) -> Tracked | None:
        """Play a few revisions up to one that by itself does not tell what its source was taken for."""
        stage = None
        for each in range(max(0, place - LEAD), place + 1):
            stage, _ = self._play(course, each, stage)
        return stage

    def _paced(self, course: _Course, place: int, stage: Tracked, view: BatchView) -> Tracked:
        """Return a batch with its pace, measured from some of the revisions before."""
        seen: pace.Course | None = None
        begin = -(-max(0, place - LEAD) // STRIDE) * STRIDE  # the same ones for moments that are near each other
        for each in sorted({*range(begin, place, STRIDE), place - 1} - {-1}):
            entry = course.entries[each]
            revision = self._observation(entry, course.candidate).revision
            if revision is not None:
                seen = pace.observe(seen, batch.view(revision.document), entry.seen_at)
        at = course.entries[place].seen_at
        seen = pace.observe(seen, view, at)
        return replace(stage, course=seen, source=replace(stage.source, pace=pace.pace(seen, at)))

    def _play(
        self, course: _Course, place: int, before: Tracked | None
    ) -> tuple[Tracked | None, tuple[ChangeLine, ...]]:
        """Take the revision at *place* to how the source stood before it; return how it stands then, and the lines."""
        candidate = course.candidate
        board = Board({} if before is None else {candidate.path: before})
        board = boards.advance(board, self._observation(course.entries[place], candidate), self._policy_of)
        return board.tracked.get(candidate.path), board.changes[::-1]

    def _observation(self, entry: "Entry", candidate: Candidate) -> Observation:
        if entry.number not in self._observations:
            self._observations.keep(entry.number, self._observed(entry, candidate), entry.size)
        return self._observations[entry.number]

    def _observed(self, entry: "Entry", candidate: Candidate) -> Observation:
        try:
            snapshot = snapshot_of(self._history, entry)
            document, flaw = self._readers.setdefault(entry.source, Reader()).document(candidate, snapshot)
        except StatewatchError as error:
            return Observation(candidate, entry.seen_at, reason=getattr(error, "reason", str(error)))
        revision = Revision(entry.digest, entry.seen_at, entry.at, entry.size, document, flaw)
        return Observation(candidate, entry.seen_at, revision)

    def _remember(self, entry: "Entry", said: tuple[ChangeLine, ...]) -> None:
        numbered = (replace(line, number=entry.number * _LINES_OF_ONE + place) for place, line in enumerate(said))
        self._lines[entry.number] = tuple(numbered)
        while len(self._lines) > _MOST_REMEMBERED:
            self._lines.popitem(last=False)


class _Kept(Generic[T]):
    """What was made of revisions, by their number, the latest used, bounded by the bytes of the revisions."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[int, tuple[T, int]] = OrderedDict()
        self._size = 0

    def __contains__(self, number: int) -> bool:
        return number in self._kept

    def __getitem__(self, number: int) -> T:
        self._kept.move_to_end(number)
        return self._kept[number][0]

    def keep(self, number: int, made: T, size: int) -> None:
        """Keep one; what was used least lately goes for it."""
        known = self._kept.pop(number, None)
        self._size += size - (known[1] if known else 0)
        self._kept[number] = made, size
        while self._size > self._max_bytes and len(self._kept) > 1:
            self._size -= self._kept.popitem(last=False)[1][1]


def snapshot_of(history: "History", entry: "Entry") -> Snapshot:
    """Return what a revision was as a file: its bytes, and what is known of its signature. Raises HistoryError."""
    data = history.data(entry)
    return Snapshot(Path(entry.source), data, Signature(0, 0, len(data), int(entry.at * 1e9), 0))


def _line(course: _Course, entry: "Entry", kind: str, said: Sentence, before: str | None) -> ChangeLine:
    candidate = course.candidate
    return ChangeLine(0, entry.seen_at, candidate.path, candidate.label, kind, said, before, entry.digest)

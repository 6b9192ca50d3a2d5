"""How fast a batch goes, from what was seen of it and from the times its file holds. Pure; times in seconds.

Nothing is guessed: without two completions seen and without usable times in the file there is no pace.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

from statewatch.kinds.batch import PENDING, BatchView, Item
from statewatch.watch.picture import Pace

WINDOW = 20
"""So many of the latest items make the pace, so that it follows when the batch gets slower or faster."""

BARS = 12
"""Intervals of the trend."""

INTERVALS = (10.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0)
"""Lengths an interval of the trend can have; the shortest in which two items fit on average is taken."""

_MOST_MARKS = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """Progress that was seen: `gained` items more, `processed` in all, at the instant `at`, after `worked` seconds."""

    at: float
    worked: float
    processed: int
    gained: int


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of a batch's progress so far.

    `worked` counts the seconds since the first sight in which the batch said that it ran: a pause is not slowness.
    `recorded` are the instants at which items were finished before that, where the file says so, in order.
    """

    batch_id: str
    begun_at: float
    at: float
    worked: float
    processed: int
    running: bool
    marks: tuple[Mark, ...] = ()
    recorded: tuple[float, ...] = ()
    stated: float | None = None
    last_progress_at: float | None = None


def observe(course: Course | None, view: BatchView, at: float) -> Course:
    """Return the course after *view* was seen at the instant *at*.

    It begins anew with another batch, and when work was taken back.
    """
    if course is None or course.batch_id != view.batch_id or view.processed < course.processed:
        return _begin(view, at)
    worked = course.worked + (max(0.0, at - course.at) if course.running else 0.0)
    seen = replace(course, at=at, worked=worked, running=view.is_running, stated=_stated(view))
    if view.processed == course.processed:
        return seen
    marks = (*course.marks, Mark(at, worked, view.processed, view.processed - course.processed))[-_MOST_MARKS:]
    return replace(seen, processed=view.processed, marks=marks, last_progress_at=at)


def pace(course: Course, now: float) -> Pace:
    """Return the pace of a course. *now* only decides which intervals the trend shows."""
    seconds = _observed(course)
    observed = seconds is not None
    if seconds is None:
        seconds = course.stated
    interval = next((each for each in INTERVALS if each >= 2 * seconds), INTERVALS[-1]) if seconds else None
    return Pace(
        seconds_per_item=seconds,
        observed=observed,
        last_progress_at=course.last_progress_at,
        trend=_trend(course, now, interval) if interval else (),
        trend_interval=interval,
    )


def _begin(view: BatchView, at: float) -> Course:
    recorded = _recorded(view, at)
    last = recorded[-1] if recorded else view.updated_at if view.processed else None
    return Course(
        batch_id=view.batch_id,
        begun_at=at,
        at=at,
        worked=0.0,
        processed=view.processed,
        running=view.is_running,
        recorded=recorded,
        stated=_stated(view),
        last_progress_at=None if last is None else min(last, at),
    )


def _observed(course: Course) -> float | None:
    if len(course.marks) < 2:
        return None
    last = course.marks[-1]
    inside = [mark for mark in course.marks[:-1] if last.processed - mark.processed <= WINDOW]
    base = inside[0] if inside else course.marks[-2]
    seconds = (last.worked - base.worked) / (last.processed - base.processed)
    return seconds if seconds > 0 else None


def _done(view: BatchView) -> list[Item]:
    return [item for item in view.items if item.outcome != PENDING]


def _recorded(view: BatchView, at: float) -> tuple[float, ...]:
    return tuple(sorted(item.at for item in _done(view) if item.at is not None and item.at <= at))


def _stated(view: BatchView) -> float | None:
    """Return the seconds an item takes by the file's own times: of its items where all have one, else of the whole."""
    done = _done(view)
    times = sorted(item.at for item in done if item.at is not None)[-WINDOW - 1 :]
    if len(times) == min(len(done), WINDOW + 1) and len(times) >= 3 and times[-1] > times[0]:
        return (times[-1] - times[0]) / (len(times) - 1)
    durations = [item.duration for item in done if item.duration is not None][-WINDOW:]
    if durations and len(durations) == min(len(done), WINDOW) and sum(durations) > 0:
        return sum(durations) / len(durations)
    if view.created_at is None or view.updated_at is None or not done or view.updated_at <= view.created_at:
        return None
    return (view.updated_at - view.created_at) / len(done)


def _trend(course: Course, now: float, interval: float) -> tuple[int, ...]:
    """Count the items finished in each of the last intervals, which end at whole multiples of their length."""
    first = (math.floor(now / interval) + 1) * interval - BARS * interval
    bars = [0] * BARS

    def count(at: float, items: int) -> None:
        place = math.floor((at - first) / interval)
        if 0 <= place < BARS:
            bars[place] += items

    for at in course.recorded[bisect_left(course.recorded, first - interval) :]:  # they are in order
        count(at, 1)
    for mark in course.marks:
        count(mark.at, mark.gained)
    return tuple(bars)

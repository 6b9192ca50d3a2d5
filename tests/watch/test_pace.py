"""How fast a batch goes: from what was seen, else from its file, else not at all."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.kinds.batch import COMPLETED, FAILED, PENDING, BatchView, Item
from statewatch.watch.pace import BARS, Course, observe, pace

START = 1_000_000.0


def view(done: int, total: int = 100, *, status: str = "in_progress", batch_id: str = "b") -> BatchView:
    items = tuple(Item(index, f"item {index}", COMPLETED if index < done else PENDING) for index in range(total))
    return BatchView(batch_id, status, True, items, done, None, None, None)


def watch(*seen: tuple[float, BatchView]) -> Course:
    course = None
    for at, each in seen:
        course = observe(course, each, START + at)
    assert course is not None
    return course


def test_nothing_is_guessed() -> None:
    for course in (watch((0, view(0))), watch((0, view(3)), (50, view(3))), watch((0, view(0)), (10, view(1)))):
        assert pace(course, START + 60).seconds_per_item is None
        assert pace(course, START + 60).trend == ()
        assert pace(course, START + 60).eta(10, START) is None


def test_the_pace_is_that_of_the_items_seen() -> None:
    course = watch((0, view(0)), (10, view(1)), (40, view(2)), (70, view(3)))
    found = pace(course, START + 75)
    assert found.seconds_per_item == 30
    assert found.observed
    assert found.last_progress_at == START + 70
    assert found.eta(2, START + 75) == START + 130


def test_several_items_in_one_revision_count_as_several() -> None:
    course = watch((0, view(0)), (10, view(1)), (50, view(5)))
    assert pace(course, START + 50).seconds_per_item == 10


def test_the_pace_follows_the_latest_items() -> None:
    seen = [(float(10 * n), view(n)) for n in range(30)]
    seen += [(290 + 2.0 * n, view(29 + n)) for n in range(1, 31)]
    assert pace(watch(*seen), START + 400).seconds_per_item == pytest.approx(2)


def test_a_pause_is_not_slowness() -> None:
    course = watch(
        (0, view(0)),
        (10, view(1)),
        (20, view(2)),
        (21, view(2, status="paused")),
        (5000, view(2)),
        (5009, view(3)),
    )
    assert pace(course, START + 5010).seconds_per_item == 10


def test_another_batch_or_work_taken_back_begins_anew() -> None:
    course = watch((0, view(0)), (10, view(1)), (20, view(2)))
    assert pace(observe(course, view(2, batch_id="c"), START + 30), START + 30).seconds_per_item is None
    assert pace(observe(course, view(1), START + 30), START + 30).seconds_per_item is None


def test_at_first_the_files_own_times_speak() -> None:
    told = replace(view(4), created_at=START - 400, updated_at=START - 100)
    found = pace(observe(None, told, START), START)
    assert found.seconds_per_item == 75
    assert not found.observed
    assert found.last_progress_at == START - 100


def test_recorded_times_of_items_are_better_than_those_of_the_whole() -> None:
    items = tuple(
        Item(index, "x", FAILED if index == 1 else COMPLETED, at=START - 1000 + 20 * index)
        if index < 5
        else Item(index, "x", PENDING)
        for index in range(10)
    )
    told = replace(view(5, 10), items=items, created_at=START - 9_000, updated_at=START)
    found = pace(observe(None, told, START), START - 915)
    assert found.seconds_per_item == 20
    assert found.trend_interval == 60
    assert sum(found.trend) == 5


def test_durations_of_items_are_used_where_the_file_has_no_times() -> None:
    items = tuple(Item(index, "x", COMPLETED, duration=10.0 + index) for index in range(3))
    assert pace(observe(None, replace(view(3, 3), items=items), START), START).seconds_per_item == 11


def test_the_trend_counts_items_in_each_interval_and_moves_on_with_time() -> None:
    course = watch(*[(float(5 * n), view(n)) for n in range(13)])
    found = pace(course, START + 60)
    assert found.trend_interval == 10
    assert len(found.trend) == BARS
    assert found.trend[-7:-1] == (1, 2, 2, 2, 2, 2)
    assert sum(found.trend) == 12
    assert pace(course, START + 1000).trend == (0,) * BARS


@given(
    seconds=st.floats(0.1, 5000),
    gains=st.lists(st.integers(1, 5), min_size=2, max_size=40),
    start=st.floats(0, 2_000_000_000),
)
def test_a_steady_batch_has_its_own_pace_however_it_is_sampled(seconds: float, gains: list[int], start: float) -> None:
    course, done = observe(None, view(0, 300), start), 0
    for gain in gains:
        done += gain
        course = observe(course, view(done, 300), start + done * seconds)
    assert pace(course, start).seconds_per_item == pytest.approx(seconds, rel=1e-4)


@given(st.lists(st.tuples(st.floats(0.01, 1000), st.integers(-3, 4)), max_size=60))
def test_a_pace_is_positive_and_lies_between_the_quickest_and_the_slowest_item(steps: list[tuple[float, int]]) -> None:
    at, done = START, 50
    course = observe(None, view(done), at)
    for wait, gain in steps:
        at, done = at + wait, min(100, max(0, done + gain))
        course = observe(course, view(done), at)
        found = pace(course, at)
        assert found.seconds_per_item is None or 0 < found.seconds_per_item <= at - START
        assert all(bar >= 0 for bar in found.trend)

"""Retention: what any rule keeps stays, what nobody may let go stays, and every verdict says why."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.core.retention import Policy, expired, verdicts

DAY = 86_400.0
HOUR = 3_600.0
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Made:
    """A checkpoint as far as retention is concerned."""

    name: str
    created_at: float
    pinned: bool = False
    foreign: bool = False


def ago(seconds: float, name: str = "", *, pinned: bool = False, foreign: bool = False) -> Made:
    return Made(name or f"{seconds:g}", NOON - seconds, pinned=pinned, foreign=foreign)


def names(checkpoints: list[Made]) -> list[str]:
    return [checkpoint.name for checkpoint in checkpoints]


def reasons(checkpoints: list[Made], policy: Policy, now: float = NOON) -> dict[str, tuple[str, ...]]:
    return {verdict.checkpoint.name: verdict.kept_by for verdict in verdicts(checkpoints, policy, now)}


def test_the_last_ones_are_kept() -> None:
    made = [ago(30, "c"), ago(40, "d"), ago(10, "a"), ago(20, "b")]
    assert names(expired(made, Policy(keep_last=2), NOON)) == ["c", "d"]
    assert expired(made, Policy(keep_last=4), NOON) == []


def test_of_each_day_the_newest_is_kept_and_days_without_any_do_not_count() -> None:
    made = [
        ago(1 * HOUR, "today 11:00"),
        ago(3 * HOUR, "today 09:00"),
        ago(12 * HOUR, "today 00:00"),
        ago(12 * HOUR + 1, "yesterday 23:59:59"),
        ago(20 * HOUR, "yesterday 16:00"),
        ago(30 * DAY, "a month ago"),
        ago(60 * DAY, "two months ago"),
    ]
    assert reasons(made, Policy(keep_daily=3)) == {
        "today 11:00": ("daily",),
        "today 09:00": (),
        "today 00:00": (),
        "yesterday 23:59:59": ("daily",),
        "yesterday 16:00": (),
        "a month ago": ("daily",),
        "two months ago": (),
    }


def test_young_ones_are_kept_up_to_the_second() -> None:
    made = [ago(0), ago(DAY), ago(DAY + 1)]
    assert names(expired(made, Policy(keep_age=DAY), NOON)) == ["86401"]


def test_what_any_rule_keeps_is_kept_and_each_rule_is_named() -> None:
    made = [ago(HOUR, "fresh"), ago(2 * HOUR, "second"), ago(2 * DAY, "old"), ago(2 * DAY + HOUR, "older")]
    assert reasons(made, Policy(keep_last=1, keep_daily=2, keep_age=3 * HOUR)) == {
        "fresh": ("last", "daily", "age"),
        "second": ("age",),
        "old": ("daily",),
        "older": (),
    }


def test_pinned_ones_and_those_of_other_tools_stay_and_take_nobodys_place() -> None:
    made = [
        ago(1, "theirs", foreign=True),
        ago(2, "wanted", pinned=True),
        ago(3, "both", pinned=True, foreign=True),
        ago(4, "mine"),
        ago(9 * DAY, "old"),
    ]
    assert reasons(made, Policy(keep_last=1)) == {
        "theirs": ("foreign",),
        "wanted": ("pinned",),
        "both": ("pinned", "foreign"),
        "mine": ("last",),
        "old": (),
    }


def test_a_clock_set_back_a_year_lets_nothing_go() -> None:
    made = [ago(number * DAY) for number in range(10)]
    year_before = NOON - 365 * DAY
    assert expired(made, Policy(keep_last=1, keep_daily=1, keep_age=1), year_before) == []


def test_one_made_while_the_clock_was_wrong_does_not_cost_the_newest() -> None:
    made = [ago(-365 * DAY, "next year"), ago(HOUR, "newest"), ago(2 * HOUR, "older")]
    assert reasons(made, Policy(keep_last=1)) == {"next year": ("future",), "newest": ("last",), "older": ()}


@pytest.mark.parametrize("moment", [float("nan"), float("inf")])
def test_one_whose_time_is_no_number_is_kept(moment: float) -> None:
    made = [Made("odd", moment), ago(HOUR, "newest"), ago(2 * HOUR, "older")]
    assert names(expired(made, Policy(keep_last=1, keep_daily=1), NOON)) == ["older"]


def test_between_two_of_one_moment_the_name_decides() -> None:
    made = [ago(1, "auto_1"), ago(1, "auto_2")]
    assert names(expired(made, Policy(keep_last=1), NOON)) == ["auto_1"]
    assert names(expired(made[::-1], Policy(keep_last=1), NOON)) == ["auto_1"]


def test_a_policy_without_a_rule_is_an_error_and_lets_nothing_go() -> None:
    with pytest.raises(ValueError, match=r"no rule: .*keep_last, keep_daily, keep_age"):
        Policy()


@pytest.mark.parametrize("value", [0, -1, float("nan")])
@pytest.mark.parametrize("rule", ["keep_last", "keep_daily", "keep_age"])
def test_a_rule_that_keeps_nothing_is_an_error(rule: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{rule} must be more than 0"):
        Policy(**{rule: value})


def test_nothing_to_judge_is_no_error() -> None:
    assert verdicts([], Policy(keep_last=1), NOON) == []


moments = st.one_of(
    st.integers(-2, 30).map(lambda half_days: NOON - half_days * DAY / 2),
    st.floats(0, 2 * NOON),
)
checkpoints = st.lists(
    st.builds(Made, st.text("abc", max_size=2), moments, pinned=st.booleans(), foreign=st.booleans()), max_size=12
)
own = st.lists(st.builds(Made, st.text("abc", max_size=2), moments), max_size=12)
counts = st.none() | st.integers(1, 5)
ages = st.none() | st.floats(1, 20 * DAY)
rules = st.tuples(counts, counts, ages).filter(lambda given: given != (None, None, None))


def kept(made: list[Made], policy: Policy) -> set[int]:
    return {index for index, verdict in enumerate(verdicts(made, policy, NOON)) if not verdict.expired}


@given(checkpoints, rules, rules)
def test_a_laxer_policy_keeps_everything_a_stricter_one_does(
    made: list[Made], one: tuple[int | None, ...], other: tuple[int | None, ...]
) -> None:
    laxer = Policy(*(max(filter(None, pair), default=None) for pair in zip(one, other, strict=True)))
    assert kept(made, laxer) >= kept(made, Policy(*one)) | kept(made, Policy(*other))


@given(checkpoints, rules)
def test_what_nobody_may_let_go_is_kept_by_every_policy(made: list[Made], rule: tuple[int | None, ...]) -> None:
    assert not any(gone.pinned or gone.foreign or gone.created_at > NOON for gone in expired(made, Policy(*rule), NOON))


@given(own, st.integers(1, 5))
def test_exactly_so_many_of_the_past_are_kept_and_none_that_goes_is_newer(made: list[Made], count: int) -> None:
    past = [one for one in made if one.created_at <= NOON]
    gone = expired(past, Policy(keep_last=count), NOON)
    stay = [verdict.checkpoint for verdict in verdicts(past, Policy(keep_last=count), NOON) if not verdict.expired]
    assert len(stay) == min(count, len(past))
    assert max((one.created_at for one in gone), default=0) <= min((one.created_at for one in stay), default=NOON)


@given(own, st.integers(1, 5), st.integers(1, 5))
def test_the_newest_is_always_kept(made: list[Made], last: int, daily: int) -> None:
    past = [one for one in made if one.created_at <= NOON]
    newest = max((one.created_at for one in past), default=None)
    for policy in (Policy(keep_last=last), Policy(keep_daily=daily)):
        stay = [verdict.checkpoint.created_at for verdict in verdicts(past, policy, NOON) if not verdict.expired]
        assert newest is None or newest in stay


@given(checkpoints, rules)
def test_a_second_round_at_the_same_moment_finds_nothing_more(made: list[Made], rule: tuple[int | None, ...]) -> None:
    policy = Policy(*rule)
    stay = [verdict.checkpoint for verdict in verdicts(made, policy, NOON) if not verdict.expired]
    assert expired(stay, policy, NOON) == []


@given(checkpoints.filter(bool), rules, st.data())
def test_pinning_one_never_lets_another_go(made: list[Made], rule: tuple[int | None, ...], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(made) - 1))
    pinned = [replace(one, pinned=True) if here == index else one for here, one in enumerate(made)]
    assert kept(pinned, Policy(*rule)) >= kept(made, Policy(*rule)) | {index}


@given(checkpoints, rules, st.randoms(use_true_random=False))
def test_the_order_in_which_they_are_listed_does_not_matter(
    made: list[Made], rule: tuple[int | None, ...], chance: Random
) -> None:
    shuffled = list(made)
    chance.shuffle(shuffled)
    policy = Policy(*rule)

    def told(given: list[Made]) -> list[tuple[str, tuple[str, ...]]]:
        return sorted((repr(verdict.checkpoint), verdict.kept_by) for verdict in verdicts(given, policy, NOON))

    assert told(shuffled) == told(made)
    assert [verdict.checkpoint for verdict in verdicts(shuffled, policy, NOON)] == shuffled


def test_an_age_alone_never_lets_go_of_the_newest() -> None:
    made = [ago(40 * DAY, "older"), ago(31 * DAY, "newest")]
    assert names(expired(made, Policy(keep_age=30 * DAY), NOON)) == ["older"]
    assert reasons(made, Policy(keep_age=30 * DAY)) == {"older": (), "newest": ("newest",)}
    assert names(expired([*made, ago(50 * DAY, "kept", pinned=True)], Policy(keep_age=DAY), NOON)) == ["older"]
    assert expired([], Policy(keep_age=DAY), NOON) == []

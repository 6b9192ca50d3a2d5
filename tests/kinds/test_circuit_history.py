"""What the history of a circuit tells about how it went."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from statewatch.kinds.circuit_calls import event
from statewatch.kinds.circuit_history import (
    Metrics,
    Period,
    by_hook,
    metrics_of,
    of_action,
    of_modes,
    over_time,
    states_over_time,
)
from statewatch.kinds.times import stamp
from tests.documents.strategies import values

NOON = 1_794_830_400.0
HOUR = 3600


def day() -> list[dict[str, Any]]:
    """Return a day of a hook: open for an hour, tested in vain, open for another, then well. Newest first."""
    told = [
        event(NOON - 600, "h", "failed", error="a"),
        event(NOON, "h", "failed", error="b"),
        event(NOON, "h", "opened", "closed", "open"),
        event(NOON + HOUR, "h", "half_open", "open", "half_open"),
        event(NOON + HOUR, "h", "probe"),
        event(NOON + HOUR + 10, "h", "failed", error="c"),
        event(NOON + HOUR + 10, "h", "opened", "half_open", "open"),
        event(NOON + HOUR + 20, "h", "mode", None, "metrics_only"),
        event(NOON + 2 * HOUR + 10, "h", "half_open", "open", "half_open"),
        event(NOON + 2 * HOUR + 20, "h", "closed", "half_open", "closed"),
    ]
    return told[::-1]


def test_the_figures_of_a_day() -> None:
    metrics = metrics_of(day(), NOON + 3 * HOUR)
    assert metrics == Metrics(NOON - 600, 3, 2, 1, 1, 2 * HOUR, NOON + HOUR + 10)
    assert metrics.failures_per_hour(NOON - 600 + 6 * HOUR) == 0.5


def test_a_circuit_that_is_open_still_has_been_so_up_to_now() -> None:
    assert metrics_of(day()[-3:], NOON + 250).open_for == 250


def test_a_history_without_anything_that_can_be_read_says_nothing() -> None:
    for empty in ([], [{"event": "failed"}], [{"at": "gestern", "event": "opened"}]):
        assert metrics_of(empty, NOON) == Metrics()
    assert Metrics().failures_per_hour(NOON) is None


def test_failures_over_time_fall_into_their_hours() -> None:
    told = [*day(), event(NOON - 10 * HOUR, "h", "failed", error="old"), event(NOON + 99 * HOUR, "h", "failed")]
    assert over_time(told, NOON + 2 * HOUR, HOUR, 3) == [
        Period(NOON - HOUR, failures=1),
        Period(NOON, failures=1, openings=1),
        Period(NOON + HOUR, failures=1, openings=1),
    ]


def test_the_states_over_time_show_the_worst_of_each_period_and_nothing_before_the_first_event() -> None:
    told: list[Any] = [
        {"at": stamp(NOON + 4.2 * HOUR), "event": "mode", "from": None, "to": "forced_open"},
        {"at": stamp(NOON + 3.5 * HOUR), "event": "closed", "from": "half_open", "to": "closed"},
        {"at": stamp(NOON + 3.1 * HOUR), "event": "half_open", "from": "open", "to": "half_open"},
        {"at": stamp(NOON + 1.5 * HOUR), "event": "opened", "from": "closed", "to": "open"},
        {"at": stamp(NOON + 0.5 * HOUR), "event": "failed", "error": "x"},
    ]
    shown = states_over_time(told, NOON + 5 * HOUR, HOUR, 6, "closed")
    assert shown == ["", "closed", "open", "open", "open", "closed"]
    assert states_over_time(told, NOON + 5 * HOUR, HOUR, 6, "open")[-1] == "open", "another program opened it"
    assert states_over_time([], NOON, HOUR, 3, "open") == ["", "", ""]


def test_what_an_operator_did_is_told_of_the_hooks_that_it_changed() -> None:
    said = {"at": stamp(NOON), "action": "reset", "by": "ann", "why": "fixed", "id": "1"}
    before: Any = {"hooks": {"a": {"state": "open"}, "b": {"state": "closed"}, "c": {"state": "open"}}}
    after: Any = {"hooks": {"a": {"state": "closed"}, "b": {"state": "closed"}}}
    assert of_action(before, after, said) == [
        {**said, "hook": "a", "event": "action", "from": "open", "to": "closed"},
        {**said, "hook": "c", "event": "action", "from": "open", "to": "closed"},
    ]
    extras: Any = {"circuits": {"a": {"mode": "disabled", "until": None, "openings": 2}, "b": {"openings": 1}}}
    (told,) = of_modes(extras, {"circuits": {"b": {"openings": 3}}}, said)
    assert (told["hook"], told["event"], told["from"], told["to"]) == ("a", "mode", "disabled", None)


def test_events_are_told_apart_by_hook() -> None:
    told: list[Any] = [event(NOON, "b", "failed"), event(NOON, "a", "failed"), {"at": 3}, event(NOON, "b", "probe")]
    assert {hook: len(events) for hook, events in by_hook(told).items()} == {"b": 2, "a": 1}


lines = st.dictionaries(st.sampled_from(["at", "event", "from", "to", "hook"]), st.one_of(values, st.just("open")))


@given(st.lists(lines, max_size=8), st.floats(1, 4e9))
def test_whatever_stands_in_the_log_gives_figures_that_make_sense(told: list[Any], now: float) -> None:
    metrics = metrics_of(told, now)
    assert metrics.open_for >= 0
    assert 0 <= metrics.openings <= len(told)
    assert sum(period.failures for period in over_time(told, now, HOUR, 5)) <= len(told)
    assert len(states_over_time(told, now, HOUR, 5, "closed")) == 5

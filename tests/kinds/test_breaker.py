"""The circuit breaker as pure functions: it does what the tool that owns the file does, and never miscounts."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.codec import decode, encode
from statewatch.documents.values import JSON
from statewatch.kinds import breaker
from statewatch.kinds.base import RefusedError
from statewatch.kinds.breaker import Outcome, Record, asked, blank, bounded, failed, recorded, remaining, succeeded
from statewatch.kinds.hooks import COUNTERS, KIND, STATES, TIMES
from statewatch.kinds.policy import DEFAULTS, Policy, policy_from
from statewatch.kinds.times import instant
from tests.documents.strategies import values
from tests.support import SAMPLE, timeline, timeline_events

NOON = 1_794_830_400.0
AT_NOON = "2026-11-16T12:00:00.000000+00:00"
OPENED: Record = blank() | {
    "state": "open",
    "failure_count": 3,
    "consecutive_failures": 3,
    "first_failure": AT_NOON,
    "last_failure": AT_NOON,
    "last_error": "boom",
    "disabled_at": AT_NOON,
    "retry_after": "2026-11-16T12:05:00.000000+00:00",
}


def after_failures(count: int, policy: Policy = DEFAULTS, record: Record | None = None) -> Record:
    record = blank() if record is None else record
    for number in range(count):
        record = failed(record, f"error {number}", NOON + number, policy)
    return record


def fields(record: Any, *names: str) -> tuple[JSON, ...]:
    return tuple(record[name] for name in names)


def test_a_hook_that_fails_three_times_in_a_row_is_switched_off_for_five_minutes() -> None:
    record = after_failures(2)
    assert fields(record, "state", "failure_count", "consecutive_failures", "disabled_at") == ("closed", 2, 2, None)
    record = failed(record, "the last straw", NOON, DEFAULTS)
    assert record == OPENED | {"last_error": "the last straw"}
    assert asked(record, NOON + 299.9, DEFAULTS) is record
    assert asked(record, NOON + 300, DEFAULTS)["state"] == "half_open"


def test_a_success_in_between_begins_the_streak_anew_but_not_the_count() -> None:
    record = after_failures(2)
    record = succeeded(record, NOON + 5, DEFAULTS)
    assert fields(record, "failure_count", "consecutive_failures", "consecutive_successes") == (2, 0, 1)
    assert record["first_failure"] == AT_NOON
    assert after_failures(2, record=record)["state"] == "closed"


def test_two_successes_while_it_is_tested_close_it_and_clear_what_is_over() -> None:
    record = asked(OPENED, NOON + 400, DEFAULTS)
    assert fields(record, "state", "consecutive_failures", "disabled_at") == ("half_open", 0, AT_NOON)
    record = succeeded(record, NOON + 401, DEFAULTS)
    assert record["state"] == "half_open"
    record = succeeded(record, NOON + 402, DEFAULTS)
    cleared = ("first_failure", "last_error", "disabled_at", "retry_after")
    assert fields(record, "state", "failure_count", *cleared) == ("closed", 0, None, None, None, None)
    assert fields(record, "consecutive_successes", "last_failure") == (2, AT_NOON)


def test_any_failure_while_it_is_tested_switches_it_off_again_at_once() -> None:
    record = failed(asked(OPENED, NOON + 400, DEFAULTS), "still", NOON + 400, DEFAULTS)
    assert fields(record, "state", "failure_count", "consecutive_failures") == ("open", 4, 1)
    assert (instant(record["disabled_at"]), instant(record["retry_after"])) == (NOON + 400, NOON + 700)


def test_an_open_hook_that_still_runs_is_counted_and_stays_off_no_longer_for_it() -> None:
    record = failed(OPENED, "again", NOON + 60, DEFAULTS)
    assert fields(record, "state", "consecutive_failures", "disabled_at") == ("open", 4, AT_NOON)
    assert succeeded(record, NOON + 61, DEFAULTS)["state"] == "open"


@pytest.mark.parametrize("jump", [0.5, 300.0, 10 * 365 * 86_400.0])
def test_a_clock_that_jumped_back_keeps_no_hook_off_for_longer_than_the_cool_down(jump: float) -> None:
    record = asked(OPENED, NOON - jump, DEFAULTS)
    assert instant(record["disabled_at"]) == NOON - jump
    assert remaining(record, NOON - jump, DEFAULTS) == 300
    assert asked(record, NOON - jump + 300, DEFAULTS)["state"] == "half_open"


@pytest.mark.parametrize(
    ("record", "left"),
    [
        ({"state": "open", "disabled_at": AT_NOON, "retry_after": "2026-11-16T18:00:00+00:00"}, 240),
        ({"state": "open", "disabled_at": None, "retry_after": "2026-11-16T12:02:00+00:00"}, 60),
        ({"state": "open", "retry_after": "2036-11-16T12:02:00+00:00"}, 300),
        ({"state": "open"}, 0),
        ({"state": "open", "disabled_at": "gestern"}, 0),
    ],
)
def test_the_cool_down_of_now_decides_and_the_file_s_own_time_only_where_it_says_no_more(
    record: Record, left: float
) -> None:
    assert remaining(record, NOON + 60, DEFAULTS) == left


def test_a_back_off_cools_down_longer_each_time_up_to_its_limit() -> None:
    policy = Policy(cooldown=60, backoff=3, max_cooldown=1_000)
    assert [policy.cooldown_after(openings) for openings in range(6)] == [60, 60, 180, 540, 1_000, 1_000]
    assert policy.cooldown_after(10**9) == 1_000
    assert Policy(cooldown=60).cooldown_after(5) == 60
    assert Policy(cooldown=900, backoff=2, max_cooldown=300).cooldown_after(9) == 900
    record = failed(asked(OPENED, NOON + 400, policy), "x", NOON, policy, openings=1)
    assert instant(record["retry_after"]) == NOON + 180


# --- what other programs wrote


def test_every_run_of_the_real_timeline_comes_out_as_its_tool_wrote_it() -> None:
    """Each version of the file comes from one run of the tool; ours makes the same of the version before."""
    versions: list[Any] = [decode(data) for data in timeline("hook_state")]
    replayed = 0
    for (before, after), event in zip(pairwise(versions), timeline_events("hook_state")[1:], strict=True):
        program, *words = event.split()
        now = instant(after["global_stats"]["last_updated"])
        assert now is not None
        if program in ("CircuitBreaker", "circuit_breaker_wrapper.py"):
            hook, ran = words
            assert without_times(ours(before, hook, after["hooks"][hook]["last_error"], ran == "ok", now)) == (
                without_times(after)
            ), event
            replayed += 1
    assert replayed > 200


def ours(document: Any, hook: str, error: str | None, well: bool, now: float) -> JSON:
    if hook in document["hooks"]:
        tested = asked(document["hooks"][hook], now, DEFAULTS)
        document = {**document, "hooks": {**document["hooks"], hook: tested}}
    return breaker.record(document, [Outcome(hook, None if well else error or "")], now, DEFAULTS)


def without_times(document: Any) -> JSON:
    """Return a hook state with each time as whether there is one: two programs do not run in the same microsecond."""
    hooks = {
        name: {field: value is not None if field in TIMES else value for field, value in record.items()}
        for name, record in document["hooks"].items()
    }
    return {**document, "hooks": hooks, "global_stats": document["global_stats"] | {"last_updated": True}}


@pytest.mark.parametrize("home", ["home", "home_old", "home_rust"])
def test_the_style_of_the_file_its_unknown_fields_and_its_other_hooks_stay(home: str) -> None:
    document: Any = decode((SAMPLE / home / ".claude" / "hook_state.json").read_bytes())
    name = next(iter(document["hooks"]))
    document["hooks"][name]["owner"] = {"team": "infra"}
    document["schema"] = 7
    after: Any = breaker.record(document, [Outcome(name, "boom")], NOON, DEFAULTS)
    assert after["hooks"][name]["owner"] == {"team": "infra"}
    assert after["schema"] == 7
    assert list(after["hooks"]) == list(document["hooks"])
    assert all(after["hooks"][other] is document["hooks"][other] for other in document["hooks"] if other != name)
    assert len(after["hooks"][name]["last_failure"]) == len(document["global_stats"]["last_updated"])
    assert KIND.faults(after) == []


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"state": None, "failure_count": None, "consecutive_failures": None, "consecutive_successes": None},
        {"state": "  ", "failure_count": "many", "consecutive_failures": -4, "consecutive_successes": True},
    ],
)
def test_a_record_that_says_little_counts_from_zero_and_is_sound_afterwards(record: Record) -> None:
    assert fields(failed(record, "x", NOON, DEFAULTS), "state", *COUNTERS) == ("closed", 1, 1, 0)
    assert succeeded(record, NOON, DEFAULTS)["consecutive_successes"] == 1
    assert KIND.faults({"hooks": {"h": failed(record, "x", NOON, DEFAULTS)}, "global_stats": {}}) == []


def test_a_state_in_another_spelling_is_understood_and_one_that_nobody_knows_is_left_until_it_opens() -> None:
    assert asked(OPENED | {"state": "OPEN"}, NOON + 300, DEFAULTS)["state"] == "half_open"
    assert failed(OPENED | {"state": "half-open"}, "x", NOON, DEFAULTS)["state"] == "open"
    resting: Record = blank() | {"state": "resting"}
    assert succeeded(resting, NOON, DEFAULTS)["state"] == "resting"
    assert after_failures(2, record=resting)["state"] == "resting"
    assert after_failures(3, record=resting)["state"] == "open"


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], "expected an object, found a list"),
        ({"hooks": []}, "/hooks: expected an object, found a list"),
        ({"hooks": {}, "global_stats": 3}, "/global_stats: expected an object, found a number"),
        ({"hooks": {"h": "open"}}, "/hooks: 'h' is a text, not an object; mend the file first"),
        ({"hooks": {"h": None}}, "/hooks: 'h' is null, not an object; mend the file first"),
    ],
)
def test_what_is_no_hook_state_is_refused_with_the_place(document: JSON, where: str) -> None:
    with pytest.raises(RefusedError) as caught:
        breaker.record(document, [Outcome("h")], NOON, DEFAULTS)
    assert str(caught.value) == where


# --- errors


def test_a_long_error_is_cut_in_the_middle_so_that_both_what_and_where_stay() -> None:
    error = "Traceback (most recent call last)\n" + "x" * 100_000 + "\nValueError: the reason"
    kept = bounded(error, 2_000)
    assert len(kept) == 2_000
    assert kept.startswith("Traceback (most")
    assert kept.endswith("ValueError: the reason")
    assert "[cut: 100,057 characters in all]" in kept
    assert bounded("x" * 2_000, 2_000) == "x" * 2_000
    assert failed(blank(), error, NOON, Policy(error_length=500))["last_error"] == bounded(error, 500)


@given(st.text(max_size=300), st.integers(0, 200))
def test_a_bounded_error_is_never_longer_than_its_bound(error: str, length: int) -> None:
    assert len(bounded(error, length)) <= max(length, 0) or len(error) <= length


# --- laws

HOOKS = ("a", "b", 'we"ird\n&& [/x] \u202e')
policies = st.sampled_from([DEFAULTS, Policy(1, 0, 1), Policy(2, 10, 3, backoff=2.0), Policy(4, 300, 1)])
calls = st.lists(
    st.tuples(st.sampled_from(HOOKS), st.sampled_from(["ok", "fail", "ask"]), st.integers(-500, 500), policies),
    max_size=20,
)


def replayed(log: list[tuple[str, str, int, Policy]], document: JSON = None) -> dict[str, Any]:
    """Carry out a log of calls, each at a time relative to the one before, as callers of different policies do."""
    state: dict[str, Any] = breaker.blank_state(NOON) if document is None else dict(document)  # type: ignore[arg-type]
    now = NOON
    for hook, what, later, policy in log:
        now += later
        if what != "ask":
            state = breaker.record(state, [Outcome(hook, None if what == "ok" else what)], now, policy)
        elif hook in state["hooks"] and (after := asked(state["hooks"][hook], now, policy)):
            state = breaker.replaced(state, hook, after, now)
    return state


@given(calls)
def test_counters_add_up_whatever_is_called_in_whichever_order(log: list[tuple[str, str, int, Policy]]) -> None:
    state = replayed(log)
    runs = [(hook, what) for hook, what, *_ in log if what != "ask"]
    stats = state["global_stats"]
    assert stats["total_executions"] == len(runs)
    assert stats["total_failures"] == sum(what == "fail" for _, what in runs)
    assert stats["hooks_disabled"] == sum(record["state"] == "open" for record in state["hooks"].values())
    assert set(state["hooks"]) == {hook for hook, _ in runs}
    for hook, record in state["hooks"].items():
        assert record["failure_count"] <= runs.count((hook, "fail"))
        assert record["consecutive_successes"] <= runs.count((hook, "ok"))
        assert record["consecutive_failures"] == 0 or record["consecutive_successes"] == 0


@given(calls)
def test_no_path_leads_out_of_the_vocabulary_and_every_state_is_sound(
    log: list[tuple[str, str, int, Policy]],
) -> None:
    state = replayed(log)
    assert KIND.faults(state) == []
    for record in state["hooks"].values():
        assert record["state"] in STATES
        assert list(record) == list(blank())
        assert (record["disabled_at"] is not None) == (record["state"] != "closed")


@given(calls)
def test_a_log_replayed_by_one_process_or_by_a_new_one_for_each_call_gives_the_same_state(
    log: list[tuple[str, str, int, Policy]],
) -> None:
    """A new process has nothing but what stands in the file."""
    state: JSON = None
    for number in range(len(log)):
        earlier = sum(later for _, _, later, _ in log[:number])
        hook, what, later, policy = log[number]
        state = decode(encode(replayed([(hook, what, earlier + later, policy)], state)))
    assert state == (replayed(log) if log else None)


@given(st.lists(st.tuples(st.sampled_from(HOOKS), st.booleans()), max_size=30))
def test_a_batch_does_what_its_calls_would_do_one_by_one(runs: list[tuple[str, bool]]) -> None:
    outcomes = [Outcome(hook, None if well else "x") for hook, well in runs]
    together = recorded(breaker.blank_state(NOON), outcomes, NOON, DEFAULTS)
    alone: JSON = breaker.blank_state(NOON)
    opened = 0
    for outcome in outcomes:
        done = recorded(alone, [outcome], NOON, DEFAULTS, opened)
        alone, opened = done.document, done.opened
    assert together.document == alone
    assert together.opened == opened == together.document["global_stats"]["hooks_disabled"]  # type: ignore[index,call-overload]
    assert len(together.steps) == len(runs)


@given(st.dictionaries(st.sampled_from([*blank(), "owner"]), values), st.floats(1, 3e9))
def test_whatever_a_record_holds_it_is_counted_and_what_is_unknown_stays(record: Record, now: float) -> None:
    for after in (failed(record, "x", now, DEFAULTS), succeeded(record, now, DEFAULTS), asked(record, now, DEFAULTS)):
        assert after.get("owner") == record.get("owner")
        assert breaker.state_of(after)
    assert failed(record, "x", now, DEFAULTS)["consecutive_successes"] == 0


# --- policies


def test_settings_of_a_single_hook_are_its_own_and_the_rest_is_that_of_all() -> None:
    settings: JSON = {
        "circuit_breaker": {
            "cooldown_seconds": 60,
            "max_probes": 2,
            "backoff": 1.5,
            "enabled": "off",
            "hooks": {"slow": {"failure_threshold": 9, "probe_lease_seconds": 600}, "odd": {"failure_threshold": -1}},
        }
    }
    policy = policy_from(settings, {"GUARDRAILS_CIRCUIT_BREAKER_ENABLED": "1"})
    assert (policy.cooldown, policy.max_probes, policy.backoff, policy.enabled) == (60, 2, 1.5, True)
    assert policy.of("other") is policy
    own = policy.of("slow")
    assert (own.failure_threshold, own.probe_lease, own.cooldown) == (9, 600, 60)
    assert policy.of("odd").failure_threshold == 3
    assert policy_from(settings, {}).enabled is False


def test_parts_that_are_missing_or_null_are_made() -> None:
    after: Any = breaker.record({"hooks": None, "global_stats": None, "more": None}, [Outcome("h")], NOON, DEFAULTS)
    assert after == breaker.record({}, [Outcome("h")], NOON, DEFAULTS) | {"more": None}
    assert KIND.faults(after) == []

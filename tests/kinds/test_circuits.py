"""What an operator does to circuits, as pure functions: the target changes as asked, and nothing else changes."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.codec import decode, encode
from statewatch.documents.diff import diff
from statewatch.documents.values import JSON, same
from statewatch.kinds import circuits
from statewatch.kinds.base import Change, RefusedError, mapping
from statewatch.kinds.circuits import MANUAL
from statewatch.kinds.hooks import COUNTERS, KIND, STATES, TIMES, Policy, view
from statewatch.kinds.times import instant
from tests.documents.strategies import values
from tests.support import SAMPLE

NOON = 1_794_830_400.0
EARLIER = "2026-11-16T11:00:00.000000+00:00"
TRIPPED: dict[str, JSON] = {
    "state": "open",
    "failure_count": 4,
    "consecutive_failures": 3,
    "consecutive_successes": 0,
    "first_failure": EARLIER,
    "last_failure": EARLIER,
    "last_success": None,
    "last_error": "boom",
    "disabled_at": EARLIER,
    "retry_after": "2026-11-16T11:05:00.000000+00:00",
}
FRESH: dict[str, JSON] = (
    TRIPPED | dict.fromkeys(COUNTERS, 0) | dict.fromkeys(TIMES) | {"state": "closed", "last_error": None}
)
Verb = Callable[[JSON, Iterable[str], float, Policy], Change]
VERBS: dict[str, Verb] = {
    "reset": circuits.reset,
    "enable": circuits.enable,
    "half-open": circuits.half_open,
    "disable": circuits.disable,
}
verbs = pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())


def state(**records: JSON) -> dict[str, JSON]:
    return {"hooks": {**records}, "global_stats": {"hooks_disabled": 1, "total_executions": 9, "total_failures": 4}}


def after(verb: Verb, record: JSON, policy: Policy | None = None) -> dict[str, Any]:
    change = verb(state(h=record), ["h"], NOON, policy or Policy())
    return dict(mapping(mapping(mapping(change.document)["hooks"])["h"]))


def test_a_reset_hook_is_as_if_new_but_keeps_when_it_last_ran() -> None:
    assert after(circuits.reset, TRIPPED) == FRESH | {"last_failure": EARLIER}


def test_enabling_resets_what_is_not_closed_and_leaves_what_is() -> None:
    assert after(circuits.enable, TRIPPED) == after(circuits.reset, TRIPPED)
    failing = FRESH | {"failure_count": 2, "first_failure": EARLIER}
    change = circuits.enable(state(h=failing), ["h"], NOON, Policy())
    assert change.document == state(h=failing)
    assert change.evidence == ()


def test_half_open_tests_an_open_hook_at_once_and_keeps_since_when_it_is_off() -> None:
    tested = after(circuits.half_open, TRIPPED)
    assert tested == TRIPPED | {"state": "half_open", "consecutive_failures": 0}
    assert after(circuits.half_open, tested) == tested


@pytest.mark.parametrize(
    ("state_word", "reason"), [("closed", "runs already"), ("tripped", "Reset it"), (None, "Reset it")]
)
def test_only_an_open_circuit_can_be_tested(state_word: JSON, reason: str) -> None:
    with pytest.raises(RefusedError, match=f"hook 'h': .*{reason}"):
        after(circuits.half_open, TRIPPED | {"state": state_word})


def test_disabling_is_as_that_many_failures_in_a_row() -> None:
    record = after(circuits.disable, FRESH, Policy(failure_threshold=5, cooldown=60))
    assert record == {
        "state": "open",
        "failure_count": 5,
        "consecutive_failures": 5,
        "consecutive_successes": 0,
        "first_failure": "2026-11-16T12:00:00.000000+00:00",
        "last_failure": "2026-11-16T12:00:00.000000+00:00",
        "last_success": None,
        "last_error": MANUAL,
        "disabled_at": "2026-11-16T12:00:00.000000+00:00",
        "retry_after": "2026-11-16T12:01:00.000000+00:00",
    }


def test_disabling_a_failing_hook_goes_on_from_its_streak() -> None:
    failing = FRESH | {"failure_count": 7, "consecutive_failures": 2, "first_failure": EARLIER}
    record = after(circuits.disable, failing)
    assert (record["failure_count"], record["consecutive_failures"]) == (8, 3)
    assert record["first_failure"] == EARLIER


@pytest.mark.parametrize("word", ["open", "OPEN"])
def test_disabling_what_is_open_changes_nothing(word: str) -> None:
    assert after(circuits.disable, TRIPPED | {"state": word}) == TRIPPED | {"state": word}


def test_a_disabled_hook_is_off_for_one_cooldown_even_where_the_record_knows_no_times() -> None:
    record = after(circuits.disable, {"state": "closed"})
    assert record == {"state": "open", "disabled_at": "2026-11-16T12:00:00.000000+00:00"}


@pytest.mark.parametrize(
    "style", ["2026-11-16T11:00:00Z", "2026-11-16T11:00:00.123Z", "2026-11-16T11:00:00.123456789+00:00"]
)
def test_times_are_written_in_the_style_of_the_record(style: str) -> None:
    record = after(circuits.disable, FRESH | {"first_failure": style})
    assert len(record["disabled_at"]) == len(style)
    assert instant(record["disabled_at"]) == NOON


@verbs
def test_every_verb_done_twice_is_done_once(verb: Verb) -> None:
    once = verb(state(h=TRIPPED, other=FRESH), ["h"], NOON, Policy())
    twice = verb(once.document, ["h"], NOON + 60, Policy())
    assert same(twice.document, once.document)
    assert twice.evidence == ()


@verbs
def test_a_name_given_twice_counts_once(verb: Verb) -> None:
    assert verb(state(h=TRIPPED), ["h", "h"], NOON, Policy()).targets == ("h",)


@verbs
def test_the_result_is_valid_and_counts_its_open_circuits_right(verb: Verb) -> None:
    document = decode((SAMPLE / "home/.claude/hook_state.json").read_bytes())
    names = [hook.name for hook in view(document).hooks if hook.is_open]
    changed = KIND.refresh(verb(document, names, NOON, Policy()).document, NOON)
    assert KIND.faults(changed) == []
    assert mapping(mapping(changed)["global_stats"])["hooks_disabled"] == view(changed).count("open")


@verbs
@pytest.mark.parametrize("home", ["home", "home_old", "home_rust"])
def test_only_fields_of_the_target_change_in_a_real_file(verb: Verb, home: str) -> None:
    data = (SAMPLE / home / ".claude/hook_state.json").read_bytes()
    document = decode(data)
    for hook in view(document).hooks:
        try:
            change = verb(document, [hook.name], NOON, Policy())
        except RefusedError:
            continue
        assert {entry.path[:2] for entry in diff(document, change.document)} <= {("hooks", hook.name)}
        assert KIND.faults(change.document) == []
        assert encode(document) == encode(decode(data)), "the document itself is never changed"


names = st.sampled_from(["h", "a b", "x/y", "ünï", ""])
records = st.dictionaries(
    st.sampled_from(["state", *COUNTERS, *TIMES, "last_error", "owner"]),
    st.sampled_from([*STATES, 0, 3, None, EARLIER, "boom"]) | values,
)


@given(
    st.dictionaries(names, records | values, min_size=1, max_size=4),
    st.dictionaries(st.sampled_from(["global_stats", "x-meta"]), values),
    st.sampled_from([*VERBS.values()]),
    st.data(),
)
def test_whatever_the_file_holds_every_other_hook_and_field_stays(
    hooks: dict[str, JSON], rest: dict[str, JSON], verb: Verb, data: st.DataObject
) -> None:
    document: dict[str, JSON] = {**rest, "hooks": {**hooks}}
    kept = encode(document)
    target = data.draw(st.sampled_from([*hooks]))
    try:
        change = verb(document, [target], NOON, Policy())
    except RefusedError:
        return
    assert encode(document) == kept
    changed = mapping(change.document)
    assert list(changed) == list(document)
    assert list(mapping(changed["hooks"])) == list(hooks)
    for name, record in mapping(changed["hooks"]).items():
        if name != target:
            assert record is hooks[name]
    before, now = mapping(hooks[target]), mapping(mapping(changed["hooks"])[target])
    assert [key for key in now if key in before] == list(before), "keys stay, in their order"
    assert set(now) - set(before) <= {"state", "disabled_at"}
    assert all(same(now[key], before[key]) for key in before if key == "owner")
    faulty = {fault.pointer for fault in KIND.faults(document)}
    assert {fault.pointer for fault in KIND.faults(change.document)} <= faulty, "no new faults"


def test_reset_all_closes_everything_and_begins_the_statistics_anew() -> None:
    document = state(a=TRIPPED, b=FRESH, c=TRIPPED | {"state": "half_open"})
    change = circuits.reset_all(document, NOON, Policy())
    assert change.targets == ("a", "b", "c")
    assert [hook.state for hook in view(change.document).hooks] == ["closed"] * 3
    assert mapping(change.document)["global_stats"] == {
        "hooks_disabled": 1,
        "total_executions": 0,
        "total_failures": 0,
    }


def test_reset_all_adds_no_statistics_that_were_not_there() -> None:
    document: JSON = {"hooks": {"a": TRIPPED}, "global_stats": {"note": "x"}}
    assert mapping(circuits.reset_all(document, NOON, Policy()).document)["global_stats"] == {"note": "x"}
    empty: JSON = {"hooks": {}, "global_stats": {}}
    assert circuits.reset_all(empty, NOON, Policy()).document == empty


@verbs
def test_what_cannot_be_done_is_refused_with_a_hint(verb: Verb) -> None:
    with pytest.raises(RefusedError, match="no hook 'validate-fil'; near it: validate-file"):
        verb(state(**{"validate-file": TRIPPED}), ["validate-fil"], NOON, Policy())
    with pytest.raises(RefusedError, match=r"'a'.*'b'"):
        verb(state(h=TRIPPED), ["a", "b"], NOON, Policy())
    with pytest.raises(RefusedError, match="is not an object in the file"):
        verb(state(h="open"), ["h"], NOON, Policy())
    with pytest.raises(RefusedError, match="not a hook state"):
        verb({"hooks": []}, ["h"], NOON, Policy())

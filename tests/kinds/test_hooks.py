"""Hook states: what is shown equals what is there, whatever its age and style, and changes are told in words."""

import json
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given

from statewatch.documents.codec import decode
from statewatch.documents.values import JSON
from statewatch.kinds.hooks import CLOSED, HALF_OPEN, KIND, OPEN, Hook, Policy, first_line, needs, policy_from, view
from statewatch.kinds.registry import kind_of, sentences
from tests.documents.strategies import values
from tests.support import SAMPLE, timeline, timeline_events

TRUTH = json.loads((SAMPLE / "truth.json").read_bytes())["hook_state"]
OPENED = "2026-11-16T12:00:00.000000+00:00"
NOON = 1_794_830_400.0


def sample(path: str) -> JSON:
    return decode((SAMPLE / path).read_bytes())


def state(**records: JSON) -> JSON:
    return {"hooks": {**records}, "global_stats": {}}


def circuit(state: JSON = CLOSED, **fields: JSON) -> JSON:
    return {"state": state, **fields}


def only(record: JSON) -> Hook:
    (hook,) = view(state(a=record)).hooks
    return hook


def test_the_sample_is_shown_as_its_truth_says() -> None:
    document = sample(TRUTH["path"])
    seen = view(document)
    assert kind_of(document) is KIND
    assert len(seen.hooks) == TRUTH["hooks"]
    assert {name: seen.count(name) for name in (CLOSED, HALF_OPEN, OPEN)} == TRUTH["by_state"]
    assert sorted(hook.name for hook in seen.hooks if hook.is_open) == TRUTH["open"]
    assert sorted(hook.name for hook in seen.hooks if hook.state == HALF_OPEN) == TRUTH["half_open"]
    assert seen.total_executions == TRUTH["global_stats"]["total_executions"]
    assert seen.total_failures == TRUTH["global_stats"]["total_failures"]
    assert KIND.faults(document) == []
    assert [need.subject for need in needs(seen, Policy(), NOON)] == [
        hook.name for hook in sorted(seen.hooks, key=lambda each: each.rank) if hook.is_open
    ]


@pytest.mark.parametrize("home", ["home_old", "home_rust"])
def test_older_and_other_writers_of_the_format_are_read_as_well(home: str) -> None:
    document = sample(f"{home}/.claude/hook_state.json")
    assert kind_of(document) is KIND
    assert KIND.faults(document) == []
    assert all(hook.known for hook in view(document).hooks)


def test_command_lines_as_names_are_pointed_out() -> None:
    seen = view(sample("home_old/.claude/hook_state.json"))
    assert len(seen.hooks) == 6
    assert sum("its tool will rename it" in note for note in seen.notes) >= 2


def test_what_is_missing_or_null_is_unknown_and_not_zero() -> None:
    seen = view(sample("broken/hook_null_counts.json"))
    hook = seen.hooks[0]
    assert (hook.state, hook.failure_count, hook.consecutive_failures) == (OPEN, None, 3)
    assert seen.total_executions is None
    assert any("/global_stats" in note for note in seen.notes)


@pytest.mark.parametrize("word", ["tripped", "", "OK", None, 1, "closed?"])
def test_a_state_nobody_knows_is_never_healthy(word: JSON) -> None:
    hook = only(circuit(word))
    assert not hook.known
    assert hook.state != CLOSED
    assert hook.rank < only(circuit(CLOSED, failure_count=1)).rank
    assert needs(view(state(a=circuit(word))), Policy(), NOON)
    assert KIND.faults(state(a=circuit(word)))[0].pointer == "/hooks/a/state"


@pytest.mark.parametrize(("word", "meant"), [("OPEN", OPEN), ("half-open", HALF_OPEN), ("Closed ", CLOSED)])
def test_states_are_compared_as_words_but_kept_to_the_letter_by_validation(word: str, meant: str) -> None:
    assert only(circuit(word)).state == meant
    assert KIND.faults(state(a=circuit(word)))


def test_a_hook_that_is_only_a_word_is_shown_and_faulted() -> None:
    document = sample("broken/hook_hook_is_string.json")
    assert kind_of(document) is KIND
    assert [hook.state for hook in view(document).hooks] == [OPEN]
    assert "expected an object, found a text" in view(document).notes[0]


def test_unknown_fields_disturb_nothing() -> None:
    document = sample("broken/hook_extra_fields.json")
    assert kind_of(document) is KIND
    assert KIND.faults(document) == []
    assert only(circuit(owner="ops", nested={"a": [1]})).state == CLOSED


def test_times_of_mixed_styles_mean_what_they_say() -> None:
    hook = view(sample("broken/hook_naive_times.json")).hooks[0]
    assert hook.disabled_at is not None
    assert hook.retry_after == hook.disabled_at + 300
    assert view(sample("broken/hook_naive_times.json")).last_updated == 1794848400


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"hooks": {}, "global_stats": {}}, "hooks"),
        ({"hooks": {}}, "plain"),
        ({"hooks": {"PreToolUse": [{"matcher": "Bash"}]}}, "plain"),
        ({"hooks": {"a": {"consecutive_failures": 1}}}, "hooks"),
        ({"hooks": ["a"], "global_stats": {}}, "plain"),
        ([], "plain"),
        ("hooks", "plain"),
        ({"batch_id": "x", "features": []}, "batch"),
        ({"workflow_id": "x", "phases": {}}, "workflow"),
        ({"workflow_id": "x", "phases": []}, "plain"),
    ],
)
def test_content_decides_what_a_document_is(document: JSON, kind: str) -> None:
    assert kind_of(document).name == kind


@given(values)
def test_no_document_at_all_breaks_the_view(document: JSON) -> None:
    for shaped in (document, {"hooks": document}, state(a=document), state(a=circuit(document, last_error=document))):
        seen = view(shaped)
        needs(seen, Policy(), NOON)
        KIND.faults(shaped)
        KIND.sentences(state(), shaped)
        KIND.sentences(shaped, state(a=circuit()))
        KIND.refresh(shaped, NOON)
        sentences(state(a=circuit()), shaped)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("failure_count", -1, "a whole number from 0, found a number"),
        ("consecutive_failures", True, "a whole number from 0, found a boolean"),
        ("failure_count", 1.0, "a whole number from 0, found a number"),
        ("disabled_at", "soon", "an ISO 8601 time or null, found 'soon'"),
        ("retry_after", 1794848400, "an ISO 8601 time or null, found a number"),
        ("last_error", [], "a text or null, found a list"),
    ],
)
def test_faults_say_where_and_what_was_expected(field: str, value: JSON, expected: str) -> None:
    (fault,) = KIND.faults({"hooks": {"a/b~c": circuit(**{field: value})}, "global_stats": {}})
    assert fault.pointer == f"/hooks/a~1b~0c/{field}"
    assert fault.message == f"expected {expected}"


def test_records_shared_with_another_document_are_not_looked_at_again() -> None:
    bad, worse = circuit("odd"), circuit("odder")
    assert [fault.pointer for fault in KIND.faults(state(a=bad, b=worse), state(a=bad))] == ["/hooks/b/state"]


def test_statistics_that_count_wrong_are_told() -> None:
    document: JSON = {"hooks": {"a": circuit(OPEN)}, "global_stats": {"hooks_disabled": 3}}
    assert "the statistics say 3 disabled, the file has 1 open" in view(document).notes


def test_what_is_derived_is_refreshed_and_never_added() -> None:
    document: JSON = {
        "hooks": {"a": circuit(OPEN)},
        "global_stats": {"hooks_disabled": 3, "x": 1, "last_updated": OPENED},
    }
    assert KIND.refresh(document, NOON + 1) == {
        "hooks": {"a": circuit(OPEN)},
        "global_stats": {"hooks_disabled": 1, "x": 1, "last_updated": "2026-11-16T12:00:01.000000+00:00"},
    }
    assert KIND.refresh(state(a=circuit()), NOON) == state(a=circuit())


def test_the_order_of_an_operator_is_open_tested_unknown_failing_closed() -> None:
    seen = view(state(a=circuit(), b=circuit(failure_count=2), c=circuit("odd"), d=circuit(HALF_OPEN), e=circuit(OPEN)))
    assert [hook.name for hook in sorted(seen.hooks, key=lambda each: each.rank)] == ["e", "d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("record", "cooldown", "left"),
    [
        (circuit(OPEN, disabled_at=OPENED), 300, 240),
        (circuit(OPEN, disabled_at=OPENED), 30, -30),
        (circuit(OPEN, disabled_at=OPENED, retry_after="2026-11-16T18:00:00Z"), 300, 240),
        (circuit(OPEN, retry_after="2026-11-16T12:02:00Z"), 300, 60),
        (circuit(OPEN, disabled_at="2036-11-16T12:00:00Z"), 300, 300),
        (circuit(OPEN), 300, None),
        (circuit(HALF_OPEN, disabled_at=OPENED), 300, None),
        (circuit(CLOSED, disabled_at=OPENED), 300, None),
    ],
)
def test_the_policy_of_now_decides_when_an_open_circuit_is_due(
    record: JSON, cooldown: float, left: float | None
) -> None:
    assert only(record).remaining(Policy(cooldown=cooldown), NOON + 60) == left


def test_what_is_the_matter_with_an_open_circuit_is_said_in_one_line() -> None:
    policy = Policy(exclude=("damage",))
    record = circuit(OPEN, disabled_at=OPENED, last_error="\nTraceback (most recent call last)\n  x\nKeyError: 'y'\n")

    def what(name: str, now: float) -> str:
        (need,) = needs(view({"hooks": {name: record}}), policy, now)
        assert (need.subject, need.since) == (name, NOON)
        return need.what

    assert what("a", NOON + 60) == "open 1m, retry in 4:00: KeyError: 'y'"
    assert what("a", NOON + 900) == "open 15m, due for 10m, nothing has run it: KeyError: 'y'"
    assert "runs all the same (excluded by 'damage')" in what("damage-control", NOON)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, ""),
        ("\n \n", ""),
        ("\n  boom \nmore", "boom"),
        ('Traceback (most recent call last):\n  File "x"\nValueError: bad\n', "ValueError: bad"),
    ],
)
def test_the_line_that_says_most(error: str | None, line: str) -> None:
    assert first_line(error) == line


@pytest.mark.parametrize(
    ("settings", "environment", "policy"),
    [
        (None, {}, Policy()),
        (
            {"circuit_breaker": {"failure_threshold": 5, "cooldown_seconds": 60, "success_threshold": 1}},
            {},
            Policy(5, 60, 1),
        ),
        ({"circuit_breaker": {"failure_threshold": "4", "cooldown_seconds": 0}}, {}, Policy(4, 0)),
        ({"circuit_breaker": {"failure_threshold": 0, "cooldown_seconds": 86_401}}, {}, Policy()),
        ({"circuit_breaker": {"failure_threshold": True, "cooldown_seconds": None}}, {}, Policy()),
        ({"circuit_breaker": ["failure_threshold"]}, {}, Policy()),
        ("circuit_breaker", {}, Policy()),
        ({"circuit_breaker": {"exclude": ["damage", 7]}}, {}, Policy(exclude=("damage",))),
        ({"circuit_breaker": {"exclude": "damage"}}, {}, Policy()),
        (
            {"circuit_breaker": {"failure_threshold": 5}},
            {"GUARDRAILS_CIRCUIT_BREAKER_FAILURE_THRESHOLD": "7", "GUARDRAILS_CIRCUIT_BREAKER_COOLDOWN_SECONDS": "9"},
            Policy(7, 9),
        ),
        (None, {"GUARDRAILS_CIRCUIT_BREAKER_COOLDOWN_SECONDS": "soon"}, Policy()),
    ],
)
def test_the_policy_comes_from_settings_and_environment(
    settings: JSON, environment: Mapping[str, str], policy: Policy
) -> None:
    assert policy_from(settings, environment) == policy


def said(before: JSON, after: JSON) -> list[tuple[str, str, str]]:
    return [(line.subject, line.text, line.tone) for line in sentences(before, after)]


CHANGES: list[tuple[str, JSON, JSON, str, str]] = [
    ("ran", circuit(last_success=None), circuit(last_success=OPENED), "ran well", "info"),
    (
        "failed",
        circuit(failure_count=0, consecutive_failures=0),
        circuit(failure_count=1, consecutive_failures=1, last_error="boom\nx"),
        "failed (1 in a row): boom",
        "warn",
    ),
    ("failed, no streak", circuit(failure_count=0), circuit(failure_count=1), "failed", "warn"),
    (
        "tripped",
        circuit(),
        circuit(OPEN, consecutive_failures=3, last_error="boom"),
        "closed → open after 3 in a row: boom",
        "bad",
    ),
    ("tripped, no streak", circuit(), circuit(OPEN), "closed → open", "bad"),
    ("by hand", circuit(), circuit(OPEN, last_error="Manually disabled via CLI"), "closed → open by hand", "bad"),
    ("tested", circuit(OPEN), circuit(HALF_OPEN), "open → half_open", "warn"),
    ("recovered", circuit(HALF_OPEN), circuit(), "half_open → closed", "good"),
    ("cleared", circuit(failure_count=2), circuit(failure_count=0), "failures 2 → 0", "good"),
    ("cleared to nothing", circuit(failure_count=2), circuit(), "failures 2 → 0", "good"),
    ("else", circuit(x=1), circuit(x=2), "x 1 → 2", "info"),
]


@pytest.mark.parametrize(("before", "after", "text", "tone"), [pytest.param(*rest, id=name) for name, *rest in CHANGES])
def test_a_change_of_a_hook_in_words(before: JSON, after: JSON, text: str, tone: str) -> None:
    assert said(state(h=before), state(h=after)) == [("h", text, tone)]


def test_hooks_that_come_and_go_are_told() -> None:
    assert said(state(), state(a=circuit())) == [("a", "first seen, closed", "info")]
    assert said(state(b=circuit()), state(b=circuit(), a=circuit(OPEN))) == [("a", "first seen, open", "bad")]
    assert said(state(a=circuit(), b=circuit()), state(b=circuit())) == [("a", "gone from the file", "warn")]
    assert said(state(a=circuit(failure_count=0)), state(a=circuit(failure_count=False))) != []
    assert said(state(a=circuit()), state(a=circuit())) == []
    assert said(state(a=circuit()), []) == [("", "hooks → plain", "warn")]


def test_every_step_of_the_real_timeline_is_told_in_one_line_about_the_right_hook() -> None:
    """Each version comes from one run of one hook, and the index of the timeline says of which and how it went."""
    versions = [decode(data) for data in timeline("hook_state")]
    told = [said(before, after) for before, after in pairwise(versions)]
    assert {len(lines) for lines in told} == {1}
    for event, ((subject, text, _),) in zip(timeline_events("hook_state")[1:], told, strict=True):
        program, *rest = event.split()
        if program == "CircuitBreaker":
            assert subject == rest[0]
            assert "first seen" in text or ("failed" in text or "→ open" in text) == (rest[1] == "FAIL")
        if program == "claude-hooks":
            assert "by hand" in text or "first seen, open" in text
    opened = {subject for ((subject, text, tone),) in told if tone == "bad"}
    assert opened >= set(TRUTH["open"])

"""The circuits of other tools: read as their tools mean them, and closed as those would close them."""

import json
from typing import Any

import pytest
from hypothesis import given

from statewatch.documents.codec import decode
from statewatch.documents.values import JSON
from statewatch.kinds import field_circuits
from statewatch.kinds.base import Kind, RefusedError, put_back
from statewatch.kinds.declaration import Declaration
from statewatch.kinds.declared import DeclaredKind
from statewatch.kinds.declared_view import Circuit, CircuitsView, needs
from statewatch.kinds.registry import kind_of, kinds, sentences
from statewatch.kinds.times import instant
from tests.documents.strategies import values
from tests.support import SAMPLE

NOON = 1_794_830_400.0
"""2026-11-16 12:00:00 UTC."""
LOOP = "ralph-batch-20261115-090000-369009"


def sample(path: str) -> Any:
    return decode(next(SAMPLE.glob(path)).read_bytes())


def kind(document: JSON) -> DeclaredKind:
    found = kind_of(document)
    assert isinstance(found, DeclaredKind), found.name
    return found


def seen(document: JSON, now: float = NOON) -> CircuitsView:
    return kind(document).view(document).at(now)


def one(document: JSON, now: float = NOON) -> Circuit:
    (circuit,) = seen(document, now).circuits
    return circuit


def reset(document: JSON, now: float = NOON) -> Any:
    """Return the document with all its circuits closed, stamped as an action stamps it."""
    declared = kind(document)
    names = [circuit.name for circuit in declared.view(document).circuits]
    return declared.refresh(declared.reset(document, names, now).document, now)


@pytest.mark.parametrize(
    ("path", "name", "circuit", "state"),
    [
        ("project/.claude/batch-20261114*_retry_state.json", "retry", "batch-20261114-220501-118274", "open"),
        ("project/.claude/batch-20261115*_retry_state.json", "retry", "batch-20261115-090000-369009", "closed"),
        ("home/.autonomous-dev/*_loop_state.json", "loop", LOOP, "closed"),
        ("home/.autonomous-dev/*_checkpoint.json", "loop", LOOP, "closed"),
        ("ralph/.ralph/.circuit_breaker_state", "ralph", "ralph", "open"),
        ("project/.claude/local/drain_breaker.json", "drain", "drain", "open"),
        ("project/.claude/local/drain_budget.json", "budget", "drain budget", "closed"),
    ],
)
def test_the_sample_is_shown_as_it_is(path: str, name: str, circuit: str, state: str) -> None:
    document = sample(path)
    found = one(document)
    assert (kind(document).name, found.name, found.state, found.known) == (name, circuit, state, True)
    assert kind(document).faults(document) == []


def test_what_matters_about_a_retry_breaker_is_shown() -> None:
    circuit = one(sample("project/.claude/batch-20261114*_retry_state.json"))
    assert circuit.consecutive_failures == 5
    assert circuit.disabled_at == instant("2026-11-15T13:14:12.900887Z")
    assert dict(circuit.facts) == {"failures in a row": "5 of 5", "retries in all": "5 of 50", "items retried": "5"}


def test_a_loop_is_shown_with_what_it_has_used_and_its_last_error() -> None:
    circuit = one(sample("home/.autonomous-dev/*_checkpoint.json"))
    facts = dict(circuit.facts)
    assert (facts["iteration"], facts["tokens used"]) == ("22 of 5", "19,800 of 50,000")
    assert facts["item"] == "24 of 30"
    assert (circuit.last_error or "").startswith("SyntaxError")


def test_what_an_operator_is_told_about_open_circuits() -> None:
    loop = sample("ralph/.ralph/.circuit_breaker_state")
    (need,) = needs(seen(loop), NOON)
    assert (need.subject, need.what) == ("ralph", "open 7h, 3 in a row: No progress detected in 3 consecutive loops")
    (need,) = needs(seen(sample("project/.claude/local/drain_breaker.json")), NOON)
    assert need.what == "open 6h: 2 of 2 failures in a row"


class TestTimes:
    """Circuits that close by themselves when their time has come."""

    def test_a_pause_lasts_until_its_time(self) -> None:
        flag = sample("project/.claude/local/drain_paused.flag")
        ends = instant("2026-11-16T10:00:00.081972+00:00") or 0.0
        before = one(flag, ends - 200)
        assert (before.state, before.until) == ("open", ends)
        assert before.last_error == "2 consecutive failures — 4h cool-down"
        (need,) = needs(kind(flag).view(flag), ends - 200)
        assert "ends by itself in 3:20" in need.what
        assert one(flag, ends).state == "closed"
        assert needs(kind(flag).view(flag), ends) == []

    def test_three_failures_in_a_day_open_the_drain_until_the_first_is_a_day_old(self) -> None:
        times: list[JSON] = [f"2026-11-16T0{hour}:00:00+00:00" for hour in (3, 5, 8)]
        document: JSON = {"consecutive_failures": 0, "recent_failures": ["2026-11-14T08:00:00+00:00", *times]}
        open_ = one(document)
        assert (open_.state, open_.until) == ("open", instant("2026-11-17T03:00:00Z"))
        assert open_.last_error == "3 of 3 failures in a day"
        assert one(document, instant("2026-11-17T03:00:00Z") or 0.0).state == "closed"

    def test_two_in_a_row_open_the_drain_for_as_long_as_nobody_resets_it(self) -> None:
        document: JSON = {"consecutive_failures": 2, "recent_failures": []}
        assert one(document, NOON * 2).state == "open"

    @pytest.mark.parametrize("used", [{"today_drains": 10}, {"today_wall_seconds": 14_400.5}])
    def test_a_budget_is_used_up_until_its_day_ends_in_utc(self, used: dict[str, JSON]) -> None:
        document: JSON = {"date_utc": "2026-11-16", "today_drains": 1, "today_wall_seconds": 3, **used}
        midnight = instant("2026-11-17T00:00:00Z") or 0.0
        assert one(document, midnight - 1).state == "open"
        assert one(document, midnight).state == "closed"


class TestWords:
    """States are compared as people write them; what nobody knows is shown as it is, never as healthy."""

    @pytest.mark.parametrize(
        ("raw", "state"),
        [("CLOSED", "closed"), ("closed", "closed"), ("Half-Open", "half_open"), ("HALF_OPEN", "half_open")],
    )
    def test_case_and_hyphens_do_not_matter(self, raw: str, state: str) -> None:
        assert one({"consecutive_no_progress": 0, "state": raw}).state == state

    @pytest.mark.parametrize("raw", ["TRIPPED", "ok", "", None, 1, True, ["open"]])
    def test_an_unknown_word_is_not_healthy_and_is_told(self, raw: JSON) -> None:
        document: JSON = {"consecutive_no_progress": 0, "state": raw}
        circuit = one(document)
        assert not circuit.known
        assert circuit.state not in {"closed", "open", "half_open"}
        (need,) = needs(seen(document), NOON)
        assert "is not one that is known" in need.what
        (fault,) = kind(document).faults(document)
        assert fault.pointer == "/state"

    @pytest.mark.parametrize(("flag", "shown"), [("maybe", "maybe"), (1, "1"), (None, "null"), ([], "[]")])
    def test_a_flag_that_is_none_is_shown_as_it_is(self, flag: JSON, shown: str) -> None:
        circuit = one({"retry_counts": {}, "circuit_breaker_open": flag})
        assert (circuit.state, circuit.known) == (shown, False)

    def test_a_pause_whose_end_is_no_time_is_unknown(self) -> None:
        assert (one({"until_iso": "soon"}).state, one({"until_iso": "soon"}).known) == ("soon", False)

    def test_counts_that_are_none_leave_a_breaker_unknown(self) -> None:
        document: JSON = {"consecutive_failures": "many", "recent_failures": []}
        assert (one(document).state, one(document).known) == ("unknown", False)


class TestResets:
    """A reset does what the tool's own does, and nothing else."""

    def test_a_retry_breaker_closes_and_keeps_what_was_counted(self) -> None:
        before = sample("project/.claude/batch-20261114*_retry_state.json")
        assert reset(before) == before | {
            "consecutive_failures": 0,
            "circuit_breaker_open": False,
            "updated_at": "2026-11-16T12:00:00.000000Z",
        }

    @pytest.mark.parametrize("file", ["*_loop_state.json", "*_checkpoint.json"])
    def test_a_loop_closes_and_keeps_its_history(self, file: str) -> None:
        before = sample(f"home/.autonomous-dev/{file}") | {"circuit_breaker_open": True, "consecutive_failures": 3}
        assert reset(before) == before | {
            "consecutive_failures": 0,
            "circuit_breaker_open": False,
            "updated_at": "2026-11-16T12:00:00.000000Z",
        }

    def test_a_loop_breaker_closes_in_its_own_words(self) -> None:
        before = sample("ralph/.ralph/.circuit_breaker_state")
        assert reset(before) == before | {
            "state": "CLOSED",
            "consecutive_no_progress": 0,
            "consecutive_same_error": 0,
            "reason": "Manual reset via statewatch",
            "last_change": "2026-11-16T12:00:00+00:00",
        }
        assert reset(before | {"state": "open"})["state"] == "closed"

    def test_what_is_closed_already_is_left_as_it_is(self) -> None:
        closed: JSON = {"consecutive_no_progress": 0, "state": "CLOSED", "reason": "all well", "last_change": "x"}
        change = kind(closed).reset(closed, ["ralph"], NOON)
        assert (change.document, change.evidence) == (closed, ())

    def test_a_drain_forgets_its_failures_and_says_that_a_pause_is_another_matter(self) -> None:
        before = sample("project/.claude/local/drain_breaker.json")
        assert reset(before) == {"consecutive_failures": 0, "recent_failures": []}
        (note,) = kind(before).reset(before, ["drain"], NOON).notes
        assert "drain pause" in note

    def test_a_pause_ends_now_in_the_style_of_the_file(self) -> None:
        before = sample("project/.claude/local/drain_paused.flag")
        nine = NOON - 3 * 3_600
        after = reset(before, nine)
        assert after == before | {"until_iso": "2026-11-16T09:00:00.000000+00:00"}
        assert one(after, nine).state == "closed"
        assert reset(before, NOON) == before  # it is over

    def test_a_budget_is_given_back(self) -> None:
        before: JSON = {"date_utc": "2026-11-16", "today_drains": 10, "today_wall_seconds": 402.25}
        assert reset(before) == {"date_utc": "2026-11-16", "today_drains": 0, "today_wall_seconds": 0}

    def test_fields_that_are_not_there_are_not_added(self) -> None:
        assert reset({"retry_counts": {}, "circuit_breaker_open": True}) == {
            "retry_counts": {},
            "circuit_breaker_open": False,
        }

    def test_an_unknown_circuit_is_refused_with_the_near_ones(self) -> None:
        document = sample("project/.claude/local/drain_breaker.json")
        with pytest.raises(RefusedError, match="no circuit 'drian'; near it: drain"):
            kind(document).reset(document, ["drian"], NOON)

    def test_a_reset_that_was_put_back_is_noticed(self) -> None:
        before = sample("ralph/.ralph/.circuit_breaker_state")
        change = kind(before).reset(before, ["ralph"], NOON)
        assert put_back(change, before, before)
        assert put_back(change, before, before | {"consecutive_no_progress": 4, "current_loop": 8})
        assert not put_back(change, before, change.document)

    def test_counters_that_move_on_after_a_reset_are_news(self) -> None:
        before = sample("project/.claude/local/drain_breaker.json")
        change = kind(before).reset(before, ["drain"], NOON)
        assert put_back(change, before, before)
        assert not put_back(change, before, {"consecutive_failures": 1, "recent_failures": ["2026-11-16T12:00:01Z"]})


SERVICES: list[tuple[str, JSON, dict[str, str]]] = [
    (
        "services",
        {
            "services": {
                "mail": {"state": "half-open", "failure_count": 2, "last_failure_time": None, "error_type": None},
                "push": {"state": "OPEN", "failure_count": 7, "last_failure_time": NOON, "error_type": "Timeout"},
                "sms": {"state": "melted"},
            }
        },
        {"mail": "half_open", "push": "open", "sms": "melted"},
    ),
    (
        "groups",
        {"eu": {"db": {"failures": 0, "opened_at": None}}, "us": {"db": {"failures": 5, "opened_at": NOON - 60}}},
        {"eu/db": "closed", "us/db": "open"},
    ),
    (
        "switch",
        {"is_active": True, "activation_reason": "drawdown", "manual_reset_required": True, "last_reset": {}},
        {"emergency breaker": "open"},
    ),
    ("paused", {"is_paused": False, "by": None}, {"pause": "closed"}),
    ("suspended", {"scalper": {"suspended": True, "since": "2026-11-16T11:00:00Z"}, "grid": {"suspended": False}}, {}),
]


@pytest.mark.parametrize(("name", "document", "states"), SERVICES, ids=[name for name, _, _ in SERVICES])
def test_breakers_of_services_are_shown_and_not_touched(name: str, document: JSON, states: dict[str, str]) -> None:
    assert kind(document).name == name
    found = {circuit.name: circuit.state for circuit in seen(document).circuits}
    assert found == (states or {"scalper": "open", "grid": "closed"})
    assert not any(circuit.can_reset for circuit in seen(document).circuits)
    with pytest.raises(RefusedError, match="its own tool only"):
        kind(document).reset(document, list(found), NOON)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        {"services": {}},
        {"services": {"a": 1}},
        {"a": {"suspended": True}, "b": 1},
        {"consecutive_failures": 3, "state": "closed"},
        {"retries": {}},
        {"status": "running"},
    ],
)
def test_what_only_sounds_like_a_circuit_is_none(document: JSON) -> None:
    assert not isinstance(kind_of(document), DeclaredKind)


def test_a_checkpoint_of_a_loop_is_no_batch_though_it_has_its_items() -> None:
    document = sample("home/.autonomous-dev/*_checkpoint.json")
    assert {"batch_id", "features"} <= document.keys()
    assert kind(document).name == "loop"


class TestWithoutCircuits:
    """Files that tell more about a circuit."""

    def test_the_history_of_a_loop_breaker_is_read(self) -> None:
        view = seen(sample("ralph/.ralph/.circuit_breaker_history"))
        assert [entry.text for entry in view.log] == [
            "CLOSED → HALF_OPEN in loop 6: Monitoring: 2 loops without progress",
            "HALF_OPEN → OPEN in loop 7: No progress detected in 3 consecutive loops",
        ]
        assert view.log[1].at == instant("2026-11-16T05:00:00Z")

    def test_what_is_new_in_it_is_told(self) -> None:
        after = sample("ralph/.ralph/.circuit_breaker_history")
        (said,) = sentences(after[:1], after)
        assert said.text.startswith("HALF_OPEN → OPEN in loop 7")

    def test_an_empty_history_is_one_still(self) -> None:
        entries = sample("ralph/.ralph/.circuit_breaker_history")
        assert [each.text for each in sentences([], entries[:1])] == [
            "CLOSED → HALF_OPEN in loop 6: Monitoring: 2 loops without progress"
        ]
        assert [each.text for each in sentences(entries, [])] == ["emptied"]

    def test_the_status_of_a_loop(self) -> None:
        status: dict[str, JSON] = {
            "loop_count": 7,
            "calls_made_this_hour": 12,
            "max_calls_per_hour": 100,
            "status": "Running",
        }
        view = seen(status)
        assert (view.status, view.circuits) == ("running", ())
        assert dict(view.facts)["calls this hour"] == "12 of 100"
        (said,) = sentences(status, {**status, "status": "stopped"})
        assert said.text == "running → stopped"
        (said,) = sentences(status, {**status, "loop_count": 8})
        assert (said.text, said.routine) == ("loop 8", True)


class TestChangesInWords:
    """What happened to a circuit, as a person says it."""

    def said(self, before: Any, **fields: JSON) -> list[tuple[str, str, str]]:
        return [(each.subject, each.text, each.tone) for each in sentences(before, before | fields)]

    def test_opening_and_closing(self) -> None:
        retry = sample("project/.claude/batch-20261115*_retry_state.json")
        name = retry["batch_id"]
        opened = {"circuit_breaker_open": True, "consecutive_failures": 5}
        assert self.said(retry, **opened) == [(name, "closed → open after 5 in a row", "bad")]
        assert self.said(retry | opened, circuit_breaker_open=False) == [(name, "open → closed", "good")]
        assert self.said(retry, consecutive_failures=2) == [(name, "failed (2 in a row)", "warn")]
        assert self.said(retry, global_retry_count=8) == [(name, "retries in all 8 of 50", "info")]

    def test_a_pause_that_was_made_longer(self) -> None:
        flag = sample("project/.claude/local/drain_paused.flag")
        ((_, text, _),) = self.said(flag, until_iso="2026-11-16T14:00:00+00:00")
        assert text.startswith("open until 2026-11-16T14:00:00")

    def test_services_come_and_go(self) -> None:
        before: JSON = {"services": {"a": {"state": "closed"}, "b": {"state": "closed"}}}
        after: JSON = {"services": {"b": {"state": "closed"}, "c": {"state": "open"}}}
        told = [(each.subject, each.text) for each in sentences(before, after)]
        assert told == [("a", "gone from the file"), ("c", "first seen, open")]


def test_a_kind_of_ones_own_takes_a_few_lines() -> None:
    own = DeclaredKind(
        Declaration(name="deploys", noun="deploy lock", has=("/frozen",), label="deploys", state="/frozen",
                    words={"true": "open", "false": "closed"}, reason=("/why",), reset={"/frozen": False})
    )  # fmt: skip
    document: JSON = {"frozen": True, "why": "incident 12"}
    assert own.matches(document)
    (circuit,) = own.view(document).circuits
    assert (circuit.state, circuit.last_error) == ("open", "incident 12")
    assert own.reset(document, ["deploys"], NOON).document == {"frozen": False, "why": "incident 12"}


@given(values)
def test_no_document_breaks_a_kind(document: JSON) -> None:
    everything: tuple[Kind, ...] = (*field_circuits.KINDS, *field_circuits.GENERAL)
    for each in everything:
        assert isinstance(each, DeclaredKind)
        each.matches(document)
        view = each.view(document)
        assert isinstance(needs(view, NOON), list)
        each.linked(document)
        each.sentences(document, {})
        each.sentences({}, document)
        each.refresh(document, NOON)


CIRCUIT_FILES = [
    *SAMPLE.glob("project/.claude/local/drain_[!p]*.json"),
    *SAMPLE.glob("project/.claude/local/drain_paused.flag"),
    *SAMPLE.glob("ralph/.ralph/.circuit_breaker_state"),
]


@given(values)
def test_odd_values_in_every_field_break_no_kind_and_a_reset_adds_none(odd: JSON) -> None:
    for path in CIRCUIT_FILES:
        document = json.loads(path.read_bytes())
        declared = kind(document)
        for field in document:
            changed = document | {field: odd}
            needs(declared.view(changed), NOON)
            declared.sentences(document, changed)
            (circuit,) = declared.view(changed).circuits
            after: Any = declared.reset(changed, [circuit.name], NOON).document
            assert after.keys() == changed.keys()


def test_every_kind_has_a_name_and_a_noun_of_its_own() -> None:
    names = [each.name for each in kinds()]
    assert len(set(names)) == len(names)
    nouns = [each.declaration.noun for each in (*field_circuits.KINDS, *field_circuits.GENERAL)]
    assert len(set(nouns)) == len(nouns)

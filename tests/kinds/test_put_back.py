"""Telling an old copy that was written over an action from news about the same hook."""

from dataclasses import dataclass

import pytest

from statewatch.documents.values import JSON
from statewatch.kinds import circuits
from statewatch.kinds.base import Change, mapping, put_back
from statewatch.kinds.hooks import Policy
from tests.kinds.test_circuits import FRESH, NOON, TRIPPED, VERBS

LATER = "2026-11-16T12:00:00.100000+00:00"
FAILING = FRESH | {"failure_count": 2, "consecutive_failures": 2, "first_failure": "2026-11-16T11:30:00Z"}
STALE_ERROR = FRESH | {"last_error": "old", "failure_count": 3}
SPARSE: dict[str, JSON] = {"state": "open"}


def document(record: JSON) -> JSON:
    return {"hooks": {"h": record, "other": FRESH}, "global_stats": {}}


@dataclass(frozen=True)
class Case:
    verb: str
    before: dict[str, JSON]
    now: JSON  # None: the record as the action left it
    expected: bool


failed_again: dict[str, JSON] = {
    "failure_count": 5,
    "consecutive_failures": 4,
    "last_failure": LATER,
    "last_error": "new",
}
CASES = {
    "it holds": Case("reset", TRIPPED, None, False),
    "the old content exactly": Case("reset", TRIPPED, TRIPPED, True),
    "an old copy with one more failure on it": Case("reset", TRIPPED, TRIPPED | failed_again, True),
    "an old copy with a success on it": Case("reset", TRIPPED, TRIPPED | {"last_success": LATER}, True),
    "an old copy that its writer moved to half open": Case("reset", TRIPPED, TRIPPED | {"state": "half_open"}, True),
    "a new trip after the reset": Case(
        "reset", TRIPPED, TRIPPED | {"first_failure": LATER, "last_failure": LATER, "disabled_at": LATER}, False
    ),
    "one failure after the reset": Case(
        "reset", TRIPPED, FRESH | {"failure_count": 1, "consecutive_failures": 1, "first_failure": LATER}, False
    ),
    "a success after the reset": Case("reset", TRIPPED, FRESH | {"last_success": LATER}, False),
    "failures of a closed hook forgotten": Case("reset", FAILING, None, False),
    "failures of a closed hook back again": Case("reset", FAILING, FAILING, True),
    "failures of a closed hook back, and it tripped on them": Case(
        "reset", FAILING, FAILING | {"state": "open", "consecutive_failures": 3, "disabled_at": LATER}, True
    ),
    "an old error back again": Case("reset", STALE_ERROR, STALE_ERROR, True),
    "a bare record back again": Case("reset", SPARSE, SPARSE, True),
    "enabled, and back": Case("enable", TRIPPED, TRIPPED, True),
    "tested at once": Case("half-open", TRIPPED, None, False),
    "tested, and back to open as it was": Case("half-open", TRIPPED, TRIPPED | failed_again, True),
    "tested, failed and opened anew": Case("half-open", TRIPPED, TRIPPED | {"disabled_at": LATER}, False),
    "tested and recovered": Case("half-open", TRIPPED, FRESH | {"last_success": LATER}, False),
    "disabled": Case("disable", FRESH, None, False),
    "disabled, and closed as it was": Case("disable", FRESH, FRESH, True),
    "disabled, and an old copy with a success on it": Case("disable", FRESH, FRESH | {"last_success": LATER}, True),
    "disabled, and an old copy with a failure on it": Case(
        "disable", FRESH, FRESH | {"failure_count": 1, "first_failure": LATER}, True
    ),
    "disabled while half open, and back": Case(
        "disable", TRIPPED | {"state": "half_open"}, TRIPPED | {"state": "half_open"}, True
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_put_back_or_news(case: Case) -> None:
    before = document(case.before)
    change = VERBS[case.verb](before, ["h"], NOON, Policy())
    now = change.document if case.now is None else document(case.now)
    assert put_back(change, before, now) is case.expected


def test_one_of_many_hooks_put_back_is_enough() -> None:
    before: JSON = {"hooks": {"a": TRIPPED, "b": TRIPPED}, "global_stats": {}}
    change = circuits.reset_all(before, NOON, Policy())
    reset = mapping(mapping(change.document)["hooks"])
    assert put_back(change, before, {"hooks": {**reset, "b": TRIPPED}, "global_stats": {}})
    assert not put_back(change, before, change.document)


@pytest.mark.parametrize(
    "now", [None, [], {}, {"hooks": []}, {"hooks": {"other": FRESH}}, {"hooks": {"h": "open"}}, {"hooks": {"h": []}}]
)
def test_a_document_that_is_something_else_now_is_not_put_back(now: JSON) -> None:
    before = document(TRIPPED)
    assert not put_back(circuits.reset(before, ["h"], NOON, Policy()), before, now)


def test_a_change_that_changed_nothing_cannot_be_put_back() -> None:
    before = document(FRESH)
    change = circuits.reset(before, ["h"], NOON, Policy())
    assert not put_back(change, before, before)


@pytest.mark.parametrize(
    ("before", "after", "now", "expected"),
    [
        ({}, {"a": None}, {"a": None}, False),
        ({}, {"a": None}, {}, True),
        ({"a": None}, {}, {}, False),
        ({"a": None}, {}, {"a": None}, True),
        ({"a": 1}, {"a": True}, {"a": True}, False),
        ({"a": 1}, {"a": 1.0}, {"a": 1}, True),
    ],
)
def test_a_null_is_not_the_same_as_nothing(
    before: dict[str, JSON], after: dict[str, JSON], now: dict[str, JSON], expected: bool
) -> None:
    assert put_back(Change("save", ("a",), after, ((("a",),),)), before, now) is expected

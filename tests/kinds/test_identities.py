"""What changed in the lists of known documents: kinds say what tells the objects in them apart."""

from typing import Any

import pytest

from statewatch.documents.diff import apply
from statewatch.documents.lists import IDENTITIES
from statewatch.documents.patterns import pattern
from statewatch.documents.values import JSON, same
from statewatch.kinds.field_circuits import NAMED
from statewatch.kinds.registry import PLAIN, changes, identities, kind_of, kinds, noise

BATCH: dict[str, Any] = {
    "batch_id": "b",
    "features": ["one", "two", "three"],
    "current_index": 2,
    "failed_features": [],
    "updated_at": "2026-11-15T10:00:00Z",
}


def failed(index: int, error: str, at: str = "10:00") -> JSON:
    return {"error_message": error, "timestamp": f"2026-11-15T{at}:00Z", "feature_index": index}


def run(agent: str, status: str, at: str) -> JSON:
    return {"agent": agent, "status": status, "started_at": f"2026-11-15T{at}:00", "message": ""}


def told(before: JSON, after: JSON) -> list[str]:
    found = changes(before, after)
    assert same(apply(before, found), after)
    return [f"{change.op} {change.pointer}" for change in found]


def test_a_failure_that_goes_leaves_the_others_alone() -> None:
    before: JSON = {**BATCH, "failed_features": [failed(0, "a"), failed(1, "b"), failed(2, "c")]}
    after: JSON = {**BATCH, "failed_features": [failed(2, "c", "11:00"), failed(1, "b")]}
    assert told(before, after) == [
        "replace /failed_features/2/timestamp",
        "remove /failed_features/0",
        "move /failed_features/0",
    ]


def test_an_item_that_failed_twice_breaks_nothing() -> None:
    before: JSON = {**BATCH, "failed_features": [failed(1, "a"), failed(1, "b")]}
    after: JSON = {**BATCH, "failed_features": [failed(1, "a"), failed(1, "b"), failed(2, "c")]}
    assert told(before, after) == ["add /failed_features/2"]


def test_an_agent_is_told_from_its_own_second_run() -> None:
    before: JSON = {
        "session_id": "s",
        "agents": [run("planner", "failed", "10:00"), run("planner", "started", "11:00")],
    }
    after: JSON = {"session_id": "s", "agents": [run("planner", "completed", "11:00")]}
    assert told(before, after) == ["replace /agents/1/status", "remove /agents/0"]


def test_a_document_that_becomes_another_kind_is_compared_by_both() -> None:
    session: JSON = {"session_id": "s", "agents": []}
    found = identities({**BATCH, "x": 1}, session)
    assert {"/agents", "/failed_features"} <= found.keys()


@pytest.mark.parametrize("kind", [*kinds(), *NAMED, PLAIN], ids=lambda kind: kind.name)
def test_what_is_declared_can_be_used(kind: Any) -> None:
    for place, identity in kind.identities.items():
        pattern(place)
        assert isinstance(identity, tuple) or identity not in IDENTITIES[:4]  # those are found by themselves


def test_times_and_what_follows_from_the_rest_are_noise_and_counters_are_not() -> None:
    before: JSON = {
        "hooks": {"a": {"state": "closed", "failure_count": 1, "last_success": "2026-11-15T10:00:00Z"}},
        "global_stats": {"hooks_disabled": 0},
    }
    after: JSON = {
        "hooks": {"a": {"state": "open", "failure_count": 2, "last_success": "2026-11-15T11:00:00Z"}},
        "global_stats": {"hooks_disabled": 1},
    }
    assert kind_of(before).name == "hooks"
    rules = noise(before, ("/hooks/*/state",))
    assert [change.pointer for change in changes(before, after) if not rules.covers(change)] == [
        "/hooks/a/failure_count"
    ]

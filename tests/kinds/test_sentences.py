"""What happened to a document of each kind, in words that a person reads."""

import json
from typing import Any

import pytest

from statewatch.documents.merge_patch import apply_merge_patch
from statewatch.documents.values import JSON
from statewatch.kinds.details import details
from statewatch.kinds.registry import kind_of, kinds, sentences
from tests.support import SAMPLE

AT = "2026-11-16T08:00:00Z"
LATER = "2026-11-16T09:00:00Z"


def sample(path: str) -> Any:
    return json.loads((SAMPLE / path).read_text())


def hooks(**fields: Any) -> JSON:
    record = {"state": "closed", "consecutive_failures": 2, "failure_count": 2, "last_error": "x", **fields}
    return {"hooks": {"lint": record}, "global_stats": {"total_executions": 4}}


BATCH = {"batch_id": "b-1", "features": ["Add login", "Add retries"], "current_index": 0, "status": "in_progress"}
RETRY = {"batch_id": "b-1", "retry_counts": {"3": 1}, "circuit_breaker_open": False, "consecutive_failures": 1}
LOOP = {"session_id": "s-1", "current_iteration": 2, "circuit_breaker_open": False, "retry_history": []}
RALPH = {"state": "CLOSED", "consecutive_no_progress": 0, "reason": "", "last_change": AT}
RUN = {"loop_count": 3, "calls_made_this_hour": 2, "status": "running"}
PAUSE = {"until_iso": AT, "reason": "night", "triggered_by": "operator"}
SESSION = {
    "session_id": "s-1",
    "agents": [{"agent": "planner", "status": "started", "started_at": "2026-11-16T08:00:00"}],
}
ENDED = {**SESSION["agents"][0], "status": "failed", "message": "no plan\nat all"}  # type: ignore[dict-item]
PIPELINE = {"run_id": "r-1", "steps": {"plan": {"status": "running", "error": None}}, "mode": "full"}
SUMMED_UP = {"run_id": "r-1", "pipeline_steps": {"plan": {"status": "passed"}}, "mode": "full"}
CHECKPOINT = {"version": "2.0", "workflow_id": "w-1", "completed_agents": ["planner"], "current_agent": "reviewer"}
WORKFLOW = {"workflow_id": "w-1", "phases": {"plan": {"status": "in_progress"}}, "status": "initialized"}
ENTRY = {"value": 1, "timestamp": "2026-11-16T08:00:00"}
PROGRESS = {"workflow_id": "w-1", "progress_percentage": 40, "status": "in_progress", "updated_at": AT}
ARTIFACT = {"version": "2.0", "agent": "planner", "workflow_id": "w-1", "status": "completed"}
SENTINEL = {"hmac": "11", "nonce": "22", "run_id": "r-1", "mode": "full"}
LOG = [{"from_state": "CLOSED", "to_state": "OPEN", "loop": 6, "reason": "stuck", "timestamp": AT}]

STORIES: list[tuple[str, Any, Any, str]] = [
    (
        "hooks",
        hooks(),
        hooks(state="open", consecutive_failures=3, last_error="Tests failed\nx"),
        "lint closed → open after 3 in a row: Tests failed",
    ),
    ("hooks", hooks(), hooks(timeout=30), "lint timeout set to 30"),
    ("hooks", hooks(), {"global_stats": {"total_executions": 5}}, "global stats total executions 4 → 5"),
    (
        "batch",
        BATCH,
        {"failed_features": [{"feature_index": 1, "error_message": "Tests failed: 3 of 14"}]},
        'b-1 failed 1 "Add retries": Tests failed: 3 of 14',
    ),
    ("batch", BATCH, {"completed_features": [1]}, 'b-1 completed 1 "Add retries"'),
    (
        "batch",
        BATCH,
        {"git_operations": {"1": {"pr": {"success": False, "error": "no rights\nx"}}}},
        'b-1 pull request failed for 1 "Add retries": no rights',
    ),
    ("batch", BATCH, {"git_operations": {"0": {"commit": {"success": True}}}}, 'b-1 committed 0 "Add login"'),
    (
        "batch",
        BATCH,
        {"context_token_estimate": 12, "quality_metrics": {"1": {"score": 9}}},
        "b-1 context token estimate set to 12, quality metrics added",
    ),
    ("retry", RETRY, {"consecutive_failures": 2}, "b-1 failed (2 in a row)"),
    ("retry", RETRY, {"circuit_breaker_open": True, "consecutive_failures": 5}, "b-1 closed → open after 5 in a row"),
    ("retry", RETRY, {"note": "by hand"}, 'retry note set to "by hand"'),
    (
        "loop",
        LOOP,
        {"circuit_breaker_open": True, "retry_history": [{"iteration": 3, "error_message": "boom"}]},
        "s-1 closed → open: boom",
    ),
    ("loop", LOOP, {"current_iteration": 3}, "s-1 iteration 3 of 5"),
    (
        "ralph",
        RALPH,
        {"state": "OPEN", "consecutive_no_progress": 3, "reason": "stuck"},
        "ralph closed → open after 3 in a row: stuck",
    ),
    (
        "ralph log",
        LOG,
        [*LOG, {**LOG[0], "from_state": "OPEN", "to_state": "CLOSED", "reason": "reset"}],
        "ralph log OPEN → CLOSED in loop 6: reset",
    ),
    ("ralph run", RUN, {"status": "stopped", "exit_reason": "limit"}, "ralph run running → stopped: exit reason limit"),
    (
        "drain",
        {"consecutive_failures": 0, "recent_failures": []},
        {"consecutive_failures": 1},
        "drain failed (1 in a row)",
    ),
    ("pause", PAUSE, {"until_iso": LATER}, "drain pause open until 2026-11-16T09:00:00.000000+00:00: night"),
    ("pause", PAUSE, {"reason": "release"}, 'drain pause reason "night" → "release"'),
    (
        "budget",
        {"date_utc": "2026-11-16", "today_drains": 2, "today_wall_seconds": 9},
        {"today_drains": 10},
        "drain budget closed → open: 10 of 10 drains today",
    ),
    ("sentinel", SENTINEL, {"mode": "light"}, "sentinel mode light"),
    ("sentinel", SENTINEL, {"hmac": "33"}, "sentinel details changed"),
    (
        "recovery",
        {"saved_at": AT, "compact_summary": "", "status": "running"},
        {"status": "failed"},
        "recovery running → failed",
    ),
    (
        "session state",
        {"session_context": {"active_tasks": []}, "workflow_state": {}},
        {"session_context": {"active_tasks": ["x"]}},
        "session state active tasks 1",
    ),
    ("user state", {"batch_retry_enabled": True}, {"batch_retry_enabled": False}, "user state retries allowed no"),
    (
        "user state",
        {"batch_retry_enabled": True, "preferences": {"editor": "vi"}},
        {"preferences": {"editor": "nano"}},
        'user state preferences editor "vi" → "nano"',
    ),
    (
        "preferences",
        {"sessions": [], "corrections": [], "preferences": {}},
        {"corrections": [{"step": "plan"}]},
        "preferences corrections 1",
    ),
    (
        "completions",
        {"completions": {}, "session_id": "s"},
        {"completions": {"0": {"planner": True}}},
        "completions agents told of 1, scopes 1",
    ),
    ("drain pending", {"issues": [1], "cluster_tag": "x"}, {"issues": [1, 2]}, "drain pending issues 2"),
    (
        "watch manifest",
        {"trigger_ids": {}, "thresholds": {"down_events": 2}},
        {"thresholds": {"down_events": 3}},
        "watch manifest thresholds down events 2 → 3",
    ),
    (
        "progress",
        PROGRESS,
        {"status": "failed", "progress_percentage": 50},
        "progress in_progress → failed: percent 50 of 100",
    ),
    ("artifact", ARTIFACT, {"status": "failed"}, "artifact completed → failed"),
    ("prompts", {"session_id": "s", "prompts": ["mine"]}, {"prompts": ["mine", "too"]}, "prompts prompts 2"),
    (
        "ralph signals",
        {"done_signals": [], "completion_indicators": []},
        {"done_signals": [4]},
        "ralph signals done signals 1",
    ),
    (
        "ralph analysis",
        {"loop_number": 3, "analysis": {"is_stuck": False}},
        {"analysis": {"is_stuck": True}},
        "ralph analysis stuck yes",
    ),
    ("session", SESSION, {"agents": [ENDED]}, "s-1 planner failed: no plan"),
    ("session", SESSION, {"github_issue": 12}, "s-1 github issue set to 12"),
    ("pipeline", PIPELINE, {"steps": {"plan": {"status": "failed", "error": "boom"}}}, "r-1 plan failed: boom"),
    ("pipeline", PIPELINE, {"mode": "light"}, 'r-1 mode "full" → "light"'),
    ("run", SUMMED_UP, {"pipeline_steps": {"plan": {"status": "failed"}}}, "r-1 plan failed"),
    ("run", SUMMED_UP, {"mode": "light"}, 'r-1 mode "full" → "light"'),
    ("checkpoint", CHECKPOINT, {"completed_agents": ["planner", "reviewer"]}, "w-1 reviewer completed"),
    ("checkpoint", CHECKPOINT, {"current_agent": "doc-master"}, 'w-1 current agent "reviewer" → "doc-master"'),
    ("workflow", WORKFLOW, {"phases": {"plan": {"status": "failed", "error": "boom"}}}, "w-1 plan failed: boom"),
    ("workflow", WORKFLOW, {"context": {"plan_results": {}}}, "w-1 context added"),
    ("namespace", {"phase": ENTRY}, {"phase": {"value": 2}}, "phase 1 → 2"),
    ("file state", {"phase": {**ENTRY, "version": 1}}, {"phase": None, "x": {**ENTRY, "version": 1}}, "phase deleted"),
    (
        "services",
        {"services": {"api": {"state": "closed", "failure_count": 0}}},
        {"services": {"api": {"state": "open", "failure_count": 5}}},
        "api closed → open after 5 in a row",
    ),
    (
        "groups",
        {"g": {"x": {"failures": 0, "opened_at": None}}},
        {"g": {"x": {"failures": 3, "opened_at": 1_794_814_250}}},
        "g/x closed → open after 3 in a row",
    ),
    (
        "switch",
        {"is_active": False, "manual_reset_required": False},
        {"is_active": True, "activation_reason": "smoke"},
        "emergency breaker closed → open: smoke",
    ),
    ("paused", {"is_paused": False}, {"is_paused": True, "reason": "night"}, "pause closed → open: night"),
    ("suspended", {"plan": {"suspended": False}}, {"plan": {"suspended": True}}, "plan closed → open"),
]


@pytest.mark.parametrize(
    ("kind", "before", "change", "said"), STORIES, ids=[f"{each[0]}: {each[3]}" for each in STORIES]
)
def test_what_happened_in_words(kind: str, before: JSON, change: JSON, said: str) -> None:
    after = apply_merge_patch(before, change)
    assert (kind_of(before).name, kind_of(after).name) == (kind, kind)
    first = sentences(before, after)[0]
    assert f"{first.subject} {first.text}".strip() == said


def test_every_kind_has_its_story() -> None:
    assert {story[0] for story in STORIES} == {kind.name for kind in kinds()}


def test_what_failed_and_what_is_news_can_be_told_from_the_rest() -> None:
    tones = {story[3]: sentences(story[1], apply_merge_patch(story[1], story[2]))[0] for story in STORIES}
    assert tones["artifact completed → failed"].tone == "bad"
    assert tones["b-1 closed → open after 5 in a row"].tone == "bad"
    assert tones["s-1 iteration 3 of 5"].routine
    assert not tones["user state retries allowed no"].routine


def test_nothing_private_is_told() -> None:
    before = sample("project/.claude/local/implement_pipeline_state.json")
    assert before["hmac"] not in repr(sentences(before, {**before, "hmac": "33"}))


@pytest.mark.parametrize(
    ("before", "after", "said", "routine"),
    [
        ({"a": 1}, {"a": 1}, None, False),
        ({"at": AT, "a": 1}, {"at": LATER, "a": 1}, "at moved on", True),
        ({"at": AT, "a": 1}, {"at": LATER, "a": None}, "a cleared, was 1", False),
        ({"l": [1, 2, 3]}, {"l": [2, 3, 1]}, "l 2 moved there from l 0", False),
        ({"a_b": {"c_d": [1]}}, {"a_b": {"c_d": [1, 2]}}, "a b c d 1 set to 2", False),
        ({}, dict.fromkeys("abcde", 1), "a set to 1, b set to 1, c set to 1 and 2 more", False),
        ({"x": {}}, {}, "x removed", False),
        ([], {}, "the document [] → {}", False),
        ({"k" * 900: 1}, {}, f"{'k' * 79}… removed", False),
    ],
)
def test_details_are_named_with_their_places(before: JSON, after: JSON, said: str | None, routine: bool) -> None:
    found = details("x", before, after)
    assert [(each.subject, each.text, each.routine) for each in found] == ([("x", said, routine)] if said else [])

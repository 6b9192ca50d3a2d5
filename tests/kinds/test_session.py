"""Sessions of agents: who ran and who did not, what is stuck, and what may be changed in them."""

from typing import Any

import pytest
from hypothesis import given

from statewatch.documents.codec import decode
from statewatch.documents.values import JSON
from statewatch.kinds import session, workflow
from statewatch.kinds.base import RefusedError
from statewatch.kinds.registry import kind_of
from statewatch.kinds.session import EXPECTED, KIND, SessionView, ended, fail_stuck, parallel, started, view
from statewatch.kinds.times import instant
from tests.documents.strategies import values
from tests.support import SAMPLE

NOW = instant("2026-11-16T12:00:00", "local") or 0.0


def entry(agent: str, status: str = "completed", at: str = "10:00:00", **more: JSON) -> JSON:
    return {"agent": agent, "status": status, "started_at": f"2026-11-16T{at}", "message": "m", **more}


def made(*agents: JSON, **more: JSON) -> JSON:
    return {"session_id": "20261116-100000", "started": "2026-11-16T10:00:00", "agents": list(agents), **more}


def sample(name: str) -> SessionView:
    document = decode((SAMPLE / f"project/docs/sessions/{name}-pipeline.json").read_bytes())
    assert kind_of(document) is KIND
    assert KIND.faults(document) == []
    return view(document)


@pytest.mark.parametrize(
    ("name", "status", "runs", "missing"),
    [
        ("20261113-100211", "completed", 7, 0),
        ("20261114-144000", "failed", 5, 2),
        ("20261115-090030", "running", 4, 3),
        ("20261116-081500", "initialized", 0, 7),
        ("20261116-093000", "running", 5, 3),
    ],
)
def test_the_sessions_of_the_sample(name: str, status: str, runs: int, missing: int) -> None:
    seen = sample(name)
    assert (seen.workflow_id, seen.status, len(seen.runs), len(seen.missing)) == (name, status, runs, missing)
    assert [phase.name for phase in seen.phases if phase.status == "pending"] == list(seen.missing)


def test_an_agent_that_was_started_again_counts_once_with_its_last_run() -> None:
    seen = sample("20261116-093000")
    implementer = next(phase for phase in seen.phases if phase.name == "implementer")
    assert (implementer.status, implementer.note) == ("in_progress", "try 2: second try")
    assert ("runs", "5") in seen.facts


def test_an_agent_that_does_not_end_is_stalled_after_an_hour() -> None:
    seen = view(made(entry("researcher"), entry("planner", "started", "10:05:00")))
    began = seen.moved_at or 0.0
    assert workflow.needs(seen, began, began + 3_000) == []
    (need,) = workflow.needs(seen, began, began + 3 * 3_600)
    assert need.what == "stalled 3h in planner"


def test_a_failed_agent_is_told_with_what_it_said() -> None:
    seen = sample("20261114-144000")
    (need,) = workflow.needs(seen, seen.moved_at or 0.0, (seen.moved_at or 0.0) + 60)
    assert need.what == "failed in reviewer 1m ago: BLOCKED: 2 must-fix findings in auth/middleware.py"


def test_the_two_researchers_stand_for_the_one() -> None:
    others = [entry(name) for name in EXPECTED[1:]]
    assert view(made(*others)).missing == ("researcher",)
    assert view(made(*others)).status == "partial"
    assert view(made(entry("researcher-local"), *others)).status == "completed"


def test_what_had_to_be_assumed_is_said() -> None:
    seen = view(made(entry("planner", "vanished"), entry("reviewer", completed_at="2026-11-16T09:00:00"), 7))
    assert next(phase for phase in seen.phases if phase.name == "planner").status == "vanished"
    assert seen.notes == (
        "/agents/0/status: expected one of started, completed, failed",
        "/agents/2: expected an object, found a number",
        "reviewer ended before it began; it is taken to have taken no time",
    )


def test_runs_at_the_same_time() -> None:
    seen = view(
        made(
            entry("reviewer", at="10:00:00", completed_at="2026-11-16T10:10:00"),
            entry("security-auditor", at="10:05:00", completed_at="2026-11-16T10:20:00"),
            entry("doc-master", "started", at="10:15:00"),
        )
    )
    assert parallel(seen, NOW) == [("reviewer", "security-auditor"), ("security-auditor", "doc-master")]


def test_an_agent_ends_once() -> None:
    begun = started(made(), "planner", "go", NOW)
    done = ended(begun, "planner", "completed", "7 steps", NOW + 46.9, tools=["Read"], issue=101)
    assert ended(done, "planner", "completed", "again", NOW + 99) is done
    assert ended(done, "planner", "failed", "no", NOW + 99) is done
    (run,) = view(done).runs
    assert (run.status, run.message, run.tools, run.issue, run.seconds) == ("completed", "7 steps", ("Read",), 101, 46)
    exact = ended(begun, "planner", "completed", "ok", NOW + 1.5, began=NOW)
    assert view(exact).runs[0].seconds == 1.5


def test_one_that_failed_before_it_began_has_no_duration() -> None:
    (run,) = view(ended(made(), "implementer", "failed", "no context left", NOW)).runs
    assert (run.status, run.started_at == run.ended_at, run.seconds) == ("failed", True, None)


def test_fields_that_nobody_here_knows_stay() -> None:
    document: Any = made(entry("planner", "started", mood="good"), branch="main")
    after: Any = ended(document, "planner", "failed", "no", NOW)
    assert (after["branch"], after["agents"][0]["mood"]) == ("main", "good")
    assert document["agents"][0]["status"] == "started"


def test_a_stuck_agent_is_marked_failed_and_nobody_else() -> None:
    document = made(entry("researcher", completed_at="2026-11-16T10:01:00"), entry("planner", "started"))
    change = fail_stuck(document, "planner", "its terminal is gone", NOW)
    seen = view(change.document)
    assert [run.status for run in seen.runs] == ["completed", "failed"]
    assert seen.runs[1].message == "its terminal is gone"
    assert KIND.faults(change.document) == []
    with pytest.raises(RefusedError, match="ended already"):
        fail_stuck(document, "researcher", "", NOW)
    with pytest.raises(RefusedError, match="there is: researcher, planner"):
        fail_stuck(document, "reviewer", "", NOW)


def test_its_changes_in_words() -> None:
    before = made(entry("researcher", "started"))
    after = started(ended(before, "researcher", "completed", "4 patterns", NOW), "planner", "go", NOW)
    said = [(each.text, each.tone) for each in KIND.sentences(before, after)]
    assert said == [("researcher completed: 4 patterns", "good"), ("planner in progress: go", "info")]
    failed = ended(after, "planner", "failed", "boom\nand more", NOW)
    assert [each.text for each in KIND.sentences(after, failed)] == ["planner failed: boom", "running → failed"]


@given(values)
def test_no_document_is_too_odd_to_look_at(document: JSON) -> None:
    for odd in (document, {"agents": document, "session_id": document}, {"agents": [document], "started": document}):
        seen = session.view(odd)
        workflow.needs(seen, 0.0, 1.0)
        KIND.sentences(odd, made(entry("planner")))
        parallel(seen, 0.0)

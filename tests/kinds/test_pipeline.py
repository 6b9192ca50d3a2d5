"""Pipelines: which step runs, which failed and why, and what was kept of a run when it ended."""

from typing import Any

import pytest
from hypothesis import given

from statewatch.documents.codec import decode
from statewatch.documents.values import JSON
from statewatch.kinds import workflow
from statewatch.kinds.base import RefusedError
from statewatch.kinds.pipeline import KIND, RUN, STEPS, end_step, summed_up, view
from statewatch.kinds.registry import kind_of
from statewatch.kinds.times import instant
from tests.documents.strategies import values
from tests.support import SAMPLE

NOW = instant("2026-11-16T08:00:00+00:00") or 0.0


def read(path: str) -> Any:
    return decode((SAMPLE / path).read_bytes())


@pytest.mark.parametrize(
    ("run", "status", "progress"),
    [
        ("20261114-144200", "partial", "4 of 13"),
        ("a3f1b2c4d5e67890", "completed", "13 of 13"),
        ("b71c09aa41f2d3e8", "failed", "8 of 13"),
        ("c0ffee1234567890", "running", "6 of 13"),
    ],
)
def test_the_pipelines_of_the_sample(run: str, status: str, progress: str) -> None:
    document = read(f"tmp/pipeline_state_{run}.json")
    seen = view(document)
    assert kind_of(document) is KIND
    assert KIND.faults(document) == []
    assert (seen.workflow_id, seen.status, dict(seen.facts)["steps"]) == (run, status, progress)
    assert [phase.name for phase in seen.phases] == list(STEPS)


def test_a_skipped_step_has_a_reason_and_no_error() -> None:
    seen = view(read("tmp/pipeline_state_a3f1b2c4d5e67890.json"))
    skipped = [(phase.name, phase.note, phase.error) for phase in seen.phases if phase.status == "skipped"]
    assert skipped[0] == ("research_cache", "cache miss", None)


def test_a_step_that_does_not_end_is_stalled() -> None:
    seen = view(read("tmp/pipeline_state_c0ffee1234567890.json"))
    (need,) = workflow.needs(seen, seen.moved_at or 0.0, (seen.moved_at or 0.0) + 2 * 3_600)
    assert need.what == "stalled 2h in implement"


def test_a_summary_that_says_completed_too_early_is_not_believed() -> None:
    document = read("project/docs/sessions/20261114-144200-pipeline.json")
    seen = summed_up(document)
    assert kind_of(document) is RUN
    assert seen.status == "partial"
    assert seen.notes == ("its summary says completed, and 9 of 13 steps were never begun",)


def test_a_run_of_a_batch_is_no_batch() -> None:
    document = read("project/docs/sessions/b71c09aa41f2d3e8-pipeline.json")
    seen = summed_up(document)
    assert kind_of(document) is RUN
    assert (seen.status, seen.error) == ("failed", "reviewer: BLOCKING - signature compared with ==")
    assert (dict(seen.facts)["batch"], dict(seen.facts)["features"]) == ("batch-20261115-090000-369009", "#110")


def test_the_words_of_other_pipelines_are_understood_and_unknown_ones_left_as_they_are() -> None:
    states: list[JSON] = ["PENDING", "DONE", "PASS", "FAIL", "RUNNING", "SKIP", "HALTED"]
    document: JSON = {"run_id": "r", "steps": {f"s{at}": {"status": state} for at, state in enumerate(states)}}
    assert [phase.status for phase in view(document).phases] == [
        *("pending", "completed", "completed", "failed", "in_progress", "skipped", "HALTED")
    ]
    assert view(document).notes == ("/steps/s6/status: expected pending, running, passed, failed or skipped",)


def test_a_running_step_is_ended_in_the_style_of_the_file() -> None:
    document = read("tmp/pipeline_state_c0ffee1234567890.json")
    change = end_step(document, "implement", "failed", "its terminal is gone", NOW)
    after: Any = KIND.refresh(change.document, NOW)
    assert after["steps"]["implement"] == {
        "status": "failed",
        "started_at": "2026-11-16T07:22:45.046189+00:00",
        "completed_at": "2026-11-16T08:00:00.000000+00:00",
        "error": "its terminal is gone",
    }
    assert after["updated_at"] == "2026-11-16T08:00:00.000000+00:00"
    assert view(after).status == "failed"
    with pytest.raises(RefusedError, match="ended already"):
        end_step(document, "plan", "skipped", "", NOW)
    with pytest.raises(RefusedError, match="no step 'deploy'"):
        end_step(document, "deploy", "skipped", "", NOW)


def test_its_changes_in_words() -> None:
    before = read("tmp/pipeline_state_c0ffee1234567890.json")
    after = end_step(before, "implement", "skipped", "done by hand", NOW).document
    assert [each.text for each in KIND.sentences(before, after)] == [
        "implement skipped: done by hand",
        "running → partial",
    ]


@given(values)
def test_no_document_is_too_odd_to_look_at(document: JSON) -> None:
    odds: list[JSON] = [document, {"run_id": document, "steps": document}, {"steps": {"plan": document}}]
    for odd in odds:
        view(odd)
        KIND.sentences(odd, {})
    for odd in (document, {"pipeline_summary": document, "pipeline_steps": document, "features": document}):
        summed_up(odd)
        RUN.sentences(odd, {})

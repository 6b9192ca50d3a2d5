"""Checkpoints of workflows of agents: who is done, who is next, and how far one may go back."""

import json
from typing import Any

import pytest
from hypothesis import given

from statewatch.documents.codec import decode
from statewatch.documents.values import JSON
from statewatch.kinds.agent_checkpoint import KIND, PIPELINE, made, missing_artifacts, roll_back, view
from statewatch.kinds.base import RefusedError
from statewatch.kinds.registry import kind_of
from tests.documents.strategies import values
from tests.support import SAMPLE

TRUTH: dict[str, int] = json.loads((SAMPLE / "truth.json").read_bytes())["checkpoints"]
ARTIFACTS = SAMPLE / "project" / ".claude" / "artifacts"


def read(name: str) -> Any:
    return decode((ARTIFACTS / name / "checkpoint.json").read_bytes())


@pytest.mark.parametrize("name", TRUTH)
def test_the_checkpoints_of_the_sample_are_as_its_truth_says(name: str) -> None:
    document = read(name)
    seen = view(document)
    assert kind_of(document) is KIND
    assert KIND.faults(document) == []
    assert len(seen.completed) == TRUTH[name]
    assert seen.next_agent == (PIPELINE[TRUTH[name]] if TRUTH[name] < len(PIPELINE) else None)
    assert seen.status == ("resumable" if TRUTH[name] < 8 else "completed")
    assert missing_artifacts(seen, (path.name for path in (ARTIFACTS / name).iterdir())) == ()


def test_an_artifact_that_is_gone_is_named() -> None:
    assert missing_artifacts(view(read("20261115_090100")), ["manifest.json"]) == ("research.json", "architecture.json")


def test_an_agent_that_is_named_twice_counts_once() -> None:
    document = {**read("20261116_081700"), "completed_agents": ["orchestrator", "orchestrator", "deployer"]}
    seen = view(document)
    assert (seen.completed, seen.percentage) == (("orchestrator", "deployer"), 12)
    assert seen.notes == ("an agent is named more than once among the completed; each counts once",)


def test_one_of_a_newer_version_is_shown_and_never_changed() -> None:
    document = {**read("20261114_144200"), "version": "3.1"}
    assert view(document).notes == ("/version: expected 2.0 or older, found '3.1'",)
    assert len(view(document).completed) == 5
    with pytest.raises(RefusedError, match="newer"):
        roll_back(document, "planner")


def test_rolling_back_lets_the_workflow_go_on_from_an_agent() -> None:
    document = {**read("20261114_144200"), "branch": "main"}
    after: Any = roll_back(document, "test-master").document
    assert view(after).next_agent == "test-master"
    assert after["completed_agents"] == ["orchestrator", "researcher", "planner"]
    assert (after["current_agent"], after["branch"]) == ("test-master", "main")
    with pytest.raises(RefusedError, match="not among the completed"):
        roll_back(document, "doc-master")


def test_what_is_made_has_what_its_tool_demands_and_nothing_it_does_not_know() -> None:
    document: Any = made("20261116_081700", ["orchestrator"], "researcher", ["manifest.json"], None, 1_794_816_000.0)
    assert list(document) == list(read("20261116_081700"))
    assert document["created_at"] == "2026-11-16T08:00:00"
    assert KIND.faults(document) == []


def test_its_changes_in_words() -> None:
    before, after = read("20261115_090100"), read("20261114_144200")
    assert [each.text for each in KIND.sentences(before, after)] == ["test-master completed", "implementer completed"]
    assert next(each.text for each in KIND.sentences(after, before)) == "test-master no longer completed"


@given(values)
def test_no_document_is_too_odd_to_look_at(document: JSON) -> None:
    for odd in (document, {"completed_agents": document, "workflow_id": document, "version": document}):
        view(odd)
        KIND.sentences(odd, {})

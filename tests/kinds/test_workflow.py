"""Workflows and plain documents: what state they are in, what is the matter, and their changes in words."""

import json
from typing import Any

import pytest
from hypothesis import given

from statewatch.documents.codec import decode
from statewatch.documents.values import JSON
from statewatch.kinds.base import RefusedError, number, word
from statewatch.kinds.plain import brief
from statewatch.kinds.registry import PLAIN, kind_named, kind_of, kinds, sentences
from statewatch.kinds.workflow import KIND, fail_phase, needs, retry_phase, view
from tests.documents.strategies import values
from tests.support import SAMPLE

TRUTH = json.loads((SAMPLE / "truth.json").read_bytes())["seed_layouts"]["adw"]


def made(status: JSON = "initialized", **phases: JSON) -> JSON:
    return {"workflow_id": "w", "status": status, "phases": {**phases}, "spec": {"title": "T"}}


def phase(status: str, **fields: JSON) -> JSON:
    return {"status": status, **fields}


@pytest.mark.parametrize("name", TRUTH)
def test_the_workflows_of_the_sample_are_as_its_truth_says(name: str) -> None:
    document = decode((SAMPLE / f"project/.claude/workflows/{name}/state.json").read_bytes())
    seen = view(document)
    assert kind_of(document) is KIND
    assert seen.workflow_id == name
    assert seen.status == ("running" if "in_progress" in TRUTH[name] else TRUTH[name])
    assert bool(needs(seen, 0, 60)) == (TRUTH[name] == "failed")


def test_a_running_workflow_shows_what_is_still_to_come() -> None:
    seen = view(made(scout=phase("completed"), plan=phase("in_progress", started_at="2026-11-16T12:00:00")))
    assert [(each.name, each.status) for each in seen.phases] == [
        ("scout", "completed"),
        ("plan", "in_progress"),
        ("build", "pending"),
        ("review", "pending"),
    ]
    assert seen.is_running
    started = seen.phases[1].started_at
    assert started is not None
    assert seen.phases[1].seconds(started + 5) == 5
    assert seen.phases[1].seconds(started - 5) == 0
    assert seen.phases[2].seconds(started) is None


def test_phases_of_ones_own_get_no_company() -> None:
    assert [each.name for each in view(made(deploy=phase("completed"))).phases] == ["deploy"]


def test_a_failed_phase_is_a_need() -> None:
    (need,) = needs(view(made("failed", build=phase("failed", error="boom\nx"))), changed_at=0, now=90)
    assert (need.subject, need.what) == ("w", "failed in build 1m ago: boom")


def test_steps_are_told() -> None:
    before, after = made(scout=phase("in_progress")), made(scout=phase("failed", error="boom"))
    assert [(line.text, line.tone) for line in sentences(before, after)] == [
        ("scout failed: boom", "bad"),
        ("running → failed", "bad"),
    ]
    assert [line.text for line in sentences(made(), made(x=1))] == ["x unknown"]


def test_a_phase_that_is_no_object_is_named_by_its_pointer() -> None:
    document: JSON = {"workflow_id": "w", "phases": {"a/b": 1}}
    assert [fault.pointer for fault in KIND.faults(document)] == ["/phases/a~1b"]
    assert "expected an object, found a number" in view(document).notes[0]


def test_plain_documents_name_the_places_that_changed() -> None:
    before: JSON = {"a": 1, "b": {"c": [1, 2]}, "gone": "x" * 100}
    after: JSON = {"a": 2, "b": {"c": [1, 2, 3]}, "new": {"k": 1}}
    assert [(line.subject, line.text) for line in sentences(before, after)] == [
        ("/a", "1 → 2"),
        ("/b/c/2", "added 3"),
        ("/gone", f'removed "{"x" * 58}…'),
        ("", "1 more place changed"),
    ]
    assert brief({"a": 1}) == "an object of 1"
    assert brief([]) == "[]"


@given(values, values)
def test_every_change_of_any_document_is_told_and_nothing_else(before: JSON, after: JSON) -> None:
    from statewatch.documents.values import same

    assert bool(sentences(before, after)) is not same(before, after)
    for kind in (*kinds(), PLAIN):
        kind.faults(before)
        kind.sentences(before, after)
        kind.refresh(before, 0)


def test_kinds_are_found_by_name() -> None:
    assert [kind_named(kind.name) for kind in (*kinds(), PLAIN)] == [*kinds(), PLAIN]
    with pytest.raises(KeyError):
        kind_named("nothing")


@pytest.mark.parametrize(
    ("value", "meant"),
    [(3, 3), (3.0, 3), ("3", 3), (" 3 ", 3), (True, None), (3.5, None), ("³", None), ("3" * 20, None), (None, None)],
)
def test_counters_are_read_as_people_write_them(value: JSON, meant: int | None) -> None:
    assert number(value) == meant


def test_words_are_compared_without_case_and_hyphens() -> None:
    assert word(" Half-Open ") == word("half open") == "half_open"
    assert word(7) == ""


def sample(name: str) -> Any:
    return decode((SAMPLE / f"project/.claude/workflows/{name}/state.json").read_bytes())


def test_a_failed_phase_is_to_be_run_again() -> None:
    document = sample("adw-63f8bd05")
    after: Any = retry_phase({**document, "owner": "me"}, "build").document
    assert view(after).status == "running"  # between two phases
    assert list(after["phases"]) == ["scout", "plan"]
    assert (after["status"], after["error"], after["owner"]) == ("initialized", None, "me")
    assert KIND.faults(after) == []
    with pytest.raises(RefusedError, match="has not failed"):
        retry_phase(document, "plan")
    with pytest.raises(RefusedError, match="there is: scout, plan, build"):
        retry_phase(document, "deploy")


def test_a_phase_that_never_ends_is_marked_failed() -> None:
    document = sample("adw-81aa02fe")
    seen = view(fail_phase(document, "plan", "its terminal is gone", 1_794_838_980.0).document)
    assert (seen.status, seen.error) == ("failed", "its terminal is gone")
    assert seen.phases[1].completed_at == 1_794_838_980.0
    with pytest.raises(RefusedError, match="not in progress"):
        fail_phase(document, "scout", "", 0.0)

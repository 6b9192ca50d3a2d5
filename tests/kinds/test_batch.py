"""Batches: counts of distinct items from files as real tools and real people leave them, and changes in words."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given

from statewatch.documents.codec import decode
from statewatch.documents.values import JSON
from statewatch.kinds import batch_kind
from statewatch.kinds.batch import COMPLETED, FAILED, PENDING, SKIPPED, BatchView, needs, view
from statewatch.kinds.registry import kind_of, sentences
from tests.documents.strategies import values
from tests.support import SAMPLE, timeline

TRUTH = json.loads((SAMPLE / "truth.json").read_bytes())["batch_state"]


def broken(name: str) -> JSON:
    return decode((SAMPLE / "broken" / name).read_bytes())


def real() -> JSON:
    return decode((SAMPLE / TRUTH["path"]).read_bytes())


def made(**fields: Any) -> JSON:
    return {"batch_id": "b", "features": ["one", "two", "three", "four"], "status": "in_progress"} | fields


def outcomes(seen: BatchView) -> list[str]:
    return [item.outcome for item in seen.items]


def indices(seen: BatchView, outcome: str) -> list[int]:
    return [item.index for item in seen.items if item.outcome == outcome]


def test_the_sample_is_counted_as_its_truth_says() -> None:
    seen = view(real())
    assert kind_of(real()) is batch_kind.KIND
    assert (seen.batch_id, seen.status, seen.total) == (TRUTH["batch_id"], TRUTH["status"], TRUTH["total"])
    assert seen.count(COMPLETED) == TRUTH["completed"]
    assert indices(seen, FAILED) == TRUTH["failed_indices"]
    assert indices(seen, SKIPPED) == TRUTH["skipped_indices"]
    assert seen.current_index == TRUTH["current_index"]
    assert {str(item.index): item.tries for item in seen.items if item.tries} == TRUTH["retry_attempts"]
    assert sum(item.commit is not None for item in seen.items) <= TRUTH["git_features"]
    assert seen.count(PENDING) == seen.total - seen.processed
    assert seen.notes == ()
    assert batch_kind.KIND.faults(real()) == []


def test_an_item_that_failed_twice_counts_once_and_one_done_later_is_done() -> None:
    record = {"feature_index": 1, "error_message": "boom", "timestamp": "2026-11-15T10:00:00Z", "retry_count": 2}
    seen = view(made(failed_features=[{"feature_index": 1, "error_message": "first"}, record, {"feature_index": 2}]))
    assert indices(seen, FAILED) == [1, 2]
    assert (seen.items[1].error, seen.items[1].tries) == ("boom", 2)
    later = view(made(failed_features=[record], completed_features=[1], skipped_features=[{"feature_index": 1}]))
    assert outcomes(later) == [PENDING, COMPLETED, PENDING, PENDING]


def test_a_status_that_says_completed_does_not_hide_failures() -> None:
    seen = view(broken("batch_done_with_failures.json"))
    assert seen.status == "completed"
    assert seen.count(FAILED) == len(TRUTH["failed_indices"])
    (need,) = needs(seen, changed_at=0, now=0)
    assert "3 failed" in need.what


def test_features_that_are_objects_are_read_with_their_own_status() -> None:
    seen = view(broken("batch_features_dicts.json"))
    assert [(item.title, item.outcome) for item in seen.items] == [
        ("Fix import path", FAILED),
        ("Update README", COMPLETED),
    ]
    assert seen.items[0].error == "'NoneType' object is not callable"
    assert seen.items[1].duration == 12.5
    assert seen.status == "completed"
    assert "no status" in seen.notes[0]


def test_names_in_place_of_indices_are_understood() -> None:
    seen = view(broken("batch_names_not_indices.json"))
    assert outcomes(seen) == [COMPLETED, FAILED, PENDING]
    assert seen.items[1].error == "x"
    assert seen.status == "paused"


def test_an_index_outside_the_list_is_told_and_counted_nowhere() -> None:
    seen = view(broken("batch_index_out_of_range.json"))
    assert seen.processed <= seen.total
    assert any("not in the list" in note for note in seen.notes)
    assert any("the list counts" in note for note in seen.notes)


def test_a_hand_edited_file_is_read_without_its_timestamps() -> None:
    seen = view(broken("batch_hand_edited.json"))
    assert seen.total == 30
    assert seen.updated_at is None


@pytest.mark.parametrize(
    ("status", "shown", "known"),
    [
        ("Running", "running", True),
        ("in-progress", "in_progress", True),
        ("DONE?", "DONE?", False),
        (None, "unknown", False),
    ],
)
def test_a_word_nobody_knows_is_shown_as_it_is_and_never_as_healthy(status: JSON, shown: str, known: bool) -> None:
    seen = view(made(status=status))
    assert (seen.status, seen.known_status) == (shown, known)
    assert bool(needs(seen, 0, 0)) is not known


def test_items_that_were_passed_over_are_shown_as_holes() -> None:
    seen = view(made(current_index=3, completed_features=[0, 2]))
    assert [item.index for item in seen.holes] == [1]
    assert seen.current is not None
    assert seen.current.index == 3
    assert "1 passed over" in needs(seen, 0, 0)[0].what


@pytest.mark.parametrize("index", [None, -1, -100, "x", 0])
def test_an_odd_current_index_makes_no_holes_and_the_first_pending_item_is_next(index: JSON) -> None:
    seen = view(made(current_index=index, completed_features=[0]))
    assert seen.holes == ()
    assert seen.current is not None
    assert seen.current.index == 1


def test_a_batch_that_does_not_move_is_stalled_and_one_that_is_through_is_not() -> None:
    assert needs(view(made()), changed_at=1_000, now=1_300) == []
    assert needs(view(made()), changed_at=1_000, now=1_700)[0].what == "stalled 11m at 0/4"
    assert needs(view(made(completed_features=[0, 1, 2, 3])), changed_at=1_000, now=9_000) == []
    assert needs(view(made(status="paused")), changed_at=1_000, now=9_000) == []
    assert needs(view(made()), changed_at=1_000, now=1_061, stalled_after=60)[0].what.startswith("stalled")


def test_every_reason_is_in_the_one_need_of_a_batch() -> None:
    seen = view(made(status="failed", current_index=2, failed_features=[{"feature_index": 1}]))
    (need,) = needs(seen, 5, 9)
    assert (need.subject, need.what, need.since) == ("b", 'failed at 1/4, 1 failed, 1 passed over: "two"', 5)


@pytest.mark.parametrize("identity", [None, "", [], {"a": 1}])
def test_a_batch_without_a_name_is_called_unnamed(identity: JSON) -> None:
    assert view(made(batch_id=identity)).batch_id == "unnamed"


@given(values)
def test_no_document_at_all_breaks_the_view(document: JSON) -> None:
    for shaped in (
        document,
        made(features=document),
        made(failed_features=[document]),
        made(skipped_features=document),
    ):
        seen = view(shaped)
        assert seen.processed + seen.count(PENDING) == seen.total
        needs(seen, 0, 0)
        batch_kind.KIND.faults(shaped)
        batch_kind.KIND.sentences(made(), shaped)


@pytest.mark.parametrize(
    ("field", "value"),
    [("total_features", -5), ("total_features", 10**18), ("updated_at", 10**400), ("current_index", 10**30)],
)
def test_a_number_out_of_all_bounds_costs_nothing(field: str, value: JSON) -> None:
    assert view(made(**{field: value})).total == 4
    assert view({"batch_id": "b", "current_index": 0, field: value}).total in {0, 100_000}
    assert (
        view(made(features=[{"title": "x", "status": "completed", "duration_seconds": 10**400}])).items[0].duration
        is None
    )


def test_faults_name_what_the_owning_tool_would_stumble_over() -> None:
    document = made(batch_id=7, total_features="4", current_index=True, status="odd")
    assert [fault.pointer for fault in batch_kind.KIND.faults(document)] == [
        "/batch_id",
        "/total_features",
        "/current_index",
        "/status",
    ]


def said(before: JSON, after: JSON) -> list[str]:
    return [sentence.text for sentence in sentences(before, after)]


def test_every_step_of_the_real_timeline_is_told() -> None:
    versions = [decode(data) for data in timeline("batch_state")]
    told: list[str] = []
    for before, after in pairwise(versions):
        lines = sentences(before, after)
        assert lines
        assert {line.subject for line in lines} == {TRUTH["batch_id"]}
        told += [line.text for line in lines]
    final = view(versions[-1])
    for item in final.items:
        if item.outcome in {COMPLETED, SKIPPED}:
            assert any(text.startswith(f'{item.outcome} {item.index} "{item.title}"') for text in told)
    assert sum(text.startswith("failed ") for text in told) >= len(TRUTH["failed_indices"])
    assert told.count("context cleared") == TRUTH["auto_clear_count"]


def test_changes_of_a_batch_in_words() -> None:
    before = made(current_index=0, failed_features=[{"feature_index": 1, "error_message": "a"}])
    assert said(before, made(current_index=1, completed_features=[0], failed_features=[{"feature_index": 1}])) == [
        'completed 0 "one"'
    ]
    assert said(before, made(current_index=0)) == ['to be done again: 1 "two"']
    assert said(before, made(failed_features=[{"feature_index": 1}], status="paused")) == ["in_progress → paused"]
    assert said(before, {**before, "batch_id": "c"}) == ["new batch of 4 in place of b"]  # type: ignore[dict-item]
    assert said(made(), made(completed_features=[0, 1, 2, 3])) == ["completed 4 items, 0 to 3"]
    assert said(made(), made(failed_features=[{"feature_index": 2, "error_message": "x\ny"}])) == [
        'failed 2 "three": x'
    ]
    assert said(made(), made(notes="n")) == ['notes set to "n"']
    assert said(made(), made()) == []


def test_the_time_of_the_last_change_is_refreshed_in_its_style_and_never_added() -> None:
    now = 1_794_830_400.0
    fresh = batch_kind.KIND.refresh(made(updated_at="2026-11-15T10:00:00.123456Z"), now)
    assert fresh == made(updated_at="2026-11-16T12:00:00.000000Z")
    assert batch_kind.KIND.refresh(made(), now) == made()

"""Batches as their relatives in the field write them: items, names and times in every shape that was seen."""

from typing import Any

import pytest

from statewatch.documents.values import JSON
from statewatch.kinds import batch_kind
from statewatch.kinds.batch import COMPLETED, FAILED, PENDING, SKIPPED, BatchView, view
from statewatch.kinds.registry import kind_of


def counts(seen: BatchView) -> tuple[int, int, int, int]:
    return seen.count(COMPLETED), seen.count(FAILED), seen.count(SKIPPED), seen.count(PENDING)


def batch(**fields: Any) -> JSON:
    return {"batch_id": "b", "features": ["one", "two", "three"], "status": "in_progress"} | fields


TASKS: JSON = {
    "batchId": "wave-2",
    "tasks": [
        {"taskId": "t1", "title": "Add login", "status": "merged", "issueNumber": 7, "prNumber": 12},
        {"taskId": "t2", "title": "Add logout", "status": "failed", "error": "conflict"},
        {"taskId": "t3", "title": "Docs", "status": "in_progress"},
        {"taskId": "t4", "status": "sideways"},
    ],
    "currentIndex": 2,
    "startedAt": "2026-08-19T14:52:24.9-04:00",
}


def test_tasks_in_camel_case_are_items_and_what_was_assumed_is_said() -> None:
    seen = view(TASKS)
    assert kind_of(TASKS) is batch_kind.KIND
    assert (seen.batch_id, seen.current_index, counts(seen)) == ("wave-2", 2, (1, 1, 0, 2))
    assert [item.title for item in seen.items] == ["Add login", "Add logout", "Docs", "t4"]
    assert (seen.items[0].issue, seen.items[1].error) == (7, "conflict")
    assert seen.created_at is not None
    notes = " ".join(seen.notes)
    for said in ("camelCase", "'tasks'", "'sideways' of item 3", "no status"):
        assert said in notes


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"processed": ["a.md", "b.md"], "failed": [], "last_commit": "abc"}, (2, 0, 0, 0)),
        ({"processed": ["a.md"], "failed": ["b.md"]}, (1, 1, 0, 0)),
        ({"completed": ["a", "b", "c"]}, (3, 0, 0, 0)),
        ({"processed": [{"name": "a"}], "failed": [{"name": "b", "error": "x"}], "skipped": ["c"]}, (1, 1, 1, 0)),
    ],
)
def test_a_file_that_only_names_what_has_ended_is_a_batch_of_those(
    document: JSON, expected: tuple[int, int, int, int]
) -> None:
    seen = view(document)
    assert kind_of(document) is batch_kind.KIND
    assert counts(seen) == expected
    assert any("all that is known" in note for note in seen.notes)


@pytest.mark.parametrize("document", [{}, {"last_batch": 29}, {"completed": 3}, {"processed": 7}, {"done": []}])
def test_what_says_too_little_is_no_batch(document: JSON) -> None:
    assert kind_of(document) is not batch_kind.KIND


def test_outcomes_that_are_no_list_count_for_nothing_and_that_is_said() -> None:
    seen = view(batch(completed_features={"0": True}, skipped_features=None))
    assert counts(seen)[0] == 0
    assert "completed_features is an object and no list; it counts for nothing" in seen.notes


def test_outcomes_are_taken_by_index_by_name_and_by_object_alike() -> None:
    seen = view(
        batch(
            completedFeatures=["one"],
            failedFeatures=[{"featureIndex": 1, "errorMessage": "boom", "retryCount": 2}],
            skipped=[{"name": "three", "reason": "later", "category": "manual"}],
        )
    )
    assert counts(seen) == (1, 1, 1, 0)
    assert (seen.items[1].error, seen.items[1].tries) == ("boom", 2)
    assert (seen.items[2].error, seen.items[2].category) == ("later", "manual")


@pytest.mark.parametrize(
    ("at", "instant"),
    [
        ("2026-11-16T12:00:00Z", 1_794_830_400.0),
        ("2026-11-16T12:00:00.000000000+00:00", 1_794_830_400.0),
        ("2026-11-16 12:00:00", 1_794_830_400.0),
        (1_794_830_400, 1_794_830_400.0),
        ("", None),
        (None, None),
    ],
)
def test_times_of_every_style_are_read(at: JSON, instant: float | None) -> None:
    seen = view(batch(updated_at=at))
    assert seen.updated_at == instant
    assert any("read as UTC" in note for note in seen.notes) is (at == "2026-11-16 12:00:00")


def test_a_completed_batch_with_failures_and_items_left_says_so() -> None:
    seen = view(batch(status="completed", completed_features=[0], failed_features=[{"feature_index": 1}]))
    assert seen.notes == ("the status says completed, with 1 failed and 1 left",)
    assert view(batch(status="completed", completed_features=[0, 1, 2])).notes == ()


def test_git_steps_dependencies_and_interrupted_items_are_in_the_view() -> None:
    seen = view(
        batch(
            feature_dependencies={"2": [0, 1]},
            git_operations={
                "0": {"commit": {"success": True, "sha": "abc"}, "push": {"success": False, "error": "no"}}
            },
            failed_features=[{"feature_index": 1, "error_message": "Interrupted: process 7 ended"}],
        )
    )
    assert seen.items[2].needs == (0, 1)
    assert [(step.name, step.well, step.what) for step in seen.items[0].git] == [
        ("commit", True, "abc"),
        ("push", False, "no"),
    ]
    assert [item.index for item in seen.interrupted] == [1]


def test_duplicate_titles_are_items_of_their_own() -> None:
    seen = view(batch(features=["x", "x", "y" * 10_000, "a\nb\0"], completed_features=[1]))
    assert [item.outcome for item in seen.items] == [PENDING, COMPLETED, PENDING, PENDING]


@pytest.mark.parametrize(
    "change",
    [
        {"completed_features": [0, 1, 2]},
        {"completed_features": []},
        {"failed_features": [{"feature_index": 5, "error_message": "other", "timestamp": {"odd": 1}}]},
        {"skipped_features": [{"feature_index": 5, "reason": "later"}]},
        {"retry_attempts": {"7": 3}},
        {"git_operations": {"1": {"commit": {"sha": "def"}}}},
        {"feature_dependencies": {"9": [1]}},
        {"issue_numbers": [5]},
        {"features": [f"other {number}" for number in range(2_000)]},
        {"status": "paused"},
    ],
)
def test_the_next_revision_of_a_large_batch_is_seen_as_if_it_were_the_first(change: dict[str, Any]) -> None:
    before = batch(
        features=[f"item {number}" for number in range(2_000)],
        completed_features=[0, 1],
        failed_features=[{"feature_index": 5, "error_message": "boom"}],
        git_operations={"1": {"commit": {"sha": "abc"}}},
    )
    assert isinstance(before, dict)
    view(before)
    after = view({**before, **change})
    alone = view({**before, **change, "batch_id": "of another name"})
    assert after.items == alone.items
    assert view(before).items == view({**before, "batch_id": "once more"}).items

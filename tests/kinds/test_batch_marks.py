"""What happens to a batch: pure changes that add no field, lose none, and let no status lie."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.values import JSON
from statewatch.kinds import batch_changes, batch_marks, batch_merge
from statewatch.kinds.batch import view
from statewatch.kinds.batch_flight import Worker, flight_of, in_flight, recovered
from statewatch.kinds.batch_new import new_batch
from statewatch.kinds.batch_order import next_item, standing
from statewatch.kinds.batch_rules import faults
from statewatch.kinds.words import RefusedError, mapping

NOW = 1_794_830_400.0
STAMP = "2026-11-16T12:00:00.000000Z"
NOTHING: Any = None
HALF: Any = 1.5
DIGIT: Any = "7"
BAG: Any = {1}


def batch(total: int = 4, **fields: Any) -> dict[str, JSON]:
    return new_batch([f"item {index}" for index in range(total)], NOW - 60) | fields


def test_an_item_that_failed_and_was_done_later_is_done() -> None:
    after = batch_marks.failed(batch(notes="kept"), 0, "boom", NOW)
    assert after["failed_features"] == [{"feature_index": 0, "error_message": "boom", "timestamp": STAMP}]
    after = batch_marks.completed(batch_marks.failed(after, 0, "again", NOW), 0, NOW)
    assert (after["completed_features"], after["failed_features"]) == ([0], [])
    assert (after["current_index"], after["status"], after["updated_at"]) == (1, "in_progress", STAMP)
    assert after["notes"] == "kept"
    assert after.keys() == {**batch(), "notes": 0}.keys()


@pytest.mark.parametrize(
    ("done", "failed", "skipped", "status", "at"),
    [
        ([0, 1, 2, 3], [], [], "completed", 4),
        ([0, 1, 2], [], [3], "completed", 4),
        ([0, 1, 2], [3], [], "failed", 4),
        ([1, 2, 3], [], [], "in_progress", 0),
        ([3], [0], [], "in_progress", 1),
    ],
)
def test_a_batch_is_completed_only_when_every_item_is_and_never_passes_one_over(
    done: list[int], failed: list[int], skipped: list[int], status: str, at: int
) -> None:
    document: JSON = batch()
    for index in done:
        document = batch_marks.completed(document, index, NOW)
    for index in failed:
        document = batch_marks.failed(document, index, "x", NOW)
    for index in skipped:
        document = batch_marks.skipped(document, index, "later", NOW)
    fields = mapping(document)
    assert (fields["status"], fields["current_index"]) == (status, at)
    assert view(document).holes == ()
    assert faults(document) == []


def test_a_retry_brings_the_batch_back_to_the_item_and_a_paused_one_stays_paused() -> None:
    ended = batch_marks.failed(batch_marks.completed(batch(2), 0, NOW), 1, "x", NOW)
    again = batch_marks.cleared(ended, 1, NOW)
    assert (again["status"], again["current_index"], again["failed_features"]) == ("in_progress", 1, [])
    paused = batch_marks.failed(batch_marks.paused(batch(), NOW), 0, "x", NOW)
    assert batch_marks.cleared(paused, 0, NOW)["status"] == "paused"
    assert batch_marks.resumed(paused, NOW)["status"] == "in_progress"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda document: batch_marks.completed(document, 4, NOW), "numbered 0 to 3"),
        (lambda document: batch_marks.completed(document, -1, NOW), "no item -1"),
        (lambda document: batch_marks.completed(document, HALF, NOW), "no item 1.5"),
        (lambda document: batch_marks.completed(document, NOTHING, NOW), "no item None"),
        (lambda document: batch_marks.with_tokens(document, HALF, NOW), "a whole number, not 1.5"),
        (lambda document: batch_marks.context_cleared(document, 0, DIGIT, NOW), "a whole number, not '7'"),
        (lambda document: batch_marks.failed(document, 0, "x", NOW, DIGIT), "a whole number, not '7'"),
        (lambda document: batch_marks.skipped(document, 0, BAG, NOW), "the reason cannot be recorded"),
        (lambda document: batch_marks.git_recorded(document, 0, "push", {"at": BAG}, NOW), "/at is of the type set"),
        (lambda document: batch_marks.cleared(document, 0, NOW), "has not failed"),
        (lambda document: batch_marks.unskipped(document, 0, NOW), "not skipped"),
        (lambda document: batch_marks.skipped(batch_marks.completed(document, 0, NOW), 0, "", NOW), "is done"),
        (lambda document: batch_marks.git_recorded(document, 0, "merge", {}, NOW), "no step of git"),
        (lambda _: batch_marks.completed({"batch_id": "b", "current_index": 0}, 0, NOW), "another tool"),
        (lambda _: batch_marks.completed({"processed": ["a"]}, 0, NOW), "another tool"),
        (lambda _: batch_marks.completed({"hooks": {}}, 0, NOW), "no batch"),
        (lambda d: batch_marks.completed({**d, "completed": ["item 0"]}, 0, NOW), "names its items"),
        (lambda d: batch_marks.completed({**d, "failed_features": {}}, 0, NOW), "/failed_features is no list"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(change: Any, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        change(batch())


def test_the_next_item_honours_order_and_dependencies() -> None:
    document = batch(feature_order=[2, 0], feature_dependencies={"2": [3], "1": [0]})
    assert next_item(document) == (0, (2,))
    assert next_item(document, taken=[0]) == (3, (2, 1))
    assert next_item(batch_marks.completed(document, 3, NOW)).item == 2
    failed = batch_marks.failed(batch_marks.failed(document, 0, "x", NOW), 3, "x", NOW)
    assert next_item(failed) == (None, (2, 1))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"features": []}, "at least one"),
        ({"features": "abc"}, "not from one text"),
        ({"features": ["a", 3]}, "item 1 is of the type int"),
        ({"features": ["a"], "batch_id": "../x"}, "cannot be the id"),
        ({"features": ["a"], "batch_id": ".hidden"}, "cannot be the id"),
        ({"features": 5}, "not from int"),
        ({"features": ["a"], "batch_id": 5}, "5 cannot be the id"),
        ({"features": ["a"], "features_file": None}, "features_file is a text"),
        ({"features": ["a"], "issue_numbers": [1, 2]}, "2 issue numbers for 1"),
        ({"features": ["a"], "issue_numbers": ["x"]}, "'x' is not the number of an issue"),
        ({"features": ["a", "b"], "feature_dependencies": {"x": ["y"]}}, "item 'x' builds on"),
        ({"features": ["a", "b"], "feature_order": [0, 0]}, "each item from 0 to 1 once"),
        ({"features": ["a", "b"], "feature_dependencies": {0: [7]}}, "only the items 0 to 1"),
        ({"features": ["a", "b"], "feature_dependencies": {0: [1], 1: [0]}}, "in a circle"),
    ],
)
def test_what_cannot_be_a_batch_is_refused(arguments: Any, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        new_batch(now=NOW, **arguments)


def test_odd_items_are_items() -> None:
    odd = ["a\nb", "../../etc", "\0", "x" * 10_000, "same", "same"]
    document = new_batch(odd, NOW)
    assert document["features"] == odd
    assert str(document["batch_id"]).startswith("batch-20261116-120000-")
    assert new_batch(iter(["a", "b"]), NOW)["features"] == ["a", "b"]
    assert faults(document) == []


@pytest.mark.parametrize(
    ("fields", "pointer", "expected"),
    [
        ({"batch_id": 7}, "/batch_id", "expected a text, found 7"),
        ({"status": "odd"}, "/status", "expected one of in_progress, running"),
        ({"total_features": 9}, "/total_features", "expected 4"),
        ({"features": [1, "b", "c", "d"]}, "/features/0", "expected a text"),
        ({"completed_features": [0, 99]}, "/completed_features/1", "expected an index from 0 to 3, found 99"),
        ({"failed_features": [{}]}, "/failed_features/0/feature_index", "found null"),
        ({"skipped_features": [3]}, "/skipped_features/0", "expected an object"),
        ({"retry_attempts": {"x": 1}}, "/retry_attempts/x", "the index of a feature"),
    ],
)
def test_faults_name_the_place_and_what_was_expected(fields: Any, pointer: str, expected: str) -> None:
    (fault,) = faults(batch(**fields))
    assert fault.pointer == pointer
    assert expected in fault.message


def test_a_worker_that_is_gone_leaves_its_item_as_interrupted() -> None:
    gone, there = Worker(7, 1, "here", NOW), Worker(8, 1, "here", NOW)
    document = batch_marks.completed(batch(), 3, NOW)
    flight = flight_of(document, {0: gone, 1: there, 3: gone})
    workers = in_flight(flight, document)
    assert workers == {0: gone, 1: there, 3: gone}
    assert in_flight(flight, {**document, "batch_id": "another"}) == {}
    after, left, interrupted = recovered(document, workers, lambda worker: worker.pid == 8, NOW)
    assert (left, interrupted) == ({1: there}, [0])
    assert [item.index for item in view(after).interrupted] == [0]


def test_saving_a_batch_that_others_have_changed_loses_neither() -> None:
    base = batch_marks.failed(batch(), 0, "old", NOW - 9)
    mine: dict[str, JSON] = {
        **base,
        "completed_features": [1],
        "context_token_estimate": 70,
        "quality_metrics": {"1": 2},
        "note": 1,
    }
    theirs = batch_marks.with_tokens(batch_marks.completed(base, 0, NOW), 5, NOW)
    result = mapping(batch_merge.merged(base, mine, theirs, NOW))
    assert result["completed_features"] == [0, 1]
    assert result["failed_features"] == []
    assert (result["context_token_estimate"], result["note"], result["current_index"]) == (75, 1, 2)


def test_operators_name_items_by_number_or_title_and_are_asked_where_that_is_not_clear() -> None:
    document = new_batch(["1", "two", "two"], NOW)
    assert batch_changes.find(document, "two") == (1, 2)
    assert batch_changes.find(document, "2") == (2,)
    assert (batch_changes.find(document, "#1"), batch_changes.find(document, "=1")) == ((1,), (0,))
    for name, said in (("1", "write '#1' or '=1'"), ("9", "no item 9"), ("nine", "no item 'nine'")):
        with pytest.raises(RefusedError, match=said):
            batch_changes.find(document, name)


marks = st.lists(
    st.tuples(st.sampled_from(["done", "fail", "skip", "retry", "unskip"]), st.integers(0, 3)), max_size=12
)


@given(marks)
def test_whatever_happens_the_batch_stays_valid_and_says_the_truth(steps: list[tuple[str, int]]) -> None:
    document: JSON = batch()
    verbs = {name: getattr(batch_changes, name) for name in ("done", "fail", "skip", "retry", "unskip")}
    for verb, index in steps:
        try:
            document = verbs[verb](document, [index], NOW).document
        except RefusedError:
            continue
    found, fields = standing(document), mapping(document)
    assert faults(document) == []
    assert (fields["status"] == "completed") is (not found.left and not found.failed)
    assert view(document).holes == ()

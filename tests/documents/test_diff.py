"""Differences between documents: they are complete, exact in types, can be applied, taken back, and know conflicts."""

import copy
from itertools import pairwise

import pytest
from hypothesis import given

from statewatch.documents.codec import decode, encode
from statewatch.documents.diff import Change, ConflictError, apply, compose, diff, invert
from statewatch.documents.values import JSON, depth, same
from tests.documents.strategies import values
from tests.support import timeline


@given(values, values)
def test_a_diff_turns_the_one_document_into_the_other(before: JSON, after: JSON) -> None:
    assert same(apply(before, diff(before, after)), after)


@given(values, values)
def test_an_inverted_diff_takes_it_back(before: JSON, after: JSON) -> None:
    assert same(apply(after, invert(diff(before, after))), before)


@given(values)
def test_equal_documents_have_no_differences(document: JSON) -> None:
    assert diff(document, copy.deepcopy(document)) == []


@given(values, values)
def test_only_documents_that_are_the_same_have_no_differences(before: JSON, after: JSON) -> None:
    assert (diff(before, after) == []) == same(before, after)


@given(values, values)
def test_applying_leaves_the_original_as_it_was(before: JSON, after: JSON) -> None:
    kept = encode(before)
    apply(before, diff(before, after))
    assert encode(before) == kept


TRAPS: list[tuple[JSON, JSON]] = [
    (True, 1),
    (False, 0),
    (1, 1.0),
    (0.0, -0.0),
    ([True], [1]),
    ({"a": [1, {"b": 0}]}, {"a": [1, {"b": False}]}),
    (None, {}),
    ([], {}),
    ("1", 1),
]


@pytest.mark.parametrize(("before", "after"), TRAPS)
def test_values_that_python_calls_equal_differ_in_type(before: JSON, after: JSON) -> None:
    changes = diff(before, after)
    assert len(changes) == 1
    assert same(apply(before, changes), after)
    assert not same(before, after)


def nested(levels: int, leaf: JSON) -> JSON:
    document = leaf
    for level in range(levels):
        document = [document] if level % 2 else {"a": document}
    return document


def test_nearly_five_hundred_levels_are_no_trouble() -> None:
    before, after = nested(490, 1), nested(490, True)
    assert depth(before) == 490
    changes = diff(before, after)
    assert len(changes[0].path) == 490
    assert same(apply(before, changes), after)
    assert same(decode(encode(after)), after)


def test_an_insertion_into_a_list_is_one_change() -> None:
    numbers: JSON = list(range(100))
    changes = diff(numbers, [*range(50), 1_000, *range(50, 100)])
    assert changes == [Change("add", (50,), None, 1_000)]
    assert changes[0].pointer == "/50"


def test_the_order_of_keys_is_no_difference_and_is_kept() -> None:
    before: JSON = {"b": 1, "a": {"y": 1, "x": 2}}
    assert diff(before, {"a": {"x": 2, "y": 1}, "b": 1}) == []
    after = apply(before, diff(before, {"b": 1, "a": {"x": 3, "y": 1}, "c": 0}))
    assert encode(after) == encode({"b": 1, "a": {"y": 1, "x": 3}, "c": 0})


def test_changes_of_others_elsewhere_stay() -> None:
    before: JSON = {"mine": 1, "theirs": 1, "list": [1]}
    changes = diff(before, {"mine": 2, "theirs": 1, "list": [1]})
    assert apply({"mine": 1, "theirs": 5, "list": []}, changes) == {"mine": 2, "theirs": 5, "list": []}


@pytest.mark.parametrize(
    "moved_on",
    [
        {"a": 2, "b": [1]},
        {"a": True, "b": [1]},
        {"b": [1]},
        {"a": [], "b": [1]},
        [],
        None,
    ],
)
def test_a_change_that_no_longer_applies_is_named(moved_on: JSON) -> None:
    before: JSON = {"a": 1, "b": [1]}
    with pytest.raises(ConflictError) as caught:
        apply(moved_on, diff(before, {"a": 9, "b": [1]}))
    assert caught.value.pointers == ["/a"]


@pytest.mark.parametrize(
    ("document", "change"),
    [
        ({"a": 1}, Change("add", ("a",), None, 2)),
        ({"a": 1}, Change("remove", ("b",), 1, None)),
        ({"a": 1}, Change("remove", ("a",), 2, None)),
        ([1], Change("add", (2,), None, 2)),
        ([1], Change("add", (-1,), None, 2)),
        ([1], Change("remove", (1,), 1, None)),
        ([1], Change("replace", ("0",), 1, 2)),
        ("text", Change("replace", (0,), "t", "x")),
        ({"a": "text"}, Change("add", ("a", "b"), None, 1)),
        (1, Change("add", (), None, 1)),
    ],
)
def test_a_change_is_refused_where_its_place_is_not_as_expected(document: JSON, change: Change) -> None:
    with pytest.raises(ConflictError):
        apply(document, [change])


def test_every_conflict_is_named_in_one_go() -> None:
    before: JSON = {"a": 1, "b/c": 1, "d": 1}
    with pytest.raises(ConflictError, match="/a, /b~1c"):
        apply({"a": 5, "b/c": 5, "d": 1}, diff(before, {"a": 2, "b/c": 2, "d": 2}))


@pytest.mark.parametrize("name", ["hook_state", "batch_state"])
def test_the_timeline_of_a_real_file_can_be_walked_forth_and_back(name: str) -> None:
    versions = [decode(data) for data in timeline(name)]
    for before, after in pairwise(versions):
        changes = diff(before, after)
        assert same(apply(before, changes), after)
        assert same(apply(after, invert(changes)), before)


def test_many_keys_come_and_go() -> None:
    before: dict[str, JSON] = {f"hook-{number}": {"runs": number} for number in range(200)}
    after: dict[str, JSON] = {**before, "new": {}, "hook-7": {"runs": 0}}
    del after["hook-100"]
    changes = diff(before, after)
    assert {(change.op, change.pointer) for change in changes} == {
        ("replace", "/hook-7/runs"),
        ("remove", "/hook-100"),
        ("add", "/new"),
    }
    assert same(apply(before, changes), after)


COMPOSED: list[tuple[list[JSON], list[tuple[str, str]]]] = [
    ([{"a": 1}, {"a": 2}, {"a": 3}], [("replace", "/a")]),
    ([{"a": 1}, {"a": 2}, {"a": 1}], []),
    ([{}, {"a": {}}, {"a": {"b": [1]}}, {"a": {"b": [1, 2]}}], [("add", "/a")]),
    ([{}, {"a": 1}, {}], []),
    ([{"a": 1}, {}, {"a": 1}], []),
    ([{"a": 1}, {}, {"a": 2}], [("replace", "/a")]),
    ([{"a": 1}, {"a": 2}, {}], [("remove", "/a")]),
    ([{"a": [1]}, {"a": 5}, {"a": [1, 2]}, {"a": [1]}], []),
    ([[1, 2], [1, 2, 3], [1, 2, 4]], [("add", "/2")]),
    ([[1, 2, 3], [9, 2, 3], [2, 3]], [("replace", "/0"), ("remove", "/0")]),
    ([{"a": {"b": 1}}, {"a": {"b": 2}}, {"a": 5}], [("replace", "/a/b"), ("replace", "/a")]),
    ([[[1], [2], 3], [3, [1], [2]], [3, [1, 0], [2]]], [("move", "/0"), ("add", "/1/1")]),
]


@pytest.mark.parametrize(("versions", "expected"), COMPOSED)
def test_changes_of_one_place_become_one(versions: list[JSON], expected: list[tuple[str, str]]) -> None:
    whole: list[Change] = []
    for before, after in pairwise(versions):
        whole = compose(whole, diff(before, after))
    assert [(change.op, change.pointer) for change in whole] == expected
    assert same(apply(versions[0], whole), versions[-1])


def test_changes_that_do_not_follow_one_another_are_put_together_and_refused_when_made() -> None:
    whole = compose([Change("add", ("a",), None, {"b": 1})], [Change("replace", ("a", "b"), 7, 8)])
    with pytest.raises(ConflictError, match="/a/b"):
        apply({}, whole)
    whole = compose([Change("replace", ("a",), 1, 2)], [Change("replace", ("a",), 7, 8)])
    with pytest.raises(ConflictError, match="/a"):
        apply({"a": 1}, whole)


def test_a_move_to_where_nothing_can_be_leaves_the_rest_to_be_judged() -> None:
    with pytest.raises(ConflictError) as caught:
        apply(
            [1, 2], [Change("move", (5,), 1, 1, (0,)), Change("replace", (0,), 1, 9), Change("remove", (1,), 3, None)]
        )
    assert caught.value.pointers == ["/5", "/1"]

"""A thousand levels, and values as large as they come: nothing recurses, nothing takes for ever."""

import copy

import pytest

from statewatch.documents.diff import apply, compose, diff, invert
from statewatch.documents.merge import merge
from statewatch.documents.merge_patch import apply_merge_patch, write_merge_patch
from statewatch.documents.patch import apply_patch, write_patch
from statewatch.documents.values import JSON, pieces, same


def nested(levels: int, leaf: JSON, *, lists: bool = True) -> JSON:
    document = leaf
    for level in range(levels):
        document = [0, document] if lists and level % 2 else {"a": document, "b": level}
    return document


@pytest.mark.parametrize("levels", [900, 1_000, 3_000])
def test_documents_of_a_thousand_levels_are_compared_patched_and_merged(levels: int) -> None:
    before, after = nested(levels, 1), nested(levels, True)
    changes = diff(before, after)
    assert [(change.op, len(change.path)) for change in changes] == [("replace", levels)]
    assert same(apply(before, changes), after)
    assert same(apply(after, invert(changes)), before)
    assert same(apply(before, compose(changes, diff(after, nested(levels, [])))), nested(levels, []))
    assert same(apply_patch(before, write_patch(changes, tests=True)).document, after)
    assert diff(before, nested(levels, 1)) == []
    assert same(merge(before, after, before).document, after)
    assert [each.ours for each in merge(before, after, nested(levels, 2)).conflicts] == [True]


def test_a_merge_patch_may_be_deep() -> None:
    before, after = nested(1_000, 1, lists=False), nested(1_000, True, lists=False)
    assert same(apply_merge_patch(before, write_merge_patch(before, after)), after)


def test_whole_deep_values_come_and_go() -> None:
    deep = nested(1_000, 1)
    for before, after in (({}, {"x": deep}), ({"x": deep}, {}), ([deep], [1, deep]), ([deep, 2, 3], [3, deep, 2])):
        changes = diff(before, after)
        assert len(changes) == 1
        assert same(apply(before, changes), after)


@pytest.mark.parametrize("leaf", [10**30, "\ud800", -0.0, [10**30, "\ud800"]])
def test_what_no_fast_serialiser_takes_is_compared_all_the_same(leaf: JSON) -> None:
    before: JSON = {f"k{number}": [number, copy.deepcopy(leaf)] for number in range(200)}
    after: JSON = copy.deepcopy(before)
    assert diff(before, after) == []
    assert isinstance(after, dict)
    after["k77"] = [77, 0]
    assert [change.pointer for change in diff(before, after)] == ["/k77/1"]


def test_a_long_way_down_beside_much_that_is_the_same_is_not_walked_at_each_level() -> None:
    heavy: JSON = [["y" * 50] * 100] * 100

    def document(leaf: JSON) -> JSON:
        here: JSON = {"heavy": heavy, "leaf": leaf}
        for level in range(400):
            here = {"level": level, "down": here}
        return here

    assert [change.path[-1] for change in diff(document(1), document(2))] == ["leaf"]


def test_keys_in_another_order_are_no_difference_however_many() -> None:
    before: dict[str, JSON] = {f"h{number}": {"a": 1, "b": [1.0, {"x": 1, "y": 2}]} for number in range(300)}
    after: dict[str, JSON] = {key: {"b": [1.0, {"y": 2, "x": 1}], "a": 1} for key in reversed(before)}
    assert diff(before, after) == []
    after["h7"] = {"b": [1, {"y": 2, "x": 1}], "a": True}
    assert sorted(change.pointer for change in diff(before, after)) == ["/h7/a", "/h7/b/0"]


def test_the_pieces_of_a_value_are_its_own() -> None:
    values: list[JSON] = [
        [],
        {},
        [[]],
        [{}],
        {"a": []},
        [1, [2]],
        [[1], 2],
        [[1, 2]],
        {"a": 1},
        ["a", 1],
        "",
        [""],
        None,
    ]
    assert len({tuple(pieces(value)) for value in values}) == len(values)

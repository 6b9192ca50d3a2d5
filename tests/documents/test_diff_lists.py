"""How lists are compared: by what identifies their items or by content, with as few operations as can be."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.diff import Change, Identities, apply, diff
from statewatch.documents.moves import moves
from statewatch.documents.sequences import common, increasing
from statewatch.documents.values import JSON, same
from tests.documents.strategies import laws

RUNS: list[JSON] = [{"id": f"run-{number}", "status": "queued", "tries": 0} for number in range(6)]


def operations(before: JSON, after: JSON, identities: Identities | None = None) -> list[str]:
    """Return the changes as words, having seen that they lead from the one to the other."""
    changes = diff(before, after, identities)
    assert same(apply(before, changes), after)
    return [f"{change.op} {change.pointer}" for change in changes]


def test_a_record_put_in_front_is_one_addition() -> None:
    assert operations(RUNS, [{"id": "new"}, *RUNS]) == ["add /0"]


def test_a_record_taken_out_is_one_removal() -> None:
    assert operations(RUNS, RUNS[:2] + RUNS[3:]) == ["remove /2"]


def test_a_record_put_elsewhere_is_one_move_that_says_from_where() -> None:
    changes = diff(RUNS, [RUNS[4], *RUNS[:4], RUNS[5]])
    assert changes == [Change("move", (0,), RUNS[4], RUNS[4], (4,))]


def test_a_record_that_moved_and_changed_is_both() -> None:
    moved: JSON = {"id": "run-4", "status": "done", "tries": 0}
    assert operations(RUNS, [moved, *RUNS[:4], RUNS[5]]) == ["replace /4/status", "move /0"]


def test_everything_at_once() -> None:
    edited: JSON = {"id": "run-2", "status": "running", "tries": 1}
    after: list[JSON] = [{"id": "new"}, RUNS[5], RUNS[0], edited, RUNS[3]]
    assert operations(RUNS, after) == [
        "replace /2/status",
        "replace /2/tries",
        "remove /4",
        "remove /1",
        "move /0",
        "add /0",
    ]


@pytest.mark.parametrize("key", ["id", "index", "feature_index", "name", "key", "batch_id", "agent_id"])
def test_the_key_that_identifies_records_is_found(key: str) -> None:
    before: list[JSON] = [{key: number, "note": "same", "tries": number} for number in range(5)]
    after: list[JSON] = [{key: 4, "note": "same", "tries": 9}, *before[:4]]
    assert operations(before, after) == ["replace /4/tries", "move /0"]


def test_a_key_that_is_declared_goes_before_one_that_is_found() -> None:
    before: list[JSON] = [{"id": number, "slot": chr(97 + number)} for number in range(3)]
    after: list[JSON] = [{"id": 7, "slot": "c"}, {"id": 8, "slot": "a"}, {"id": 9, "slot": "b"}]
    assert operations(before, after, {"": "slot"}) == ["replace /0/id", "replace /1/id", "replace /2/id", "move /0"]
    assert "add /0" in operations(before, after)


def test_keys_together_identify_what_no_key_alone_does() -> None:
    before: list[JSON] = [{"agent": name, "run": run, "ok": 0} for name, run in (("a", 1), ("a", 2), ("b", 1))]
    after: list[JSON] = [before[2], {"agent": "a", "run": 1, "ok": 1}, before[1]]
    document: JSON = {"agents": before}
    assert operations(document, {"agents": after}, {"/agents": ("agent", "run")}) == [
        "replace /agents/0/ok",
        "move /agents/0",
    ]


def test_a_pattern_declares_for_many_lists_and_none_means_that_nothing_identifies() -> None:
    before: JSON = {"a": {"l": [{"id": 1, "v": 1}]}, "b": {"l": [{"id": 1, "v": 1}]}}
    after: JSON = {"a": {"l": [{"id": 2, "v": 1}]}, "b": {"l": [{"id": 2, "v": 1}]}}
    assert operations(before, after) == ["remove /a/l/0", "add /a/l/0", "remove /b/l/0", "add /b/l/0"]
    assert operations(before, after, {"/*/l": None}) == ["replace /a/l/0/id", "replace /b/l/0/id"]


def test_records_without_identity_are_matched_by_content_and_the_one_that_changed_is_looked_into() -> None:
    before: list[JSON] = [{"feature_index": 1, "error": text} for text in ("first", "second", "third", "third")]
    new: list[JSON] = [{"feature_index": 1, "error": text} for text in ("new", "3rd")]
    after = [new[0], *before[:2], new[1], before[3]]
    assert operations(before, after) == ["replace /2/error", "add /0"]


def test_a_record_in_the_place_of_a_wholly_different_one_replaces_it() -> None:
    assert operations([{"a": 1, "b": 2}, 5], [{"x": 1, "y": 2}, 5]) == ["replace /0"]


def test_of_several_records_the_one_most_like_it_is_taken_for_the_one_before() -> None:
    before: JSON = [{"a": 1, "b": 2, "c": 3}]
    after: JSON = [{"a": 7, "b": 8, "c": 9}, {"a": 1, "b": 2, "c": 4}]
    assert operations(before, after) == ["replace /0/c", "add /0"]


@pytest.mark.parametrize(
    ("before", "after", "ideal"),
    [
        ([1, 2, 3, 4], [1, 3, 4], 1),
        ([1, 2, 3, 4], [4, 1, 2, 3], 1),
        ([0, 0, 0, 0, 0], [0, 1, 0, 1, 0], 2),
        ([1, 1, 1], [1, True, 1.0], 2),
        (["a", "b", "c"], ["a", "x", "c"], 1),
        ([[1], [2], [3]], [[3], [1], [2]], 1),
        ([0, 1, 0, 2, 0], [0, 2, 0, 1, 0], 2),
        (list(range(100)), [*range(50, 100), *range(50)], 50),
    ],
)
def test_plain_lists_take_as_few_operations_as_can_be(before: JSON, after: JSON, ideal: int) -> None:
    assert len(operations(before, after)) == ideal


def test_twenty_thousand_items_in_another_order_are_put_right() -> None:
    before: list[JSON] = [*range(20_000)]
    after = before.copy()
    random.Random(1).shuffle(after)
    assert apply(before, diff(before, after)) == after


@laws
@given(st.lists(st.integers(0, 60), unique=True, max_size=12))
def test_moves_lead_to_the_wanted_order_and_none_is_too_many(wanted: list[int]) -> None:
    items = sorted(wanted)
    steps = list(moves(wanted))
    for source, target, what in steps:
        item = items.pop(source)
        assert item == wanted[what]
        items.insert(target, item)
    assert items == wanted
    assert len(steps) == len(wanted) - longest_increasing(wanted)


def longest_increasing(numbers: list[int]) -> int:
    best: list[int] = []
    for at, number in enumerate(numbers):
        best.append(1 + max((best[i] for i in range(at) if numbers[i] < number), default=0))
    return max(best, default=0)


@laws
@given(st.lists(st.integers(0, 60), unique=True, max_size=12))
def test_an_increasing_subsequence_is_the_longest(numbers: list[int]) -> None:
    places = increasing(numbers)
    chosen = [numbers[place] for place in places]
    assert places == sorted(places)
    assert chosen == sorted(chosen)
    assert len(chosen) == longest_increasing(numbers)


@laws
@given(st.lists(st.integers(0, 4), max_size=14), st.lists(st.integers(0, 4), max_size=14))
def test_what_two_sequences_have_in_common_is_the_longest(left: list[int], right: list[int]) -> None:
    pairs = common(left, right)
    assert all(left[i] == right[j] for i, j in pairs)
    assert all(i < p and j < q for (i, j), (p, q) in pairwise(pairs))
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    assert len(pairs) == table[-1][-1]


def test_two_long_sequences_with_little_in_common_still_share_what_occurs_once() -> None:
    chance = random.Random(4)
    left = [chance.randrange(3) for _ in range(3_000)]
    right = [chance.randrange(3, 6) for _ in range(3_000)]
    for landmark in range(10):
        left[250 * landmark] = right[270 * landmark] = 100 + landmark
    assert len(common(left, right)) == 10

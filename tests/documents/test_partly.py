"""Making some of the changes between two documents, and leaving the others."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.codec import encode
from statewatch.documents.diff import diff
from statewatch.documents.partly import partly
from statewatch.documents.values import JSON, same
from tests.documents.strategies import histories, laws


@laws
@given(histories(2))
def test_all_of_them_make_the_one_document_and_none_leaves_the_other(versions: list[JSON]) -> None:
    before, after = versions
    kept = encode(before)
    changes = diff(before, after)
    assert same(partly(before, changes, lambda _: True), after)
    assert same(partly(before, changes, lambda _: False), before)
    assert encode(before) == kept


@laws
@given(st.integers(0, 2**32))
def test_of_records_none_is_lost_or_there_twice_whatever_is_picked(seed: int) -> None:
    chance = random.Random(seed)

    def some() -> JSON:
        return [{"id": number, "n": chance.randrange(3)} for number in chance.sample(range(9), chance.randrange(9))]

    before, after = some(), some()
    changes = diff(before, after)
    wanted = {index for index in range(len(changes)) if chance.random() < 0.5}
    result: Any = partly(before, changes, wanted.__contains__)
    names = [record["id"] for record in result]
    assert len(set(names)) == len(names)
    ours, theirs = ({record["id"] for record in side} for side in (before, after))  # type: ignore[union-attr, index, call-overload]
    assert ours & theirs <= set(names) <= ours | theirs
    for index, change in enumerate(changes):
        name = change.before["id"] if change.op == "remove" else change.after["id"] if change.op == "add" else None  # type: ignore[index, call-overload]
        if name is not None:
            assert (name in names) is ((index in wanted) is (change.op == "add"))


class TestLists:
    """Where positions move on with every change."""

    def taken_back(self, before: JSON, after: JSON, *pointers: str) -> JSON:
        changes = diff(before, after)
        names = [f"{change.op} {change.pointer}" for change in changes]
        assert set(pointers) <= set(names), names
        return partly(before, changes, lambda index: names[index] not in pointers)

    def test_an_item_comes_back_to_where_it_was_beside_new_ones(self) -> None:
        assert self.taken_back(["a", "b", "c"], ["x", "a", "c", "y"], "remove /1") == ["x", "a", "b", "c", "y"]

    def test_the_first_one_comes_back_to_the_front(self) -> None:
        assert self.taken_back(["a", "b", "c"], ["b", "c", "d"], "remove /0") == ["a", "b", "c", "d"]

    def test_one_of_several_new_items_goes(self) -> None:
        assert self.taken_back([1], [1, 2, 3, 4], "add /2") == [1, 2, 4]

    def test_an_item_that_moved_goes_back_and_what_changed_in_it_stays(self) -> None:
        before: JSON = [{"id": 1, "n": 1}, {"id": 2, "n": 1}, {"id": 3, "n": 1}]
        after: JSON = [{"id": 3, "n": 2}, {"id": 1, "n": 1}, {"id": 2, "n": 1}]
        assert self.taken_back(before, after, "move /0") == [{"id": 1, "n": 1}, {"id": 2, "n": 1}, {"id": 3, "n": 2}]
        assert self.taken_back(before, after, "replace /2/n") == [
            {"id": 3, "n": 1},
            {"id": 1, "n": 1},
            {"id": 2, "n": 1},
        ]

    def test_in_lists_within_lists(self) -> None:
        before: JSON = [{"id": 1, "runs": [1, 2]}, {"id": 2, "runs": [1, 2, 3]}]
        after: JSON = [{"id": 2, "runs": [2, 3]}, {"id": 1, "runs": [1, 2, 4]}]
        back = self.taken_back(before, after, "remove /1/runs/0", "add /0/runs/2")
        assert back == [{"id": 2, "runs": [1, 2, 3]}, {"id": 1, "runs": [1, 2]}]

"""Many values decoded at once: exactly what each means by itself, and nothing where one of them is damaged."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.core.stores.many import decoded
from statewatch.documents import codec
from statewatch.documents.codec import DocumentError
from statewatch.documents.values import JSON, same
from tests.documents.strategies import values


@given(st.lists(values, max_size=6))
def test_sound_values_are_what_they_are_by_themselves(wanted: list[JSON]) -> None:
    found = decoded([json.dumps(value).encode() for value in wanted])
    assert found is not None
    assert same(found, wanted)


@pytest.mark.parametrize(
    "texts",
    [
        ["1,2"],
        [""],
        ["1", " "],
        ["1,2", "[3", "4]"],
        ["1", "2,3", "[4", "5]"],
        ['"a', 'b"'],
        ['1,"x",2', "[3", "4", "5]"],
        ["1]", "[2"],
        ["1],[2", "3"],
        ['{"a": 1, "a": 2}', "1"],
        ["NaN"],
        ["\ufeff1"],
        ["1 // x"],
    ],
)
def test_damage_is_never_taken_for_values(texts: list[str]) -> None:
    assert decoded([text.encode() for text in texts]) is None


@given(st.lists(st.text(alphabet='[]{},":1 a\\', max_size=6), min_size=1, max_size=4))
def test_what_is_taken_could_be_decoded_one_by_one(texts: list[str]) -> None:
    one_by_one: list[JSON] | None
    try:
        one_by_one = [codec.decode(text.encode()) for text in texts]
    except DocumentError:
        one_by_one = None
    found = decoded([text.encode() for text in texts])
    assert (found is None) == (one_by_one is None)
    assert found is None or one_by_one is None or same(found, one_by_one)


def test_more_than_are_joined_at_once() -> None:
    assert decoded([b"%d" % number for number in range(5_001)]) == list(range(5_001))
    assert decoded([]) == []

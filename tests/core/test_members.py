"""The text of a large object changed member by member: what is not changed keeps every byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.core.members import Members
from statewatch.documents import codec
from statewatch.documents.values import JSON
from tests.documents.strategies import values

ODD: dict[str, JSON] = {"a": [1, {"b": "x\n"}], 'é"': "日本 \x7f", "c": {}, "d": [], "e": None, "f": 1.5}


@pytest.mark.parametrize("style", [codec.Style(), codec.Style(ascii_only=False), codec.Style(final_newline=True)])
def test_a_change_is_written_into_the_text_and_the_rest_stays(style: codec.Style) -> None:
    data = codec.encode(ODD, style)
    found = Members.of(ODD, data, style)
    assert found is not None
    after = found.changed({**ODD, "c": {"new": [1, 2]}, "g": "added"})
    assert after.data == codec.encode({**ODD, "c": {"new": [1, 2]}, "g": "added"}, style)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '{\n    "a": 1\n}',
        '{\n  "a": {\n  "b": 1\n}, "b": 2\n}',  # the line of `b` is not that of the member `b`
        '{\n  "a": 1,\n  "b": 2}',
        "[\n  1\n]",
        "{}",
    ],
)
def test_text_in_another_layout_is_left_to_others(text: str) -> None:
    data = text.encode()
    assert Members.of(json.loads(text), data, codec.style_of(data)) is None


def test_numbers_keep_the_spelling_of_their_writer() -> None:
    data = b'{\n  "a": 1.50,\n  "b": [\n    1E2\n  ],\n  "c": 1\n}'
    document = codec.decode(data)
    found = Members.of(document, data, codec.style_of(data))
    assert found is not None
    assert isinstance(document, dict)
    assert found.changed({**document, "c": 2}).data == data.replace(b'"c": 1', b'"c": 2')


@given(st.dictionaries(st.text(), values, min_size=1, max_size=5), values)
def test_text_of_our_own_is_taken_apart_or_left_alone_but_never_mistaken(document: dict[str, JSON], new: JSON) -> None:
    style = codec.Style()
    found = Members.of(document, codec.encode(document, style), style)
    if found is None:
        return
    after = {**document, next(iter(document)): new}
    assert codec.decode(found.changed(after).data) == after

"""A change to a file touches the bytes of what changed, and no others."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewatch.documents.codec import Style, decode, encode, style_of
from statewatch.documents.respelling import respelt
from statewatch.documents.values import JSON, same
from tests.documents.strategies import values


def changed(text: str, after: JSON) -> str:
    data = text.encode()
    return respelt(data, decode(data), after, style_of(data)).decode()


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ('{"a": 1.50, "e":1E2, "b": [1,2]}', {"a": 2, "e": 100.0, "b": [1, 2]}, '{"a": 2, "e":1E2, "b": [1,2]}'),
        ('{"a": 1.50}', {"a": 1.5, "n": [1]}, '{"a": 1.50, "n": [1]}'),
        ('{"a":1E2}', {"a": 100.0, "n": {"x": 1}}, '{"a":1E2,"n":{"x":1}}'),
        ('{"a": 1E2, "b": 2, "c": 3}', {"a": 100.0, "c": 3}, '{"a": 1E2, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 1E2}', {"c": 100.0}, '{"c": 1E2}'),
        ('{"a": 1E2, "b": 2}', {"a": 100.0}, '{"a": 1E2}'),
        ("[1E2, 2, 3]", [100.0, 3], "[1E2, 3]"),
        ("[1E2,  2]", [100.0, 2, 3], "[1E2,  2,  3]"),
        ("[1, 2, 1E2]", [0, 1, 2, 100.0], "[0, 1, 2, 100.0]"),
        ('["\\u00e9", 1]', ["é", 2], '["\\u00e9", 2]'),
        ('{"a": {"x": 1E2, "y": 1}}\n', {"a": {"x": 100.0, "y": 2}}, '{"a": {"x": 1E2, "y": 2}}\n'),
        (
            '{\n\t"a": 1E2,\n\t"l": [1, 2],\n\t"b": {\n\t\t"c": 1\n\t}\n}\n',
            {"a": 100.0, "l": [1, 2, 3], "b": {"c": {"d": 1}, "e": []}},
            '{\n\t"a": 1E2,\n\t"l": [1, 2, 3],\n\t"b": {\n\t\t"c": {\n\t\t\t"d": 1\n\t\t},\n\t\t"e": []\n\t}\n}\n',
        ),
        (
            '{\r\n  "a": 1E2,\r\n  "b": 1\r\n}',
            {"a": 100.0, "b": 1, "c": 2},
            '{\r\n  "a": 1E2,\r\n  "b": 1,\r\n  "c": 2\r\n}',
        ),
        ("1E2", 3, "3"),
    ],
)
def test_only_what_changed_is_written_anew(text: str, after: JSON, expected: str) -> None:
    assert changed(text, after) == expected


@given(values, values, st.sampled_from([None, " ", "\t"]), st.booleans())
@settings(max_examples=300)
def test_whatever_the_layout_the_text_is_that_of_the_new_document(
    before: JSON, after: JSON, indent: str | None, ascii_only: bool
) -> None:
    data = encode(before, Style(indent, ascii_only))
    assert same(decode(respelt(data, before, after, style_of(data))), after)


@given(values)
def test_a_document_that_did_not_change_is_the_same_to_the_byte(value: JSON) -> None:
    data = encode(value, Style(" "))
    assert respelt(data, value, value, style_of(data)) == data


@given(st.dictionaries(st.text(max_size=5), values, min_size=2, max_size=6), values, st.data())
def test_a_changed_member_leaves_the_spelling_of_the_others(
    members: dict[str, JSON], value: JSON, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(members)))
    others = {**members, name: 1.5}
    text = re.sub(r" 1\.5(?=[,}\]])", " 15e-1", encode(others, Style(None)).decode(), count=1)
    after = {**others, name: value}
    new = respelt(text.encode(), decode(text.encode()), after, style_of(text.encode())).decode()
    assert same(decode(new.encode()), after)
    if text.count("15e-1") == 1 and "1.5" not in text and not same(value, 1.5):
        before_it, _, behind_it = text.partition("15e-1")
        assert new.startswith(before_it)
        assert new.endswith(behind_it)


def test_members_that_are_added_stand_in_the_order_of_the_document() -> None:
    after: JSON = {"a": 1, "z": 1, "y": 2, "b": 3}
    assert changed('{ "a": 1 }', after) == '{ "a": 1, "z": 1, "y": 2, "b": 3 }'

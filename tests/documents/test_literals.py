"""Where the texts of a document stand in the file, and how they are spelt there."""

import json

from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents import pointer
from statewatch.documents.literals import literals, meaning, respelt, units
from statewatch.documents.values import JSON

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def texts_in(value: JSON) -> list[str]:
    if isinstance(value, dict):
        return [text for child in value.values() for text in texts_in(child)]
    if isinstance(value, list):
        return [text for child in value for text in texts_in(child)]
    return [value] if isinstance(value, str) else []


@given(VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_every_text_is_found_at_its_place(value: JSON, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    found = list(literals(text))
    assert [json.loads(text[each.start : each.end]) for each in found] == texts_in(value)
    assert all(pointer.get(value, each.path) == json.loads(text[each.start : each.end]) for each in found)
    assert respelt(text, {each: text[each.start : each.end] for each in found}) == text


@given(st.text(), st.booleans())
def test_a_literal_comes_apart_and_together(text: str, ascii_only: bool) -> None:
    literal = json.dumps(text, ensure_ascii=ascii_only)
    parts = units(literal)
    assert '"' + "".join(parts) + '"' == literal
    assert json.loads(json.dumps("".join(map(meaning, parts)))) == text or not text.isascii()


def test_only_what_is_named_is_spelt_anew() -> None:
    text = '{"a": "x",  "b": ["\\u0078", {"a": "x"}]}'
    changes = {each: '"y"' for each in literals(text) if each.path == ("b", 1, "a")}
    assert respelt(text, changes) == '{"a": "x",  "b": ["\\u0078", {"a": "y"}]}'

"""Decoding by C code: it says the same as the strict codec, or that it is not sure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents import codec, parts
from statewatch.documents.quick import UnsureError, decoded, is_indented
from statewatch.documents.values import JSON, depth
from tests.documents.strategies import laws, values
from tests.documents.strict import strictly

STYLES = (
    codec.Style(),
    codec.Style(ascii_only=False),
    codec.Style(indent=None),
    codec.Style(indent=None, spaced=False),
    codec.Style(indent="    ", newline="\r\n"),
)


@laws
@given(values, st.sampled_from(STYLES))
def test_what_it_is_sure_of_is_what_the_codec_says(value: JSON, style: codec.Style) -> None:
    text = codec.encode(value, style)
    try:
        found, indented = decoded(text)
    except UnsureError:
        return
    assert repr(found) == repr(strictly(text))
    assert indented == is_indented(text, found)


@laws
@given(values, st.sampled_from(STYLES), st.data())
def test_damage_is_never_taken_for_a_document(value: JSON, style: codec.Style, data: st.DataObject) -> None:
    text = codec.encode(value, style)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    put = data.draw(
        st.sampled_from([b"", b'"', b":", b",", b"{", b"0", b"e9", b" ", b"\\", b'"a": 1, ', b"\n", b"\xff"])
    )
    text = text[:start] + put + text[end:]
    try:
        found, _ = decoded(text)
    except UnsureError:
        return
    assert repr(found) == repr(strictly(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": 1, "\\u0061": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{\n  "a": 1,\n  "a": 1\n}',
        '{"a" : 1, "a": "x"}',
        '{"a"\t: 1, "a"\n:2}',
        '{"a": 1, "a": 1, "b": "\\u0022:"}',  # what is lost looks as if it was still there
        '{"a": 1, "a": 1, "b": "\\u003a"}',
        "18446744073709551616",
        '{\n  "n": -9223372036854775809\n}',
        "1e400",
        "NaN",
        '"\\ud800"',
        '{"a": 1}\x00',
        '\ufeff{"a": 1}',
        "",
        "[" * 600 + "]" * 600,
    ],
)
def test_it_is_not_sure_of_what_the_strict_codec_must_judge(text: str) -> None:
    with pytest.raises(UnsureError):
        decoded(text.encode())


@pytest.mark.parametrize(
    "text",
    ['{"a": "\\":", "b": ":", "c": "x\\ny"}', '{"\\u00dc":"\\u65e5\\u672c"}', "[1,2.50,-0.0]", '{"a":{"a":{"a":1}}}'],
)
def test_it_is_sure_of_what_real_files_hold(text: str) -> None:
    assert decoded(text.encode()) == (json.loads(text), False)


def test_a_large_file_with_a_key_that_occurs_twice_is_refused_with_its_place() -> None:
    fields = ",\n".join(f'  "k{number}": {number}' for number in range(200_000))
    text = f'{{\n{fields},\n  "k7": 1\n}}'.encode()
    with pytest.raises(codec.DocumentError, match="'k7' occurs twice in one object") as failure:
        codec.decode(text)
    assert failure.value.line == 200_002


def test_nesting_that_only_the_codec_bounds_stays_bounded() -> None:
    deep = b"[" * 400 + b"]" * 400
    assert depth(codec.decode(deep)) == 400
    with pytest.raises(codec.DocumentError, match="nested deeper"):
        codec.decode(b"[" * 501 + b"]" * 501)
    assert parts.parts_of(b'{\n  "a": ' + deep + b"\n}") is None

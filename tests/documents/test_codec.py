"""Bytes become values and values become the same bytes; what is damaged is refused with the place and the reason."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.codec import DocumentError, Style, decode, encode, style_of
from statewatch.documents.values import JSON, MAX_DEPTH, same
from tests.documents.strategies import values
from tests.support import SAMPLE, timeline

BROKEN = SAMPLE / "broken"
DAMAGE = {
    "hook_empty.json": (1, 1, "the file is empty"),
    "hook_truncated.json": (362, 2, "a comma or a closing bracket is missing (the file ends too early)"),
    "hook_bom.json": (1, 1, "the file starts with a byte order mark"),
    "hook_utf16.json": (1, 1, "the file is UTF-16, JSON is UTF-8"),
    "hook_latin1.json": (1, 36, "the byte 0xe9 is not UTF-8"),
    "hook_nan.json": (1, 54, "NaN is not a JSON number"),
    "hook_dupkeys.json": (1, 36, "the key 'a' occurs twice in one object"),
    "hook_two_docs.json": (504, 1, "something follows the end of the document"),
    "hook_trailing_garbage.json": (503, 2, "something follows the end of the document"),
    "pipeline_partial.json": (5, 5, "a string is not closed (the file ends too early)"),
    "session_escape_chars.json": (1, 41, "a raw control character stands inside a string"),
    "events_partial.jsonl": (2, 1, "something follows the end of the document"),
    "state_db_not_a_db.db": (1, 1, "what stands here is not a JSON value"),
    "state_db_truncated.db": (1, 103, "the byte 0xf8 is not UTF-8"),
}


def refusal(data: bytes) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        decode(data)
    return caught.value


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused_with_the_reason_and_the_place(name: str) -> None:
    error = refusal((BROKEN / name).read_bytes())
    assert (error.line, error.column, error.reason) == DAMAGE[name]


def test_every_damaged_file_of_the_sample_is_in_the_table() -> None:
    sound = {
        path.name for path in BROKEN.iterdir() if path.name not in DAMAGE and decode(path.read_bytes()) is not None
    }
    assert sound | DAMAGE.keys() == {path.name for path in BROKEN.iterdir()}


def healthy() -> list[Path]:
    raw_controls = SAMPLE / "ralph" / ".ralph" / "status.json"  # its own tool writes it so
    return [path for path in sorted(SAMPLE.rglob("*.json")) if path.name not in DAMAGE and path != raw_controls]


@pytest.mark.parametrize("path", healthy(), ids=lambda path: str(path.relative_to(SAMPLE)))
def test_a_healthy_file_comes_out_as_it_went_in(path: Path) -> None:
    data = path.read_bytes()
    assert encode(decode(data), style_of(data)) == data


@pytest.mark.parametrize("name", ["hook_state", "batch_state"])
def test_every_version_of_the_timeline_comes_out_as_it_went_in(name: str) -> None:
    for data in timeline(name):
        assert encode(decode(data), style_of(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, "b": [1, 2]}',
        b'{"a":1,"b":[1,2]}',
        b"[1,2]",
        b"[1, 2]",
        b'{\n  "a": 1\n}',
        b'{\n    "a": 1\n}\n',
        b'{\n\t"a": [\n\t\t1\n\t]\n}\n',
        b'{\r\n  "a": 1\r\n}\r\n',
        b'["{\\":x"]',
        '{"a": "für"}'.encode(),
        b'{"a": "f\\u00fcr"}',
        b'{"a": "\\ud800"}',
        '{"ü": "\\ud800 é"}'.encode(),
        b"{}",
        b"[]\n",
        b"null",
    ],
)
def test_the_layout_of_a_file_is_kept(data: bytes) -> None:
    assert encode(decode(data), style_of(data)) == data


@given(
    values,
    st.builds(
        Style,
        indent=st.sampled_from([None, "  ", "    ", "\t"]),
        ascii_only=st.booleans(),
        final_newline=st.booleans(),
        newline=st.sampled_from(["\n", "\r\n"]),
    ),
)
def test_whatever_is_encoded_is_decoded_to_the_same_value(value: JSON, style: Style) -> None:
    assert same(decode(encode(value, style)), value)


@given(values)
def test_the_style_found_in_a_file_reproduces_it(value: JSON) -> None:
    for style in (Style(), Style(indent=None), Style(indent=None, spaced=False), Style(ascii_only=False)):
        data = encode(value, style)
        assert encode(value, style_of(data)) == data


@given(st.binary(max_size=60) | st.text('{}[]":,\\u0123456789eE+-.NaInfity \n', max_size=40).map(str.encode))
def test_no_bytes_at_all_make_it_fail_in_another_way(data: bytes) -> None:
    try:
        value = decode(data)
    except DocumentError as error:
        refused = error
    else:
        assert same(decode(encode(value)), value)
        return
    assert refused.reason
    assert (refused.line is None) == (refused.column is None)
    assert refused.line is None or refused.line <= data.count(b"\n") + 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1, "a": 2}', (1, 10)),
        ('{\n "a": {"b": 1},\n "a": 2\n}', (3, 2)),
        ('{"a": [{"k": 1}, {"k": 1, "x": {"k": 1}, "k": 2}]}', (1, 42)),
        ('{"a\\"{": 1, "b": "a", "a\\u0022{": 2}', (1, 23)),
        ('{"é": 1, "é": 1}', (1, 10)),
    ],
)
def test_the_second_of_two_equal_keys_is_pointed_at(text: str, place: tuple[int, int]) -> None:
    error = refusal(text.encode())
    assert (error.line, error.column) == place
    assert "occurs twice" in error.reason


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_number_json_does_not_have_is_pointed_at_even_where_a_text_says_the_same(word: str) -> None:
    error = refusal(f'{{"text": "{word}",\n "value": {word}}}'.encode())
    assert (error.line, error.column) == (2, 11)
    assert error.reason == f"{word} is not a JSON number"


def test_a_number_too_large_for_a_float_is_refused_and_not_made_infinite() -> None:
    error = refusal(b'{"a": "1e999",\n "b": -1e999}')
    assert (error.line, error.column, error.reason) == (2, 7, "a number is too large")


def test_a_number_of_five_thousand_digits_is_refused() -> None:
    digits = "7" * 5_000
    error = refusal(f'{{"text": "{digits}",\n "value": [1, -{digits}]}}'.encode())
    assert (error.line, error.column, error.reason) == (2, 15, "a number has too many digits")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_hundred_thousand_levels_are_refused(opening: str) -> None:
    assert "deeper than 500 levels" in refusal(opening.encode() * 100_000).reason


def test_the_deepest_document_that_is_read_can_be_written() -> None:
    data = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert encode(decode(data), style_of(data)) == data
    assert encode(decode(data)).startswith(b"[\n  [")
    assert "deeper" in refusal(b"[" + data + b"]").reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (json.dumps({"a": 1}).encode("utf-16"), "UTF-16"),
        (json.dumps({"a": 1}).encode("utf-32"), "UTF-32"),
        ('{"name": "Müller"}'.encode("latin-1"), "0xfc is not UTF-8"),
        (b'"\xed\xa0\x80"', "0xed is not UTF-8"),
        (b" \n\t ", "empty"),
        (b"[1,]", ""),
        (b'{"a" 1}', "colon"),
        (b"{'a': 1}", "double quotes"),
        (b'{"a": "C:\\agent"}', "backslash"),
        (b'{"a": "\\u12"}', "four hexadecimal digits"),
        (b"[1 2]", "comma"),
        (b'{"a": }', "a value is missing"),
        (b'{"a": none}', "not a JSON value"),
        (b'{"a": 1', "ends too early"),
    ],
)
def test_the_reason_is_in_plain_words(data: bytes, reason: str) -> None:
    error = refusal(data)
    assert reason in error.reason
    assert "Expecting" not in str(error)


def test_nan_is_never_written() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode(float("nan"))


@given(values, st.booleans(), st.booleans())
def test_the_quick_way_writes_the_same_bytes(value: JSON, ascii_only: bool, final_newline: bool) -> None:
    style = Style("  ", ascii_only, final_newline)
    assert encode(value, style, known=True) == encode(value, style)


def test_the_quick_way_escapes_as_the_standard_library_does() -> None:
    value: JSON = {"é\x7f": "😀 \u2028 ü\x1b", "plain": [1.5, -0.0, 1e300]}
    assert encode(value, known=True) == json.dumps(value, indent=2).encode()

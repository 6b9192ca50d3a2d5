"""The filter's little language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.tui.query import parse

ROW = {"source": "~/.claude/hooks.json", "hook": "validate-file", "state": "open", "error": "Error: No such file [x]"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("   ", True),
        ("validate", True),
        ("VALIDATE", True),
        ("validate open", True),
        ("validate closed", False),
        ("aud", False),
        ("source:claude", True),
        ("/claude/", False),
        ("!validate", False),
        ("!closed", True),
        ("!", True),
        ("state:open", True),
        ("st:open", True),
        ("state:closed", False),
        ("!state:closed", True),
        ("state:", True),
        (":open", False),
        ("hook:open", False),
        ("error:", True),
        ("Error:", True),
        ("nokey:open", False),
        ("/^validate-.*e$/", True),
        ("/^file/", False),
        ("!/^file/", True),
        ("/no [sS]uch/", True),
        ("/(/", False),
        ("/[x/", True),
        (r"/file \[x\]$/", True),
        ("/", True),
        ("//", True),
        ("!/", True),
        ("/^val", True),
        ("!state:", True),
        ("/no [sS]uch/ open", True),
        ("/no [sS]uch/ closed", False),
        ('"No such file"', True),
        ('"No file"', False),
        ('"No such', True),
        ("[x]", True),
        ("\\", False),
        ("'", False),
    ],
)
def test_what_it_means(text: str, holds: bool) -> None:
    assert parse(text)(ROW) is holds


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=5), st.text(max_size=20)))
def test_whatever_was_typed_so_far_means_something(text: str, row: dict[str, str]) -> None:
    assert parse(text)(row) in {True, False}


@given(st.text(alphabet=st.sampled_from('ab:!/"\\ [](*'), max_size=20))
def test_nor_do_half_typed_signs_fail(text: str) -> None:
    parse(text)(ROW)

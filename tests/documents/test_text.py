"""Text from files is harmless on a screen: nothing in it acts on a terminal, hides, or turns text round."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.text import harmless, harmless_lines

anything = st.lists(
    st.text(st.characters(exclude_categories=()), max_size=20)
    | st.sampled_from(["\x1b", "\x1b[", "\x1b[31m", "m", ";"]),
    max_size=15,
).map("".join)
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def is_harmless(text: str) -> bool:
    return all(
        unicodedata.category(character) not in HIDDEN
        and unicodedata.bidirectional(character) not in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        for character in text
    )


@given(anything)
def test_nothing_that_controls_hides_or_reorders_comes_out(text: str) -> None:
    assert is_harmless(harmless(text))
    assert all(is_harmless(line) for line in harmless_lines(text))


@given(anything, st.integers(1, 400))
def test_what_is_harmless_stays_as_it_is(text: str, limit: int) -> None:
    once = harmless(text, limit)
    assert harmless(once, limit) == once


@given(anything, st.integers(1, 400))
def test_it_is_never_longer_than_allowed(text: str, limit: int) -> None:
    shown = harmless(text, limit)
    assert len(shown) <= limit
    assert len(text) <= limit or shown.endswith("…")


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200))
def test_plain_text_is_not_touched(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("two\nlines\r\n", "two␊lines␍␊"),
        ("\x7f", "␡"),
        ("\x9b31m", "\\u009b31m"),
        ("abc\u202egpj.exe", "abc\\u202egpj.exe"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("non\u00a0breaking", "non breaking"),
        ("für Łódź 日本語 🎉", "für Łódź 日本語 🎉"),
        ("warning ⚠\ufe0f", "warning ⚠"),
        ("[bold]not markup[/]", "[bold]not markup[/]"),
    ],
)
def test_what_is_dangerous_is_shown_as_what_it_is(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_lines_are_split_at_line_ends_only_and_tabs_are_widened() -> None:
    assert harmless_lines("a\tb\r\nc\x0bd\u2028e\n\x1b") == ["a   b", "c␋d\\u2028e", "␛"]


def test_a_long_text_is_cut_before_it_costs_anything() -> None:
    assert harmless("x" * 10_000_000, 10) == "xxxxxxxxx…"
    assert harmless("\x1b[" * 10, 5) == "␛[␛[…"
    assert sum(map(len, harmless_lines("y" * 10_000_000, 100))) == 100

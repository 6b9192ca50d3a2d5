"""Plain columns: as wide as their text, and what gives way first on a narrow terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.cli.columns import Column, crop, crop_middle, fit, join, lines, pad, width

NAMES = (
    Column("state"),
    Column("name", 4),
    Column("count", align="right", dispensable=1),
    Column("error", 6, elastic=True),
)
ROWS = [("open", "validate-file", "12", "No such file or directory"), ("closed", "b", "3", "")]


@pytest.mark.parametrize(
    ("text", "cells"), [("abc", 3), ("日本", 4), ("é", 1), ("e\u0301", 1), ("❌", 2), ("ｱ", 1), ("Ａ", 2), ("", 0)]
)
def test_a_text_is_as_wide_as_the_terminal_shows_it(text: str, cells: int) -> None:
    assert width(text) == cells


@given(st.text(max_size=30), st.integers(0, 20))
def test_a_cropped_text_fits(text: str, cells: int) -> None:
    cut = crop(text, cells)
    assert width(cut) <= cells
    assert cut == text or cut.endswith("…") or cells == 0


@given(st.text(max_size=30), st.integers(0, 20))
def test_a_name_cut_in_the_middle_fits(text: str, cells: int) -> None:
    cut = crop_middle(text, cells)
    assert width(cut) <= cells
    assert cut == text or "…" in cut or cells == 0


def test_of_a_name_both_ends_are_kept() -> None:
    assert crop_middle(".claude/workflows/adw-81aa02fe/state.json", 20) == ".claude/w…state.json"


def test_a_wide_character_is_not_cut_in_half() -> None:
    assert crop("日本語", 4) == "日…"
    assert crop("日本語", 6) == "日本語"


def test_padding_counts_cells() -> None:
    assert pad("日", 4) == "日  "
    assert pad("7", 3, "right") == "  7"


def test_without_a_limit_nothing_is_cut() -> None:
    laid = lines(NAMES, ROWS, None)
    assert join(laid[1]) == "open    validate-file     12  No such file or directory"
    assert join(laid[2]) == "closed  b                  3"


def test_elastic_texts_give_way_first() -> None:
    assert join(lines(NAMES, ROWS, 42)[1]) == "open    validate-file     12  No such fil…"


def test_then_dispensable_columns_go() -> None:
    assert list(fit(NAMES, ROWS, 35)) == [0, 1, 3]


def test_then_names_shrink_and_the_first_column_stays() -> None:
    assert join(lines(NAMES, ROWS, 20)[1]) == "open    val…  No su…"
    assert join(lines(NAMES, ROWS, 6)[1]) == "open"
    assert join(lines(NAMES, ROWS, 3)[2]) == "cl…"


def test_empty_columns_are_left_out_on_a_terminal() -> None:
    rows = [("open", "a", "", "x")]
    assert list(fit(NAMES, rows, 80)) == [0, 1, 3]
    assert list(fit(NAMES, rows, None)) == [0, 1, 2, 3]


@given(st.lists(st.tuples(*[st.text(max_size=40)] * 4), max_size=5), st.integers(1, 120))
def test_a_line_never_exceeds_the_limit(rows: list[tuple[str, str, str, str]], limit: int) -> None:
    for cells in lines(NAMES, rows, limit):
        assert width(join(cells)) <= limit

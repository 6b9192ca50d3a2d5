"""The table's arithmetic: fitting columns, cutting text, and where the cursor is after rows changed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from statewatch.tui.widgets.table_model import (
    GAP,
    GUTTER,
    MARKED,
    Cell,
    Column,
    Line,
    body,
    column_at,
    compose,
    differences,
    extents,
    fill,
    fit,
    header,
    look_of,
    plain,
    rearranged,
    reveal,
    share,
    successor,
)


def column(name: str, width: int, **options: object) -> Column[str]:
    return Column(name, name, lambda row, _: ((row, ""),), width, **options)  # type: ignore[arg-type]


columns = st.builds(
    column,
    st.text("abc", min_size=1, max_size=12),
    st.integers(1, 40),
    minimum=st.integers(1, 40),
    flex=st.integers(0, 3),
    priority=st.integers(0, 5),
    align=st.sampled_from(["left", "right"]),
)
hostile = st.text(st.characters(codec=None), max_size=30)
cells = st.lists(st.tuples(hostile, st.sampled_from(["", "bad", "muted"])), max_size=4).map(tuple)
rows = st.lists(st.integers(0, 30).map(str), unique=True, max_size=20)


@given(st.lists(columns, max_size=8), st.integers(-2, 200))
def test_fitted_columns_never_exceed_the_width(given_columns: list[Column[str]], width: int) -> None:
    fitted = fit(given_columns, width)
    assert sum(room for _, room in fitted) + GAP * (len(fitted) - 1) <= max(width, -GAP)
    assert all(room >= 1 for _, room in fitted)
    kept = [chosen for chosen, _ in fitted]
    left = iter(given_columns)
    assert all(any(chosen is other for other in left) for chosen in kept)  # in their order
    if given_columns and width > 0:
        assert kept[0] is given_columns[0]
    if len(fitted) > 1:
        assert all(room >= min(chosen.minimum, chosen.width) for chosen, room in fitted)


@given(st.lists(columns, min_size=1, max_size=8))
def test_columns_get_what_they_ask_for_where_there_is_room(given_columns: list[Column[str]]) -> None:
    asked = sum(each.width for each in given_columns) + GAP * (len(given_columns) - 1)
    assert [room for _, room in fit(given_columns, asked)] == [each.width for each in given_columns]


def test_what_is_left_over_goes_to_flexible_columns() -> None:
    fitted = fit([column("a", 10), column("b", 10, flex=1), column("c", 10, flex=2)], 30 + 2 * GAP + 9)
    assert [room for _, room in fitted] == [10, 13, 16]


def test_columns_shrink_before_any_is_left_out_and_the_least_important_goes_first() -> None:
    given_columns = [
        column("a", 10, minimum=5),
        column("b", 10, minimum=5, priority=2),
        column("c", 10, minimum=5, priority=1),
    ]
    assert [room for _, room in fit(given_columns, 15 + 2 * GAP)] == [5, 5, 5]
    assert [chosen.id for chosen, _ in fit(given_columns, 14 + 2 * GAP)] == ["a", "c"]
    assert [(chosen.id, room) for chosen, room in fit(given_columns, 3)] == [("a", 3)]


@given(st.integers(0, 500), st.lists(st.integers(0, 50), max_size=10))
def test_shares_add_up(amount: int, weights: list[int]) -> None:
    parts = share(amount, weights)
    assert sum(parts) == (amount if any(weights) else 0)
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
    if amount <= sum(weights):
        assert all(part <= weight for part, weight in zip(parts, weights, strict=True))


def test_a_click_finds_its_column() -> None:
    places = extents([5, 8])
    assert places == [(GUTTER, 5), (GUTTER + 5 + GAP, 8)]
    found = [column_at(places, x) for x in (0, GUTTER, GUTTER + 5, GUTTER + 5 + GAP, 200)]
    assert found == [None, 0, 0, 1, None]


@given(cells, st.integers(0, 60), st.sampled_from(["left", "right"]))
def test_cells_are_filled_exactly_and_let_nothing_harmful_through(cell: Cell, width: int, align: str) -> None:
    text = "".join(piece for piece, _ in fill(cell, width, align))  # type: ignore[arg-type]
    assert cell_len(text) == width
    assert text.isprintable()


@given(st.lists(columns, max_size=5), st.lists(cells, min_size=5, max_size=5), st.integers(0, 90), st.booleans())
def test_every_line_is_exactly_as_wide_as_the_table(
    given_columns: list[Column[str]], given_cells: list[Cell], width: int, flag: bool
) -> None:
    fitted = fit(given_columns, width - GUTTER)
    order = (given_columns[0].id, flag) if given_columns else None
    lines = [
        header(fitted, order),
        body(tuple(given_cells[: len(fitted)]), mark=MARKED if flag else "", current=not flag),
        Line("empty", cells=(given_cells[0],)),
        Line("row"),
    ]
    for line in lines:
        assert cell_len("".join(text for text, _ in compose(line, fitted, width))) == width


@pytest.mark.parametrize(
    ("cell", "width", "expected"),
    [
        ((("abc", ""),), 5, "abc  "),
        ((("abcdef", ""),), 4, "abc…"),
        ((("ab", ""), ("cdef", "bad")), 4, "abc…"),
        ((("文件名", ""),), 5, "文件…"),
        ((("文件名", ""),), 4, "文 …"),
        ((("🧪🧪", ""),), 3, "🧪…"),
        ((("abc", ""),), 1, "…"),
        ((("abc", ""),), 0, ""),
        ((), 3, "   "),
    ],
)
def test_cutting(cell: Cell, width: int, expected: str) -> None:
    assert "".join(text for text, _ in fill(cell, width)) == expected


def test_padding_is_not_part_of_any_role() -> None:
    assert fill((("7", "bad"),), 3, "right") == [("  ", ""), ("7", "bad")]
    assert fill((("7", "bad"),), 3) == [("7", "bad"), ("  ", "")]


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\n", "\t", "\x7f", "\x9b", "\u202e", "\u2066", "\ud800", "\u2028"]
)
def test_what_acts_on_a_terminal_is_replaced(character: str) -> None:
    assert plain(f"a{character}b") == "a\ufffdb"


@given(hostile)
def test_no_control_or_format_character_passes(text: str) -> None:
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in plain(text))


def test_the_arrow_survives_cutting() -> None:
    def title(width: int, order: tuple[str, bool]) -> str:
        fitted = [(column("retry", 8, align="right"), width)]
        return "".join(text for text, _ in compose(header(fitted, order), fitted, width + GUTTER))[GUTTER:]

    assert title(8, ("retry", True)) == " retry ▼"
    assert title(6, ("retry", False)) == "retry▲"
    assert title(4, ("retry", True)) == "re…▼"
    assert title(1, ("retry", True)) == "▼"
    assert title(8, ("other", True)) == "   retry"


def identity(row: str) -> str:
    return row


@given(rows, rows, st.data())
def test_cursor_and_screen_line_stay_with_the_row(old: list[str], new: list[str], data: st.DataObject) -> None:
    if not old:
        assert rearranged(old, new, identity, 0, 0, 5) == (0, 0)
        return
    height = data.draw(st.integers(0, 12))
    cursor = data.draw(st.integers(0, len(old) - 1))
    top = data.draw(st.integers(0, max(0, len(old) - height)))
    moved, scrolled = rearranged(old, new, identity, cursor, top, height)
    assert 0 <= moved < max(1, len(new))
    assert 0 <= scrolled <= max(0, len(new) - height)
    if old[cursor] in new:
        assert new[moved] == old[cursor]
    if new and top <= cursor < top + height:
        assert scrolled <= moved < scrolled + height
        free = moved - (cursor - top)
        assert scrolled == max(0, min(free, len(new) - height))


def test_the_cursor_goes_to_the_row_that_took_the_place_of_a_vanished_one() -> None:
    old = list("abcdef")
    assert successor(old, list("abdef"), identity, 2) == 2  # d
    assert successor(old, list("bdf"), identity, 2) == 1  # d, though rows above it went too
    assert successor(old, list("ab"), identity, 4) == 1  # nothing after it is left
    assert successor(old, list("xyz"), identity, 4) == 0


def test_rows_the_operator_looks_at_stay_though_the_cursor_is_out_of_view() -> None:
    old = [str(number) for number in range(100)]
    assert rearranged(old, ["new", *old], identity, 2, 50, 10) == (3, 51)


def test_revealing_scrolls_as_little_as_possible() -> None:
    assert [reveal(index, 10, 5) for index in (3, 10, 14, 15, 40)] == [3, 10, 10, 11, 36]
    assert reveal(7, 0, 0) == 7


def test_under_the_cursor_bars_keep_their_colours_and_text_does_not() -> None:
    assert [look_of(text, "cursor") for text in ("███", "▓", "░", " ", "17/40", "")] == ["row"] * 3 + ["cursor"] * 3
    assert look_of("███", "marked") == "marked"


def test_only_what_differs_is_repainted() -> None:
    places = extents([4, 4])
    before: Line = body(((("a", ""),), (("1", ""),)), mark="", current=False)
    assert differences(before, before, places, 12) == []
    after = body(((("a", ""),), (("2", ""),)), mark="", current=False)
    assert differences(before, after, places, 12) == [places[1]]
    assert differences(before, body(after.cells, mark=MARKED, current=False), places, 12) == [(0, 12)]
    empty = Line("empty", cells=((("none", "muted"),),))
    assert differences(empty, Line("empty", cells=((("nothing", "muted"),),)), places[:1], 12) == [(0, 12)]

"""Breaking lines: laws that hold for any text at any width."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from statewatch.tui.widgets.styled import wrap_all, wrapped
from statewatch.tui.widgets.table_model import Cell, Role, plain
from tests.tui.dash import words

ROLES: list[Role] = ["", "good", "bad", "muted"]
TEXT = st.text(alphabet=st.sampled_from("ab  c目🙂é\u0301-\x1b\u202e"), max_size=30)
LINES = st.lists(st.tuples(TEXT, st.sampled_from(ROLES)), max_size=5).map(tuple)


def painted(cell: Cell) -> list[tuple[str, Role]]:
    return [(character, role) for text, role in cell for character in plain(text)]


@given(LINES, st.integers(2, 40))
def test_nothing_is_lost_nothing_is_too_wide_and_roles_stay_with_their_text(line: Cell, width: int) -> None:
    pieces = wrapped(line, width)
    assert [each for piece in pieces for each in painted(piece)] == painted(line)
    assert all(cell_len(plain(words(piece))) <= width for piece in pieces)


@given(LINES, st.integers(2, 40), st.integers(0, 20))
def test_what_hangs_is_indented_and_still_fits(line: Cell, width: int, hang: int) -> None:
    first, *others = wrapped(line, width, hang)
    indent = hang if hang * 2 <= width else 0
    assert all(words(piece).startswith(" " * indent) for piece in others)
    assert "".join(plain(words(first)) for _ in [0]) + "".join(
        plain(words(piece))[indent:] for piece in others
    ) == plain(words(line))
    least = 2 if indent == 0 else indent + 2
    assert all(cell_len(plain(words(piece))) <= max(width, least) for piece in (first, *others))


def test_lines_break_at_blanks_where_there_are_any() -> None:
    line: Cell = (("one two ", ""), ("three", "bad"))
    assert wrapped(line, 9) == [(("one two ", ""),), (("three", "bad"),)]
    assert wrapped((("abcdefgh", ""),), 3) == [(("abc", ""),), (("def", ""),), (("gh", ""),)]


def test_a_hanging_line() -> None:
    assert [words(piece) for piece in wrapped((("  k  some words here", ""),), 12, 5)] == [
        "  k  some ",
        "     words ",
        "     here",
    ]


def test_an_empty_line_stays_a_line() -> None:
    assert wrap_all([(), (("a", ""),)], 10) == [(), (("a", ""),)]

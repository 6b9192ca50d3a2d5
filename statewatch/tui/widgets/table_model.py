"""What a table shows and where: its columns, the text of its cells and all of its arithmetic, without any screen."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Generic, Literal, NamedTuple, TypeVar

from rich.cells import cell_len, set_cell_size

R = TypeVar("R")

Role = Literal["", "good", "bad", "warn", "info", "muted", "strong", "removed", "added"]
Span = tuple[str, Role]
Cell = tuple[Span, ...]
Align = Literal["left", "right"]
Look = Literal["header", "row", "marked", "cursor", "empty"]

GUTTER = 2
"""Terminal cells at the left of every line: one for the mark, one for the cursor."""

MARKED = "✓"
_BAR = frozenset("█▓▒░")

GAP = 2
"""Terminal cells between two columns."""


ACTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("table.up", "up,k", "cursor_up", "One row up"),
    ("table.down", "down,j", "cursor_down", "One row down"),
    ("table.page-up", "pageup", "page_up", "One page up"),
    ("table.page-down", "pagedown", "page_down", "One page down"),
    ("table.first", "home,g", "first", "First row"),
    ("table.last", "end,G", "last", "Last row"),
    ("table.open", "enter", "open", "Open"),
    ("table.mark", "space", "toggle_mark", "Mark"),
    ("table.mark-all", "a", "mark_all", "Mark all"),
    ("table.clear-marks", "A", "clear_marks", "Clear marks"),
)
"""(id, usual keys, action, description) of all a table can do, for whoever makes bindings of them."""


@dataclass(frozen=True)  # with slots, `Column[Row](...)` raises TypeError on Python 3.11
class Column(Generic[R]):
    """One column: how wide it would like to be, what it can do without, and what it says about a row."""

    id: str
    title: str
    cell: Callable[[R, float], Cell]
    """From a row and the present (epoch seconds) to pieces of text. Called for painted rows only."""
    width: int
    minimum: int = 4
    """It may shrink to this width. Below it, columns are left out instead."""
    flex: int = 0
    """Its share of the width that is left over when every column has what it asked for."""
    align: Align = "left"
    priority: int = 0
    """The column with the highest number is left out first. The first column always stays."""
    ticks: bool = False
    """Whether the text depends on the present, as countdowns and ages do."""
    sortable: bool = True


class Line(NamedTuple):
    """All that decides how one line of the table looks. Equal lines need no repainting."""

    look: Look
    gutter: str = ""
    cells: tuple[Cell, ...] = ()


BLANK = Line("row")


def fit(columns: Sequence[Column[R]], width: int) -> list[tuple[Column[R], int]]:
    """Choose which columns fit into *width* terminal cells, and how wide each of them is.

    Columns shrink towards their minimum in proportion to what they can give. When that is not enough, columns are
    left out: the highest priority number first, the rightmost among equals, the first column never.
    """
    kept = list(columns)
    while len(kept) > 1 and sum(_least(column) for column in kept) > _room(kept, width):
        del kept[max(range(1, len(kept)), key=lambda index: (kept[index].priority, index))]
    if not kept or width < 1:
        return []
    spare = _room(kept, width) - sum(column.width for column in kept)
    if spare >= 0:
        change = share(spare, [column.flex for column in kept])
    else:
        slack = [column.width - _least(column) for column in kept]
        change = [-part for part in share(min(-spare, sum(slack)), slack)]
    # A lone first column may have to go below its minimum.
    return [(column, min(column.width + more, width)) for column, more in zip(kept, change, strict=True)]


def share(amount: int, weights: Sequence[int]) -> list[int]:
    """Split *amount* into whole parts in proportion to *weights*. They add up to it unless all weights are 0."""
    total = sum(weights)
    if total == 0:
        return [0] * len(weights)
    edges = [amount * weight // total for weight in accumulate(weights, initial=0)]
    return [right - left for left, right in pairwise(edges)]


def extents(widths: Iterable[int]) -> list[tuple[int, int]]:
    """Return (left edge, width) of each column on the screen, for columns of *widths*."""
    edges = accumulate((GAP + width for width in widths), initial=GUTTER)
    return [(left, right - left - GAP) for left, right in pairwise(edges)]


def column_at(places: Sequence[tuple[int, int]], x: int) -> int | None:
    """Return which of the columns at *places* a click at *x* means. The gap belongs to the column on its left."""
    return next((index for index, (left, width) in enumerate(places) if left <= x < left + width + GAP), None)


def rearranged(
    old: Sequence[R], new: Sequence[R], key: Callable[[R], str], cursor: int, top: int, height: int
) -> tuple[int, int]:
    """Return where the cursor and the first visible row are after *new* rows replaced the *old* ones.

    The cursor stays on its row. If it is in view it also stays on its line of the screen, else the first visible row
    stays on its line, so that nothing moves under the operator's finger as long as the ends of the table allow it.
    """
    if not old or not new:
        return 0, 0
    if not top <= cursor < top + height:
        first = min(top, len(old) - 1)
        return successor(old, new, key, cursor), clamp(successor(old, new, key, first), 0, len(new) - height)
    followed = successor(old, new, key, cursor)
    return followed, clamp(followed - (cursor - top), 0, len(new) - height)


def successor(old: Sequence[R], new: Sequence[R], key: Callable[[R], str], index: int) -> int:
    """Return the index in *new* of the row `old[index]`.

    If that row vanished: of the next one after it that is still there, else of the last one before it, else 0.
    """
    if index < len(new) and key(new[index]) == key(old[index]):
        return index
    places = {key(row): place for place, row in enumerate(new)}
    candidates = chain(range(index, len(old)), range(index - 1, -1, -1))
    found = (places.get(key(old[candidate])) for candidate in candidates)
    return next((place for place in found if place is not None), 0)


def reveal(index: int, top: int, height: int) -> int:
    """Return the first visible row that brings row *index* into view with the least scrolling from *top*."""
    return min(index, max(top, index - max(height, 1) + 1))


def clamp(value: int, low: int, high: int) -> int:
    """Return the number nearest to *value* between *low* and *high*; *low* if there is none."""
    return max(low, min(value, high))


def header(fitted: Sequence[tuple[Column[R], int]], order: tuple[str, bool] | None) -> Line:
    """Return the line of titles; *order* is the column the rows are sorted by and whether it is descending."""
    arrows = {} if order is None else {order[0]: "▼" if order[1] else "▲"}
    return Line("header", cells=tuple(_title(column.title, width, arrows.get(column.id)) for column, width in fitted))


def body(cells: tuple[Cell, ...], *, mark: str, current: bool) -> Line:
    """Return the line of a row. The signs in the gutter say without colour what the look says with it."""
    gutter = mark + ("›" if current else "")
    return Line("cursor" if current else "marked" if mark == MARKED else "row", gutter, cells)


def look_of(text: str, look: Look) -> Look:
    """Return how a piece of a line looks: under the cursor a bar stays as it is, for its colours are what it says."""
    return "row" if look == "cursor" and text and _BAR.issuperset(text) else look


def compose(line: Line, fitted: Sequence[tuple[Column[R], int]], width: int) -> list[Span]:
    """Return *line* as pieces that are exactly *width* terminal cells wide: the gutter, then its cells and the gaps."""
    spans: list[Span] = [(line.gutter.ljust(GUTTER), "")]
    if line.look == "empty":
        spans += line.cells[0]
    else:
        gap: Span = ("", "")
        for cell, (column, room) in zip(line.cells, fitted, strict=False):
            spans += [gap, *fill(cell, room, column.align)]
            gap = (" " * GAP, "")
    return fill(tuple(spans), width)


def differences(old: Line, new: Line, places: Sequence[tuple[int, int]], width: int) -> list[tuple[int, int]]:
    """Return (left edge, width) of the parts of a line to repaint when *new* takes the place of *old*."""
    if old == new:
        return []
    if old[:2] != new[:2] or new.look == "empty" or not len(old.cells) == len(new.cells) == len(places):
        return [(0, width)]
    return [place for place, was, now in zip(places, old.cells, new.cells, strict=True) if was != now]


def plain(text: str) -> str:
    """Return *text* without anything that could act on a terminal or that terminals measure differently.

    Cells are expected to be harmless already. This is the second wall: every character that is not printable (control
    and bidirectional characters, lone surrogates, line separators) becomes `\ufffd`, one for one.
    """
    text = text.replace("\ufe0f", "")  # the emoji selector: terminals disagree on the width it causes
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def fill(cell: Cell, width: int, align: Align = "left") -> list[Span]:
    """Return *cell* as pieces that are exactly *width* terminal cells wide: padded, or cut with `…`."""
    spans = [(plain(text), role) for text, role in cell if text]
    spare = width - sum(cell_len(text) for text, _ in spans)
    if spare < 0:
        return _cut(spans, width)
    if spare > 0:
        spans.insert(0 if align == "right" else len(spans), (" " * spare, ""))
    return spans


def _title(title: str, width: int, arrow: str | None) -> Cell:
    """Return a title with its arrow, which survives where the title has to be cut."""
    if arrow is None:
        return ((title, ""),)
    if cell_len(plain(title)) + 2 <= width:
        return ((f"{title} {arrow}", ""),)
    return (*fill(((title, ""),), width - 1), (arrow, ""))


def _cut(spans: Iterable[Span], width: int) -> list[Span]:
    """Keep the first *width* terminal cells of *spans*, which are wider; the last of them is the ellipsis."""
    kept: list[Span] = []
    room = width - 1
    for text, role in spans:
        size = cell_len(text)
        if size > room:
            return [*kept, (set_cell_size(text, room) + "…", role)] if width > 0 else []
        kept.append((text, role))
        room -= size
    return kept


def _least(column: Column[R]) -> int:
    return min(column.minimum, column.width)


def _room(columns: Sequence[Column[R]], width: int) -> int:
    return width - GAP * (len(columns) - 1)

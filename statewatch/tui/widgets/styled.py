"""Turning pieces of text with roles into strips in the colours of the theme, for the widgets that are not tables."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from statewatch.tui.widgets.table_model import Cell, Role, Span, fill, plain

ROLES: tuple[Role, ...] = ("good", "bad", "warn", "info", "muted", "strong", "removed", "added")


class Styled(Widget):
    """A widget that paints lines of styled pieces."""

    ALLOW_SELECT: ClassVar[bool] = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"styled--{role}" for role in ROLES}
    DEFAULT_CSS = """
    Styled {
        & > .styled--good { color: $text-success; }
        & > .styled--bad { color: $text-error; }
        & > .styled--warn { color: $text-warning; }
        & > .styled--info { color: $text-accent; }
        & > .styled--muted { color: $text-muted; }
        & > .styled--strong { text-style: bold; }
        & > .styled--removed { color: $text-error; text-style: bold underline; }
        & > .styled--added { color: $text-success; text-style: bold underline; }
        &:nocolor > .styled--bad { color: $foreground; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        """Make it without text."""
        self._styles_of: dict[Role, Style] = {}
        super().__init__(id=id)

    def paint(self, cell: Cell, width: int) -> Strip:
        """Return *cell* as a strip of exactly *width* terminal cells."""
        return Strip([Segment(text, self._style(role)) for text, role in fill(cell, width)], width)

    def notify_style_update(self) -> None:
        """Forget the colours of the former theme or state."""
        super().notify_style_update()
        self._styles_of.clear()

    def _style(self, role: Role) -> Style:
        known = self._styles_of.get(role)
        if known is None:
            known = self.rich_style
            if role:
                own = self.get_component_rich_style(f"styled--{role}")
                known += own.without_color + Style(color=own.color)
            self._styles_of[role] = known
        return known


def wrapped(cell: Cell, width: int, hang: int = 0) -> list[Cell]:
    """Break a line into lines of at most *width* terminal cells, at blanks where there are any.

    All but the first are indented by *hang* cells, where that leaves room to speak of.
    """
    text = "".join(plain(piece) for piece, _ in cell)
    if width < 1 or cell_len(text) <= width:
        return [cell]
    hang = hang if hang * 2 <= width else 0
    first, *others = (_slice(cell, start, end) for start, end in _breaks(text, width, width - hang))
    indent: Cell = ((" " * hang, ""),) if hang else ()
    return [first, *((*indent, *piece) for piece in others)]


def _breaks(text: str, width: int, later: int) -> list[tuple[int, int]]:
    """Return the ends of the pieces: the first of at most *width* terminal cells, *later* ones of another width."""
    found: list[tuple[int, int]] = []
    start = used = 0
    blank = -1
    for index, character in enumerate(text):
        size = cell_len(character)
        if used + size > width and index > start:
            carried = cell_len(text[blank + 1 : index])
            end = blank + 1 if blank > start and carried + size <= later else index
            found.append((start, end))
            start, used, blank, width = end, cell_len(text[end:index]), -1, later
        if character == " ":
            blank = index
        used += size
    return [*found, (start, len(text))]


def _slice(cell: Cell, start: int, end: int) -> Cell:
    spans: list[Span] = []
    position = 0
    for text, role in cell:
        piece = plain(text)
        cut = piece[max(0, start - position) : max(0, end - position)]
        position += len(piece)
        if cut:
            spans.append((cut, role))
    return tuple(spans)


def wrap_all(lines: Sequence[Cell], width: int, hang: int = 0) -> list[Cell]:
    """Break every line."""
    return [piece for line in lines for piece in wrapped(line, width, hang)]

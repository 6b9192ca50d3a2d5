"""A few lines of styled text that repaint only where they change, and a pane of many that scrolls."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from statewatch.tui.registry import bindings
from statewatch.tui.widgets.styled import Styled, wrap_all
from statewatch.tui.widgets.table_model import Cell


class Lines(Styled):
    """Lines of styled text, cut at the width of the widget."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    def __init__(self, *, wrap: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        """Break lines that are too long if *wrap*, else cut them."""
        super().__init__(id=id)
        self._wrap = wrap
        self._lines: tuple[Cell, ...] = ()
        self._shown: list[Cell] = []
        self._width = 0

    def show(self, lines: Sequence[Cell]) -> None:
        """Show *lines*."""
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        before, self._shown = self._shown, self._laid_out(self._width)
        if len(before) != len(self._shown):
            self.refresh(layout=True)
            return
        changed = [y for y, (old, new) in enumerate(zip(before, self._shown, strict=True)) if old != new]
        self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return how many lines there are at that width."""
        return len(self._laid_out(width))

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        if self._width != self.size.width:
            self._width = self.size.width
            self._shown = self._laid_out(self._width)
        return self.paint(self._shown[y] if y < len(self._shown) else (), self.size.width)

    def _laid_out(self, width: int) -> list[Cell]:
        return wrap_all(self._lines, width) if self._wrap and width else list(self._lines)


class Pane(Styled, ScrollView, can_focus=True, inherit_bindings=False):
    """Text of any length that wraps and scrolls."""

    DEFAULT_CSS = """
    Pane {
        height: 1fr;
        overflow: hidden auto;
        padding: 0 1;
        &:focus { background-tint: $foreground 4%; }
    }
    """
    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = bindings("pane")

    def __init__(self, *, hang: int = 0, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        """Make an empty pane; where it breaks lines, what follows is indented by *hang* cells."""
        super().__init__(id=id)
        self._hang = hang
        self._lines: tuple[Cell, ...] = ()
        self._shown: list[Cell] = []

    def show(self, lines: Sequence[Cell], *, from_the_top: bool = False) -> None:
        """Show *lines*; the place the operator has scrolled to stays, unless *from_the_top*."""
        if tuple(lines) == self._lines and not from_the_top:
            return
        self._lines = tuple(lines)
        self._lay_out()
        if from_the_top:
            self.scroll_to(y=0, animate=False)

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._lay_out()

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        index = y + self.scroll_offset.y
        return self.paint(self._shown[index] if index < len(self._shown) else (), self.size.width)

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._shown = wrap_all(self._lines, width, self._hang)
        self.virtual_size = Size(width, len(self._shown))
        self.refresh()

"""The one table of the dashboard. It paints only what is in view, and of that only what differs from what is there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from statewatch.tui.widgets import table_model as model
from statewatch.tui.widgets.table_model import BLANK, GUTTER, Cell, Column, Line, Look, R, Role

Shown = TypeVar("Shown")


class Table(ScrollView, Generic[R], inherit_bindings=False):
    """Rows under a fixed header, with a cursor and marks that belong to rows, not to places.

    It has no keys of its own: a subclass gives it `BINDINGS` for the actions named in `ACTIONS`.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = []
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--cursor",
        "table--cursor-blurred",
        "table--marked",
        "table--good",
        "table--bad",
        "table--warn",
        "table--info",
        "table--muted",
        "table--strong",
    }
    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")

    @dataclass(eq=False)
    class Said(Message, Generic[Shown]):
        """Something happened in a table; `@on` selectors match the table."""

        table: "Table[Shown]"

        @property
        def control(self) -> "Table[Shown]":
            """The table that says it."""
            return self.table

    @dataclass(eq=False)
    class Highlighted(Said[Shown]):
        """The cursor went to another row, or lost its last one (`row` is None)."""

        row: Shown | None

    @dataclass(eq=False)
    class Opened(Said[Shown]):
        """The operator wants to see the whole of a row."""

        row: Shown

    @dataclass(eq=False)
    class SortAsked(Said[Shown]):
        """The operator clicked on the title of a column that can be sorted by."""

        column_id: str

    @dataclass(eq=False)
    class Marked(Said[Shown]):
        """Other rows are marked than before; `keys` are all that are marked now."""

        keys: frozenset[str]

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        key: Callable[[R], str],
        empty: str = "nothing here",
        id: str | None = None,  # noqa: A002 - Textual's name for it
        classes: str | None = None,
    ) -> None:
        """Make a table of *columns* in which *key* tells rows apart; *empty* is said when there are no rows."""
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.empty = empty
        self._key = key
        self._rows: tuple[R, ...] = ()
        self._now = 0.0
        self._cursor = 0
        self._marked: frozenset[str] = frozenset()
        self._sort: tuple[str, bool] | None = None
        self._height = 0  # rows in view when the size was last looked at
        self._shape = Size(0, 0)  # the size that the following two were made for
        self._fitted: list[tuple[Column[R], int]] = []
        self._places: list[tuple[int, int]] = []
        self._cells: dict[int, tuple[Cell, ...]] = {}
        self._painted: list[Line] | None = None  # None: not on the screen, or all of it is to be painted
        self._styles_of: dict[tuple[Look, Role, bool], Style] = {}

    # What the owner asks and tells

    @property
    def rows(self) -> tuple[R, ...]:
        """The rows shown, in their order."""
        return self._rows

    @property
    def cursor(self) -> int | None:
        """The index of the cursor's row; None without rows."""
        return self._cursor if self._rows else None

    @property
    def cursor_row(self) -> R | None:
        """The row under the cursor; None without rows."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor; None without rows."""
        return self._key(self._rows[self._cursor]) if self._rows else None

    @property
    def marked(self) -> frozenset[str]:
        """The keys of the marked rows. All of them are among the rows shown."""
        return self._marked

    @property
    def chosen(self) -> tuple[R, ...]:
        """The rows an action is about: the marked ones in their order, else the one under the cursor."""
        if self._marked:
            return tuple(row for row in self._rows if self._key(row) in self._marked)
        return self._rows[self._cursor : self._cursor + 1]

    def show(self, rows: Sequence[R], now: float) -> None:
        """Show *rows*, already sorted and filtered, as things are at *now*.

        Cursor and marks stay with their rows. Marks of rows that are gone are dropped, so that nobody acts on a row
        he does not see.
        """
        before, highlighted = self._rows, self.cursor_key
        self._rows, self._now = tuple(rows), now
        self._cells.clear()
        self._cursor, top = model.rearranged(
            before, self._rows, self._key, self._cursor, self.scroll_offset.y, self._page
        )
        self._extend(Size(0, 1 + max(1, len(self._rows))))
        self._scroll(top)
        if self._marked:
            self._mark(self._marked.intersection(map(self._key, self._rows)))
        self._sync()
        if self.cursor_key != highlighted:
            self.post_message(self.Highlighted(self, self.cursor_row))

    def tick(self, now: float) -> None:
        """Bring the texts that depend on the present up to *now*. Costs next to nothing when none of them changes."""
        self._now = now
        if self._painted is None:
            self._cells.clear()
        elif any(column.ticks for column, _ in self._fitted):
            self._cells = {index: self._retold(index, cells) for index, cells in self._cells.items()}
            self._sync()

    def show_sort(self, column_id: str | None, *, descending: bool = False) -> None:
        """Point out in the header that the rows are sorted by a column, or by none."""
        self._sort = None if column_id is None else (column_id, descending)
        self._sync()

    def move_to(self, key: str) -> bool:
        """Put the cursor on the row with *key*. Return whether there is one."""
        index = next((index for index, row in enumerate(self._rows) if self._key(row) == key), None)
        if index is not None:
            self._go(index)
        return index is not None

    # What the operator does

    def action_cursor_up(self) -> None:
        """Go one row up."""
        self._go(self._cursor - 1)

    def action_cursor_down(self) -> None:
        """Go one row down."""
        self._go(self._cursor + 1)

    def action_page_up(self) -> None:
        """Go one page up."""
        self._turn(-1)

    def action_page_down(self) -> None:
        """Go one page down."""
        self._turn(1)

    def action_first(self) -> None:
        """Go to the first row."""
        self._go(0)

    def action_last(self) -> None:
        """Go to the last row."""
        self._go(len(self._rows) - 1)

    def action_open(self) -> None:
        """Ask for the whole of the row under the cursor."""
        if self._rows:
            self.post_message(self.Opened(self, self._rows[self._cursor]))

    def action_toggle_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        if self._rows:
            self._mark(self._marked ^ {self._key(self._rows[self._cursor])})

    def action_mark_all(self) -> None:
        """Mark every row shown."""
        self._mark(frozenset(map(self._key, self._rows)))

    def action_clear_marks(self) -> None:
        """Take all marks away."""
        self._mark(frozenset())

    def on_click(self, event: events.Click) -> None:
        """A title asks for sorting, a row gets the cursor, its gutter a mark; a double click opens."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        index = self.scroll_offset.y + offset.y - 1
        if offset.y == 0:
            self._ask_for_sort(offset.x)
        elif index < len(self._rows):
            # Rows may have moved between the two clicks: the second opens only what the first one chose.
            again = event.chain > 1 and index == self._cursor
            self._go(index)
            if offset.x < GUTTER:
                self.action_toggle_mark()
            elif again:
                self.action_open()

    # Moving

    @property
    def _area(self) -> Size:
        """The room for lines, without the scroll bar. It is remembered while the table is hidden."""
        width, height = self.container_size
        return Size(max(0, width - self.scrollbar_size_vertical), height)

    @property
    def _page(self) -> int:
        """How many rows there is room for below the header."""
        return max(0, self._area.height - 1)

    def _go(self, index: int, scrolled: int = 0) -> None:
        """Put the cursor on a row and bring it into view, after scrolling by so many rows."""
        highlighted = self.cursor_key
        self._cursor = model.clamp(index, 0, len(self._rows) - 1)
        self._scroll(model.reveal(self._cursor, self.scroll_offset.y + scrolled, self._page))
        self._sync()
        if self.cursor_key != highlighted:
            self.post_message(self.Highlighted(self, self.cursor_row))

    def _turn(self, pages: int) -> None:
        """Go on by pages. The cursor keeps its line on the screen; one row stays in view for orientation."""
        step = pages * max(1, self._page - 1)
        self._go(self._cursor + step, scrolled=step)

    def _extend(self, size: Size) -> None:
        """Set how much there is to scroll. Only a height that follows it is worth laying out the screen anew."""
        if self.styles.auto_dimensions:
            self.virtual_size = size
        elif size != self.virtual_size:
            self.set_reactive(ScrollView.virtual_size, size)
            self._scroll_update(size)

    def _scroll(self, top: int) -> None:
        if self._page and top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

    def _mark(self, keys: frozenset[str]) -> None:
        if keys != self._marked:
            self._marked = keys
            self._sync()
            self.post_message(self.Marked(self, keys))

    def _ask_for_sort(self, x: int) -> None:
        index = model.column_at(self._places, x)
        if index is not None and self._fitted[index][0].sortable:
            self.post_message(self.SortAsked(self, self._fitted[index][0].id))

    # Painting

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Repaint the lines that differ. Often none does, as when rows arrive above those in view."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self._sync()

    def on_resize(self) -> None:
        """Keep the cursor in view, unless the operator had scrolled away from it."""
        top = self.scroll_offset.y
        if not self._height or top <= self._cursor < top + self._height:
            self._scroll(model.reveal(self._cursor, top, self._page))
        self._height = self._page

    def on_hide(self) -> None:
        """Stop following changes while nobody sees them, and have all of it painted when it is seen again."""
        self._painted = None
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget the colours of the former theme."""
        super().notify_style_update()
        self._styles_of.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paint lines, after making up what they are if this is the first time or the size changed."""
        if self._painted is None or self._shape != self._area:
            self._shape = self._area
            self._fitted = model.fit(self.columns, self._area.width - GUTTER)
            self._places = model.extents(width for _, width in self._fitted)
            self._cells.clear()
            self._painted = self._lines()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Paint one line of the screen."""
        line = self._painted[y] if self._painted is not None and y < len(self._painted) else BLANK
        spans = model.compose(line, self._fitted, self._shape.width)
        look = line.look
        segments = [Segment(text, self._style(model.look_of(text, look), role)) for text, role in spans]
        return Strip(segments, self._shape.width)

    def _sync(self) -> None:
        """Have painted what differs between the lines on the screen and what they should be now."""
        if self._painted is None or self._shape != self._area:
            return  # nobody sees it, or all of it is about to be painted
        lines, whole = self._lines(), self._shape.width
        regions = [
            Region(left, y, width, 1)
            for y, (old, new) in enumerate(zip(self._painted, lines, strict=True))
            for left, width in model.differences(old, new, self._places, whole)
        ]
        self._painted = lines
        if regions:
            self.refresh(*regions)

    def _lines(self) -> list[Line]:
        """Make up all lines of the screen, from cells kept since the last `show` or `tick` where there are any."""
        top, kept = self.scroll_offset.y, self._cells
        in_view = range(top, min(top + self._page, len(self._rows)))
        self._cells = {index: kept.get(index) or self._told(index) for index in in_view}
        lines = [model.header(self._fitted, self._sort)]
        for index, cells in self._cells.items():
            mark = self._mark_of(self._key(self._rows[index]))
            lines.append(model.body(cells, mark=mark, current=index == self._cursor))
        if not self._rows:
            lines.append(Line("empty", cells=(((self.empty, "muted"),),)))
        height = self._area.height
        return [*lines, *[BLANK] * (height - len(lines))][:height]

    def _mark_of(self, key: str) -> str:
        """Return the sign in the gutter of a row."""
        return model.MARKED if key in self._marked else ""

    def _told(self, index: int) -> tuple[Cell, ...]:
        row = self._rows[index]
        return tuple(column.cell(row, self._now) for column, _ in self._fitted)

    def _retold(self, index: int, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Tell anew what depends on the present."""
        row, columns = self._rows[index], zip(self._fitted, cells, strict=True)
        return tuple(column.cell(row, self._now) if column.ticks else cell for (column, _), cell in columns)

    def _style(self, look: Look, role: Role) -> Style:
        """Return how text of a role looks in a line. The focused cursor has one colour, as it must be readable."""
        focused = look == "cursor" and self.has_focus
        known = self._styles_of.get((look, role, focused))
        if known is not None:
            return known
        name = "cursor-blurred" if look == "cursor" and not focused else look
        plain_look = look in {"row", "empty"}
        style = self.rich_style if plain_look else self.get_component_rich_style(f"table--{name}")
        if role:
            own = self.get_component_rich_style(f"table--{role}")
            style += own.without_color + Style(color=None if focused else own.color)
        self._styles_of[look, role, focused] = style
        return style

"""The line into which the filter is typed."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import BindingType
from textual.widgets import Input

from statewatch.tui.registry import bindings

if TYPE_CHECKING:
    from statewatch.tui.screens.main import MainScreen


class FilterBar(Input):
    """Filters while it is typed into; enter goes to the rows, escape shows everything again."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("filter")
    DEFAULT_CSS = "FilterBar { height: 1; border: none; padding: 0 1; }"

    def __init__(self) -> None:
        """Make an empty filter."""
        hint = "words  key:value  !not  /regex/"
        super().__init__(placeholder=hint, compact=True, select_on_focus=False, id="filter")

    @property
    def _main(self) -> "MainScreen":
        return cast("MainScreen", self.screen)

    def open(self, text: str) -> None:
        """Begin with *text*."""
        self.value = text
        self.cursor_position = len(text)
        self.display = True
        self.focus()

    def action_clear(self) -> None:
        """Show everything again."""
        self.value = ""
        self.display = False
        self._main.filtered("")
        self._main.leave_filter()

    def action_rows(self) -> None:
        """Go to the rows."""
        self.display = bool(self.value)
        self._main.leave_filter()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._main.filtered(event.value)

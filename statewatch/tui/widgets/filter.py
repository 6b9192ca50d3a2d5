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
        super().__init__(placeholder="words  key:value  !not  /regex/", compact=True, id="filter")

    @property
    def _main(self) -> "MainScreen":
        return cast("MainScreen", self.screen)

    def open(self, text: str) -> None:
        """Begin with *text*."""
        self.value = text
        self.display = True
        self.focus()

    def action_clear(self) -> None:
        """Show everything again."""
        self.value = ""
        self.display = False
        self._main.filtered("")
        self._main.leave_filter()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._main.filtered(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.display = bool(event.value)
        self._main.leave_filter()

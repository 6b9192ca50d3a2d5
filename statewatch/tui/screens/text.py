"""A text of any length: a whole error, all about a workflow."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from statewatch.documents.text import harmless
from statewatch.tui.registry import bindings
from statewatch.tui.widgets.bars import Bar, KeyBar
from statewatch.tui.widgets.lines import Pane
from statewatch.tui.widgets.table_model import Cell


class TextScreen(Screen[None]):
    """A title and a text that scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("text")
    CSS = """
    TextScreen {
        #title { background: $panel; }
        #keys { background: $panel; }
    }
    """

    def __init__(self, title: str, lines: Sequence[Cell], *, hang: int = 0) -> None:
        """Show *lines*, harmless already, under *title*; where one is broken, the rest is indented by *hang*."""
        super().__init__()
        self._hang = hang
        self._title = harmless(title, 200)
        self._lines = tuple(lines)

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield Bar(id="title")
        yield Pane(hang=self._hang, id="text")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Fill the parts."""
        self.query_one("#title", Bar).show(((f" {self._title}", "strong"),))
        self.query_one("#text", Pane).show(self._lines)
        self.query_one("#text").focus()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the text."""
        self.app.copy_to_clipboard("\n".join("".join(text for text, _ in line) for line in self._lines))
        self.notify("Copied.", markup=False)

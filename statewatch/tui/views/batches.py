"""The Batches view: all batches, and the items of the one under the cursor."""

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult

from statewatch.tui.models import batches
from statewatch.tui.models.batches import ItemRow
from statewatch.tui.models.build import Model
from statewatch.tui.views.base import DashTable, View
from statewatch.tui.widgets.lines import Lines
from statewatch.tui.widgets.table import Table


class BatchesView(View):
    """Batches above, items below."""

    NAME: ClassVar[str] = "batches"
    MAIN: ClassVar[str] = "batches"
    FOLLOWS: ClassVar[bool] = True

    def compose(self) -> ComposeResult:
        """Make both tables, and the line that says what had to be assumed."""
        yield DashTable(batches.SPEC, id="batches")
        yield Lines(wrap=True, id="notes")
        yield DashTable(batches.ITEMS, id="items")

    def present(self, model: Model) -> None:
        """Show a model; the items of another batch begin at the one that is next."""
        table = self.query_one("#items", DashTable)
        before = table.rows[0].source.key if table.rows else None
        super().present(model)
        current = next((row for row in table.rows if row.is_current), None)
        if current is not None and current.source.key != before:
            table.move_to(current.key)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[Any]) -> None:
        if isinstance(event.row, ItemRow):
            from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

            self.app.push_screen(TextScreen(event.row.title, batches.item_text(event.row)))
        else:
            self.query_one("#items").focus()

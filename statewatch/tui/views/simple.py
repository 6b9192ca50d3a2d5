"""The Changes view."""

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult

from statewatch.tui.models import changes
from statewatch.tui.models.changes import ChangeRow
from statewatch.tui.views.base import DashTable, View
from statewatch.tui.widgets.table import Table


class ChangesView(View):
    """What changed, newest first."""

    NAME: ClassVar[str] = "changes"
    MAIN: ClassVar[str] = "changes"

    def compose(self) -> ComposeResult:
        """Make the table."""
        yield DashTable(changes.SPEC, id="changes", newest_first=True)

    def source_key(self) -> str | None:
        """Return the key of the source that the chosen change is of."""
        row: Any = self.main.cursor_row
        return row.line.source if isinstance(row, ChangeRow) else None

    def action_diff(self) -> None:
        """Show the diff of the chosen change."""
        row: Any = self.main.cursor_row
        if isinstance(row, ChangeRow):
            self.post_message(self.Diffed(row.line.source, row.line.number))

    @on(Table.Opened)
    def _opened(self) -> None:
        self.action_diff()

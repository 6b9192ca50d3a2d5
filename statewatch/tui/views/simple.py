"""The simple views: Workflows, State and Changes."""

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult

from statewatch.tui.models import changes, sources, workflows
from statewatch.tui.models.build import VIEW_OF_KIND
from statewatch.tui.models.changes import ChangeRow
from statewatch.tui.models.sources import SourceRow
from statewatch.tui.models.workflows import WorkflowRow
from statewatch.tui.views.base import DashTable, View
from statewatch.tui.widgets.lines import Pane
from statewatch.tui.widgets.table import Table


class WorkflowsView(View):
    """Workflows with their phases."""

    NAME: ClassVar[str] = "workflows"
    MAIN: ClassVar[str] = "workflows"
    FOLLOWS: ClassVar[bool] = True

    def compose(self) -> ComposeResult:
        """Make the table, and the pane about the workflow under the cursor."""
        yield DashTable(workflows.SPEC, id="workflows")
        yield Pane(hang=4, id="detail")

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[WorkflowRow]) -> None:
        from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

        self.app.push_screen(TextScreen(event.row.name, workflows.text(event.row, self.now)))


class StateView(View):
    """Every source, whatever it is."""

    NAME: ClassVar[str] = "state"
    MAIN: ClassVar[str] = "state"

    def compose(self) -> ComposeResult:
        """Make the table."""
        yield DashTable(sources.SPEC, id="state")

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[SourceRow]) -> None:
        view = VIEW_OF_KIND.get(event.row.source.kind)
        if event.row.source.problem is not None or (view is None and event.row.source.view is not None):
            from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

            self.app.push_screen(TextScreen(event.row.source.label, sources.text(event.row, self.now)))
        elif view is None or event.row.source.view is None:
            self.post_message(self.Diffed(event.row.key))
        else:
            self.post_message(self.Went(view, event.row.key))


class ChangesView(View):
    """What changed, newest first."""

    NAME: ClassVar[str] = "changes"
    MAIN: ClassVar[str] = "changes"

    def compose(self) -> ComposeResult:
        """Make the table."""
        yield DashTable(changes.SPEC, id="changes", newest_first=True)

    def action_diff(self) -> None:
        """Show the diff of the chosen change."""
        row: Any = self.main.cursor_row
        if isinstance(row, ChangeRow):
            self.post_message(self.Diffed(row.line.source, row.line.number))

    @on(Table.Opened)
    def _opened(self) -> None:
        self.action_diff()

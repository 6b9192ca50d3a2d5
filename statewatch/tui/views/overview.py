"""The Overview: what needs me, what runs, the circuits at a glance, what just changed."""

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from statewatch.tui.models import changes, overview
from statewatch.tui.models.changes import ChangeRow
from statewatch.tui.models.hooks import HookRow
from statewatch.tui.models.overview import NeedRow, RunRow
from statewatch.tui.models.workflows import WorkflowRow
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import DashTable, View
from statewatch.tui.views.circuits import CircuitsAsked, targets
from statewatch.tui.widgets.lines import Lines
from statewatch.tui.widgets.table import Table

_VIEW_OF_NEED = {"hook": "hooks", "circuit": "hooks", "batch": "batches", "workflow": "workflows", "file": "state"}


class OverviewView(View):
    """The first view."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("overview")
    NAME: ClassVar[str] = "overview"
    MAIN: ClassVar[str] = "needs"

    def compose(self) -> ComposeResult:
        """Make the three tables and the circuits."""
        yield DashTable(overview.NEEDS, id="needs")
        yield DashTable(overview.RUNS, id="runs")
        with Horizontal(id="lower"):
            with Vertical(id="glance"):
                yield Lines(wrap=True, id="circuits")
            yield DashTable(changes.BRIEF, id="said", newest_first=True)

    def source_key(self) -> str | None:
        """Return the key of the source of the row under the cursor."""
        row: Any = self.focused_table.cursor_row
        if isinstance(row, NeedRow):
            return row.need.source.key
        return row.run.source.key if isinstance(row, RunRow) else None

    def action_diff(self) -> None:
        """Show what changed last in what is chosen."""
        row: Any = self.focused_table.cursor_row
        if isinstance(row, ChangeRow):
            self.post_message(self.Diffed(row.line.source, row.line.number))
        elif isinstance(row, NeedRow) and row.need.kind in {"hook", "circuit"}:
            self.post_message(self.Diffed(row.need.source.key, subject=row.subject))
        else:
            super().action_diff()

    def action_reset(self) -> None:
        """Reset the chosen circuits among what needs somebody."""
        chosen = [found for row in self.main.chosen if (found := _circuit(row)) is not None]
        if chosen:
            self.post_message(CircuitsAsked("hooks.reset", "reset", targets(chosen)))
        else:
            self.notify("Choose a circuit: only circuits can be reset.", severity="warning", markup=False)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[Any]) -> None:
        row = event.row
        if isinstance(row, NeedRow):
            hook = _circuit(row)
            self.post_message(self.Went(_VIEW_OF_NEED[row.need.kind], hook.key if hook else row.need.source.key))
        elif isinstance(row, RunRow):
            self.post_message(self.Went("workflows" if isinstance(row.run, WorkflowRow) else "batches", row.key))
        else:
            self.action_diff()


def _circuit(row: NeedRow) -> HookRow | None:
    hook = row.hook
    return None if hook is None else HookRow(row.need.source, hook, row.need.source.policy)

"""The Overview: what needs me, what runs, the circuits at a glance, what just changed."""

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from statewatch.tui.acting import ActionsAsked
from statewatch.tui.models import changes, overview
from statewatch.tui.models.changes import ChangeRow
from statewatch.tui.models.hooks import HookRow
from statewatch.tui.models.overview import NeedRow, RunRow
from statewatch.tui.models.since import SinceRow
from statewatch.tui.models.workflows import WorkflowRow
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import DashTable, View
from statewatch.tui.views.circuits import CircuitsAsked, targets
from statewatch.tui.views.drains import WAITS, lift_actions
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

    async def show_since(self) -> None:
        """Show what changed since the last look, until it is closed."""
        from statewatch.tui.models import since  # noqa: PLC0415 - only after a pause

        found = self.dashboard.since
        if found is None or self.query("#since"):
            return
        now = self.dashboard.main.now
        table = DashTable(since.spec(found, now), id="since")
        await self.mount(table, before="#lower")
        table.show(since.rows(found), now)

    def action_back(self) -> None:
        """Close what changed since the last look, where there is nothing nearer to go back from."""
        panel = self.query("#since")
        focused = self.focused_table
        if panel and (focused is panel.first() or (focused is self.main and not self.filter)):
            self.main.focus()
            panel.first().remove()
        else:
            super().action_back()

    def source_key(self) -> str | None:
        """Return the key of the source of the row under the cursor."""
        row: Any = self.focused_table.cursor_row
        if isinstance(row, NeedRow):
            return row.need.source.key
        if isinstance(row, ChangeRow):
            return row.line.source
        return row.run.source.key if isinstance(row, RunRow) else None

    def action_diff(self) -> None:
        """Show what changed last in what is chosen."""
        row: Any = self.focused_table.cursor_row
        if isinstance(row, SinceRow):
            from statewatch.tui.comparing import compare_since  # noqa: PLC0415 - only who compares pays for it

            compare_since(self.dashboard, row.line)
        elif isinstance(row, ChangeRow):
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
        elif waiting := [row for row in self.main.chosen if row.need.source.kind == WAITS]:
            checkpoint = Path(waiting[0].need.source.key)
            self.post_message(ActionsAsked("hooks.reset", partial(lift_actions, checkpoint)))
        else:
            self.notify("Choose a circuit: only circuits can be reset.", severity="warning", markup=False)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[Any]) -> None:
        row = event.row
        if isinstance(row, SinceRow):
            self.post_message(self.Went("changes", None))
        elif isinstance(row, NeedRow):
            hook = _circuit(row)
            self.post_message(self.Went(_VIEW_OF_NEED[row.need.kind], hook.key if hook else row.need.source.key))
        elif isinstance(row, RunRow):
            self.post_message(self.Went("workflows" if isinstance(row.run, WorkflowRow) else "batches", row.key))
        else:
            self.action_diff()


def _circuit(row: NeedRow) -> HookRow | None:
    hook = row.hook
    return None if hook is None else HookRow(row.need.source, hook, row.need.source.policy)

"""The Hooks view: all circuits, the detail of the one under the cursor, and what may be done to them."""

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from statewatch.core.circuits import Verb
from statewatch.tui.models import hooks
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import DashTable, View
from statewatch.tui.views.circuits import CircuitsAsked, targets
from statewatch.tui.widgets.lines import Pane
from statewatch.tui.widgets.table import Table


class HooksView(View):
    """Circuits with their detail."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("hooks")
    NAME: ClassVar[str] = "hooks"
    MAIN: ClassVar[str] = "hooks"
    FOLLOWS: ClassVar[bool] = True

    def compose(self) -> ComposeResult:
        """Make the table and the detail."""
        yield DashTable(hooks.SPEC, id="hooks")
        yield Pane(id="detail")

    def action_reset(self) -> None:
        """Reset the chosen circuits."""
        self._ask("hooks.reset", "reset")

    def action_half_open(self) -> None:
        """Let the chosen circuits be tested now."""
        self._ask("hooks.half-open", "half-open")

    def action_enable(self) -> None:
        """Reset the chosen circuits that are not closed."""
        self._ask("hooks.enable", "enable")

    def action_disable(self) -> None:
        """Open the chosen circuits."""
        self._ask("hooks.disable", "disable")

    def action_reset_all(self) -> None:
        """Reset every circuit of the file under the cursor."""
        row: Any = self.main.cursor_row
        if row is not None:
            self.post_message(CircuitsAsked("hooks.reset-all", "reset", targets([row]), everything=True))

    def _ask(self, command: str, verb: Verb) -> None:
        if self.main.chosen:
            self.post_message(CircuitsAsked(command, verb, targets(self.main.chosen)))

    @on(Table.Opened)
    def _opened(self) -> None:
        self.query_one("#detail").focus()

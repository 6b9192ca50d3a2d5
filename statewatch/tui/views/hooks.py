"""The Hooks view: all circuits, the detail of the one under the cursor, and what may be done to them."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from statewatch.documents.text import harmless
from statewatch.tui.acting import AnswerAsked, Typed
from statewatch.tui.models import hooks
from statewatch.tui.registry import bindings, command
from statewatch.tui.views.base import DashTable, View
from statewatch.tui.views.circuits import Asked, CircuitsAsked, targets
from statewatch.tui.views.drains import DRAINS, PAUSE_HINT, pause_actions, root_of_drain, wrong_pause
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
        yield Pane(hang=2, id="detail")

    def acting(self) -> None:
        """Go on to the next circuit, too: the rows acted on will find another place in the order."""
        super().acting()
        self.main.action_cursor_down()

    def action_diff(self) -> None:
        """Show what changed last in the chosen circuit."""
        row: Any = self.main.cursor_row
        if row is not None:
            self.post_message(self.Diffed(row.source.key, subject=row.name))

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

    def action_mode(self) -> None:
        """Give the chosen circuits a mode, or take it away."""
        self._ask("hooks.mode", "mode")

    def action_pause(self) -> None:
        """Pause the drain that the row under the cursor is about."""
        row: Any = self.main.cursor_row
        if refusal := self.dashboard.refusal(command("hooks.pause")):
            self.notify(refusal, severity="warning", markup=False)
            return
        if row is None or row.source.kind not in DRAINS:
            text = "Choose the breaker, the budget or the pause of a drain: only a drain can be paused."
            self.notify(text, severity="warning", markup=False)
            return
        root = root_of_drain(row.source.key)
        question = Typed(f"For how long may no drain of {harmless(root.name, 60)} begin?", PAUSE_HINT, wrong_pause)
        self.post_message(AnswerAsked("hooks.pause", question, partial(pause_actions, root)))

    def action_reset_all(self) -> None:
        """Reset every circuit of the file under the cursor."""
        row: Any = self.main.cursor_row
        self._ask("hooks.reset-all", "reset", [] if row is None else [row], everything=True)

    def _ask(self, command: str, verb: Asked, rows: Sequence[Any] | None = None, *, everything: bool = False) -> None:
        chosen = self.main.chosen if rows is None else rows
        able = [row for row in chosen if verb == "reset" or row.is_hook]
        if able:
            self.post_message(CircuitsAsked(command, verb, targets(able), everything=everything))
        elif chosen:
            self.notify("Only circuits of hooks can do that; this one can be reset.", severity="warning", markup=False)
        else:
            self.notify("There is no circuit here.", severity="warning", markup=False)

    @on(Table.Opened)
    def _opened(self) -> None:
        self.query_one("#detail").focus()

"""The question before an action: exactly what will be written where, and who holds the lock. Cancel has the focus."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button

from statewatch.tui.registry import bindings
from statewatch.tui.widgets.bars import KeyBar
from statewatch.tui.widgets.lines import Lines, Pane
from statewatch.tui.widgets.table_model import Cell


class ConfirmScreen(ModalScreen[str]):
    """A question with a text and some answers; the first answer is the harmless one, and has the focus.

    Dismissed with the chosen answer's label; escape gives the first.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm")
    CSS_PATH = "confirm.tcss"

    def __init__(self, question: Cell, lines: Sequence[Cell], answers: Sequence[str]) -> None:
        """Ask *question*, explained by *lines*."""
        super().__init__()
        self._question = question
        self._lines = tuple(lines)
        self._answers = tuple(answers)

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(id="box"):
            yield Lines(wrap=True, id="question")
            yield Pane(id="lines")
            with Horizontal(id="answers"):
                for index, answer in enumerate(self._answers):
                    yield Button(
                        answer, id=f"answer-{index}", compact=True, variant="default" if index == 0 else "warning"
                    )
            yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Fill the box; the harmless answer gets the focus."""
        self.query_one("#question", Lines).show((self._question,))
        self.query_one("#lines", Pane).show(self._lines)
        self.query_one("#answer-0").focus()

    def key_right(self) -> None:
        """Go to the next answer."""
        self.focus_next(Button)

    def key_left(self) -> None:
        """Go to the previous answer."""
        self.focus_previous(Button)

    def action_cancel(self) -> None:
        """Give the harmless answer."""
        self.dismiss(self._answers[0])

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(self._answers[int((event.button.id or "answer-0").removeprefix("answer-"))])

"""The question before an action: exactly what will be written where, and who holds the lock. Cancel has the focus."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

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

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp


class ConfirmScreen(ModalScreen[str]):
    """A question with a text and some answers; the first answer is the harmless one, and has the focus.

    Dismissed with the chosen answer's label; `y` gives the second, escape and `n` the first.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm")
    CSS_PATH = "confirm.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-tight"), (60, "-roomy")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (14, "-tall")]
    untold: frozenset[str] = frozenset()
    """Bindings that work, but are not worth telling."""

    def __init__(self, question: Cell, lines: Sequence[Cell], answers: Sequence[str]) -> None:
        """Ask *question*, explained by *lines*."""
        super().__init__()
        self._question = question
        self._lines = tuple(lines)
        self._answers = tuple(answers)
        if len(self._answers) == 1:
            self.untold = frozenset({"confirm.yes", "confirm.no"})  # they close it, but nothing was asked

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(id="box"):
            yield Lines(wrap=True, id="question")
            lines = Pane(hang=2, id="lines")
            lines.can_focus = False  # the keys scroll it, wherever the focus is
            yield lines
            with Horizontal(id="answers"):
                for index, answer in enumerate(self._answers):
                    yield Button(
                        answer, id=f"answer-{index}", compact=True, variant="default" if index == 0 else "warning"
                    )
            yield KeyBar(id="keys")

    def on_resize(self) -> None:
        """Leave room for the answers: they must be in sight, the text can be scrolled."""
        self.query_one("#lines").styles.max_height = max(1, self.size.height - (3 if self.size.height < 14 else 11))

    def on_mount(self) -> None:
        """Fill the box; the harmless answer gets the focus. What was told in passing must not hide the question."""
        cast("StatewatchApp", self.app).hush()
        self.query_one("#question", Lines).show((self._question,))
        self.query_one("#lines", Pane).show(self._lines)
        self.query_one("#answer-0").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a choice only where there is one, and a plain yes only where it can mean but one thing."""
        if action == "choose":
            return len(self._answers) > 1
        return len(self._answers) <= 2 if action == "agree" else super().check_action(action, parameters)

    def action_choose(self, step: int) -> None:
        """Go to a neighbouring answer."""
        (self.focus_next if step > 0 else self.focus_previous)(Button)

    def action_scroll(self, step: int) -> None:
        """Scroll the text."""
        self.query_one("#lines", Pane).scroll_relative(y=step, animate=False)

    def action_agree(self) -> None:
        """Give the answer beside the harmless one, or the only one."""
        self.dismiss(self._answers[:2][-1])

    def action_cancel(self) -> None:
        """Give the harmless answer."""
        self.dismiss(self._answers[0])

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(self._answers[int((event.button.id or "answer-0").removeprefix("answer-"))])

"""The question before the question: something to type (a reason, a number of hours), or one of several to choose."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from statewatch.tui.acting import Chosen, Typed
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import DashTable
from statewatch.tui.widgets.bars import KeyBar
from statewatch.tui.widgets.lines import Lines
from statewatch.tui.widgets.table import Table
from statewatch.tui.widgets.table_model import Column

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp

LONGEST = 2_000
"""Characters that can be typed: a reason, not a novel."""


class _Asking(ModalScreen[str | None]):
    """A box with a question; dismissed with the answer, or with None where nothing is to be done."""

    CSS_PATH = "prompt.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (14, "-tall")]
    QUESTION: Typed | Chosen

    def on_mount(self) -> None:
        """Ask. What was told in passing must not hide the question."""
        cast("StatewatchApp", self.app).hush()
        self.query_one("#question", Lines).show((cells.own(self.QUESTION.question, "strong"),))

    def action_cancel(self) -> None:
        """Do nothing."""
        self.dismiss(None)


class _Line(Input):
    """The line to type into. It takes the keys itself: on their way to another widget they would overtake the text."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("prompt")

    def action_cancel(self) -> None:
        """Do nothing."""
        cast("PromptScreen", self.screen).action_cancel()


class PromptScreen(_Asking):
    """Something to type. Enter goes on, escape does nothing."""

    def __init__(self, question: Typed) -> None:
        """Ask *question*."""
        super().__init__()
        self.QUESTION = self._typed = question

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(id="box"):
            yield Lines(wrap=True, id="question")
            yield _Line(placeholder=self._typed.hint, compact=True, max_length=LONGEST, id="answer")
            yield Lines(wrap=True, id="wrong")
            yield KeyBar(id="keys")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        answer = event.value.strip()
        wrong = self._typed.check(answer)
        self.query_one("#wrong", Lines).show((cells.own(wrong, "bad"),) if wrong else ())
        if not wrong:
            self.dismiss(answer)

    @on(Input.Changed)
    def _changed(self) -> None:
        self.query_one("#wrong", Lines).show(())


@dataclass(frozen=True)
class _Answer:
    key: str
    shown: str

    @property
    def fields(self) -> dict[str, str]:
        return {"answer": self.shown}


class ChoiceScreen(_Asking):
    """One of several to choose. Enter takes the one under the cursor, escape none."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("choice")

    def __init__(self, question: Chosen) -> None:
        """Ask *question*."""
        super().__init__()
        self.QUESTION = self._chosen = question

    def compose(self) -> ComposeResult:
        """Make the box."""
        column: Column[_Answer] = Column("answer", "", lambda row, _now: cells.own(row.shown), width=40, flex=1)
        with Vertical(id="box"):
            yield Lines(wrap=True, id="question")
            yield DashTable(TableSpec((column,), "nothing to choose"), id="answers")
            yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Show the answers."""
        table = self.query_one("#answers", DashTable)
        table.show([_Answer(key, shown) for key, shown in self._chosen.answers], 0.0)
        table.focus()

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[Any]) -> None:
        event.stop()
        self.dismiss(event.row.key)

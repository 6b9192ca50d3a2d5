"""A box with a few lines to fill in, before something is done with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from statewatch.tui.models import cells
from statewatch.tui.registry import bindings
from statewatch.tui.widgets.bars import KeyBar
from statewatch.tui.widgets.lines import Lines
from statewatch.tui.widgets.table_model import Cell

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp

LONGEST = 500
"""Characters that a line takes."""

Values: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One line to fill in: `hint` is shown while there is nothing in it."""

    name: str
    label: str
    value: str = ""
    hint: str = ""


class FormScreen(ModalScreen[Values | None]):
    """Lines to fill in. Enter goes on with their values by name, escape with None: nothing is to be done."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("form")
    CSS_PATH = "form.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (14, "-tall")]

    def __init__(
        self, question: Cell, fields: Sequence[Field], check: Callable[[Values], str], problem: str = ""
    ) -> None:
        """Ask *question*; *check* says what is wrong with the values, an empty text where nothing is.

        *problem* says what was wrong with the values that the fields begin with.
        """
        super().__init__()
        self._question = question
        self._fields = tuple(fields)
        self._check = check
        self._problem = problem

    def compose(self) -> ComposeResult:
        """Make the box."""
        with Vertical(id="box"):
            yield Lines(wrap=True, id="question")
            for each in self._fields:
                with Horizontal(classes="field"):
                    yield Lines(id=f"label-{each.name}")
                    yield Input(
                        each.value,
                        placeholder=each.hint,
                        compact=True,
                        max_length=LONGEST,
                        select_on_focus=False,
                        id=f"field-{each.name}",
                    )
            yield Lines(wrap=True, id="wrong")
            yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Fill the box. What was told in passing must not hide it."""
        cast("StatewatchApp", self.app).hush()
        self.query_one("#question", Lines).show((self._question,))
        for each in self._fields:
            self.query_one(f"#label-{each.name}", Lines).show((cells.own(each.label, "muted"),))
        self._say(self._problem)
        self.query(Input).first().focus()

    @property
    def values(self) -> Values:
        """What is in the lines, without blanks at the ends."""
        return {each.name: self.query_one(f"#field-{each.name}", Input).value.strip() for each in self._fields}

    def action_submit(self) -> None:
        """Go on with what was typed, if nothing is wrong with it."""
        values = self.values
        wrong = self._check(values)
        self._say(wrong)
        if not wrong:
            self.dismiss(values)

    def action_cancel(self) -> None:
        """Do nothing."""
        self.dismiss(None)

    def _say(self, wrong: str) -> None:
        self.query_one("#wrong", Lines).show((cells.say(wrong, "bad"),) if wrong else ())

    @on(Input.Changed)
    def _changed(self) -> None:
        values = self.values
        if values != {each.name: each.value.strip() for each in self._fields}:
            self._say(self._check(values) if any(values.values()) else "")

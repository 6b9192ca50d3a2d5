"""What all views have in common: tables made from specs, a filter, an order, a chosen row."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from statewatch.tui.models.build import Ask, Model
from statewatch.tui.models.row import TableSpec
from statewatch.tui.registry import bindings
from statewatch.tui.widgets.lines import Lines, Pane
from statewatch.tui.widgets.table import Table
from statewatch.watch.picture import ChangeLine

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp


class DashTable(Table[Any]):
    """The table with the keys of the registry."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("table")

    def __init__(
        self,
        spec: TableSpec[Any],
        *,
        id: str,  # noqa: A002 - Textual's name for it
        newest_first: bool = False,
        holds: bool = False,
    ) -> None:
        """Make a table of *spec*. In one that is *newest_first* a cursor at the top stays there when new rows come.

        One that *holds* keeps the cursor on its row from the first on, and new rows in sight above it: for rows to
        which keys do something.
        """
        super().__init__(spec.columns, key=lambda row: row.key, empty="reading …", id=id)
        self.spec = spec
        self._newest_first = newest_first
        self._holds = holds
        self._touched = False

    def show(self, rows: Sequence[Any], now: float, *, hidden: int = 0, empty: str = "") -> None:
        """Show *rows*; *hidden* are the ones a filter left out, *empty* says why there are none where that is known.

        Until the operator has moved the cursor it stays at the top, where the rows are that matter most.
        """
        self.empty = empty or ("nothing matches the filter" if hidden else self.spec.empty)
        at_the_top = not self._touched or (self._newest_first and not self.cursor)
        from_the_top = self._holds and not self.scroll_offset.y
        super().show(rows, now)
        if at_the_top and self.cursor:
            super()._go(0)
        elif from_the_top and self.scroll_offset.y:
            super()._go(self.cursor or 0, scrolled=-self.scroll_offset.y)
        self._touched = self._touched or (self._holds and bool(rows))

    def _go(self, index: int, scrolled: int = 0) -> None:
        self._touched = True
        super()._go(index, scrolled)


class View(Vertical):
    """One view. `filter`, `sort` and `chosen` are what the operator asked for; rows come back in a model."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("view")
    NAME: ClassVar[str]
    MAIN: ClassVar[str]
    """The id of the table that filter and order are about."""
    FOLLOWS: ClassVar[bool] = False
    """Whether a part of the view shows the row under the cursor, so that moving it asks for a new model."""

    class Asked(Message):
        """The view needs a new model."""

    class Cleared(Message):
        """The operator wants to see every row again."""

    class Diffed(Message):
        """The operator wants to see what changed last in a source, or in one change of it."""

        def __init__(self, source: str, number: int | None = None, subject: str | None = None) -> None:
            """Carry the key of the source, and the number of a change line or the subject whose last one is meant."""
            super().__init__()
            self.source = source
            self.number = number
            self.subject = subject

        def means(self, line: ChangeLine) -> bool:
            """Tell whether a change line is of what was chosen; of its lines the newest is meant."""
            if self.number is not None:
                return line.number == self.number
            return line.source == self.source and self.subject in {None, line.sentence.subject}

    class Went(Message):
        """The operator wants to see a row in another view."""

        def __init__(self, view: str, key: str | None) -> None:
            """Carry the view, and the key of the row where one is meant."""
            super().__init__()
            self.view = view
            self.key = key

    def __init__(self) -> None:
        """Make the view, empty until its first model."""
        super().__init__(id=f"view-{self.NAME}", classes="view")
        self._tables: tuple[DashTable, ...] = ()
        self.filter = ""
        self.sort: tuple[str, bool] | None = None
        self.chosen: str | None = None
        self.now = 0.0
        """The present, as of the last model or tick."""

    @property
    def main(self) -> DashTable:
        """The table that filter and order are about."""
        return self.query_one(f"#{self.MAIN}", DashTable)

    @property
    def marked(self) -> int:
        """Return how many rows are marked, of whichever table actions are about."""
        return len(self.main.marked)

    def on_mount(self) -> None:
        """Want the first model: one that came before there were tables was not shown."""
        self.post_message(self.Asked())

    @property
    def dashboard(self) -> "StatewatchApp":
        """The application."""
        return cast("StatewatchApp", self.app)

    def asks(self, ask: Ask) -> Ask:
        """Return what is wanted of the presenter, with what only this view has to add."""
        return ask

    def arrive(self, key: str | None) -> None:
        """Take notice that the operator comes here, from the source or to the row with *key*."""

    def present(self, model: Model) -> None:
        """Show a model."""
        self.now = model.now
        for name, rows in model.tables.items():
            hidden = model.hidden if name == self.MAIN else 0
            self.query_one(f"#{name}", DashTable).show(rows, model.now, hidden=hidden)
        for name, lines in model.panes.items():
            pane = self.query_one(f"#{name}")
            assert isinstance(pane, Lines | Pane)
            pane.show(lines)

    def tick(self, now: float) -> None:
        """Let what depends on the present move on."""
        self.now = now
        if not self._tables:
            self._tables = tuple(self.query(DashTable))
        for table in self._tables:
            table.tick(now)

    def source_key(self) -> str | None:
        """Return the key of the source of the row under the cursor."""
        row = self.focused_table.cursor_row
        return None if row is None else str(row.source.key)

    @property
    def focused_table(self) -> DashTable:
        """The table with the focus, else the main one."""
        focused = self.screen.focused
        return focused if isinstance(focused, DashTable) else self.main

    def action_diff(self) -> None:
        """Show what changed last in the chosen source."""
        if (key := self.source_key()) is not None:
            self.post_message(self.Diffed(key))

    def action_checkpoint(self) -> None:
        """Keep the chosen source as it is now, under a name."""
        source = self.dashboard.picture.source(self.source_key() or "")
        if source is None:
            self.notify("Choose something of a source first.", severity="warning", markup=False)
            return
        from statewatch.tui import keeping  # noqa: PLC0415 - only who keeps something pays for it

        self.do("view.checkpoint", partial(keeping.create, self.dashboard, source))

    def do(self, command: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do *work* in the name of a command when nothing else is being done, and show what came of it."""

        async def done() -> None:
            await self.dashboard.operations.do(command, work)
            self.did()

        self.app.run_worker(done(), group="operations")

    def did(self) -> None:
        """Take notice that something was done, or not."""
        self.post_message(self.Asked())

    def acting(self) -> None:
        """Take notice that something is being done to the chosen rows: the next action is not about them."""
        self.main.action_clear_marks()

    def action_sort(self) -> None:
        """Sort by the next column that can be sorted by; after the last one, in the view's own order."""
        names = [None, *self.main.spec.sorts]
        current = self.sort[0] if self.sort else None
        following = names[(names.index(current) + 1) % len(names)]
        self._sort_by(following, descending=False)

    def action_reverse(self) -> None:
        """Sort the other way round."""
        if self.sort is not None:
            self._sort_by(self.sort[0], descending=not self.sort[1])

    def action_zoom(self) -> None:
        """Give the focused pane all the room, or take it back."""
        focused = self.screen.focused
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif focused is not None:
            self.screen.maximize(focused, container=False)

    def action_back(self) -> None:
        """Go back to the main table; there, take the filter away."""
        if self.screen.focused is not self.main:
            self.main.focus()
        elif self.filter:
            self.post_message(self.Cleared())

    @on(Table.SortAsked)
    def _sort_asked(self, event: Table.SortAsked[Any]) -> None:
        if event.table is self.main and event.column_id in self.main.spec.sorts:
            again = self.sort is not None and self.sort[0] == event.column_id and not self.sort[1]
            self._sort_by(event.column_id, descending=again)

    @on(Table.Highlighted)
    def _highlighted(self, event: Table.Highlighted[Any]) -> None:
        if event.table is self.main:
            self.chosen = self.main.cursor_key
            if self.FOLLOWS:
                self.post_message(self.Asked())

    def _sort_by(self, column: str | None, *, descending: bool) -> None:
        self.sort = None if column is None else (column, descending)
        self.main.show_sort(column, descending=descending)
        self.post_message(self.Asked())

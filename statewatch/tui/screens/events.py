"""The events of a run as a log that can be filtered, and that goes on while one looks."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen

from statewatch.documents.text import harmless
from statewatch.tui import query
from statewatch.tui.models import run_events
from statewatch.tui.models.run_events import EventRow
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import DashTable
from statewatch.tui.widgets.bars import Bar, KeyBar
from statewatch.tui.widgets.table import Table

Load = Callable[[float], Sequence[EventRow]]
"""Gives the events up to an instant, newest first; it may read files, and is called in a thread."""


class EventsScreen(Screen[None]):
    """A title, and the events, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("events")
    CSS = """
    EventsScreen {
        #title { background: $panel; }
        #keys { background: $panel; }
        #body { height: 1fr; }
        #events { height: 1fr; }
        #filter { padding: 0 1; background: $panel; }
    }
    """

    def __init__(self, title: str, load: Load, clock: Callable[[], float]) -> None:
        """Show what *load* gives, again each second; *title* is harmless already."""
        super().__init__()
        self._title = title
        self._load = load
        self._clock = clock
        self._filter = ""
        self._rows: tuple[EventRow, ...] = ()

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield Bar(id="title")
        with Container(id="body"):
            yield DashTable(run_events.SPEC, id="events", newest_first=True)
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Show the events, and look for more each second."""
        self._table.focus()
        self._look()
        self.set_interval(1, self._look)

    def filtered(self, text: str) -> None:
        """Show only what matches *text*."""
        self._filter = text
        self._show()

    def leave_filter(self) -> None:
        """Go back from the filter to the events."""
        self._table.focus()

    async def action_filter(self) -> None:
        """Open the filter."""
        from statewatch.tui.widgets.filter import FilterBar  # noqa: PLC0415 - the input widget is dear to import

        found = self.query(FilterBar)
        bar: FilterBar = found.first() if found else FilterBar()
        if not found:
            await self.mount(bar, after="#body")
        bar.open(self._filter)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()

    @property
    def _table(self) -> DashTable:
        return self.query_one("#events", DashTable)

    def _look(self) -> None:
        self.run_worker(self._read(), exclusive=True, group="events")

    async def _read(self) -> None:
        self._rows = tuple(await asyncio.to_thread(self._load, self._clock()))
        self._show()

    def _show(self) -> None:
        holds = query.parse(self._filter) if self._filter else None
        shown = [row for row in self._rows if holds is None or holds(row.fields)]
        hidden = len(self._rows) - len(shown)
        self._table.show(shown, self._clock(), hidden=hidden)
        hiding = f"   filter {harmless(self._filter, 60)!r} hides {hidden}" if self._filter else ""
        said = f"   {len(self._rows)} event{'' if len(self._rows) == 1 else 's'}, newest first{hiding}"
        self.query_one("#title", Bar).show(((f" Events of {self._title}", "strong"), (said, "muted")))

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[Any]) -> None:
        from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

        self.app.push_screen(TextScreen(f"{event.row.what} {event.row.fields['phase']}", run_events.text(event.row)))

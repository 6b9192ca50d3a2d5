"""Blame: when a place changed last, to what before, and every change of it that is recorded."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from statewatch.core.errors import StatewatchError
from statewatch.documents import pointer
from statewatch.documents.text import harmless
from statewatch.documents.values import Path
from statewatch.tui.archive import Archive
from statewatch.tui.models import blame, cells
from statewatch.tui.models.blame import TouchRow
from statewatch.tui.models.travel import moment
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import DashTable
from statewatch.tui.widgets.bars import Bar, KeyBar
from statewatch.tui.widgets.lines import Lines
from statewatch.tui.widgets.table import Table


class BlameScreen(Screen[None]):
    """Every recorded change of one place."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("blame")
    CSS = """
    BlameScreen {
        #title, #keys { background: $panel; }
        #headline { padding: 0 1; margin-bottom: 1; }
        #touches { height: 1fr; }
    }
    """

    def __init__(
        self,
        archive: Archive,
        source: str,
        label: str,
        path: Path,
        clock: Callable[[], float],
        until: float | None = None,
        kind: str = "",
    ) -> None:
        """Tell of the place *path* in a source, which people see as *label*; of what was known *until* then.

        Of private values of its *kind* is told only that they changed.
        """
        super().__init__()
        self._archive = archive
        self._source = source
        self._about = label + harmless(f"#{pointer.render(path)}" if path else "", 300)
        self._path = path
        self._clock = clock
        self._until = until
        self._kind = kind

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield Bar(id="title")
        yield Lines(wrap=True, id="headline")
        yield DashTable(blame.SPEC, id="touches")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Ask the history."""
        until = "" if self._until is None else f"  until {moment(self._until, self._clock())}"
        self.query_one("#title", Bar).show(((" blame  ", "muted"), (self._about, "strong"), (until, "warn")))
        self.query_one("#touches").focus()
        self.run_worker(self._load(), exclusive=True)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()

    async def _load(self) -> None:
        headline, empty = cells.own(""), ""
        found: tuple[TouchRow, ...] = ()
        try:
            touches = await asyncio.to_thread(self._archive.blame, self._source, self._path)
            since = await asyncio.to_thread(self._archive.since, self._source)
        except StatewatchError as error:
            empty = harmless(str(error), 500)
        else:
            found = blame.rows(touches, self._path, self._until, self._kind)
            now = self._clock()
            headline = blame.headline(found, now)
            if since is None:
                empty = "nothing is recorded of this source yet"
            elif not found:
                empty = f"recorded since {moment(since, now)}"
        self.query_one("#headline", Lines).show((headline,) if headline else ())
        self.query_one("#touches", DashTable).show(found, self._clock(), empty=empty)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[TouchRow]) -> None:
        from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

        self.app.push_screen(TextScreen(self._about, blame.lines(event.row, self._clock())))

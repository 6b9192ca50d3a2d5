"""The Checkpoints view: the sources, the timeline of what is kept of one of them, and what may be done with it."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical

from statewatch.tui.models import checkpoints
from statewatch.tui.models.build import Ask, Model
from statewatch.tui.models.checkpoints import KeptRow
from statewatch.tui.registry import bindings, command
from statewatch.tui.views.base import DashTable, View
from statewatch.tui.widgets.lines import Pane
from statewatch.tui.widgets.table import Table
from statewatch.watch.shelves import Shelves

_EVERY = 3
"""Seconds after which what is kept is looked at again: nobody tells when others keep something."""
_SOON = 0.05
"""Seconds before the rest is asked for, where a look did not come to its end: the other views are served first."""


class CheckpointsView(View):
    """Sources, a timeline, and all about one thing in it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("checkpoints")
    NAME: ClassVar[str] = "checkpoints"
    MAIN: ClassVar[str] = "kept"
    FOLLOWS: ClassVar[bool] = True

    def __init__(self) -> None:
        """Make the view, of no source yet."""
        super().__init__()
        self.shelves = Shelves()
        self._place: str | None = None
        self._goal: str | None = None
        self._arrived = True
        self._ticks = 0

    def compose(self) -> ComposeResult:
        """Make the tables and the pane."""
        with Container(id="shelf"):
            yield DashTable(checkpoints.SHELVES, id="shelves")
            with Vertical(id="timeline-of"):
                yield DashTable(checkpoints.KEPT, id="kept", holds=True)
                yield Pane(hang=2, id="about")

    def asks(self, ask: Ask) -> Ask:
        """Add which source is looked at, and what looks at it."""
        place, chosen = self._place, self.chosen
        of_it = place is None or (chosen is not None and chosen.startswith(f"{place}\0"))
        return replace(ask, chosen=chosen if of_it else place, shelves=self.shelves)

    def arrive(self, key: str | None) -> None:
        """Show what is kept of the source that the operator comes from."""
        self._arrived = True
        if key is not None:
            self._place = self._goal = key.partition("\0")[0]
        self.shelves.ask_anew()

    def present(self, model: Model) -> None:
        """Show a model; where it is not all there is, ask for the rest soon."""
        super().present(model)
        sources = self.query_one("#shelves", DashTable)
        if self._goal is not None:
            sources.move_to(self._goal)
            self._goal = None
        self._place = sources.cursor_key
        if self._arrived and not model.unfinished:
            self._arrived = False
            if not self.main.rows and self.screen.focused is self.main:
                sources.focus()  # there is nothing to choose among yet but sources
        if model.unfinished:
            self.set_timer(_SOON, lambda: self.post_message(self.Asked()))

    def tick(self, now: float) -> None:
        """Let what depends on the present move on, and look now and then whether others have kept something."""
        super().tick(now)
        self._ticks += 1
        if self._ticks % _EVERY == 0:
            self.post_message(self.Asked())

    def source_key(self) -> str | None:
        """Return the key of the source whose timeline is shown."""
        return self._place

    def did(self) -> None:
        """Show at once what was done."""
        self.shelves.ask_anew()
        super().did()

    def action_sources(self) -> None:
        """Go to the sources, or from there to the timeline."""
        sources = self.query_one("#shelves", DashTable)
        (self.main if self.screen.focused is sources else sources).focus()

    def action_diff(self) -> None:
        """Compare two marked ones, or the chosen one with the present."""
        rows = self.main.chosen
        if len(rows) not in (1, 2):
            self._hint("Mark two to compare them, or none to compare the chosen one with now." if rows else "")
            return
        from statewatch.tui import keeping  # noqa: PLC0415 - only who does something pays for it
        from statewatch.tui.screens.diff import DiffScreen  # noqa: PLC0415

        self.app.push_screen(DiffScreen((keeping.comparison(*rows),), 0, self.dashboard.clock))

    def action_restore(self) -> None:
        """Bring the chosen one back, all of it."""
        if (row := self._only("checkpoints.restore")) is not None:
            from statewatch.tui import keeping  # noqa: PLC0415

            self._restore(partial(keeping.restoring, row))

    def action_rename(self) -> None:
        """Give the chosen one another name or note."""
        if (row := self._only("checkpoints.rename")) is not None:
            from statewatch.tui import keeping  # noqa: PLC0415

            self.do("checkpoints.rename", partial(keeping.rename, self.dashboard, row))

    def action_pin(self) -> None:
        """Pin the chosen ones, or take their pins off."""
        from statewatch.tui import keeping  # noqa: PLC0415

        self._do_to_chosen("checkpoints.pin", keeping.pin)

    def action_delete(self) -> None:
        """Delete the chosen ones."""
        from statewatch.tui import keeping  # noqa: PLC0415

        self._do_to_chosen("checkpoints.delete", keeping.delete)

    def action_verify(self) -> None:
        """See whether the chosen ones are as they were made."""
        from statewatch.tui import keeping  # noqa: PLC0415

        self._do_to_chosen("checkpoints.verify", partial(keeping.verify, shelves=self.shelves))

    def _restore(self, make: Callable[[], Any]) -> None:
        async def done() -> None:
            await self.dashboard.operations.perform("checkpoints.restore", make, safe=True)
            self.did()

        self.app.run_worker(done(), group="operations")

    def _do_to_chosen(self, name: str, work: Callable[..., Coroutine[Any, Any, None]]) -> None:
        rows = self.main.chosen
        if rows:
            self.do(name, partial(work, self.dashboard, rows))
        else:
            self._hint(self.dashboard.refusal(command(name)))

    def _only(self, name: str) -> KeptRow | None:
        """Return the one row that a command is about; says so where it works on one only and more are marked."""
        rows = self.main.chosen
        if len(rows) == 1:
            row: KeptRow = rows[0]
            return row
        many = f"{len(rows)} are marked, and this is done to one: A clears the marks." if rows else ""
        self._hint(self.dashboard.refusal(command(name)) or many)
        return None

    def _hint(self, text: str = "") -> None:
        text = text or "Nothing is kept of this source yet: c makes a checkpoint."
        self.notify(text, severity="warning", markup=False)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[Any]) -> None:
        if event.table is self.main:
            self.action_restore()
        else:
            self.main.focus()

    @on(Table.Highlighted, "#shelves")
    def _other_source(self, event: Table.Highlighted[Any]) -> None:
        if self._goal is None and event.row is not None:
            self._place = event.row.key
            self.post_message(self.Asked())

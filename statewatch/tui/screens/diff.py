"""The diff screen: what one revision changed, place by place, with the value before and the value after."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.screen import Screen

from statewatch.documents.values import JSON
from statewatch.kinds import times
from statewatch.tui.models import cells, diffs
from statewatch.tui.models.diffs import DiffModel, DiffRow
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import DashTable
from statewatch.tui.widgets.bars import Bar, KeyBar
from statewatch.tui.widgets.lines import Pane
from statewatch.tui.widgets.table import Table
from statewatch.watch.picture import ChangeLine


class DiffScreen(Screen[None]):
    """The changes of one revision of a source; the neighbouring revisions are one key away."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("diff")
    CSS_PATH = "diff.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]

    def __init__(
        self, revisions: tuple[ChangeLine, ...], start: int, recall: Callable[[str], JSON], clock: Callable[[], float]
    ) -> None:
        """Begin with the revision at index *start* of *revisions*, which are in the order of time."""
        super().__init__()
        self._revisions = revisions
        self._index = start
        self._recall = recall
        self._clock = clock
        self._model: DiffModel | None = None

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield Bar(id="title")
        with Container(id="parts"):
            yield DashTable(diffs.SPEC, id="places")
            with Horizontal(id="sides"):
                yield Pane(id="before")
                yield Pane(id="after")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Load the first diff."""
        self.query_one("#before").border_title = "before"
        self.query_one("#after").border_title = "after"
        self.query_one("#places").focus()
        self._load()

    def action_move(self, step: int) -> None:
        """Go to a neighbouring revision."""
        index = self._index + step
        if 0 <= index < len(self._revisions):
            self._index = index
            self._load()
        else:
            where = "newest" if step > 0 else "oldest"
            self.notify(f"This is the {where} revision that was seen.", markup=False)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss()

    def _load(self) -> None:
        self.run_worker(self._loaded(self._revisions[self._index]), exclusive=True)

    async def _loaded(self, line: ChangeLine) -> None:
        self._model = model = await asyncio.to_thread(diffs.load, line, self._recall)
        now = self._clock()
        position = f"{self._index + 1} of {len(self._revisions)}"
        self.query_one("#title", Bar).show((*model.title(now), (position, "muted")))
        places = self.query_one("#places", DashTable)
        places.show(model.rows, now, empty=model.missing)
        self._show_sides(model.rows[places.cursor or 0] if model.rows else None)

    def _show_sides(self, row: DiffRow | None) -> None:
        before, after = diffs.sides(row.change) if row else ((), ())
        self.query_one("#before", Pane).show(before, from_the_top=True)
        self.query_one("#after", Pane).show(after, from_the_top=True)

    @on(Table.Highlighted)
    def _highlighted(self, event: Table.Highlighted[Any]) -> None:
        self._show_sides(event.row)

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[DiffRow]) -> None:
        from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

        before, after = diffs.sides(event.row.change)
        title = event.row.change.pointer or "/"
        lines = (cells.own("BEFORE", "muted"), *before, (), cells.own("AFTER", "muted"), *after)
        self.app.push_screen(TextScreen(title, lines))


def revisions_of(changes: tuple[ChangeLine, ...], source: str) -> tuple[ChangeLine, ...]:
    """Return one line for each revision of a source, in the order of time; *changes* are newest first."""
    found: dict[str, ChangeLine] = {}
    for line in reversed(changes):
        if line.source == source and line.after is not None and line.before is not None:
            found.setdefault(f"{line.before} {line.after} {times.iso(line.at)}", line)
    return tuple(found.values())

"""The diff screen: what differs between two moments, place by place, and taking picked changes back."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen

from statewatch.kinds.masking import is_private
from statewatch.tui.acting import BlameAsked
from statewatch.tui.models import cells, diff_copy, diff_detail, diff_rows
from statewatch.tui.models.comparison import Comparison
from statewatch.tui.models.diff_loading import load, taking_back
from statewatch.tui.models.diff_rows import DiffModel, GroupRow, Listed, Wish
from statewatch.tui.models.diff_title import title, told
from statewatch.tui.registry import bindings
from statewatch.tui.widgets.bars import Bar, KeyBar
from statewatch.tui.widgets.diff_table import DiffTable
from statewatch.tui.widgets.table import Table
from statewatch.tui.widgets.versus import Versus

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp

_WIDE = 110
"""Columns from which on the list and the sides are beside each other."""

Step: TypeAlias = Literal["load", "rows", "sides"]
"""What has to be made anew, off the event loop: each needs the ones after it made anew, too."""


class DiffScreen(Screen[None]):
    """The changes between two moments of a source; the neighbouring moments are one key away."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("diff")
    CSS_PATH = "diff.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]
    ALLOW_IN_MAXIMIZED_VIEW = "#title, #keys"

    def __init__(self, comparisons: Sequence[Comparison], start: int, clock: Callable[[], float]) -> None:
        """Begin with the one at index *start* of *comparisons*, which are in the order of time."""
        super().__init__()
        self._comparisons = tuple(comparisons)
        self._index = start
        self._clock = clock
        self._model: DiffModel | None = None
        self._wish = Wish()
        self._picked: frozenset[int] = frozenset()
        self._inline = False
        self._places = DiffTable(id="places")
        self._sides = Versus(id="sides")
        self._due: set[Step] = set()
        self._is_at_work = False
        self._seen: str | None = None
        """The digest of what was there when what is there now was loaded last."""

    @property
    def _named(self) -> tuple[str, ...]:
        """Patterns for places that the operator has called noise in sources of this sort since the start."""
        return self._dashboard.noise.get(self._sort, ())

    @property
    def _sort(self) -> str:
        """What sources have in common whose places mean the same: their kind, where it is more than plain JSON."""
        comparison = self._comparisons[self._index]
        return comparison.key if comparison.kind == "plain" else comparison.kind

    @property
    def _dashboard(self) -> "StatewatchApp":
        return cast("StatewatchApp", self.app)

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield Bar(id="title")
        with Container(id="parts"):
            yield self._places
            yield self._sides
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Load the first diff. The breakpoint is anticipated, so that nothing is laid out twice."""
        self.set_class(self.app.size.width >= _WIDE, "-wide")
        self._places.focus()
        self._want("load")
        self.set_interval(1, self._follow)

    def on_resize(self) -> None:
        """Say in the title what there is room for."""
        self._draw_title()

    # --- what the operator does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no way to neighbours where there are none."""
        return len(self._comparisons) > 1 if action == "move" else super().check_action(action, parameters)

    def action_move(self, step: int) -> None:
        """Go to a neighbouring comparison."""
        index = self._index + step
        if 0 <= index < len(self._comparisons):
            self._index, self._picked = index, frozenset()
            self._want("load")
        else:
            where = "newest" if step > 0 else "oldest"
            self.notify(f"This is the {where} revision that was seen.", markup=False)

    def action_close(self) -> None:
        """Take the filter away; where there is none, go back."""
        if self._wish.filter:
            self._close_filter()
            self.filtered("")
        else:
            self.dismiss()

    def action_side(self) -> None:
        """Show both sides beside each other, or one below the other."""
        self._inline = not self._inline
        self._want("sides")

    def action_noise(self) -> None:
        """List what is noise too, or no longer."""
        if self._model is not None and not self._model.noise:
            self.notify("Nothing here is noise.", markup=False)
        self._wish = self._wish.with_noise(not self._wish.noise)
        self._want("rows")

    def action_name_noise(self) -> None:
        """Call what is under the cursor noise, here and in records beside it; where it is noise by name, no longer."""
        row = self._places.cursor_row
        if row is None:
            return
        pattern = diff_rows.pattern_of(row)
        named = self._named
        again = pattern in named
        left = tuple(each for each in named if each != pattern) if again else (*named, pattern)
        self._dashboard.noise[self._sort] = left
        said = "no longer noise" if again else "noise until statewatch ends; N again takes it back"
        self._dashboard.tell(f"{cells.say(pattern)[0][0]} is {said}.")
        self._want("load")

    def action_blame(self) -> None:
        """Tell when the place under the cursor changed last, and to what before."""
        row = self._places.cursor_row
        if row is not None:
            path = row.path if isinstance(row, diff_rows.GroupRow) else row.change.path
            comparison = self._comparisons[self._index]
            self.post_message(BlameAsked(comparison.key, comparison.label, path))

    def action_fold_all(self, close: bool) -> None:
        """Close or open all groups."""
        groups = [row for row in self._places.rows if isinstance(row, GroupRow) and row.is_open is close]
        self._toggle(groups)

    def action_zoom(self) -> None:
        """Give the focused pane all the room, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused, container=False)

    async def action_copy_patch(self) -> None:
        """Copy what is picked, or everything, as JSON Patch."""
        model, picked = self._model, self._picked
        if model is None or not model.changes:
            return
        if is_private(model.comparison.kind):
            self._dashboard.tell("Its values are private: they are neither shown nor copied.", "warning")
            return
        patch = await asyncio.to_thread(diff_copy.patch, model, picked)
        text = await asyncio.to_thread(json.dumps, patch, indent=2)
        if len(text) > diff_copy.MOST_COPIED:
            self._dashboard.tell("That is too much for the clipboard of a terminal: pick less.", "warning")
            return
        self.app.copy_to_clipboard(text)
        count = f"{len(patch)} operation{'' if len(patch) == 1 else 's'}"
        self._dashboard.tell(f"Copied {'what is picked' if picked else 'all'} as JSON Patch: {count}.")

    def action_copy_command(self) -> None:
        """Copy the command that restores what is picked; where nothing is, the one that shows the difference."""
        if self._model is None:
            return
        command = (
            diff_copy.restore_command(self._model, self._picked)
            if self._picked
            else diff_copy.show_command(self._model.comparison)
        )
        if command is None:
            self.notify("No command can say this: a moment has no name, or a place has moved.", markup=False)
            return
        self.app.copy_to_clipboard(command)
        self._dashboard.tell(f"Copied: {cells.say(command, limit=120)[0][0]}")

    def action_restore(self) -> None:
        """Make what is picked, else what is under the cursor, again what it was before."""
        model, row = self._model, self._places.cursor_row
        picked = self._picked or frozenset(row.indexes if row is not None else ())
        if model is not None and picked:  # a worker of the app: what was begun is finished, whatever screen is shown
            self.app.run_worker(self._restored(model, picked), group="operations")

    def _follow(self) -> None:
        """Compare anew where one side is the present, and that is another now."""
        if self._comparisons[self._index].after.is_now and self._present != self._seen:
            self._want("load")

    @property
    def _present(self) -> str | None:
        """The digest of what is there now, as far as that is watched."""
        source = self._dashboard.picture.source(self._comparisons[self._index].key)
        return None if source is None or source.revision is None else source.revision.digest

    async def _restored(self, model: DiffModel, picked: frozenset[int]) -> None:
        await self._dashboard.operations.perform("diff.restore", partial(taking_back, model, picked), safe=True)
        if self.is_attached and model.comparison.after.is_now:
            self._want("load")

    # --- the filter

    async def action_filter(self) -> None:
        """Open the filter."""
        from statewatch.tui.widgets.filter import FilterBar  # noqa: PLC0415 - the input widget is dear to import

        found = self.query(FilterBar)
        bar = found.first() if found else FilterBar()
        if not found:
            await self.mount(bar, after="#parts")
        bar.open(self._wish.filter)

    def filtered(self, text: str) -> None:
        """List only what matches *text*."""
        self._wish = self._wish.with_filter(text)
        self._want("rows")

    def leave_filter(self) -> None:
        """Go back from the filter to the list."""
        self._places.focus()

    def _close_filter(self) -> None:
        for bar in self.query("#filter"):
            bar.display = False

    # --- showing

    @property
    def _is_there(self) -> bool:
        """Whether there is anything left to show it in: widgets are gone before their screen is."""
        return self._sides.is_attached and self._places.is_attached

    def _want(self, step: Step) -> None:
        """Have something made anew. What is asked for while that is being made is made afterwards, once."""
        self._due.add(step)
        if not self._is_at_work:
            self._is_at_work = True
            self.run_worker(self._work())

    async def _work(self) -> None:
        try:
            while self._due and self._is_there:
                if "load" in self._due:
                    self._due = {"rows"}
                    await self._loaded(self._comparisons[self._index])
                elif "rows" in self._due:
                    self._due = {"sides"}
                    await self._listed()
                else:
                    self._due = set()
                    await self._compared(self._places.cursor_row)
        finally:
            self._is_at_work = False

    async def _loaded(self, comparison: Comparison) -> None:
        before = self._model
        self._seen = self._present
        model = await asyncio.to_thread(load, comparison, self._named)
        kept = await asyncio.to_thread(diff_rows.still, self._picked, before, model) if self._picked else frozenset()
        self._picked, self._model = kept, model

    async def _listed(self) -> None:
        model, wish = self._model, self._wish
        if model is None:
            return
        rows = await asyncio.to_thread(diff_rows.listed, model, wish)
        if model is not self._model or not self._is_there:
            return
        self._places.show(rows, self._clock(), empty=_why_empty(model, wish))
        if self._picked:  # nobody acts on what is not listed
            self._picked &= frozenset(index for row in rows for index in row.indexes)
        self._mark()

    async def _compared(self, row: Listed | None) -> None:
        model, pane = self._model, self._sides
        if model is None or row is None:
            pane.compare((), ((), ()), (), inline=self._inline)
            return
        found = await asyncio.to_thread(diff_detail.detail, model, row)
        if not self._is_there:
            return
        now = self._clock()
        before, after = (
            cells.own(told(side, now), "muted") for side in (model.comparison.before, model.comparison.after)
        )
        pane.compare(diff_detail.place(model, row), (before, after), found, inline=self._inline)

    def _mark(self) -> None:
        self._places.point_out(self._picked)
        self._draw_title()

    def _draw_title(self) -> None:
        if self._model is not None and self._is_there:
            position = (self._index + 1, len(self._comparisons))
            picked, noise = len(self._picked), self._wish.noise
            line = title(self._model, self._clock(), self.size.width, noise=noise, picked=picked, position=position)
            self.query_one("#title", Bar).show(line)

    def _toggle(self, groups: Iterable[GroupRow]) -> None:
        self._wish = self._wish.with_toggled(group.key for group in groups)
        self._want("rows")

    # --- what the table says

    @on(Table.Highlighted)
    def _highlighted(self, _event: Table.Highlighted[Any]) -> None:
        self._want("sides")

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[Listed]) -> None:
        if isinstance(event.row, GroupRow):
            self._toggle([event.row])
        elif self._model is not None:
            from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

            lines = diff_detail.whole(self._model, event.row)
            self.app.push_screen(TextScreen(event.row.change.pointer or "/", lines))

    @on(DiffTable.FoldAsked)
    def _fold_asked(self, event: DiffTable.FoldAsked) -> None:
        if event.group.is_open is event.close:
            self._toggle([event.group])

    @on(DiffTable.PickAsked)
    def _pick_asked(self, event: DiffTable.PickAsked) -> None:
        asked = frozenset(index for row in event.rows for index in row.indexes)
        unpick = event.toggle and self._picked >= asked
        self._picked = self._picked - asked if unpick else self._picked | asked
        self._mark()

    @on(DiffTable.ClearAsked)
    def _clear_asked(self) -> None:
        self._picked = frozenset()
        self._mark()


def _why_empty(model: DiffModel, wish: Wish) -> str:
    """Return what to say where nothing is listed."""
    if model.missing or wish.filter:
        return model.missing or "nothing matches the filter"
    if not model.noise:
        return ""
    return f"only noise differs: {model.noise} {'place' if model.noise == 1 else 'places'}, n shows it"

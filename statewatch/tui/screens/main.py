"""The main screen: the frame, and one view in it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import ModalScreen, Screen

from statewatch.tui.models.build import Ask, Model
from statewatch.tui.models.frame import SMALLEST, Frame, pointed, timeline, too_small, top_line
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import View
from statewatch.tui.views.overview import OverviewView
from statewatch.tui.widgets.bars import Bar, KeyBar, Tabs
from statewatch.tui.widgets.lines import Lines
from statewatch.tui.widgets.table import Table
from statewatch.tui.widgets.table_model import Cell
from statewatch.tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp

_RETHINK = 10
"""Seconds after which the model is made anew even if no file changed: stalls come from nothing happening."""


_OF_THE_PAST = {"travel", "bookmark", "restore_moment"}


class MainScreen(Screen[None]):
    """The frame around the views."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("travel")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (150, "-wall")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (12, "-short"), (23, "-tall")]
    ALLOW_IN_MAXIMIZED_VIEW = "#top, #keys"  # what is always true, and the way back

    def __init__(self) -> None:
        """Make the screen with the first view."""
        super().__init__()
        self.view: View = OverviewView()
        self._views: dict[str, View] = {self.view.NAME: self.view}
        self._frame = Frame()
        self._model: Model | None = None
        self._goal: str | None = None
        self._ticks = 0
        self._behind = False
        """Whether there are news that were not asked for, since another screen covers this one."""

    @property
    def dashboard(self) -> "StatewatchApp":
        """The application."""
        return cast("StatewatchApp", self.app)

    def compose(self) -> ComposeResult:
        """Make the frame."""
        yield Bar(id="top")
        yield Tabs(id="tabs")
        yield Bar(id="banner")
        yield Lines(wrap=True, id="notice")
        with Container(id="body"):
            yield self.view
        yield Timeline(id="timeline")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Begin to tick."""
        self.view.main.focus()
        self.set_interval(1, self.tick)
        self.tick()

    def pictured(self) -> None:
        """Take notice of a new picture: at once on top, else later."""
        if self.dashboard.here is not None:
            self.dashboard.travelling.come_back()
        elif self.app.screen is self:
            self.ask()
        else:
            self._behind = True

    def ask(self) -> None:
        """Want a new model of the view."""
        self._behind = False
        view = self.view
        app = self.dashboard
        wanted = Ask(
            view.NAME,
            app.picture,
            self.now,
            view.filter,
            view.sort,
            view.chosen,
            story_of=app.stories.of,
            beside_of=app.besides.of,
            here=app.here,
            since=app.since,
            picture_at=app.archive.picture if app.here is not None and app.archive is not None else None,
        )
        app.presenter.ask(view.asks(wanted))

    def present(self, model: Model) -> None:
        """Show a model, if it is of the view that is shown, and of the time."""
        if (model.here is None) != (self.dashboard.here is None):
            return  # it was made before the operator went to the past, or came back
        self._frame = model.frame
        if model.view == self.view.NAME and self.view.is_mounted and not model.frame.starting:
            with self.app.batch_update():
                self.view.present(model)
            self._reach_goal()
            self._model = model
            self.query_one("#banner", Bar).show(model.banner)
            self._notice(model)
        self._draw_frame()

    def acting(self) -> None:
        """Take notice that something is being done to the chosen rows, which is to be seen: so in the present."""
        if self.dashboard.here is not None:
            self.dashboard.travelling.leave()
        self.view.acting()

    def failed(self, view: str, reason: str) -> None:
        """Say that a view could not be made: what it shows is old, and must not pass for the present."""
        if view == self.view.NAME:
            self._frame = replace(self._frame, stale=True)
            self.query_one("#notice", Lines).show(_fault_lines(reason))
            self._draw_frame()

    def tick(self) -> None:
        """Let a second pass, if anybody can see it."""
        self._ticks += 1
        if self.is_in_sight:
            if self.view.is_mounted:
                self.view.tick(self.now)
            if self._behind or self._ticks % _RETHINK == 0:
                self.ask()
            self._draw_frame()

    @property
    def now(self) -> float:
        """The instant that the views are about: the present, or the one to which the operator has travelled."""
        app = self.dashboard
        return app.clock() if app.here is None else app.here.at

    @property
    def is_in_sight(self) -> bool:
        """Whether nothing covers this screen, or only questions, around which it can be seen."""
        return all(isinstance(screen, ModalScreen) for screen in self.app.screen_stack[1:])

    async def go(self, name: str, key: str | None = None) -> None:
        """Show a view, with the cursor on the row with *key*."""
        self.minimize()
        if name != self.view.NAME:
            source = self.view.source_key()
            await self._close_filter()
            self.view.display = False
            view = self._views.get(name)
            if view is None:
                from statewatch.tui.views import make_view  # noqa: PLC0415 - views cost their import when first shown

                view = self._views[name] = make_view(name)
                await self.query_one("#body").mount(view)
            view.display = True
            view.arrive(key or source)
            self.view = view
        self._goal = key
        if key is not None:
            self.view.filter = ""  # it might hide the very row
        self.view.main.focus()
        self._draw_frame()
        self.ask()

    async def action_filter(self) -> None:
        """Open the filter."""
        from statewatch.tui.widgets.filter import FilterBar  # noqa: PLC0415 - the input widget is dear to import

        found = self.query(FilterBar)
        bar = found.first() if found else FilterBar()
        if not found:
            await self.mount(bar, after="#body")
        bar.open(self.view.filter)

    def filtered(self, text: str) -> None:
        """Show only what matches *text*."""
        self.view.filter = text
        self.ask()

    def leave_filter(self) -> None:
        """Go back from the filter to the table."""
        self.view.main.focus()

    async def _close_filter(self) -> None:
        from_filter = self.query("#filter")
        if from_filter:
            await from_filter.remove()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Tell whether a key has its meaning here: those for the past have it only there, and not while one types."""
        if action not in _OF_THE_PAST:
            return True
        return self.dashboard.here is not None and getattr(self.focused, "id", None) != "filter"

    def action_begin_travel(self) -> None:
        """Stop the clock."""
        self.run_worker(self.dashboard.travelling.begin(), group="travel")

    def action_travel(self, verb: str, by: int) -> None:
        """Go to another moment."""
        self.dashboard.travelling.press(verb, by)

    def action_bookmark(self) -> None:
        """Give the moment a name."""
        self.run_worker(self.dashboard.travelling.bookmark(), group="operations")

    def action_restore_moment(self) -> None:
        """Bring the chosen source back to this moment."""
        self.run_worker(self.dashboard.travelling.restore(self.view.source_key()), group="operations")

    def travelled(self) -> None:
        """Show another moment: at once where it is, and what was there as soon as that is known."""
        self._draw_frame()
        self.ask()

    def entered_or_left_past(self) -> None:
        """Show that the operator went to the past, or came back."""
        past = self.dashboard.here is not None
        self.set_class(past, "-past")
        self.refresh_bindings()
        self.travelled()

    @on(Timeline.Pointed)
    def _pointed_at(self, event: Timeline.Pointed) -> None:
        app = self.dashboard
        if app.here is None:
            if (at := pointed(event.x, app.clock(), self.size.width)) is not None:
                self.run_worker(app.travelling.begin(at), group="travel")
        else:
            app.travelling.point(event.x, self.size.width)

    async def looked_back(self) -> None:
        """Show what changed since the last look."""
        overview = self._views.get(OverviewView.NAME)
        if isinstance(overview, OverviewView):
            await overview.show_since()
        self.ask()

    def _reach_goal(self) -> None:
        if self._goal is None:
            return
        table = self.view.main
        goal, self._goal = self._goal, None
        if not table.move_to(goal):
            below = next((row for row in table.rows if str(row.key).startswith(f"{goal}\0")), None)
            if below is not None:
                table.move_to(below.key)

    def _notice(self, model: Model) -> None:
        nothing = not model.frame.sources and model.here is None
        lines = [*_nothing_found(model.frame.looked_in)] if nothing else [*model.warnings]
        if marked := self.view.marked:
            lines.append(((f"{marked} marked: actions are about these", "warn"), ("  A clears the marks", "muted")))
        if self.view.filter:
            lines.append(((f"filter {self.view.filter!r} hides {model.hidden}", "warn"), ("  esc shows all", "muted")))
        self.query_one("#notice", Lines).show(lines)

    def _draw_frame(self) -> None:
        if not self.is_mounted:
            return
        app, now, width = self.dashboard, self.dashboard.clock(), self.size.width
        below, viewing = timeline(self._frame, now, width), ""
        if app.here is not None:
            below, viewing = app.travelling.shown(now, width)
        line = (
            too_small(self._frame, self.size, viewing)
            if self.has_class("-small")
            else top_line(self._frame, app.project, now, width, read_only=app.read_only, viewing=viewing)
        )
        top = self.query_one("#top", Bar)
        top.show(line)
        top.set_class(self._frame.needs > 0 and not viewing, "-needs")
        self.query_one("#tabs", Tabs).tell(self.view.NAME, width)
        self.query_one("#timeline", Bar).show(below)

    def on_resize(self, event: events.Resize) -> None:
        """Say so where the terminal is smaller than the layout needs."""
        width, height = event.size
        self.set_class(width < SMALLEST[0] or height < SMALLEST[1], "-small")
        self.call_after_refresh(self._draw_frame)

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was on top."""
        self.ask()

    @on(Tabs.Chosen)
    async def _tab_chosen(self, event: Tabs.Chosen) -> None:
        await self.go(event.view)

    @on(Table.Marked)
    def _marked(self) -> None:
        if self._model is not None:
            self._notice(self._model)

    @on(View.Asked)
    def _asked(self) -> None:
        self.ask()

    @on(View.Cleared)
    async def _cleared(self) -> None:
        await self._close_filter()
        self.filtered("")

    @on(View.Went)
    async def _went(self, event: View.Went) -> None:
        await self.go(event.view, event.key)


def _nothing_found(looked_in: Sequence[str]) -> tuple[Cell, ...]:
    places = ", ".join(looked_in) or "nowhere"
    return (
        (("No state file found yet. ", "strong"), (f"Looked in {places}.", "")),
        (
            ("Runs that start later appear here by themselves. Elsewhere? ", "muted"),
            ("statewatch PATH", "strong"),
            ("  Just looking? ", "muted"),
            ("statewatch demo", "strong"),
        ),
    )


def _fault_lines(reason: str) -> tuple[Cell, ...]:
    return (
        (("This view could not be made, so what it shows is old. ", "bad"), (reason, "")),
        (("Files, actions and the other views are not affected. Please report it.", "muted"),),
    )

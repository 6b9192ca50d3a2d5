"""The application: it holds the parts together and knows none of their insides."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, cast

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import Notify
from textual.screen import Screen

from statewatch.documents.values import JSON
from statewatch.tui import themes
from statewatch.tui.acting import ActionsAsked
from statewatch.tui.messages import Modelled, Pictured, Unmodelled
from statewatch.tui.presenter import Presenter
from statewatch.tui.registry import bindings
from statewatch.tui.screens.main import MainScreen
from statewatch.tui.views.base import View
from statewatch.tui.views.circuits import CircuitsAsked
from statewatch.watch.picture import Picture, Watching
from statewatch.watch.stories import Stories

if TYPE_CHECKING:
    from statewatch.tui.operations import Operations


class Feed(Protocol):
    """Where pictures come from: a watcher, or something still in tests."""

    def start(self) -> None:
        """Begin to deliver pictures."""

    def stop(self) -> None:
        """Deliver no more."""

    def poke(self) -> None:
        """Look at everything now."""

    def recall(self, digest: str) -> JSON:
        """Return the document of a recent revision, or None when it is no longer kept."""


class StatewatchApp(App[None]):
    """The dashboard."""

    TITLE = "statewatch"
    CSS_PATH = "screens/main.tcss"  # here, because Textual loads none for the first screen
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = True
    COMMAND_PALETTE_BINDING: ClassVar[str] = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    NOTIFICATION_TIMEOUT: ClassVar[float] = 8

    def __init__(
        self,
        feed: Callable[[Callable[[Picture], None]], Feed],
        *,
        project: str = "",
        clock: Callable[[], float] = time.time,
        read_only: bool = False,
        reapply: bool = False,
    ) -> None:
        """Show what *feed* delivers; it is made with the function that takes its pictures.

        *project* names in the top line what is watched; *read_only* turns actions off; *reapply* does an action again
        by itself when another writer overwrote it.
        """
        # Textual decides now how it will take colours out: it must know that the theme will be the ansi one.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        for theme in themes.shipped():
            self.register_theme(theme)
        # Before styles are parsed: a theme that is set later has all of them parsed and applied again.
        self.set_reactive(App.theme, themes.COLOURLESS if self.no_color else themes.DEFAULT)
        self.stylesheet.set_variables(self.get_css_variables())
        self.project = project
        self.clock = clock
        self.read_only = read_only
        self.reapply = reapply
        self.picture = Picture(clock(), watching=Watching(mode="starting"))
        self.feed = feed(lambda picture: self._post(Pictured(picture)))
        self.presenter = Presenter(
            lambda model: self._post(Modelled(model)), lambda view, reason: self._post(Unmodelled(view, reason))
        )
        self.stories = Stories()
        self.main = MainScreen()

    def get_default_screen(self) -> Screen[Any]:
        """Return the main screen."""
        return self.main

    def on_mount(self) -> None:
        """Begin to watch."""
        self._obey_signals()
        self.presenter.start()
        self.feed.start()

    def on_unmount(self) -> None:
        """Watch no more."""
        self.feed.stop()
        self.presenter.stop()

    def tell(self, text: str, severity: str = "information") -> None:
        """Show a message for some seconds; *text* is never taken for markup."""
        level = cast("Literal['information', 'warning', 'error']", severity)
        self.notify(text, severity=level, markup=False)

    def hush(self) -> None:
        """Take all messages down, since something comes on top that they must not hide."""
        self.clear_notifications()
        self._take_down()

    @cached_property
    def operations(self) -> "Operations":
        """What acts on sources; made when first needed."""
        from statewatch.tui.operations import Operations  # noqa: PLC0415 - only who acts pays for it

        return Operations(self)

    def look(self) -> None:
        """Have every file looked at now."""
        self.feed.poke()

    async def action_go(self, view: str, key: str | None = None) -> None:
        """Go to a view, closing what is on top of it, and to the row with *key* in it."""
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        await self.main.go(view, key)

    def action_look(self) -> None:
        """Look at every file now."""
        self.look()
        self.tell("Looked at every file.")

    def action_undo(self) -> None:
        """Take back the last action."""
        self.run_worker(self.operations.undo(), group="operations")

    def action_redo(self) -> None:
        """Do again what was last undone."""
        self.run_worker(self.operations.redo(), group="operations")

    def action_help(self) -> None:
        """Show the keys that work here."""
        from statewatch.tui.screens.help import HANG, help_lines  # noqa: PLC0415
        from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415

        lines = help_lines(self.screen.active_bindings.values(), self.get_key_display, read_only=self.read_only)
        self.push_screen(TextScreen("Help: the keys that work here", lines, hang=HANG))

    def action_save_screenshot(self) -> None:
        """Save the screen as an SVG picture in the current directory."""
        try:
            self.tell(f"Saved {self.save_screenshot(path=os.curdir)}")
        except OSError as error:
            self.tell(
                f"The picture could not be saved: {error.strerror}. Start statewatch where you may write.", "error"
            )

    def action_command_palette(self) -> None:
        """Open the palette."""
        from statewatch.tui.palette import Palette  # noqa: PLC0415 - its machinery is dear to import

        self.hush()
        type(self).COMMANDS = {Palette, *App.COMMANDS}
        super().action_command_palette()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Offer of Textual's own commands only what the registry has not: the choice of theme."""
        yield SystemCommand("Theme", "Choose the colours, with preview", self.action_change_theme)

    def get_key_display(self, binding: Binding) -> str:
        """Return a key as it is shown in the key bar and the help."""
        shown = {"enter": "⏎", "escape": "esc", "space": "space", "pageup": "pgup", "pagedown": "pgdn"}
        return binding.key_display or shown.get(binding.key) or super().get_key_display(binding)

    @on(Notify)
    def _make_room(self) -> None:
        """Show two messages at most: who acts quickly must see what they act on."""
        for older in list(self._notifications)[:-1]:
            self._unnotify(older, refresh=False)
        self._take_down()

    def _take_down(self) -> None:
        """Take down what is no longer to be seen, on all screens: Textual's own way leaves an empty line of each."""
        shown = tuple(note.identity for note in self._notifications)
        for screen in self.screen_stack:
            for holder in screen.query("ToastHolder"):
                if not (holder.id or "").endswith(shown):
                    holder.remove()

    @on(Pictured)
    def _pictured(self, event: Pictured) -> None:
        self.picture = event.picture
        if self.is_running:
            self.main.pictured()

    @on(Modelled)
    def _modelled(self, event: Modelled) -> None:
        if self.is_running:  # while it ends, messages still come in, and the widgets are gone already
            self.main.present(event.model)

    @on(Unmodelled)
    def _unmodelled(self, event: Unmodelled) -> None:
        if self.is_running:
            self.main.failed(event.view, event.reason)

    @on(CircuitsAsked)
    def _circuits_asked(self, event: CircuitsAsked) -> None:
        self.run_worker(self.operations.circuits(event), group="operations")

    @on(ActionsAsked)
    def _actions_asked(self, event: ActionsAsked) -> None:
        self.run_worker(self.operations.perform(event.command, event.make), group="operations")

    @on(View.Diffed)
    def _diffed(self, event: View.Diffed) -> None:
        from statewatch.tui.screens.diff import DiffScreen, revisions_of  # noqa: PLC0415

        revisions = revisions_of(self.picture.changes, event.source)
        if not revisions:
            self.tell("No change of it has been seen since the start.")
            return
        chosen = next((line for line in self.picture.changes if event.means(line)), None)
        if chosen is None:
            self.tell("No change of it has been seen since the start; this is the last one of its file.")
            chosen = revisions[-1]
        start = next((i for i, line in enumerate(revisions) if line.after == chosen.after), len(revisions) - 1)
        self.push_screen(DiffScreen(revisions, start, self.feed.recall, self.clock))

    def _post(self, message: Pictured | Modelled | Unmodelled) -> None:
        """Hand a message over from another thread; one that comes while we end is dropped."""
        with contextlib.suppress(RuntimeError):
            self.post_message(message)

    def _obey_signals(self) -> None:
        """End properly, the terminal put back in order, when we are told to end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, partial(self.exit, return_code=128 + number))

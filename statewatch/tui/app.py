"""The application: it holds the parts together and knows none of their insides."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from statewatch.tui import themes
from statewatch.tui.acting import ActionsAsked, AnswerAsked, BlameAsked
from statewatch.tui.feed import Feed
from statewatch.tui.messages import Modelled, Pictured, Unmodelled
from statewatch.tui.presenter import Presenter
from statewatch.tui.registry import bindings
from statewatch.tui.screens.main import MainScreen
from statewatch.tui.toasts import Toasts
from statewatch.tui.views.base import View
from statewatch.tui.views.circuits import CircuitsAsked
from statewatch.watch.besides import Besides
from statewatch.watch.picture import Picture, Watching
from statewatch.watch.stories import Stories

if TYPE_CHECKING:
    from statewatch.tui.archive import Archive
    from statewatch.tui.commands.command import Command
    from statewatch.tui.models.since import Since
    from statewatch.tui.operations import Operations
    from statewatch.tui.travel import Journey
    from statewatch.tui.travelling import Travelling


class StatewatchApp(Toasts):
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
        archive: "Archive | None" = None,
    ) -> None:
        """Show what *feed* delivers; it is made with the function that takes its pictures.

        *project* names in the top line what is watched; *read_only* turns actions off; *reapply* does an action again
        by itself when another writer overwrote it. *archive* is the past, where one is kept.
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
        self.archive = archive
        self.here: Journey | None = None  # where in the past the operator is
        self.since: Since | None = None  # what changed since the last look
        self.picture = Picture(clock(), watching=Watching(mode="starting"))
        self.feed = feed(lambda picture: self._post(Pictured(picture)))
        self.presenter = Presenter(
            lambda model: self._post(Modelled(model)), lambda view, reason: self._post(Unmodelled(view, reason))
        )
        self.noise: dict[
            str, tuple[str, ...]
        ] = {}  # places called noise on the diff screen, by what they are places of
        self.stories = Stories()
        self.besides = Besides()
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
        if self.archive is not None:
            self.archive.looked(self.clock())
            self.archive.close()

    def refusal(self, command: "Command") -> str:
        """Return why a command does nothing now; an empty text where it works."""
        return command.refusal(read_only=self.read_only, past=self.here is not None)

    @cached_property
    def operations(self) -> "Operations":
        """What acts on sources; made when first needed."""
        from statewatch.tui.operations import Operations  # noqa: PLC0415 - only who acts pays for it

        return Operations(self)

    @cached_property
    def travelling(self) -> "Travelling":
        """What goes to the past and through it; made when first needed."""
        from statewatch.tui.travelling import Travelling  # noqa: PLC0415 - only who travels pays for it

        return Travelling(self)

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

        lines = help_lines(
            self.screen.active_bindings.values(),
            self.get_key_display,
            read_only=self.read_only,
            past=self.here is not None,
        )
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

    @on(Pictured)
    def _pictured(self, event: Pictured) -> None:
        if self.archive is not None and self.picture.watching.mode == "starting":
            from statewatch.tui.looking_back import look_back  # noqa: PLC0415 - only where there is a past

            self.run_worker(look_back(self), group="since")
        self.picture = event.picture
        if self.archive is not None:
            self.archive.see(event.picture)
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

    @on(AnswerAsked)
    def _answer_asked(self, event: AnswerAsked) -> None:
        self.run_worker(self.operations.answered(event.command, event.question, event.make), group="operations")

    @on(BlameAsked)
    def _blame_asked(self, event: BlameAsked) -> None:
        from statewatch.tui.comparing import blame  # noqa: PLC0415 - only who blames pays for it

        blame(self, event)

    @on(View.Diffed)
    def _diffed(self, event: View.Diffed) -> None:
        from statewatch.tui.comparing import compare  # noqa: PLC0415 - only who compares pays for it

        compare(self, event)

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

"""What the dashboard says in passing, and what stays until it has been read."""

from typing import Literal, cast

from textual import on
from textual.app import App
from textual.notifications import Notify


class Toasts(App[None]):
    """An application that speaks without markup, and never for long."""

    def tell(self, text: str, severity: str = "information") -> None:
        """Show a message for some seconds; *text* is never taken for markup."""
        level = cast("Literal['information', 'warning', 'error']", severity)
        self.notify(text, severity=level, markup=False)

    def explain(self, title: str, text: str) -> None:
        """Show a text that stays until it has been read."""
        from statewatch.tui.models import cells  # noqa: PLC0415 - only when there is something to explain
        from statewatch.tui.screens.confirm import ConfirmScreen  # noqa: PLC0415

        self.push_screen(ConfirmScreen(cells.own(title, "strong"), (cells.say(text, limit=2_000),), ("Close",)))

    def hush(self) -> None:
        """Take all messages down, since something comes on top that they must not hide."""
        self.clear_notifications()
        self._take_down()

    @on(Notify)
    def _make_room(self, event: Notify) -> None:
        """Show two messages at most, and no warning twice: who acts quickly must see what they act on."""
        new = event.notification
        before = [each for each in self._notifications if each.identity != new.identity]
        for older in before:
            said_again = (older.message, older.severity) == (new.message, "warning")
            if older is not before[-1] or said_again:
                self._unnotify(older, refresh=False)
        self._take_down()

    def _take_down(self) -> None:
        """Take down what is no longer to be seen, on all screens: Textual's own way leaves an empty line of each."""
        shown = tuple(note.identity for note in self._notifications)
        for screen in self.screen_stack:
            for holder in screen.query("ToastHolder"):
                if not (holder.id or "").endswith(shown):
                    holder.remove()

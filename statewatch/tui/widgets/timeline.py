"""The timeline below the views: when something changed. Pointing at a moment in it goes there."""

from textual import events
from textual.message import Message

from statewatch.tui.widgets.bars import Bar


class Timeline(Bar):
    """Activity over time, as one line that can be clicked on and dragged along."""

    class Pointed(Message):
        """The operator points at a column of it."""

        def __init__(self, x: int) -> None:
            """Carry the column."""
            super().__init__()
            self.x = x

        def can_replace(self, message: Message) -> bool:
            """Take the place of an older one: while dragging only the newest counts."""
            return isinstance(message, Timeline.Pointed)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go there, and follow the mouse while its button is down."""
        self.capture_mouse()
        self.post_message(self.Pointed(event.x))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the mouse."""
        if self.app.mouse_captured is self:
            self.post_message(self.Pointed(event.x))

    def on_mouse_up(self) -> None:
        """Follow no more."""
        self.release_mouse()

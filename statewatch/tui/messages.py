"""The messages that other threads send to the dashboard. High-rate ones replace those still waiting."""

from textual.message import Message

from statewatch.tui.models.build import Model
from statewatch.watch.picture import Picture


class Pictured(Message):
    """The watcher has a new picture."""

    def __init__(self, picture: Picture) -> None:
        """Carry *picture*."""
        super().__init__()
        self.picture = picture

    def can_replace(self, message: Message) -> bool:
        """Take the place of an older picture: only the newest is worth showing."""
        return isinstance(message, Pictured)


class Unmodelled(Message):
    """The presenter could not make a model."""

    def __init__(self, view: str, reason: str) -> None:
        """Carry which view, and what went wrong."""
        super().__init__()
        self.view = view
        self.reason = reason


class Modelled(Message):
    """The presenter has finished a model."""

    def __init__(self, model: Model) -> None:
        """Carry *model*."""
        super().__init__()
        self.model = model

    def can_replace(self, message: Message) -> bool:
        """Take the place of an older model."""
        return isinstance(message, Modelled)

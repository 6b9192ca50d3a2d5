"""How a view asks for something to be done to sources: with what makes the actions, which is called in a thread."""

from typing import TYPE_CHECKING, TypeAlias

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from statewatch.core.actions import Action

Make: TypeAlias = "Callable[[], Sequence[Action]]"
"""Makes actions; may read files, and raise StatewatchError with what to tell the operator."""


class ActionsAsked(Message):
    """The operator wants something done."""

    def __init__(self, command: str, make: Make) -> None:
        """Carry the id of the command, which the read-only guard knows, and what makes the actions."""
        super().__init__()
        self.command = command
        self.make = make

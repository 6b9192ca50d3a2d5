"""How a view asks for something to be done to sources: with what makes the actions, which is called in a thread."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path as FilePath

    from statewatch.core.actions import Action
    from statewatch.documents.values import Path as Place

Make: TypeAlias = "Callable[[], Sequence[Action]]"
"""Makes actions; may read files, and raise StatewatchError with what to tell the operator."""

MakeOf: TypeAlias = "Callable[[str], Sequence[Action]]"
"""Makes actions of what the operator has typed or chosen; as `Make` else."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the operator is to type before something is done: the question, and a hint what to answer.

    `check` returns what is wrong with an answer, an empty text where nothing is. Texts are harmless already.
    """

    question: str
    hint: str = ""
    check: "Callable[[str], str]" = lambda _answer: ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the operator is to choose before something is done: the question, and the answers with what they mean.

    Each answer is (what is handed on, how it is shown). Texts that are shown are harmless already.
    """

    question: str
    answers: "tuple[tuple[str, str], ...]"


def remove_actions(paths: "Sequence[FilePath]") -> "list[Action]":
    """Return the actions that take files away."""
    from statewatch.core.removing import remove_action  # noqa: PLC0415 - only who acts pays for it

    return [remove_action(path, via="dashboard") for path in paths]


class ActionsAsked(Message):
    """The operator wants something done."""

    def __init__(self, command: str, make: Make) -> None:
        """Carry the id of the command, which the read-only guard knows, and what makes the actions."""
        super().__init__()
        self.command = command
        self.make = make


class AnswerAsked(Message):
    """The operator wants something done for which there is something to be typed or chosen first."""

    def __init__(self, command: str, question: Typed | Chosen, make: MakeOf) -> None:
        """Carry the id of the command, what is asked first, and what makes the actions of the answer."""
        super().__init__()
        self.command = command
        self.question = question
        self.make = make


class BlameAsked(Message):
    """The operator wants to know when a place changed last, and to what before."""

    def __init__(self, source: str, label: str, path: "Place") -> None:
        """Carry the key of the source, what people call it, and the place in it."""
        super().__init__()
        self.source = source
        self.label = label
        self.path = path

"""What views with circuits share: which circuits an action is about, and the actions themselves."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from textual.message import Message

from statewatch.tui.models.hooks import HookRow

Asked: TypeAlias = Literal["reset", "enable", "disable", "half-open", "mode"]
"""What may be done to circuits; the actions themselves are dear to import, and only who acts needs them."""


class CircuitsAsked(Message):
    """The operator wants something done to circuits: raw hook names by file."""

    def __init__(self, command: str, verb: Asked, targets: dict[Path, list[str]], *, everything: bool = False) -> None:
        """Carry the id of the command, the verb, the targets, and whether it is about every circuit of the files."""
        super().__init__()
        self.command = command
        self.verb = verb
        self.targets = targets
        self.everything = everything


def targets(rows: Iterable[HookRow]) -> dict[Path, list[str]]:
    """Return the raw names of circuits by the file they are in."""
    found: dict[Path, list[str]] = {}
    for row in rows:
        found.setdefault(Path(row.source.key), []).append(row.hook.name)
    return found

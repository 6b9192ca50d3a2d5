"""Pausing and going on: of a drain, whose flag is made where there is none, and of agents that wait for a word."""

import os
import secrets
from pathlib import Path
from typing import Final

from statewatch.core.actions import Action
from statewatch.core.breakers import refuse_meaning_link, reset_action
from statewatch.core.removing import remove_action
from statewatch.core.stores.file import FileStore
from statewatch.documents.values import JSON
from statewatch.kinds import drain
from statewatch.kinds.base import Change

WAITING: Final = ("PAUSE", "HUMAN_INPUT.md")
"""What lies beside the checkpoint of an agent that waits: the request to pause, and the word of the operator."""


def pause_drain_action(root: Path, seconds: float, *, why: str = "", via: str = "library") -> Action:
    """Return the action that pauses the drain of the project at *root* for so many seconds; *why* is the reason."""
    flag = root.joinpath(*drain.FLAG)
    refuse_meaning_link(flag)

    def transform(document: JSON, now: float) -> Change:
        return drain.paused(document, seconds, why or "paused by an operator", now)

    return Action(FileStore(flag).made_anew(), transform, "pause", why, via)


def lift_pause_actions(checkpoint: Path, *, why: str = "", via: str = "library") -> list[Action]:
    """Return the actions that let the agent go on that waits with this pause checkpoint.

    What asked it to pause goes, what it was told, and the checkpoint itself, as far as they are there: together they
    are one request, and undone as one.
    """
    paths = [checkpoint.with_name(name) for name in WAITING] + [checkpoint]
    there = [path for path in paths if os.path.lexists(path)]
    group = secrets.token_hex(6) if len(there) > 1 else None
    return [remove_action(path, why=why, via=via, group=group) for path in there]


def resume_drain_action(root: Path, *, why: str = "", via: str = "library") -> Action:
    """Return the action that ends the pause of the drain of the project at *root* now."""
    return reset_action(root.joinpath(*drain.FLAG), ["drain pause"], why=why, via=via)

"""Pausing a drain from the dashboard, and lifting the pause of an agent: what is typed, and the actions."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from statewatch.kinds.times import duration

if TYPE_CHECKING:
    from statewatch.core.actions import Action

DRAINS: Final = {"drain", "budget", "pause"}
"""The kinds of files that a drain keeps about itself, beside one another."""

WAITS: Final = "pause checkpoint"
"""The kind of file that an agent leaves which waits for its operator."""

PAUSE_HINT: Final = "4h, 90m or 2d, and a reason if you like"


def root_of_drain(key: str) -> Path:
    """Return the root of the project whose drain keeps the file at the path *key* (`.claude/local/NAME`)."""
    return Path(key).parents[2] if len(Path(key).parents) > 3 else Path(key).parent


def wrong_pause(typed: str) -> str:
    """Return what is wrong with what was typed, an empty text where nothing is."""
    try:
        seconds, _ = _parsed(typed)
    except ValueError:
        return "Begin with how long: 4h, 90m or 2d."
    return "" if seconds > 0 else "A pause takes longer than no time at all."


def pause_actions(root: Path, typed: str) -> "list[Action]":
    """Return the action that pauses the drain of the project at *root*, as it was typed: a time, and a reason."""
    from statewatch.core.pausing import pause_drain_action  # noqa: PLC0415 - only who acts pays for it

    seconds, reason = _parsed(typed)
    return [pause_drain_action(root, seconds, why=reason, via="dashboard")]


def lift_actions(checkpoint: Path) -> "list[Action]":
    """Return the actions that let an agent go on that waits, by its pause checkpoint."""
    from statewatch.core.pausing import lift_pause_actions  # noqa: PLC0415 - only who acts pays for it

    return lift_pause_actions(checkpoint, via="dashboard")


def _parsed(typed: str) -> tuple[int, str]:
    time, _, reason = typed.strip().partition(" ")
    return duration(time), reason.strip()

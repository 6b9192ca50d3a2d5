"""The actions on batches, as the dashboard, the command line and the library offer them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

from statewatch.core.actions import Action
from statewatch.documents.values import JSON
from statewatch.kinds import batch_changes
from statewatch.kinds.base import Change

ItemVerb = Literal["done", "fail", "skip", "unskip", "retry", "reset retries"]
BatchVerb = Literal["pause", "resume"]

_ITEMS: Final[dict[str, Callable[[JSON, Sequence[int], float], Change]]] = {
    "done": batch_changes.done,
    "unskip": batch_changes.unskip,
    "retry": batch_changes.retry,
    "reset retries": batch_changes.reset_retries,
}


def item_action(
    verb: ItemVerb, source: Path, indices: Sequence[int], *, reason: str = "", why: str = "", via: str = "library"
) -> Action:
    """Return the action that does *verb* to items; *reason* is the error of `fail`, and why to `skip`."""

    def transform(document: JSON, now: float) -> Change:
        if verb == "fail":
            return batch_changes.fail(document, indices, now, reason)
        if verb == "skip":
            return batch_changes.skip(document, indices, now, reason)
        return _ITEMS[verb](document, indices, now)

    return Action(source, transform, verb, why, via)


def batch_action(verb: BatchVerb, source: Path, *, why: str = "", via: str = "library") -> Action:
    """Return the action that pauses a batch or lets it go on."""
    change = batch_changes.pause if verb == "pause" else batch_changes.resume
    return Action(source, change, verb, why, via)

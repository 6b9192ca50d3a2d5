"""The actions on batches, as the dashboard, the command line and the library offer them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from statewatch.core.actions import Action
from statewatch.documents.values import JSON
from statewatch.kinds import batch_changes
from statewatch.kinds.base import Change, RefusedError
from statewatch.kinds.batch_reading import name_of, snaked, title_of
from statewatch.kinds.words import items, mapping

ItemVerb = Literal["done", "fail", "skip", "unskip", "retry", "reset retries"]
BatchVerb = Literal["pause", "resume"]

_ITEMS: Final[dict[str, Callable[[JSON, Sequence[int], float], Change]]] = {
    "done": batch_changes.done,
    "unskip": batch_changes.unskip,
    "retry": batch_changes.retry,
    "reset retries": batch_changes.reset_retries,
}


@dataclass(frozen=True, slots=True)
class SeenBatch:
    """The batch that somebody decided on: its id, and the titles of the items that are meant, by index."""

    batch_id: str
    titles: Mapping[int, str] = field(default_factory=dict)

    def refuse_other(self, document: JSON) -> None:
        """Raise RefusedError where the file holds another batch, or other items under these numbers."""
        fields = snaked(mapping(document))
        there = name_of(fields.get("batch_id"))
        if there != self.batch_id:
            raise RefusedError(
                f"it holds another batch now, {there!r:.80} in place of {self.batch_id!r:.80}. Look again"
            )
        listed = items(fields.get("features"))
        for index, title in self.titles.items():
            if index < len(listed) and (now := title_of(listed[index], index)) != title:
                raise RefusedError(
                    f"item {index} is another one now, {now!r:.80} in place of {title!r:.80}. Look again"
                )


def item_action(
    verb: ItemVerb,
    source: Path,
    indices: Sequence[int],
    *,
    reason: str = "",
    why: str = "",
    via: str = "library",
    seen: SeenBatch | None = None,
) -> Action:
    """Return the action that does *verb* to items; *reason* is the error of `fail`, and why to `skip`.

    With the batch that was *seen* it is refused where the file holds another one by then.
    """

    def transform(document: JSON, now: float) -> Change:
        if seen is not None:
            seen.refuse_other(document)
        if verb == "fail":
            return batch_changes.fail(document, indices, now, reason)
        if verb == "skip":
            return batch_changes.skip(document, indices, now, reason)
        return _ITEMS[verb](document, indices, now)

    return Action(source, transform, verb, why, via)


def batch_action(
    verb: BatchVerb, source: Path, *, why: str = "", via: str = "library", seen: SeenBatch | None = None
) -> Action:
    """Return the action that pauses a batch or lets it go on; *seen* is as `item_action` takes it."""
    change = batch_changes.pause if verb == "pause" else batch_changes.resume

    def transform(document: JSON, now: float) -> Change:
        if seen is not None:
            seen.refuse_other(document)
        return change(document, now)

    return Action(source, transform, verb, why, via)

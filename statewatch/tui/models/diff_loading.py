"""From a comparison to its model, and from what is picked of it to an action: both take reading, so in a thread."""

from collections.abc import Collection
from pathlib import Path

from statewatch.core.actions import Action
from statewatch.core.errors import RefusedError, StatewatchError
from statewatch.documents.text import harmless
from statewatch.kinds import times
from statewatch.kinds.masking import is_private, shown
from statewatch.tui.models.comparison import Comparison
from statewatch.tui.models.diff_rows import DiffModel, found


def load(comparison: Comparison, named: tuple[str, ...] = ()) -> DiffModel:
    """Return the model of a comparison; where a side cannot be had, it says why. What is *named* is noise, too."""
    try:
        before, after = comparison.before.load(), comparison.after.load()
    except StatewatchError as error:
        return DiffModel(comparison, missing=harmless(str(error)))
    kind = comparison.kind
    return found(comparison, shown(before, kind), shown(after, kind, unlike=before), named)


def taking_back(model: DiffModel, picked: Collection[int]) -> list[Action]:
    """Return the action that makes what is *picked* of the changes again what it was before.

    Raises RefusedError where the values are private, and so were not loaded.
    """
    from statewatch.core.picking_back import picking_back  # noqa: PLC0415 - only who acts pays for it

    comparison = model.comparison
    if is_private(comparison.kind):
        raise RefusedError(
            f"{comparison.label} is private, so its values are not known here: bring all of it back in Checkpoints (5)."
        )
    source = Path(comparison.key) if comparison.opened is None else comparison.opened()
    after, before = comparison.after, comparison.before
    moment = before.label if before.at is not None or after.at is None else f"what was before {times.clock(after.at)}"
    return [picking_back(source, model.before, model.changes, picked, moment, via="dashboard")]

"""Taking picked changes back: the places that they are about become again what they were, and all else stays."""

from collections.abc import Collection, Sequence
from pathlib import Path

from statewatch.core.actions import Action
from statewatch.core.restoring import RESTORE
from statewatch.core.stores.base import Store
from statewatch.core.undo import evidence
from statewatch.documents.diff import Change as Difference
from statewatch.documents.diff import apply
from statewatch.documents.merge import merge
from statewatch.documents.partly import partly
from statewatch.documents.values import JSON, same
from statewatch.kinds.base import Change, RefusedError
from statewatch.kinds.registry import changes as changes_between
from statewatch.kinds.registry import identities

_NAMED = 5


def picking_back(
    source: Path | Store,
    before: JSON,
    changes: Sequence[Difference],
    picked: Collection[int],
    moment: str,
    *,
    why: str = "",
    via: str = "library",
) -> Action:
    """Return the action that takes some of *changes* back, which `diff` found since the document was *before*.

    *picked* are their positions among the changes; *moment* names what is come back to. The source may have moved on
    since: what others changed elsewhere stays, and the action is refused where they changed the same places again.
    """
    after = partly(before, changes, lambda _: True)
    wanted = partly(before, changes, lambda index: index not in picked)
    places = dict.fromkeys(change.pointer or "/" for index, change in enumerate(changes) if index in picked)
    whole = len(set(picked)) == len(changes)

    def transform(document: JSON, now: float) -> Change:  # noqa: ARG001 - what was, was
        result = _brought_along(document, after, wanted)
        return Change(RESTORE, (moment, *places), result, evidence(changes_between(document, result)))

    return Action(source, transform, RESTORE, why, via, exact=whole)


def _brought_along(document: JSON, after: JSON, wanted: JSON) -> JSON:
    """Return *document* with that made to it which leads from *after* to *wanted*; its members keep their order."""
    if not same(document, after):
        merged = merge(after, document, wanted, identities=identities(after, document))
        if merged.conflicts:
            named = list(dict.fromkeys(conflict.pointer or "/" for conflict in merged.conflicts))
            more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
            raise RefusedError(
                f"these places have changed again since: {', '.join(named[:_NAMED])}{more}. Compare with what is there "
                "now, and pick from that"
            )
        wanted = merged.document
    return apply(document, changes_between(document, wanted))

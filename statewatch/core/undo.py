"""Taking an action back, as long as that still applies: what others changed since stays, conflicts are named."""

from collections.abc import Collection
from pathlib import Path

from statewatch.core import audit
from statewatch.core.actions import Action, Transform
from statewatch.core.audit import Record
from statewatch.core.errors import NotFoundError
from statewatch.documents import diff
from statewatch.documents.diff import Change as Difference
from statewatch.documents.diff import ConflictError
from statewatch.documents.values import JSON
from statewatch.documents.values import Path as Place
from statewatch.kinds.base import Change, RefusedError
from statewatch.kinds.registry import kind_of


def last_action(sources: Collection[Path] | None = None) -> Record:
    """Return the newest action that has not been undone, of some sources or of all. Raises NotFoundError without one."""
    undone: set[str] = set()
    wanted = None if sources is None else {str(source.resolve()) for source in sources}
    for record in audit.records():
        if record.undoes is not None:
            undone.add(record.undoes)
        elif record.id not in undone and (wanted is None or record.source in wanted):
            return record
    raise NotFoundError("nothing to undo: the audit log holds no action on this that has not been undone")


def undo_action(record: Record, *, why: str = "", via: str = "library") -> Action:
    """Return the action that takes *record* back."""
    return Action(
        path=Path(record.source),
        transform=_taking_back(record),
        name=f"undo {record.action}",
        why=why,
        via=via,
        undoes=record.id,
    )


def _taking_back(record: Record) -> Transform:
    changes = audit.from_json(record.inverse)

    def transform(document: JSON, _now: float) -> Change:
        derived = kind_of(document).derived
        firm = [change for change in changes if not _is_under(change.path, derived)]
        try:
            after = diff.apply(document, firm)
        except ConflictError as error:
            raise RefusedError(
                f"{record.action} of {record.at} can no longer be undone, because these places have moved on: "
                f"{', '.join(error.pointers[:5])}. What was there before it is in {record.copy}"
            ) from None
        for change in changes:
            if change not in firm:
                after = _where_it_applies(after, change)
        evidence = (tuple(change.path for change in firm),)
        return Change(f"undo {record.action}", tuple(record.targets), after, evidence)

    return transform


def _where_it_applies(document: JSON, change: Difference) -> JSON:
    try:
        return diff.apply(document, [change])
    except ConflictError:
        return document


def _is_under(path: Place, places: tuple[Place, ...]) -> bool:
    return any(path[: len(place)] == place for place in places)

"""Taking an action back, as long as that still applies: what others changed since stays, conflicts are named."""

from collections.abc import Collection
from pathlib import Path

from statewatch.core import audit
from statewatch.core.actions import Action, Transform
from statewatch.core.audit import Record
from statewatch.core.errors import NotFoundError, SourceError
from statewatch.core.reading import read
from statewatch.documents import diff
from statewatch.documents.diff import Change as Difference
from statewatch.documents.diff import ConflictError
from statewatch.documents.values import JSON
from statewatch.documents.values import Path as Place
from statewatch.kinds.base import Change, RefusedError
from statewatch.kinds.registry import kind_of


def last_action(sources: Collection[Path] | None = None) -> Record:
    """Return the newest action still in force, of some sources or of all. Raises NotFoundError when there is none."""
    undone: set[str] = set()
    wanted = None if sources is None else {str(source.resolve()) for source in sources}
    for record in audit.records():
        if record.undoes is not None:
            if record.id not in undone:
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
        raw_text=_had_raw_text(record),
    )


def _had_raw_text(record: Record) -> bool:
    try:
        return not read(Path(record.copy)).data.isascii()
    except SourceError:
        return False


def _taking_back(record: Record) -> Transform:
    changes = audit.from_json(record.inverse)

    def transform(document: JSON, now: float) -> Change:
        kind = kind_of(document)
        firm = [change for change in changes if not _is_under(change.path, kind.derived)]
        try:
            after = diff.apply(document, firm)
        except ConflictError as error:
            raise RefusedError(
                f"{record.action} of {record.at} can no longer be undone, because these places have moved on: "
                f"{', '.join(error.pointers[:5])}. What was there before it is in {record.copy}"
            ) from None
        try:
            after = diff.apply(after, [change for change in changes if change not in firm])
        except ConflictError:  # it has moved, as it may; then it follows from the rest anew
            after = kind.refresh(after, now)
        return Change(f"undo {record.action}", tuple(record.targets), after, _evidence(firm))

    return transform


def _evidence(changes: list[Difference]) -> tuple[tuple[Place, ...], ...]:
    """Tell by every object that is changed back; counters aside, since whoever puts the old content back moves them."""
    groups: dict[Place, list[Place]] = {}
    for change in changes:
        if not (isinstance(change.before, int) and isinstance(change.after, int)):
            groups.setdefault(change.path[:-1], []).append(change.path)
    return tuple(map(tuple, groups.values())) or (tuple(change.path for change in changes),)


def _is_under(path: Place, places: tuple[Place, ...]) -> bool:
    return any(path[: len(place)] == place for place in places)

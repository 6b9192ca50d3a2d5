"""Taking actions back and doing them again, as long as that still applies: what others changed since stays."""

import difflib
import functools
import itertools
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from statewatch.core import audit
from statewatch.core.actions import Action, Transform
from statewatch.core.audit import Record
from statewatch.core.beside import extras_file
from statewatch.core.errors import NotFoundError, RefusedError, SourceError, StatewatchError
from statewatch.core.lock import user
from statewatch.core.reading import read
from statewatch.core.removing import NOTHING, taking_back
from statewatch.core.standing import REDO, UNDO, Standing, next_redo, next_undo, plain_name, role, standings
from statewatch.core.stores.base import Store, Version
from statewatch.core.stores.urls import reopen_store
from statewatch.documents import diff
from statewatch.documents.diff import Change as Difference
from statewatch.documents.diff import ConflictError
from statewatch.documents.values import JSON
from statewatch.documents.values import Path as Place
from statewatch.kinds import base
from statewatch.kinds.base import Change
from statewatch.kinds.registry import kind_of

RECOVER = "recover"
"""The name of the action that replaces what is damaged."""

Sources = Collection[Path | str]
"""Files, and URLs of stores as the audit log names them."""
Within = Callable[[str], bool]
"""Tells whether a source, as the audit log names it, is meant where none was named."""

_NAMED = 5
_SEVERAL = 20
"""Keys of a namespace up to which an undo reads only these."""


def last_action(sources: Sources | None = None) -> Record:
    """Return the newest action still in force, of some sources or of all. Raises NotFoundError when there is none.

    An action that was done again after an undo is represented by the record of that.
    """
    found = next_undo(all_standings(), _names(sources))
    if found is None:
        raise NotFoundError("nothing to undo: the audit log holds no action on this that has not been undone")
    return found.record


def last_undo(sources: Sources | None = None) -> Record:
    """Return the newest undo still in force that no new action on its source has followed, of some sources or of all.

    Raises NotFoundError when there is none.
    """
    found = next_redo(all_standings(), _names(sources))
    if found is None:
        raise NotFoundError("nothing to redo: the last thing done to this was no undo, or it was taken back already")
    return found.record


def find_action(identity: str, sources: Sources | None = None) -> Record:
    """Return the record with that id, or the only one whose id begins so; of some sources or of all.

    Raises NotFoundError, naming those it may be, when there is none or more than one.
    """
    return find_standing(identity, sources).record


def find_standing(identity: str, sources: Sources | None = None) -> Standing:
    """Return the record that `find_action` finds and how it stands; raises what that raises."""
    names = _names(sources)
    found: list[Standing] = []
    others: list[Record] = []
    for each in all_standings():
        if names is not None and each.record.source not in names:
            continue
        if each.record.id == identity:
            return each
        if identity and each.record.id.startswith(identity):
            found.append(each)
        elif len(others) < 1_000:
            others.append(each.record)
    if len(found) == 1:
        return found[0]
    log = audit.log_file()
    if found:
        some = _listed([each.record for each in found])
        raise NotFoundError(f"{len(found)} records in {log} begin with {identity!r}, give more of the id: {some}")
    near = set(difflib.get_close_matches(identity, [record.id for record in others], n=3))
    some = _listed([record for record in others if record.id in near] or others[:3])
    raise NotFoundError(f"there is no action {identity!r} in the audit log {log}{some and '; there is '}{some}")


def to_undo(identity: str | None = None, sources: Sources | None = None, within: Within | None = None) -> list[Record]:
    """Return what is to be taken back, newest first: the chosen action, or the last one with all of its group.

    With *sources* only what was done to these is meant; without, the last action must be on a source *within* reach.
    Raises NotFoundError when there is no such action, also where the user's own last one is out of reach, and
    RefusedError when the chosen one is no longer in force.
    """
    if identity is None:
        if sources is None and within is not None:
            return _with_its_group(_within_reach(next_undo, within, "undo"), None)
        return _with_its_group(last_action(sources), sources)
    found = find_standing(identity, sources)
    if role(found.record) == "undo":
        raise RefusedError(
            f"{found.record.id} is itself an undo ({found.record.action}): take it back with `statewatch redo`."
        )
    if found.top is None or role(found.top) == "undo":
        raise RefusedError(f"{_why_not(found)}, so there is nothing to undo.")
    return [found.top]


def to_redo(identity: str | None = None, sources: Sources | None = None, within: Within | None = None) -> list[Record]:
    """Return the undos that are to be taken back, newest first: that of the chosen action, or the last with its group.

    *identity* is that of the action or of its undo; *within* is as `to_undo` takes it. Raises NotFoundError when there
    is no such action and RefusedError when it was not undone.
    """
    if identity is None:
        if sources is None and within is not None:
            return _with_its_group(_within_reach(next_redo, within, "redo"), None)
        return _with_its_group(last_undo(sources), sources)
    found = find_standing(identity, sources)
    if found.top is None or role(found.top) != "undo":
        raise RefusedError(f"{_why_not(found)}, so there is nothing to redo.")
    return [found.top]


def undo_action(record: Record, *, why: str = "", via: str = "library", group: str | None = None) -> Action:
    """Return the action that takes *record* back."""
    return _taking_back(record, f"{UNDO}{plain_name(record)}", why, via, group)


def redo_action(record: Record, *, why: str = "", via: str = "library", group: str | None = None) -> Action:
    """Return the action that takes *record*, an undo, back, so that what it had undone is done again."""
    return _taking_back(record, f"{REDO}{plain_name(record)}", why, via, group)


def undo_actions(records: Collection[Record], *, why: str = "", via: str = "library") -> list[Action]:
    """Return the actions that take all of *records* back, as one request."""
    group = _group_for(records)
    return [undo_action(record, why=why, via=via, group=group) for record in records]


def redo_actions(records: Collection[Record], *, why: str = "", via: str = "library") -> list[Action]:
    """Return the actions that take all of *records*, which are undos, back, as one request."""
    group = _group_for(records)
    return [redo_action(record, why=why, via=via, group=group) for record in records]


def all_standings() -> Iterator[Standing]:
    """Yield how every record of the audit log stands, newest first."""
    return standings(audit.records(), _has_happened)


def _group_for(records: Collection[Record]) -> str | None:
    return secrets.token_hex(6) if len(records) > 1 else None


def _within_reach(find: Callable[[Iterable[Standing]], Standing | None], within: Within, verb: str) -> Record:
    """Return the newest record to undo or redo, which must be within reach. Raises NotFoundError.

    What others did elsewhere is passed over. What this user did elsewhere is not: whoever says `undo` means what they
    did last, and must not find that something older was taken back.
    """
    mine = user()
    found = find(each for each in all_standings() if within(each.record.source) or each.record.user == mine)
    if found is not None and within(found.record.source):
        return found.record
    if found is None:
        raise NotFoundError(f"nothing to {verb} here: by the audit log nothing in reach is left to {verb}")
    other = found.record
    here = find(each for each in all_standings() if within(each.record.source))
    local = "" if here is None else f" The last one here is {_listed([here.record])}."
    raise NotFoundError(
        f"nothing was done: what you did last is not here but on {other.source}: {_listed([other])}, at {other.at}. "
        f"To {verb} it all the same: statewatch {verb} --id {other.id}.{local}"
    )


def _with_its_group(record: Record, sources: Sources | None) -> list[Record]:
    if record.group is None:
        return [record]
    names = _names(sources)
    undone = role(record) == "undo"
    return [
        each.record
        for each in all_standings()
        if each.is_top and each.record.group == record.group and (role(each.record) == "undo") == undone
        if names is None or each.record.source in names
    ]


def _names(sources: Sources | None) -> set[str] | None:
    if sources is None:
        return None
    names = {str(each.resolve()) if isinstance(each, Path) else each for each in sources}
    files = [each.resolve() for each in sources if isinstance(each, Path) and each.name]
    return names | {str(beside) for file in files if (beside := extras_file(file)).exists()}


def _listed(records: Iterable[Record]) -> str:
    texts = [f"{each.id} ({each.action} {', '.join(each.targets[:2])})" for each in itertools.islice(records, _NAMED)]
    return ", ".join(texts)


def _why_not(found: Standing) -> str:
    """Say why a record is not to be undone, or redone: in what state it is."""
    record, by = found.record, found.by
    what = f"{record.id} ({record.action})"
    if role(record) == "keeping":
        kept = f"; what it held is kept in {record.copy}" if record.copy else ""
        return f"{what} of {record.checkpoint!r} was done to a checkpoint and not to the document{kept}"
    if role(record) == "note":
        return f"{what} only tells what became of {record.undoes}"
    if by is not None:
        how = "overwritten by another program" if role(by) == "note" else "taken back already"
        return f"{what} was {how}, at {by.at}"
    if found.in_force:
        return f"{what} is in force"
    if record.outcome == "in progress":
        return f"{what} has not been done yet: it is in progress"
    return f"{what} was broken off before anything was written"


def _taking_back(record: Record, name: str, why: str, via: str, group: str | None) -> Action:
    if (whole := taking_back(record, name, why=why, via=via, group=group)) is not None:
        return whole
    inverse = functools.cache(functools.partial(audit.inverse_of, record))
    store = _store_of(record, inverse)
    return Action(
        source=store,
        transform=_inverse(record, name, inverse),
        name=name,
        why=why,
        via=via,
        undoes=record.id,
        exact=True,
        like=_kept(record, store),
        group=group,
    )


def _kept(record: Record, store: Store) -> Version | None:
    """Return the version before an action, so that its undo is exact to the byte where nothing else has changed."""
    if not record.copy:
        return None
    try:
        version = store.version_in(read(Path(record.copy)))
        version.document()
    except SourceError:
        return None
    return version


def _has_happened(record: Record) -> bool:
    """Look at the source of an action that was interrupted: does it show what that did?"""
    try:
        inverse = functools.cache(functools.partial(audit.inverse_of, record))
        there = _store_of(record, inverse).version()
        if there.digest in {record.before, record.after} or record.after == NOTHING:
            return there.digest == record.after
        _inverse(record, record.action, inverse)(there.document(), time.time())
    except base.RefusedError:
        return False
    except StatewatchError:
        return True  # whoever undoes it is told what is wrong there
    return True


def _store_of(record: Record, inverse: Callable[[], list[Difference]]) -> Store:
    """Return the store of a record, as an action sees it that takes it back where it was about some keys only."""
    store = reopen_store(record.source)
    try:
        places = [change.path for change in inverse()]
    except ValueError:  # whoever takes it back is told
        return store
    keys = {place[0] for place in places if place and isinstance(place[0], str)}
    is_about_keys = 0 < len(keys) <= _SEVERAL and all(place and isinstance(place[0], str) for place in places)
    return store.around(*sorted(keys)) if is_about_keys else store


def _inverse(record: Record, name: str, inverse: Callable[[], list[Difference]]) -> Transform:
    def transform(document: JSON, now: float) -> Change:
        if record.action == RECOVER:
            raise base.RefusedError(
                f"{record.id} replaced what could not be read, and that is not put back. It is in {record.copy}"
            )
        try:
            changes = inverse()
        except ValueError as error:
            raise base.RefusedError(f"{record.id} cannot be taken back: {error}") from None
        kind = kind_of(document)
        firm = [change for change in changes if not _is_under(change.path, kind.derived)]
        try:
            after = diff.apply(document, firm)
        except ConflictError as error:
            raise base.RefusedError(
                f"{record.action} of {record.at} can no longer be undone, because these places have moved on: "
                f"{', '.join(error.pointers[:_NAMED])}. {_where_before(record)}"
            ) from None
        try:
            after = diff.apply(after, [change for change in changes if change not in firm])
        except ConflictError:  # it has moved, as it may; then it follows from the rest anew
            after = kind.refresh(after, now)
        return Change(name, tuple(record.targets), after, evidence(firm))

    return transform


def _where_before(record: Record) -> str:
    return f"What was there before it is in {record.copy}" if record.copy else "Nothing was there before it"


def evidence(changes: list[Difference]) -> tuple[tuple[Place, ...], ...]:
    """Tell by every object that is changed back; counters aside, since whoever puts the old content back moves them."""
    groups: dict[Place, list[Place]] = {}
    for change in changes:
        if not (isinstance(change.before, int) and isinstance(change.after, int)):
            groups.setdefault(change.path[:-1], []).append(change.path)
    return tuple(map(tuple, groups.values())) or (tuple(change.path for change in changes),)


def _is_under(path: Place, places: tuple[Place, ...]) -> bool:
    return any(path[: len(place)] == place for place in places)

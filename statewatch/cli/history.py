"""The history as commands ask for it: opening it, finding the revision that a moment means, saying how near that is."""

import itertools
import math
import os
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from statewatch.cli import arguments, output
from statewatch.cli.arguments import past_moment_of
from statewatch.cli.errors import MistakeError
from statewatch.core.address import Address
from statewatch.core.errors import NotFoundError, SourceError
from statewatch.documents.text import harmless
from statewatch.kinds.times import clock, instant, iso, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statewatch.core.reading import Snapshot
    from statewatch.core.stores.base import Store, Version
    from statewatch.watch.authors import Authors
    from statewatch.watch.history.model import Entry
    from statewatch.watch.history.store import History
    from statewatch.watch.picture import Picture
    from statewatch.watch.scope import Scope

VARIABLE = "STATEWATCH_HISTORY"
NEVER = "no history of it is kept; only files that are watched have one. `statewatch checkpoint` keeps what it holds"
_OPENED, _MOMENT = "statewatch.history.opened", "statewatch.at.moment"
UNRECORDED = "what is there now is not recorded, so the newest one that is counts as one back"
_KEEPING = "`statewatch record` keeps one, and so does the dashboard while it runs"


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision that a moment means: as addresses name it, when it was seen, and what is to be said of how it fits."""

    entry: "Entry"
    name: str
    notes: tuple[str, ...] = field(default=())


def place() -> Path:
    """Return which history is meant: the one of `--history` or the variable, else the usual one."""
    from statewatch.watch.history.store import default_path  # noqa: PLC0415 - each command loads what it uses

    context = click.get_current_context(silent=True)
    named = (context.meta.get(arguments.history_file) if context else None) or os.environ.get(VARIABLE)
    return Path(os.path.expanduser(named)) if named else default_path()  # noqa: PTH111 - any bytes


def opened() -> "History":
    """Open the history; it is closed when the command ends. Raises HistoryError where there is none, or it is damaged.

    What whoever opened it should know is said on standard error.
    """
    from statewatch.watch.history.store import History  # noqa: PLC0415

    context = click.get_current_context()
    known: History | None = context.meta.get(_OPENED)
    if known is None:
        known = context.find_root().with_resource(History.open(place(), create=False))
        context.meta[_OPENED] = known
        for note in known.notes:
            output.note(f"Note: {harmless(note)}")
    return known


def required() -> "History":
    """Open the history, as `opened` does. Raises NotFoundError that says how to have one where there is none."""
    from statewatch.watch.history.model import HistoryError  # noqa: PLC0415

    try:
        return opened()
    except HistoryError as error:
        if not error.missing:
            raise
        raise NotFoundError(f"no history is kept in {output.shown_path(str(place()))}: {_KEEPING}.") from None


def key_in(history: "History", store: "Store") -> str | None:
    """Return under which name a history holds a source; None where it does not."""
    path: Path | None = getattr(store, "path", None)
    if path is not None:
        return key_of(history, path)
    return store.source if store.source in history.sources() else None


def key_of(history: "History", path: str | Path) -> str | None:
    """Return under which name a history holds a file, by whatever links it is named; None where it does not."""
    key = os.path.abspath(path)  # noqa: PTH100 - a source keeps the name under which it was found
    known = history.sources()
    if key in known:
        return key
    real = os.path.realpath(key)
    return next((each for each in known if os.path.realpath(each) == real), None)


def history_of(source: str) -> "tuple[History, str]":
    """Return the history, and under which name it holds a source. Raises NotFoundError where it does not."""
    history, key, _ = history_and_store_of(source)
    return history, key


def history_and_store_of(source: str) -> "tuple[History, str, Store]":
    """Return the history, under which name it holds a source, and the source itself. Raises NotFoundError likewise."""
    from statewatch.cli.sources import opened as opened_source  # noqa: PLC0415

    store = opened_source(source)
    history = required()
    key = key_in(history, store)
    if key is None:
        raise NotFoundError(_not_recorded(store.source, None) if is_watched(store) else f"{store.source}: {NEVER}.")
    return history, key, store


def missing_one() -> str:
    """Return what to say where a history was named that is not there; nothing of one that is, or of the usual one."""
    from statewatch.watch.history.store import default_path  # noqa: PLC0415

    where = place()
    return "" if where == default_path() or os.path.lexists(where) else f"there is no history {where}, and "


def is_watched(store: "Store") -> bool:
    """Tell whether a history of a source can be kept at all: of files it is, not of databases and what is in them."""
    from statewatch.core.stores.file import FileStore  # noqa: PLC0415

    return isinstance(store, FileStore)


def address_at(source: str, moment: float, *tokens: str) -> str:
    """Return the address of what a source held at an instant."""
    return str(Address(source, when_of(moment), tokens))


def when_of(moment: float) -> str:
    """Return an instant as an address has it: not earlier than it is, so that what was seen then is what is found."""
    micros = math.ceil(moment * 1_000_000)
    micros += micros / 1_000_000 < moment
    whole, rest = divmod(micros, 1_000_000)
    fraction = f".{rest:06d}".rstrip("0").rstrip(".")
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f"{fraction}Z"


def is_back(when: str) -> bool:
    """Tell whether a moment is a number of revisions back: `-1`."""
    return when[:1] == "-" and when[1:].isascii() and when[1:].isdigit() and len(when) < 10


def looks_like_moment(when: str) -> bool:
    """Tell whether a name could also be read as a moment of the history."""
    return is_back(when) or past_moment_of(when, time.time()) is not None


def revision_at(store: "Store", when: str) -> Revision | None:
    """Return the revision that the moment of an address means, None where no history of the source is kept.

    Raises NotFoundError where the history does not reach back so far, MistakeError for a moment that is to come.
    """
    from statewatch.watch.history.model import HistoryError  # noqa: PLC0415

    now = time.time()
    moment = None if is_back(when) else past_moment_of(when, now)
    refuse_future(when, moment, now)
    try:
        history = opened()
    except HistoryError as error:
        if error.missing:
            return None
        raise
    key = key_in(history, store)
    if key is None:
        return None
    marked = next((entry for entry in history.bookmarks() if entry.source == key and entry.bookmark == when), None)
    if marked is not None:
        return Revision(marked, when, (_said(marked, now),))
    if is_back(when):
        return _back(history, key, store, int(when[1:]))
    return None if moment is None else at_moment(history, key, store.source, moment, when)


def bookmarks_of(store: "Store") -> list[str]:
    """Return the names of the bookmarks in a source's history; none where there is no history."""
    from statewatch.watch.history.model import HistoryError  # noqa: PLC0415

    try:
        history = opened()
    except HistoryError:
        return []
    key = key_in(history, store)
    return [entry.bookmark for entry in history.bookmarks() if entry.source == key]


def at_moment(history: "History", key: str, source: str, moment: float, when: str) -> Revision:
    """Return what a source held at an instant. Raises NotFoundError, which names the nearest, before its history."""
    entry = history.at(key, moment)
    if entry is None:
        raise NotFoundError(_before_all(history, key, source, when, moment))
    return Revision(entry, when_of(entry.seen_at), tuple(_fitting(history, key, entry, moment)))


def refuse_future(when: str, moment: float | None, now: float) -> None:
    """Raise MistakeError for a moment that is to come."""
    if moment is not None and moment > now:
        raise MistakeError(f"{when!r} is in {span(moment - now)}: what will be then is not known yet.")


def version_of(store: "Store", revision: Revision) -> "Version":
    """Return a revision as the version of a source that it was. Raises HistoryError when it is kept no longer."""
    from statewatch.watch.past import snapshot_of  # noqa: PLC0415

    return store.version_in(snapshot_of(opened(), revision.entry))


def moment_meant(text: str) -> float:
    """Return the past instant that `--at` names, the same one throughout a command.

    A bookmark of that name comes before a time. Raises MistakeError for what is neither, or is to come.
    """
    meta = click.get_current_context().meta
    if _MOMENT not in meta:
        now = time.time()
        moment = past_moment_of(text, now)
        refuse_future(text, moment, now)
        marked = next((entry for entry in required().bookmarks() if entry.bookmark == text), None)
        moment = moment if marked is None else marked.seen_at
        if moment is None:
            raise MistakeError(
                f"{text!r} is no bookmark, no duration (10m, 2h, 3d) and no time (14:03, 2026-11-20T14:03), so "
                "there is nothing to look at."
            )
        meta[_MOMENT] = moment
        output.note(f"As of {clock(moment, now)}, {span(now - moment)} ago; circuit policies are those of now.")
    known: float = meta[_MOMENT]
    return known


def past_picture(scope: "Scope", moment: float) -> "Picture":
    """Return the picture at an instant. Raises NotFoundError where nothing that was named was recorded by then."""
    from statewatch.watch.past import Past  # noqa: PLC0415

    history = required()
    scope = replace(scope, files=tuple(key_of(history, path) or path for path in scope.files))
    past = Past.of_scope(history, scope)
    picture = past.at(moment, lines=0)
    begins = past.begins()
    for path in scope.files:
        if picture.source(path) is None:
            at = begins.get(path)
            raise NotFoundError(_not_recorded(path, at))
    later = [at for at in begins.values() if at > moment]
    if not picture.sources:
        places = ", ".join(scope.looked_in)
        kept = f": what is there is recorded since {_when(min(later))}" if later else ""
        since = kept or f" of {places}: no history of them is kept: {_KEEPING}"
        raise NotFoundError(f"nothing was recorded by then{since}.")
    if later:
        output.note(f"({output.count(len(later), 'source')} more recorded only later, from {_when(min(later))} on)")
    return picture


def past_snapshot(path: str, moment: float) -> "Snapshot":
    """Return what a file held at an instant. Raises NotFoundError, which names the nearest, before its history."""
    from statewatch.watch.past import snapshot_of  # noqa: PLC0415

    history = required()
    key = key_of(history, path)
    if key is None:
        raise NotFoundError(_not_recorded(path, None))
    found = at_moment(history, key, key, moment, when_of(moment))
    tell(found.notes)
    return snapshot_of(history, found.entry)


def authors_of(source: str, since: float) -> "Authors":
    """Return who did what to a source since an instant; where the audit log cannot be read, that is said."""
    from statewatch.core.audit import records  # noqa: PLC0415
    from statewatch.watch.authors import EARLIEST, LATEST, Authors  # noqa: PLC0415

    begin = since - LATEST + EARLIEST
    try:
        return Authors(itertools.takewhile(lambda record: (instant(record.at) or since) >= begin, records()), source)
    except SourceError as error:
        output.note(f"Note: who did it is not known: {harmless(str(error))}")
        return Authors((), source)


def tell(notes: "Sequence[str]") -> None:
    """Say how well a revision fits the moment that was asked for."""
    for note in notes:
        output.note(f"({harmless(note)})")


def _not_recorded(path: str, begins: float | None) -> str:
    shown = output.shown_path(path)
    if begins is None:
        return f"{shown}: no history of it is kept: {_KEEPING}."
    return (
        f"{shown}: nothing was recorded of it by then; its history begins {_when(begins)}: {address_at(path, begins)}"
    )


def _back(history: "History", key: str, store: "Store", count: int) -> Revision:
    """Return the revision so many back from what the source holds now."""
    apart = count > 0 and is_behind(history, key, store)
    entry = history.back(key, count - 1 if apart else count)
    if entry is None:
        kept = history.entries(key)
        oldest = kept[-1] if kept else None
        reach = f"; the oldest is {address_at(store.source, oldest.seen_at)}" if oldest else ""
        raise NotFoundError(f"{store.source}: its history holds {output.count(len(kept), 'revision')}{reach}")
    notes = [_said(entry, time.time())]
    if apart:
        notes.append(UNRECORDED)
    dropped = sum(each.dropped for each in history.entries(key, since=entry.seen_at) if each.number > entry.number)
    if dropped:
        notes.append(f"{output.count(dropped, 'revision')} since were seen but not kept, and are not counted")
    return Revision(entry, when_of(entry.seen_at), tuple(notes))


def is_behind(history: "History", key: str, store: "Store") -> bool:
    """Tell whether a source holds something by now that is not recorded, so that -1 is the newest that is."""
    newest = history.newest(key)
    return newest is not None and _digest_now(store) not in {newest.digest, None}


def _digest_now(store: "Store") -> str | None:
    """Return the digest of what a source holds; None where nothing can be read."""
    try:
        return store.version().digest
    except SourceError:
        return None


def _fitting(history: "History", key: str, entry: "Entry", moment: float) -> list[str]:
    """Say when a revision was seen, and what is known of the time between it and the moment asked for."""
    notes = [_said(entry, time.time())]
    following = [each for each in history.entries(key, since=entry.seen_at) if each.number > entry.number]
    if not following:
        written = _written_unrecorded(key, entry)
        if written is not None and written <= moment:
            notes.append(f"the file was written again at {_when(written)}, before that moment; that is not recorded")
        return notes
    after = following[-1]
    if after.dropped:
        notes.append(
            f"the nearest kept revision before that moment; {after.dropped} between it and the next, seen "
            f"{_when(after.seen_at)}, were not kept"
        )
    if after.at <= moment:
        notes.append(
            f"the next one was seen {_when(after.seen_at)} only, but says that it was written {_when(after.at)}, "
            f"before that moment: {address_at(key, after.seen_at)}"
        )
    return notes


def _written_unrecorded(key: str, newest: "Entry") -> float | None:
    """Return when a file was written after its newest recorded revision; None where it was not."""
    try:
        seen = os.stat(key).st_mtime  # noqa: PTH116 - of a name with any bytes
    except (OSError, ValueError):
        return None
    return seen if seen > newest.at + 0.001 else None


def _before_all(history: "History", key: str, source: str, when: str, moment: float) -> str:
    """Say that a history begins only after a moment, and what is nearest."""
    kept = history.entries(key)
    if not kept:
        return f"{source}: how it was at {when!r} is not known: nothing of it is recorded."
    first = kept[-1]
    same = f", which says that it was written {_when(first.at)}, before that moment" if first.at <= moment else ""
    return (
        f"{source}: how it was at {when!r} is not known: its history begins {_when(first.seen_at)}. "
        f"The nearest is {address_at(source, first.seen_at)}{same}"
    )


def _said(entry: "Entry", now: float) -> str:
    return f"as seen {clock(entry.seen_at, now)}, {span(now - entry.seen_at)} ago; written {clock(entry.at, now)}"


def _when(moment: float) -> str:
    now = time.time()
    return f"{clock(moment, now)} ({span(now - moment)} ago)" if moment <= now else str(iso(moment))

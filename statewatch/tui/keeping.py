"""What is done to checkpoints from the dashboard: keep, bring back, rename, pin, delete, verify, compare.

All that waits happens in threads; StatewatchError goes to whoever began it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from statewatch.core.address import Address
from statewatch.core.errors import RefusedError, SourceError, StatewatchError, UnavailableError
from statewatch.core.names import check_checkpoint, clash
from statewatch.core.reading import read
from statewatch.core.restoring import recover_action, restore_action, restore_version_action
from statewatch.core.stores.base import Store
from statewatch.documents.text import harmless
from statewatch.tui import questions
from statewatch.tui.models.checkpoints import KeptRow
from statewatch.tui.models.comparison import Comparison, Side
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.screens.form import Field, FormScreen, Values
from statewatch.tui.widgets.table_model import Cell
from statewatch.watch.kept import Check, Kept, store_of
from statewatch.watch.picture import Source
from statewatch.watch.shelves import Shelves

if TYPE_CHECKING:
    from statewatch.core.actions import Action
    from statewatch.documents.values import JSON
    from statewatch.tui.app import StatewatchApp

_VIA = "dashboard"
_DELETE = "Delete"
_MANY = 20
"""So many are verified without a word before."""


async def create(app: "StatewatchApp", source: Source) -> None:
    """Keep a source as it is now, under a name that is asked for."""
    store = store_of(source)
    taken = await asyncio.to_thread(_names, store)
    fields = (
        Field("name", "name", hint="auto_ and the time"),
        Field("note", "note", hint="what it is good for"),
    )
    question: Cell = (("Keep ", ""), (source.label, "strong"), (" as it is now?", ""))

    def keep(values: Values) -> str:
        store.version().document()  # what is missing or broken is nothing to come back to
        return store.checkpoint(values["name"] or None, note=values["note"], via=_VIA).name

    made = await _filled_in(app, question, fields, partial(_wrong_name, taken), keep)
    if made is not None:
        app.tell(f"Kept as {harmless(made, 60)}; 5 shows it.")


async def rename(app: "StatewatchApp", row: KeptRow) -> None:
    """Give a checkpoint another name, or another note, which are asked for."""
    _refuse_foreign([row], "renamed")
    store, name = store_of(row.source), row.kept.name
    taken = [each for each in await asyncio.to_thread(_names, store) if each != name]
    fields = (Field("name", "name", value=name), Field("note", "note", row.kept.said, "what it is good for"))

    def edit(values: Values) -> str:
        return store.edit_checkpoint(name, new_name=values["name"], note=values["note"], via=_VIA).name

    def wrong(values: Values) -> str:
        return "" if values["name"] == name else _wrong_name(taken, values, needed=True)

    made = await _filled_in(app, (("Rename ", ""), (row.title, "strong")), fields, wrong, edit)
    if made is not None:
        app.tell(f"{row.title} is {harmless(made, 60)} now." if made != name else f"{row.title}: it is noted.")


async def pin(app: "StatewatchApp", rows: Sequence[KeptRow]) -> None:
    """Pin checkpoints; where all of them are pinned already, take the pins off."""
    _refuse_foreign(rows, "pinned")
    pinned = not all(row.kept.pinned for row in rows)

    def edit() -> None:
        for row in rows:
            store_of(row.source).edit_checkpoint(row.kept.name, pinned=pinned, via=_VIA)

    await asyncio.to_thread(edit)
    word = "pinned: D does not take it" if pinned else "pinned no longer"
    app.tell(f"{_named(rows)}: {word}.")


async def delete(app: "StatewatchApp", rows: Sequence[KeptRow]) -> None:
    """Delete checkpoints, after asking."""
    _refuse_foreign(rows, "deleted")
    store = store_of(rows[0].source)

    def refused() -> list[Cell]:
        for row in rows:
            store.refuse_deletion(row.kept.name)
        return [((f"locked now by {holder}", "warn"),) for holder in store.holders()]

    lines: list[Cell] = [
        (("What it holds is kept as a safety copy, but u does not bring the checkpoint back.", "muted"),),
        *await asyncio.to_thread(refused),
        (("of ", "muted"), (rows[0].source.label, "strong")),
        *(((f"− {row.title}  ", "bad"), (harmless(row.kept.said, 200), "muted")) for row in rows),
    ]
    asked = ConfirmScreen(((f"Delete {_named(rows)}?", "strong"),), lines, (questions.CANCEL, _DELETE))
    if await app.push_screen_wait(asked) != _DELETE:
        return
    app.main.acting()

    def deleted() -> None:
        for row in rows:
            store.delete_checkpoint(row.kept.name, via=_VIA)

    await asyncio.to_thread(deleted)
    app.tell(f"Deleted {_named(rows)}.")


async def verify(app: "StatewatchApp", rows: Sequence[KeptRow], shelves: Shelves) -> None:
    """See whether things that are kept still hold what they held, and say so."""
    if len(rows) > _MANY:
        app.tell(f"Verifying {len(rows):,} …")
    checks = await asyncio.to_thread(lambda: [_checked(row, app.clock()) for row in rows])
    for row, check in zip(rows, checks, strict=True):
        shelves.note(row.source, row.kept, check)
    damaged = [row for row, check in zip(rows, checks, strict=True) if check.result == "damaged"]
    if damaged:
        what = checks[0].problem if len(rows) == 1 else f"{len(damaged)} of {len(rows)} are damaged"
        app.tell(f"Damaged: {_named(damaged)}: {harmless(what, 100)}"[:160], "error")
    elif len(rows) == 1:
        app.tell(f"{rows[0].title}: {_GOOD[checks[0].result]}.")
    else:
        app.tell(f"All {len(rows):,} are as they were made, or can at least be read.")


_GOOD = {"good": "it holds what it held when it was made", "readable": "it can be read; its maker noted no digest"}


def restoring(row: KeptRow) -> "list[Action]":
    """Return the action that brings something back: in the place of what cannot be read, where that is so."""
    store, kept = store_of(row.source), row.kept
    if _is_damaged(store):
        return [recover_action(store, kept.name, via=_VIA)]
    if kept.path is not None:
        return [restore_version_action(store, store.version_in(read(kept.path)), row.title, via=_VIA)]
    return [restore_action(store, kept.name, via=_VIA)]


def comparison(row: KeptRow, other: KeptRow | None = None) -> Comparison:
    """Return what the diff screen compares: something with the present, or with another one, the older one first."""
    source, store = row.source, store_of(row.source)
    if other is None:
        now = Side("now", _Now(store), None, str(Address(store.source)), is_now=True)
        return Comparison(source.key, source.label, source.kind, _side(store, row), now, lambda: store)
    first, second = sorted((row, other), key=lambda each: each.kept.at)
    sides = _side(store, first), _side(store, second)
    return Comparison(source.key, source.label, source.kind, *sides, lambda: store)


@dataclass(frozen=True, slots=True)
class _Now:
    store: Store

    def __call__(self) -> "JSON":
        return self.store.version().document()


def _side(store: Store, row: KeptRow) -> Side:
    kept = row.kept
    address = None if kept.path is not None else str(Address(store.source, kept.name))
    label = row.title if kept.path is not None else f"@{row.title}"
    return Side(label, partial(kept.document, store), kept.at, address)


async def _filled_in(
    app: "StatewatchApp",
    question: Cell,
    fields: Sequence[Field],
    check: Callable[[Values], str],
    work: Callable[[Values], str],
) -> str | None:
    """Return what *work* makes of the lines filled in; asks again where it refuses. None when nothing is wanted."""
    problem = ""
    while True:
        values = await app.push_screen_wait(FormScreen(question, fields, check, problem))
        if values is None:
            return None
        try:
            return await asyncio.to_thread(work, values)
        except RefusedError as error:
            problem = str(error)
            fields = [Field(each.name, each.label, values[each.name], each.hint) for each in fields]


def _names(store: Store) -> list[str]:
    return [each.name for each in store.checkpoints()]


def _wrong_name(taken: Sequence[str], values: Values, *, needed: bool = False) -> str:
    """Return what is wrong with a name for a checkpoint. None at all is right unless it is *needed*."""
    name = values["name"]
    if not name and not needed:
        return ""
    try:
        check_checkpoint(name)
    except RefusedError as error:
        return str(error)
    if name in taken:
        return f"There is a checkpoint {name!r} already."
    like = clash(name, taken)
    return f"It looks like the name of the checkpoint {like!r}." if like else ""


def _refuse_foreign(rows: Sequence[KeptRow], done: str) -> None:
    """Refuse, with RefusedError, what only its own tool may do."""
    for row in rows:
        if row.kept.what == "backup":
            raise RefusedError(f"{row.title} is a backup that another tool left, so it cannot be {done} here.")
        if row.kept.what == "copy":
            raise RefusedError(
                f"The {row.title} is a safety copy, which cannot be {done}: the oldest of them go by themselves. "
                "To keep it for good, restore it and make a checkpoint with c."
            )


def _is_damaged(store: Store) -> bool:
    try:
        store.version().document()
    except UnavailableError:
        raise
    except SourceError as error:
        return not error.missing
    return False


def _checked(row: KeptRow, now: float) -> Check:
    store, kept = store_of(row.source), row.kept
    try:
        good = _as_made(store, kept)
    except SourceError as error:
        return Check(now, "damaged", error.reason)
    except StatewatchError as error:
        return Check(now, "damaged", str(error))
    if not good:
        return Check(now, "damaged", "it does not hold what it held when it was made")
    return Check(now, "good" if kept.digest else "readable")


def _as_made(store: Store, kept: Kept) -> bool:
    return kept.is_as_made(store)


def _named(rows: Sequence[KeptRow]) -> str:
    return questions.some([row.title for row in rows])

"""The source that a command line means, opened, and the version of it at a moment."""

import os
import time
from pathlib import Path

import click

from statewatch.cli import output
from statewatch.cli.arguments import asked_moment, parsed, past_moment_of, patiently
from statewatch.cli.errors import MistakeError
from statewatch.core.address import Address
from statewatch.core.errors import MissingCheckpointError, NotFoundError, SourceError
from statewatch.core.stores.base import Checkpoint, Store, Version
from statewatch.core.stores.urls import is_store_url, open_store, refuse_guess, without_password
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.base import mapping
from statewatch.kinds.times import span


def opened(source: str) -> Store:
    """Open a file or the URL of a store; it is closed when the command ends."""
    refuse_guess(source)
    store = open_store(source if is_store_url(source) else Path(source))
    return click.get_current_context().with_resource(store)


def source_at(text: str) -> Store:
    """Open the source that an address names by itself, without a moment and a place in it."""
    found = parsed(text)
    if found.when is not None or found.tokens:
        shown = without_password(found.source) if is_store_url(found.source) else found.source
        raise MistakeError(f"{shown}: a whole source is meant here, without '@' and '#' behind it")
    return opened(found.source)


def document_at(store: Store, when: str | None) -> JSON:
    """Return the document of a source as it is now (or was, with `--at`), or at the moment of an address.

    Raises SourceError when it cannot be read and NotFoundError when nothing of that moment is kept.
    """
    if when is not None:
        return version_at(store, when)[1].document()
    moment = asked_moment()
    if moment is not None:
        return _then(store, moment).document()
    refuse_missing(store)
    return patiently(store.version)[1]


def as_asked(store: Store, *, required: bool = True) -> Store:
    """Return a namespace as it is now, or with `--at` what it was then, which is for reading only.

    Raises SourceError where the file of an address is not there, if it is *required*, and what `document_at` raises of
    a past moment.
    """
    if asked_moment() is None:
        if required:
            refuse_missing(store)
        return store
    from statewatch.core.stores.memory import MemoryStore  # noqa: PLC0415

    document = document_at(store, None)
    then = MemoryStore(store.namespace)
    then.url = store.url
    then.transact(lambda transaction: transaction.save_all(mapping(document)))
    return then


def version_at(store: Store, when: str) -> tuple[str, Version]:
    """Return what the moment of an address means, and its name in addresses: it still means the same later.

    A checkpoint of that name comes first, then a bookmark, then a number of revisions back (`-1`), then a duration ago
    or a time. How well a recorded revision fits is said on standard error. Raises MissingCheckpointError for a name;
    NotFoundError where nothing of that moment is kept, which names what is nearest; MistakeError for one that is to
    come, or with `--at`.
    """
    from statewatch.cli import history  # noqa: PLC0415 - what is about now needs none of it

    if asked_moment() is not None:
        raise MistakeError(f"{store.source}: give one moment: '@{when}' in the address, or --at.")
    existing = store.checkpoints()
    names = [checkpoint.name for checkpoint in existing]
    if when in names:
        if history.looks_like_moment(when):
            output.note(f"({harmless(when)!r} is a checkpoint of that name, which comes before the moment)")
        return when, store.kept(when)
    revision = history.revision_at(store, when)
    if revision is not None:
        history.tell(revision.notes)
        return revision.name, history.version_of(store, revision)
    moment = past_moment_of(when, time.time())
    if moment is not None or history.is_back(when):
        raise NotFoundError(_only_checkpoints(store, when, moment, existing))
    missing = MissingCheckpointError(store.source, when, [*names, *history.bookmarks_of(store)])
    if not when[:1].isdigit():
        raise missing
    raise NotFoundError(f"{missing}. A moment is written as 10m, 14:03, 2026-11-20T14:03 or -1.")


def _then(store: Store, moment: float) -> Version:
    """Return what a source held at the instant of `--at`."""
    from statewatch.cli import history  # noqa: PLC0415

    known = history.required()
    key = history.key_in(known, store)
    if key is None:
        raise NotFoundError(f"{store.source}: no history of it is kept; only files that are watched have one.")
    revision = history.at_moment(known, key, store.source, moment, history.when_of(moment))
    history.tell(revision.notes)
    return history.version_of(store, revision)


def _only_checkpoints(store: Store, when: str, moment: float | None, existing: list[Checkpoint]) -> str:
    """Say that no history of a source is kept, and which of the checkpoints is nearest to a moment."""
    from statewatch.cli import history  # noqa: PLC0415

    now = time.time()
    what = f"{store.source}: how it was at {when!r} is not known: {history.missing_one()}only checkpoints are kept"
    if not existing and not history.is_watched(store):
        return f"{what} of it, and there is none."
    if not existing:
        return f"{what}, and there is none. `statewatch record` keeps a history from now on."
    near = existing[-1] if moment is None else min(existing, key=lambda each: abs(each.created_at - moment))
    which = "The newest one" if moment is None else "The one nearest to that time"
    return f"{what}. {which} is {near.name!r}, {age(near, now)}: {address_of(store, near.name)}"


def refuse_missing(store: Store) -> None:
    """Tell a slip in an address from a namespace that is empty. Raises SourceError where its file is not there.

    Where no address was given, the usual place of a backend is meant, and there may be nothing in it yet.
    """
    given = click.get_current_context().params
    path = getattr(store, "path", None)
    if given.get("address", given.get("source")) is None or path is None:
        return
    try:
        os.stat(path)  # noqa: PTH116 - what else is wrong with it, reading will tell
    except (FileNotFoundError, NotADirectoryError):
        which = "" if store.source == str(path) else f" ({path})"
        raise SourceError(store.source, f"there is no such file{which}", missing=True) from None
    except OSError:
        pass


def address_of(store: Store, checkpoint: str | None = None, *tokens: str) -> str:
    """Return the address of a source, of a checkpoint of it, or of a place therein."""
    return str(Address(store.source, checkpoint, tokens))


def age(checkpoint: Checkpoint, now: float) -> str:
    """Return how long ago a checkpoint was made, in words."""
    return f"{span(now - checkpoint.created_at)} ago" if checkpoint.created_at <= now else "in the future"

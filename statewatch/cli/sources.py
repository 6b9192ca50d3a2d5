"""The source that a command line means, opened, and the version of it at a moment."""

import os
import time
from pathlib import Path

import click

from statewatch.cli.arguments import moment_of, parsed, patiently
from statewatch.cli.errors import MistakeError
from statewatch.core.address import Address
from statewatch.core.errors import MissingCheckpointError, NotFoundError, SourceError
from statewatch.core.stores.base import Checkpoint, Store
from statewatch.core.stores.urls import is_store_url, open_store, refuse_guess, without_password
from statewatch.documents.values import JSON
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
    """Return the document of a source as it is now, or as a checkpoint has it.

    Raises SourceError when it cannot be read and NotFoundError when nothing of that moment is kept.
    """
    if when is None:
        refuse_missing(store)
        return patiently(store.version)[1]
    return store.kept(checkpoint_at(store, when)).document()


def checkpoint_at(store: Store, when: str) -> str:
    """Return the checkpoint that the moment of an address names.

    Raises MissingCheckpointError; for a time, and for a number of revisions, NotFoundError that names the checkpoint
    nearest to it, since what came between checkpoints is not recorded.
    """
    existing = store.checkpoints()
    names = [checkpoint.name for checkpoint in existing]
    if when in names:
        return when
    now = time.time()
    moment = moment_of(when, now)
    if moment is None and not _is_revisions_back(when):
        raise MissingCheckpointError(store.source, when, names)
    what = f"{store.source}: how it was at {when!r} is not known: only checkpoints are kept"
    if not existing:
        raise NotFoundError(f"{what}, and there is none. `statewatch checkpoint create` makes one.")
    near = existing[-1] if moment is None else min(existing, key=lambda each: abs(each.created_at - moment))
    which = "The newest one" if moment is None else "The one nearest to that time"
    raise NotFoundError(f"{what}. {which} is {near.name!r}, {age(near, now)}: {address_of(store, near.name)}")


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


def _is_revisions_back(when: str) -> bool:
    return when[:1] == "-" and when[1:].isdigit()

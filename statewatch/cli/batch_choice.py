"""Which batch a command means: by its id or the beginning of that, by file, or the only one there is."""

import os
from pathlib import Path

import click

from statewatch.cli.arguments import file_of
from statewatch.cli.errors import MistakeError
from statewatch.cli.listing import listing_of
from statewatch.core.errors import NotFoundError
from statewatch.kinds.batch import BatchView
from statewatch.watch.picture import Source


def chosen(which: str | None) -> tuple[Source, BatchView, float]:
    """Return the batch that is meant, and when it was looked at.

    Raises NotFoundError where there is none, MistakeError where there are several.
    """
    path = None if which is None else file_of(which)
    is_path = path is not None and (os.path.lexists(path) or "/" in path or path.endswith(".json"))
    listing = listing_of((path,) if path is not None and is_path else (), "batch", BatchView)
    found = list(listing.sources)
    if path is not None and not is_path:
        ids = [view.batch_id for _, view in found]
        found = [each for each in found if each[1].batch_id == path] or [
            each for each in found if each[1].batch_id.startswith(path)
        ]
        if not found:
            raise NotFoundError(_unknown(path, ids))
    if not found and listing.code:
        raise click.exceptions.Exit(listing.code)  # what is wrong has been said
    if not found:
        raise NotFoundError(f"no batch found in {', '.join(listing.picture.watching.looked_in)}")
    if len(found) > 1:
        names = "; ".join(f"{view.batch_id} in {source.key}" for source, view in found)
        raise MistakeError(f"there are {len(found)} batches, name one by its id or file: {names}")
    return (*found[0], listing.picture.at)


def file_chosen(which: str) -> Path:
    """Return the file of the batch that is meant."""
    return Path(chosen(which)[0].key)


def _unknown(name: str, ids: list[str]) -> str:
    import difflib  # noqa: PLC0415 - only for a message

    near = difflib.get_close_matches(name, ids, n=3, cutoff=0.4) or ids[:5]
    return f"there is no batch {name!r}" + (f"; there is {', '.join(near)}" if near else " and no other one")

"""One hook state that a command line names, a file or a store: as the views show it, and as the core calls it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from statewatch.cli.arguments import asked_moment, file_of, settled
from statewatch.core.errors import SourceError
from statewatch.core.hook_glance import extras_of
from statewatch.core.policy import policy_for
from statewatch.core.stores.urls import is_store_url, without_password
from statewatch.documents.values import JSON
from statewatch.kinds.hooks import HooksView, view
from statewatch.watch.picture import Source

if TYPE_CHECKING:
    from statewatch.core.recording import Circuits


def store_source(url: str) -> tuple[Source, HooksView]:
    """Look at the hook state in a store. Raises SourceError when it cannot be read."""
    from statewatch.cli.sources import document_at, opened  # noqa: PLC0415 - files need no stores

    document = document_at(opened(url), None)
    return _source(without_password(url), document, url)


def extras_beside(source: Source, state_file: str | None) -> JSON:
    """Return what is kept beside the circuits of a source that was looked at; nothing where it cannot be read.

    What it was at a past moment is not recorded, so then it is nothing too.
    """
    if asked_moment() is not None:
        return {}
    try:
        if state_file is not None and is_store_url(state_file):
            from statewatch.cli.sources import opened  # noqa: PLC0415
            from statewatch.core.recording import Circuits  # noqa: PLC0415

            return Circuits(opened(state_file)).extras()
        return extras_of(Path(os.path.realpath(source.key)))
    except SourceError:
        return {}


def located(named: str, *, required: bool = True) -> "tuple[Source, HooksView, Circuits]":
    """Look at a hook state; where it is not *required*, a missing file is an empty one. Raises SourceError."""
    from statewatch.core.recording import Circuits  # noqa: PLC0415 - only commands about one circuit pay for it

    if is_store_url(named):
        from statewatch.cli.sources import opened  # noqa: PLC0415

        source, hooks = store_source(named)
        return source, hooks, Circuits(opened(named))
    file = Path(os.path.abspath(file_of(named)))  # noqa: PTH100 - any bytes
    document: JSON = {"hooks": {}, "global_stats": {}}
    try:
        document = settled(str(file))[1]
    except SourceError as error:
        if required or not error.missing:
            raise
    return *_source(str(file), document, file), Circuits(file)


def _source(key: str, document: JSON, place: Path | str) -> tuple[Source, HooksView]:
    hooks = view(document)
    return Source(key, key, "hooks", view=hooks, policy=policy_for(place)), hooks

"""The sources of one kind among what was named, and word about those that cannot be listed."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from statewatch.cli import output
from statewatch.cli.arguments import picture_of
from statewatch.kinds import field_circuits
from statewatch.kinds.batch import BatchView
from statewatch.kinds.hooks import HooksView
from statewatch.watch.picture import Picture, Source

ViewType = TypeVar("ViewType", HooksView, BatchView)

_NOUNS = {"hooks": "a hook state", "batch": "a batch state"}
_SHOWN = {**_NOUNS, "plain": "plain JSON", "workflow": "a workflow", "namespace": "a namespace of keys"}


@dataclass(frozen=True, slots=True)
class Listing(Generic[ViewType]):
    """Sources with their views, and the exit code that the rest of what was named calls for."""

    picture: Picture
    sources: tuple[tuple[Source, ViewType], ...]
    code: int


def listing_of(paths: Sequence[str], kind: str, view_type: type[ViewType]) -> Listing[ViewType]:
    """Look at what was named; say on standard error what cannot be read, and which named file is of another kind."""
    picture = picture_of(paths)
    named = {os.path.abspath(path) for path in paths if not os.path.isdir(path)}  # noqa: PTH100, PTH112 - any bytes
    code = 0
    sources = []
    for source in picture.sources:
        if isinstance(source.view, view_type):
            sources.append((source, source.view))
        elif source.problem is not None and (source.kind == kind or source.key in named):
            output.complain(f"{output.shown_path(source.key)}: {source.problem.reason}")
            code = 3
        elif source.key in named:
            output.complain(f"{output.shown_path(source.key)}: it is {_shown(source.kind)}, not {_NOUNS[kind]}")
            code = max(code, 1)
    return Listing(picture, tuple(sources), code)


def _shown(kind: str) -> str:
    declared = field_circuits.declared(kind)
    return f"a {declared.declaration.noun}" if declared is not None else _SHOWN.get(kind, kind)

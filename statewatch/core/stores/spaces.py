"""New namespaces beside existing ones: one that would be taken for another is not made."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from statewatch.core.errors import RefusedError
from statewatch.core.names import clash

STATE_FILES: Final = ("state.json", "state.db")
"""The file of a namespace in a directory of its own: a JSON file, or an SQLite database."""


def refuse_look_alike(name: str, existing: Iterable[str], where: object) -> None:
    """Raise RefusedError where the namespace *name* is new and could be confused with one of the *existing* ones."""
    like = clash(name, existing)
    if like is not None:
        raise RefusedError(
            f"{where}: there is a namespace {like!r}, for which {name!r} would be taken, so it is not made. "
            "Use that one, or choose another name."
        )


def refuse_look_alike_beside(file: Path) -> None:
    """Do so for the namespace that *file* is the state of: those beside it have their directories beside its own."""
    if file.name not in STATE_FILES or os.path.lexists(file):
        return
    space = file.parent
    try:
        names = [entry.name for entry in os.scandir(space.parent) if entry.is_dir()]
    except OSError:  # nothing is there yet, or what is wrong with it will show when it is written
        return
    if space.name not in names and clash(space.name, names) is not None:
        refuse_look_alike(space.name, filter(lambda name: _is_space(space.with_name(name)), names), space.parent)


def _is_space(directory: Path) -> bool:
    return any(os.path.lexists(directory / name) for name in STATE_FILES)

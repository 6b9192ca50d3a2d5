"""Where the state of a batch is: by its id, below the root of a project."""

import os
from pathlib import Path
from typing import Final

from statewatch.core.errors import NotFoundError, RefusedError, SourceError
from statewatch.core.near import near
from statewatch.core.reading import read
from statewatch.kinds.batch_rules import is_batch_id
from statewatch.kinds.words import mapping

TREE: Final = ".claude"
STATE_FILE: Final = "batch_state.json"


def root_of(directory: Path | None = None) -> Path:
    """Return the root of the project that a directory is in: the nearest with `.git` or `.claude`, else itself.

    The home is one only for who stands in it: everybody has `~/.claude`.
    """
    start = Path.cwd() if directory is None else directory
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - never raise
    for each in (start, *start.parents):
        if each == home and each != start:
            break
        if os.path.exists(each / ".git") or os.path.exists(each / TREE):  # noqa: PTH110 - never raise
            return each
    return start


def default_file(directory: Path | None = None) -> Path:
    """Return where the tool that owns batch states keeps the one of a project."""
    return root_of(directory) / TREE / STATE_FILE


def file_for(batch_id: str, directory: Path | None = None) -> Path:
    """Return where a new batch of that id is kept. Raises RefusedError for what cannot be an id."""
    if not is_batch_id(batch_id):
        raise RefusedError(f"{batch_id!r:.140} cannot be the id of a batch")
    return root_of(directory) / TREE / f"batch_state_{batch_id}.json"


def file_of(batch_id: str, directory: Path | None = None) -> Path:
    """Return the file that holds the batch of that id. Raises NotFoundError, naming the ones that are near."""
    folder = root_of(directory) / TREE
    if is_batch_id(batch_id):
        expected = file_for(batch_id, directory)
        if _id_in(expected) == batch_id:
            return expected
    found = {_id_in(path): path for path in [folder / STATE_FILE, *sorted(folder.glob("batch*.json"))]}
    if batch_id in found:
        return found[batch_id]
    known = [each for each in found if each]
    close = near(batch_id, known) or known[:5]
    there = f"there is {', '.join(close)}" if close else "there is none"
    raise NotFoundError(f"there is no batch {batch_id!r:.140} in {folder}; {there}")


def _id_in(path: Path) -> str:
    try:
        found = mapping(read(path).document()).get("batch_id")
    except SourceError:
        return ""
    return found if isinstance(found, str) else ""

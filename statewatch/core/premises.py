"""What must be so before a file is written: a directory for it, and nothing that says read-only."""

import os
import stat
from pathlib import Path

from statewatch.core.errors import RefusedError


def make_room(directory: Path, operation: str) -> None:
    """Make *directory*, for its owner only, where it is missing. Raises RefusedError."""
    if os.path.isdir(directory):  # noqa: PTH112 - every write asks, and this is a third of the cost of mkdir
        return
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RefusedError(
            f"cannot {operation}: the directory {directory} cannot be made ({os.strerror(error.errno or 0)})"
        ) from None


def refuse_read_only(real: Path, operation: str) -> None:
    """Respect a mode that says read-only, also where the system would let us through: root, or a replacement.

    Raises RefusedError.
    """
    for place, what in ((real, "file"), (real.parent, "directory")):
        try:
            mode = os.stat(place).st_mode  # noqa: PTH116 - as above
        except OSError:
            continue
        if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
            raise RefusedError(f"cannot {operation}: the {what} {place} is read-only. `chmod u+w` it to allow changes.")
        if not os.access(place, os.W_OK):
            raise RefusedError(f"cannot {operation}: you may not write the {what} {place}.")

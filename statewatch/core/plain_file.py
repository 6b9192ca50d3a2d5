"""Writing a file that is no source of anybody's: git wants the result of a merge in a file that it made for that."""

import os
from pathlib import Path

from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.reading import kind_of_file
from statewatch.core.swap import Replacement, create, swap


def put(path: Path, data: bytes) -> None:
    """Make the file at *path* hold *data*, all at once, with the mode that it has; links are followed.

    Raises RefusedError, and nothing is changed, when it cannot be written.
    """
    real = Path(os.path.realpath(path))
    try:
        is_there = kind_of_file(real) is not None
    except SourceError as error:
        raise RefusedError(f"{path}: cannot be written ({error.reason})") from None
    with Replacement(real, data) as new:
        if is_there or not create(new.file, real):
            swap(new.file, real)

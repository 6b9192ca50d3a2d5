"""What the history is made of, as its readers see it."""

from dataclasses import dataclass
from pathlib import Path as FilePath

from statewatch.core.errors import StatewatchError
from statewatch.core.places import state_directory
from statewatch.documents.changes import Operation
from statewatch.documents.values import JSON, Path


class HistoryError(StatewatchError):
    """What is wrong with the history: what, where, and what to do.

    `missing`: there is none yet, or not that revision. `corrupt`: the store is damaged. `unwritable`: what was to be
    recorded cannot be written at the moment (a full disk, a lock that lasts), and may be later.
    """

    def __init__(self, message: str, *, missing: bool = False, corrupt: bool = False, unwritable: bool = False) -> None:
        self.missing = missing
        self.corrupt = corrupt
        self.unwritable = unwritable
        super().__init__(message)


def default_path() -> FilePath:
    """Return where the history is unless another place is named."""
    return state_directory() / "history.db"


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded revision; `number` grows over the whole store and identifies it.

    `source` is the absolute path of a file, or the URL of a store. `at` is when the source says that it was written,
    `seen_at` when it was seen; both instants. `size` is in bytes, `digest` the SHA-256 of them in hexadecimal, `before`
    that of the entry before it in the same source when it was recorded. `dropped` counts the revisions between this one
    and the kept one before it that were seen and are kept no longer. A `bookmark` is the name of a pinned entry.
    """

    number: int
    source: str
    at: float
    seen_at: float
    size: int
    digest: str
    before: str | None
    dropped: int = 0
    bookmark: str = ""


@dataclass(frozen=True, slots=True)
class Touch:
    """One change of a place: the revision that brought it, the place, and the value before and after.

    Values are as in `documents.changes.Change`: `before` is None for an `add`, `after` for a `remove`.
    """

    entry: Entry
    path: Path
    op: Operation
    before: JSON
    after: JSON

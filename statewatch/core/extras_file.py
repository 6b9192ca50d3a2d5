"""The file beside a hook state that holds what its owner does not know about its circuits: one lock is for both."""

from pathlib import Path
from typing import Final

from statewatch.core.beside import owner_of
from statewatch.core.premises import refuse_read_only
from statewatch.core.reading import signature
from statewatch.core.side_file import SideFile
from statewatch.documents.values import JSON

_NOTHING: Final[dict[str, JSON]] = {}


class ExtrasFile(SideFile):
    """The extras of circuits: written under the lock of the hook state that they belong to, and empty while missing."""

    def held(self) -> JSON:
        """Return the document, which is shared; the same empty object each time where there is no file.

        Raises SourceError when it cannot be read.
        """
        return _NOTHING if signature(self.path) is None else self._current()

    def refuse_read_only(self, operation: str) -> None:
        """Respect a mode of the hook state, too, that says read-only."""
        super().refuse_read_only(operation)
        real = self._real()
        if (owner := owner_of(real)) is not None:
            refuse_read_only(owner, operation)

    def _guarded_by(self, real: Path) -> Path:
        return owner_of(real) or real

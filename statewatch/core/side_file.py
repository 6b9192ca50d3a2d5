"""A file of our own beside somebody else's: written whole, under the lock of that one, and empty while missing."""

from pathlib import Path

from statewatch.core.reading import Snapshot
from statewatch.core.rewriting import Rewritten, clear_leftovers, present, rewrite
from statewatch.core.stores.drafts import Displaced, Draft
from statewatch.core.stores.file import FileStore
from statewatch.documents import codec
from statewatch.documents.values import JSON


class SideFile(FileStore):
    """What the owner of a file has no place for; whoever writes it holds the lock of that file."""

    def put(self, document: JSON) -> None:
        """Make the file hold *document*, whatever it holds. Raises RefusedError."""

        def draft(snapshot: Snapshot) -> Draft[None]:
            return Draft(snapshot, codec.encode(document, known=True), True, document, None)

        if not self._swept:
            clear_leftovers(self.path)
            self._swept = True
        written: Rewritten[Draft[None]] = rewrite(self.path, draft, Displaced(lambda: self.source))
        self._remember(self.path, written)

    def _look(self, real: Path) -> Snapshot:
        return present(real)

"""A version of a file that holds a namespace, and what it means there."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from statewatch.core.errors import SourceError
from statewatch.core.layouts import Layout, LayoutError
from statewatch.core.reading import Snapshot
from statewatch.documents.values import JSON


class FileVersion(Snapshot):
    """A version of the file, and what it means in its layout; *decode* is asked for the JSON value in it."""

    def __init__(self, snapshot: Snapshot, layout: Layout, decode: Callable[[Snapshot], JSON]) -> None:
        super().__init__(snapshot.path, snapshot.data, snapshot.signature)
        self.layout = layout
        self._decode = decode

    def document(self) -> JSON:
        """Return what the namespace holds. Raises SourceError when it is no JSON, or not in the layout."""
        return meaning(self.path, self.layout, self.raw)

    @cached_property
    def raw(self) -> JSON:
        """The JSON value in the file, decoded once and nobody else's. Raises SourceError."""
        return self._decode(self)


def meaning(path: Path, layout: Layout, raw: JSON) -> JSON:
    """Return the namespace in the document of a file. Raises SourceError when that is not in the layout."""
    try:
        return layout.values(raw)
    except LayoutError as error:
        raise SourceError(path, str(error)) from None

"""Editing a copy of a document, of which only what is on the way to a change is really copied."""

from statewatch.documents import pointer
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON, Path


class Editor:
    """A document that can be changed, place by place; the one it was made from stays as it is.

    Every container is copied the first time something in it changes, and belongs to the editor from then on. All
    methods raise PointerError for a place that is not there, or that cannot hold what is to be put there.
    """

    def __init__(self, document: JSON) -> None:
        self.document = document
        self._own: dict[int, JSON] = {}  # by identity; the values keep the identities from being given out again

    def get(self, path: Path) -> JSON:
        """Return the value at a place."""
        return pointer.get(self.document, path)

    def put(self, path: Path, value: JSON) -> None:
        """Replace the value at a place that is there."""
        if not path:
            self.document = value
            return
        parent = self._parent(path)
        pointer.get(parent, path[-1:])
        parent[path[-1]] = value  # type: ignore[index]

    def insert(self, path: Path, value: JSON) -> None:
        """Add an item before the one that is there, or a member that is not there."""
        if not path:
            raise PointerError("the whole document is there already")
        parent, last = self._parent(path), path[-1]
        if isinstance(parent, dict) and isinstance(last, str) and last not in parent:
            parent[last] = value
        elif isinstance(parent, list) and isinstance(last, int) and 0 <= last <= len(parent):
            parent.insert(last, value)
        else:
            raise PointerError(f"nothing can be added at {pointer.render(path)!r}")

    def take(self, path: Path) -> JSON:
        """Remove what is at a place, and return it."""
        if not path:
            raise PointerError("the whole document cannot be removed")
        parent, last = self._parent(path), path[-1]
        value = pointer.get(parent, (last,))
        del parent[last]  # type: ignore[arg-type]
        return value

    def move(self, source: Path, target: Path) -> None:
        """Remove what is at *source*, and add it at *target*, a place in the document without it."""
        value = self.take(source)
        try:
            self.insert(target, value)
        except PointerError:
            self.insert(source, value)
            raise

    def share(self) -> None:
        """Own nothing any longer: what is in the document now may be in use elsewhere too, or twice in it."""
        self._own.clear()

    def _parent(self, path: Path) -> dict[str, JSON] | list[JSON]:
        """Return the container of a place, owned as all those above it."""
        pointer.get(self.document, path[:-1])
        here = self.document = self._owned(self.document)
        for token in path[:-1]:
            child = here[token]  # type: ignore[index]
            own = self._owned(child)
            if own is not child:
                here[token] = own  # type: ignore[index]
            here = own
        if not isinstance(here, dict | list):
            raise PointerError(f"nothing is inside {pointer.render(path[:-1])!r}")
        return here

    def _owned(self, value: JSON) -> JSON:
        if id(value) in self._own or not isinstance(value, dict | list):
            return value
        copy = value.copy()
        self._own[id(copy)] = copy
        return copy

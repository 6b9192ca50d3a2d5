"""Where the dashboard gets its pictures from."""

from typing import Protocol

from statewatch.documents.values import JSON


class Feed(Protocol):
    """Where pictures come from: a watcher, or something still in tests."""

    def start(self) -> None:
        """Begin to deliver pictures."""

    def stop(self) -> None:
        """Deliver no more."""

    def poke(self) -> None:
        """Look at everything now."""

    def recall(self, digest: str) -> JSON:
        """Return the document of a recent revision, or None when it is no longer kept."""

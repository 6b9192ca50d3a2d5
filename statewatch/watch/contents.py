"""What the bytes of a file hold, by what the file is expected to be: JSON, a JSON value a line, or text. Pure."""

from typing import TYPE_CHECKING

from statewatch.core.errors import SourceError
from statewatch.core.reading import Snapshot
from statewatch.documents import codec, json_lines
from statewatch.documents.values import JSON
from statewatch.kinds import field_circuits
from statewatch.kinds.declaration import Layout
from statewatch.watch.discovery import Candidate

if TYPE_CHECKING:
    from statewatch.documents.parts import Parts


_LARGE = 64 * 1024
"""Bytes from which on it is worth while to look for what stayed."""


class Reader:
    """Reads one version of a file after another; of a large one what stayed is not read anew."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: Parts | None = None

    def document(self, candidate: Candidate, snapshot: Snapshot) -> tuple[JSON, str]:
        """Return what the version holds, as `document` does, whose parts the next one may share."""
        if len(snapshot.data) >= _LARGE and layout(candidate) == "json":
            from statewatch.documents.parts import parts_of  # noqa: PLC0415 - 10 ms that few files are worth

            self._parts = parts_of(snapshot.data, self._parts)
            if self._parts is not None:
                return self._parts.document, ""
        return document(candidate, snapshot)


def document(candidate: Candidate, snapshot: Snapshot) -> tuple[JSON, str]:
    """Return what a file holds, and why that is no JSON where its own tool reads it anyway. Raises SourceError."""
    shape = layout(candidate)
    if shape == "lines":
        return json_lines.decode(snapshot.data)
    if shape == "text":
        return snapshot.data.decode(errors="replace"), ""
    try:
        return snapshot.document(), ""
    except SourceError as error:
        kind = field_circuits.declared(candidate.expected.kind) if candidate.expected is not None else None
        if kind is None or not kind.declaration.tolerates:
            raise
        try:
            return codec.decode(snapshot.data, raw_controls=True), error.reason
        except codec.DocumentError:
            raise error from None


def layout(candidate: Candidate) -> Layout:
    """Return how a file is laid out that is expected to be what the candidate says."""
    kind = field_circuits.declared(candidate.expected.kind) if candidate.expected is not None else None
    return "json" if kind is None else kind.declaration.layout

"""Changing a few records in the text of a large document: their bytes are replaced, all others stay as they are.

It is possible in text that this program has written, since the layout of that is known: two spaces for each level, one
member a line. Text of another writer is written anew in full, once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from statewatch.documents import codec
from statewatch.documents.values import JSON

_STEP: Final = "  "
_BREAKS: Final = (b"\n", b"\n  ", b"\n    ")
_CLOSINGS: Final = tuple(line + b"}" for line in _BREAKS)
"""What begins a line at each level, and the one that ends an object there."""
_MANY: Final = 16
"""Records from which on it is quicker to write all of a document than to look for each."""


class _Edit(NamedTuple):
    """What is to stand in place of the bytes from `start` to `end`."""

    start: int
    end: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a document in the layout that is known here; *style* is that without a line break at the end."""

    data: bytes
    style: codec.Style

    def spliced(
        self, section: str, members: dict[str, JSON], existing: Collection[str], name: str, value: JSON
    ) -> "Text | None":
        """Return the text with *members* set in the object *section*, and *value* as the member *name* of the document.

        *existing* are the names that the section has. None where it is easier to write the document anew.
        """
        start = self.data.find(_opening(1, section, self.style.ascii_only) + b"{\n")
        whole = _opening(1, name, self.style.ascii_only)
        at = self.data.rfind(whole)
        if start < 0 or not self.data.startswith(b"{", at + len(whole)) or len(members) > _MANY:
            return None
        edits = [self._replacing(start, each, members[each]) for each in members if each in existing]
        if added := [self._member(each, members[each]) for each in members if each not in existing]:
            end = self.data.find(_CLOSINGS[1], start)
            edits.append(_Edit(end, end, b"".join(added)))
        at += len(whole)
        edits.append(_Edit(at, self._end(at, 1), self._rendered(value, 1)))
        return Text(_edited(self.data, edits), self.style)

    def _replacing(self, start: int, name: str, value: JSON) -> _Edit:
        """Return the edit that gives a member of the section that begins at *start* another value.

        No other section that comes first can hold a member of that name, so the first one found is the one meant.
        """
        opening = _opening(2, name, self.style.ascii_only)
        found = self.data.index(opening, start) + len(opening)
        return _Edit(found, self._end(found, 2), self._rendered(value, 2))

    def _member(self, name: str, value: JSON) -> bytes:
        return b"," + _opening(2, name, self.style.ascii_only) + self._rendered(value, 2)

    def _rendered(self, value: JSON, level: int) -> bytes:
        text = codec.encode(value, self.style, known=True)
        return text.replace(b"\n", _BREAKS[level])  # inside of texts there are none

    def _end(self, start: int, level: int) -> int:
        """Return where the object that begins at *start* ends: with a line of its own, unless it is empty."""
        if self.data.startswith(b"{}", start):
            return start + 2
        closing = _CLOSINGS[level]
        return self.data.index(closing, start) + len(closing)


def text_of(document: JSON, style: codec.Style) -> tuple[bytes, Text | None]:
    """Return *document*, which is known to be JSON, in *style*, and what can be spliced of it if that is possible."""
    data = codec.encode(document, style, known=True)
    return data, as_written(data, style)


def as_written(data: bytes, style: codec.Style) -> Text | None:
    """Return what can be spliced of *data*, which is as the codec writes it in *style*; None for some styles."""
    is_known = style.indent == _STEP and style.newline == "\n" and style.spaced
    return Text(data, style._replace(final_newline=False)) if is_known else None


def _edited(data: bytes, edits: list[_Edit]) -> bytes:
    view, done = memoryview(data), 0  # so that what stays is copied once
    pieces: list[bytes | memoryview] = []
    for edit in sorted(edits):
        pieces += (view[done : edit.start], edit.text)
        done = edit.end
    pieces.append(view[done:])
    return b"".join(pieces)


@lru_cache(maxsize=1_024)
def _opening(level: int, name: str, ascii_only: bool) -> bytes:
    """Return what stands before the value of a member: the same few are looked for again and again."""
    return _BREAKS[level] + codec.encode(name, codec.Style(ascii_only=ascii_only)) + b": "

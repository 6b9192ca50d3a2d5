"""The text of a large object, member by member: when some change, those are written anew and the others stay.

It is possible in text laid out as most tools and this program do it: two spaces for each level, one member a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from statewatch.documents import codec

if TYPE_CHECKING:
    from statewatch.documents.parts import Parts
    from statewatch.documents.values import JSON

_STEP: Final = "  "


class Members:
    """The text of an object in the layout that is known here, and the object itself; neither is changed."""

    def __init__(self, document: dict[str, JSON], pieces: dict[str, bytes], style: codec.Style) -> None:
        self.document = document
        self._pieces = pieces
        self._style = style
        self.data = self._joined(pieces)

    @classmethod
    def of(cls, document: JSON, data: bytes, style: codec.Style) -> Members | None:
        """Take the text *data* of *document* apart; None where it is laid out in another way."""
        if not isinstance(document, dict) or not document or not _is_known(style):
            return None
        plain = style._replace(final_newline=False)
        openings = [f"\n{_STEP}".encode() + codec.encode(name, plain) + b": " for name in document]
        places = []
        at = 1
        for opening in openings:
            at = data.find(opening, at)
            if at < 0:
                return None
            places.append((at, at + len(opening)))
            at += len(opening)
        ends = [start - 1 for start, _ in places[1:]] + [len(data) - 2 - style.final_newline]
        texts = [data[start:end] for (_, start), end in zip(places, ends, strict=True)]
        found = cls(document, dict(zip(document, texts, strict=True)), style)
        return found if found.data == data and found._tells_the_truth() else None

    @classmethod
    def taken(cls, parts: Parts, data: bytes, style: codec.Style) -> Members | None:
        """Take over the text *data*, of which *parts* are known; None where names are not spelt as in *style*."""
        found = cls(parts.document, parts.texts, style) if parts.document and _is_known(style) else None
        return found if found is not None and found.data == data else None

    @property
    def parts(self) -> Parts:
        """Return the text of each member, so that the next version can share with it what stayed."""
        from statewatch.documents.parts import Parts  # noqa: PLC0415 - see below

        return Parts(self.document, self._pieces)

    @classmethod
    def written(cls, document: JSON, style: codec.Style) -> Members | None:
        """Write *document*, which is known to be JSON, in *style*; None where that is not one that is known here."""
        if not isinstance(document, dict) or not document or not _is_known(style):
            return None
        plain = style._replace(final_newline=False)
        return cls(document, {name: _rendered(value, plain) for name, value in document.items()}, style)

    def changed(self, document: dict[str, JSON]) -> Members:
        """Return the text of *document*, which shares with this one the members that did not change."""
        plain = self._style._replace(final_newline=False)
        pieces = {}
        for name, value in document.items():
            is_kept = name in self.document and value is self.document[name]
            pieces[name] = self._pieces[name] if is_kept else _rendered(value, plain)
        return Members(document, pieces, self._style)

    def _joined(self, pieces: dict[str, bytes]) -> bytes:
        plain = self._style._replace(final_newline=False)
        parts = [b"%s%s: %s" % (_STEP.encode(), codec.encode(name, plain), text) for name, text in pieces.items()]
        return b"{\n" + b",\n".join(parts) + b"\n}" + b"\n" * self._style.final_newline

    def _tells_the_truth(self) -> bool:
        """Tell whether each text alone is what its member holds: no other text was taken for one."""
        import orjson  # noqa: PLC0415 - 10 ms that only those who write should pay

        try:
            return all(orjson.loads(text) == self.document[name] for name, text in self._pieces.items())
        except orjson.JSONDecodeError:
            return False


def _is_known(style: codec.Style) -> bool:
    return style.indent == _STEP and style.newline == "\n" and style.spaced


def _rendered(value: JSON, style: codec.Style) -> bytes:
    text = codec.encode(value, style, known=True)
    return text.replace(b"\n", f"\n{_STEP}".encode())  # inside of texts there are none

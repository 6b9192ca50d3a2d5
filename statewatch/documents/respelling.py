"""A changed document as text that differs from the old text only where the document does.

Whatever did not change keeps its spelling: `1.50` and `1E2`, the escapes of a text, a list on one line, odd blanks.
What is new is written in the style of its surroundings.
"""

import json
import re
from itertools import pairwise
from typing import Final, NamedTuple

from statewatch.documents.codec import DocumentError, Style, decode, encode
from statewatch.documents.values import JSON, same

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_LINE: Final = re.compile(r"[ \t]*")
_VALUE: Final = json.JSONDecoder()


class _Part(NamedTuple):
    """A member of an object, or an item of a list: where it starts, where its value does, and where that ends."""

    start: int
    value: int
    end: int
    key: str = ""


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


class _OtherwiseError(Exception):
    """A container changed in a way that is better written anew."""


def respelt(data: bytes, before: JSON, after: JSON, style: Style) -> bytes:
    """Return the text *data* of the document *before* with what differs in *after* written anew, in *style*.

    Both are known to be JSON. Where no such text can be found, all of *after* is written in *style*.
    """
    text = data.decode()
    new = _Respelling(text, style).text(before, after).encode()
    try:
        if same(decode(new), after):
            return new
    except DocumentError:
        pass
    return encode(after, style)


class _Respelling:
    def __init__(self, text: str, style: Style) -> None:
        self._text = text
        self._style = style
        self._edits: list[_Edit] = []

    def text(self, before: JSON, after: JSON) -> str:
        self._change(_after_blanks(self._text, 0), before, after)
        parts, done = [], 0
        for edit in sorted(self._edits, key=lambda each: each[:2]):  # what is added at one place stays in its order
            parts += [self._text[done : edit.start], edit.text]
            done = edit.end
        return "".join((*parts, self._text[done:]))

    def _change(self, at: int, before: JSON, after: JSON) -> None:
        """Find the edits that make the value that stands *at* a place the one *after*."""
        if same(before, after):
            return None
        kept = len(self._edits)
        try:
            if isinstance(before, dict) and isinstance(after, dict):
                return self._change_object(at, before, after)
            if isinstance(before, list) and isinstance(after, list):
                return self._change_list(at, before, after)
        except _OtherwiseError:
            del self._edits[kept:]
        end = self._end(at)
        is_broad = "\n" in self._text[at:end] or not isinstance(before, dict | list) or not before
        self._edits.append(_Edit(at, end, self._written(after, self._margin(at), is_broad=is_broad)))
        return None

    def _change_object(self, at: int, before: dict[str, JSON], after: dict[str, JSON]) -> None:
        parts = self._parts(at, is_object=True)
        kept = [part for part in parts if part.key in after]
        names = [part.key for part in kept]
        if not kept or list(after)[: len(kept)] != names:
            raise _OtherwiseError
        self._drop(parts, [part.key not in after for part in parts])
        for part in kept:
            self._change(part.value, before[part.key], after[part.key])
        colon = self._text[self._end(parts[0].start) : parts[0].value]
        for key in list(after)[len(kept) :]:
            name = json.dumps(key, ensure_ascii=self._style.ascii_only)
            self._append(at, parts, kept[-1].end, name + colon, after[key])

    def _change_list(self, at: int, before: list[JSON], after: list[JSON]) -> None:
        parts = self._parts(at, is_object=False)
        shorter = min(len(before), len(after))
        head = next((n for n in range(shorter) if not same(before[n], after[n])), shorter)
        most = shorter - head
        tail = next((n for n in range(most) if not same(before[-1 - n], after[-1 - n])), most)
        gone, new = range(head, len(before) - tail), after[head : len(after) - tail]
        if len(gone) == len(new):
            for number, value in zip(gone, new, strict=True):
                self._change(parts[number].value, before[number], value)
        elif not new and len(gone) < len(before):
            self._drop(parts, [number in gone for number in range(len(parts))])
        elif not gone and head:
            for value in new:
                self._append(at, parts, parts[head - 1].end, "", value)
        else:
            raise _OtherwiseError

    def _drop(self, parts: list[_Part], gone: list[bool]) -> None:
        """Take parts away, each with the comma before it, or after it where none that stays comes before."""
        is_first = True
        for number, part in enumerate(parts):
            if not gone[number]:
                is_first = False
            elif is_first:
                self._edits.append(_Edit(part.start, parts[number + 1].start, ""))
            else:
                self._edits.append(_Edit(parts[number - 1].end, part.end, ""))

    def _append(self, at: int, parts: list[_Part], end: int, name: str, value: JSON) -> None:
        """Add a part behind the one that ends at *end*, apart from it as the others are from each other."""
        gaps = [self._text[left.end : right.start] for left, right in pairwise(parts)]
        gap = gaps[-1] if gaps else "," + (self._text[at + 1 : parts[0].start] or " " * self._style.spaced)
        margin = gap.rpartition("\n")[2] if "\n" in gap else self._margin(at)
        self._edits.append(_Edit(end, end, gap + name + self._written(value, margin, is_broad="\n" in gap)))

    def _parts(self, at: int, *, is_object: bool) -> list[_Part]:
        text, parts = self._text, []
        place = _after_blanks(text, at + 1)
        while text[place] not in "}]":
            start, key = place, ""
            if is_object:
                key, place = _VALUE.raw_decode(text, place)
                place = _after_blanks(text, _after_blanks(text, place) + 1)
            end = self._end(place)
            parts.append(_Part(start, place, end, key))
            place = _after_blanks(text, end)
            if text[place] == ",":
                place = _after_blanks(text, place + 1)
        return parts

    def _end(self, at: int) -> int:
        return _VALUE.raw_decode(self._text, at)[1]

    def _margin(self, at: int) -> str:
        """Return the blanks that the line of a place begins with."""
        found = _LINE.match(self._text, self._text.rfind("\n", 0, at) + 1)
        return found[0] if found else ""

    def _written(self, value: JSON, margin: str, *, is_broad: bool) -> str:
        """Return a value as text, over several lines if the style has those and there is room for them."""
        style = self._style._replace(final_newline=False, newline="\n")
        if not is_broad:
            style = style._replace(indent=None)
        return encode(value, style).decode().replace("\n", self._style.newline + margin)


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at

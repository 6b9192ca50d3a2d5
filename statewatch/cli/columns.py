"""Tables in plain columns, as wide as their text is on a terminal. Pure."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_GAP = 2
_WIDEST_UNBOUND = 60
"""Cells a column is padded to at most where lines may have any length; longer texts stick out."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and how it gives way when a line is too long.

    In this order: texts that are `elastic` shrink to `least` cells, the widest first; columns with a `dispensable`
    figure are left out, the highest first; other columns with a `least` shrink; columns are left out from the right.
    Names are cut in the middle.
    """

    title: str
    least: int | None = None
    align: Literal["left", "right"] = "left"
    elastic: bool = False
    dispensable: int = 0
    is_name: bool = False


def width(text: str) -> int:
    """Return how many cells *text* takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def crop(text: str, cells: int) -> str:
    """Return *text* in at most so many cells; a cut text ends in `…`."""
    if width(text) <= cells:
        return text
    used, end = 0, 0
    for end, character in enumerate(text):  # noqa: B007 - the position is what is sought
        used += _cells(character)
        if used > cells - 1:
            break
    return text[:end] + "…" if cells > 0 else ""


def crop_middle(text: str, cells: int) -> str:
    """Return *text* in at most so many cells, without its middle: of names and paths both ends tell."""
    if width(text) <= cells or cells < 8:
        return crop(text, cells)
    front = crop(text, cells - cells // 2)
    back = crop(text[::-1], cells - width(front) + 1)[-2::-1]
    return front + back


def pad(text: str, cells: int, align: Literal["left", "right"] = "left") -> str:
    """Return *text* filled up with blanks to so many cells."""
    blanks = " " * max(0, cells - width(text))
    return blanks + text if align == "right" else text + blanks


def fit(columns: Sequence[Column], rows: Sequence[Sequence[str]], limit: int | None) -> dict[int, int]:
    """Return the width of each column that is shown, by its place, so that a line takes at most *limit* cells.

    The first column always stays; empty ones do not. Without a limit nothing is cut or left out.
    """
    texts = [[column.title, *(row[place] for row in rows)] for place, column in enumerate(columns)]
    natural = [max(map(width, each)) for each in texts]
    if limit is None:
        return {place: min(cells, _WIDEST_UNBOUND) for place, cells in enumerate(natural)}
    shown = [place for place, each in enumerate(texts) if place == 0 or not rows or any(each[1:])]
    elastic = [place for place in shown if columns[place].elastic]
    while len(shown) > 1:
        space = limit - _GAP * (len(shown) - 1)
        spare = max(shown, key=lambda place: (columns[place].dispensable, place))
        widths = _shrunk(columns, {place: natural[place] for place in shown}, elastic, space)
        if not columns[spare].dispensable and sum(widths.values()) > space:
            widths = _shrunk(columns, widths, shown, space)
        if sum(widths.values()) <= space:
            return widths
        shown.remove(spare if columns[spare].dispensable else shown[-1])
    return {shown[0]: min(natural[shown[0]], max(limit, 1))}


def lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], limit: int | None) -> list[list[str]]:
    """Return the title line and the rows, each as its cells, cropped and padded; `join` makes a line of them."""
    widths = fit(columns, rows, limit)
    titles = [column.title for column in columns]

    def cell(text: str, column: Column, cells: int) -> str:
        if limit is not None:
            text = (crop_middle if column.is_name else crop)(text, cells)
        return pad(text, cells, column.align)

    return [[cell(row[place], columns[place], cells) for place, cells in widths.items()] for row in (titles, *rows)]


def join(cells: Sequence[str]) -> str:
    """Return the cells of one row as a line."""
    return (" " * _GAP).join(cells).rstrip()


def _shrunk(columns: Sequence[Column], widths: dict[int, int], which: Sequence[int], space: int) -> dict[int, int]:
    """Return *widths* with some columns made narrower, the widest first, until all fit or none of them can give way."""
    widths = dict(widths)
    while sum(widths.values()) > space:
        able = [place for place in which if place in widths and widths[place] > (columns[place].least or widths[place])]
        if not able:
            break
        widths[max(able, key=lambda place: widths[place])] -= 1
    return widths


def _cells(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in {"Mn", "Me"} else 1

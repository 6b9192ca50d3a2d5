"""Rows of the State view: every source as a tree of its places, as far as it is opened, or what a search finds."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Final, TypeAlias

from statewatch.documents import pointer
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import type_name
from statewatch.kinds.masking import shown
from statewatch.kinds.namespace import Entry, NamespaceView
from statewatch.kinds.plain import brief
from statewatch.tui import query
from statewatch.tui.models import cells, sources
from statewatch.tui.models.row import TableSpec
from statewatch.tui.models.sources import SourceRow
from statewatch.tui.widgets.table_model import Cell, Column
from statewatch.watch.picture import Picture, Source

MOST_CHILDREN: Final = 2_000
"""Places shown of one object or list; the rest is counted, and a search finds it."""

MOST_TOLD: Final = 300
"""Places of which it is told when they changed, where only the history knows."""

MOST_FOUND: Final = 2_000
MOST_SEARCHED: Final = 300_000
"""Places that a search finds, and looks at, at most."""

_LONGEST: Final = 200
Order: TypeAlias = tuple[str, bool] | None
TouchedAt: TypeAlias = Callable[[str, Path], float | None]
"""Tells when a place of a source was last seen to change."""


@dataclass(frozen=True)
class PlaceRow:
    """One place in a document. `named` is how it is called where it is shown: by its key, or by its whole pointer."""

    source: Source
    path: Path
    value: JSON
    named: str
    depth: int = 1
    opened: bool = False
    entry: Entry | None = None
    touched: float | None = None

    @property
    def key(self) -> str:
        """Return what identifies the place."""
        return place_key(self.source.key, self.path)

    @property
    def can_open(self) -> bool:
        """Tell whether there is anything inside."""
        return bool(self.value) and isinstance(self.value, dict | list)

    @property
    def changed_at(self) -> float | None:
        """Return when it changed last, as far as that is known."""
        return self.entry.at if self.entry is not None and self.entry.at is not None else self.touched

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return _fields(self.source, self.path, self.value)


@dataclass(frozen=True)
class RestRow:
    """What is not shown of a long list."""

    source: Source
    path: Path
    count: int
    depth: int
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return what identifies the row."""
        return f"{place_key(self.source.key, self.path)}\0rest"


@dataclass(frozen=True)
class TreeSourceRow(SourceRow):
    """One source, opened or not."""

    opened: bool = False

    @property
    def can_open(self) -> bool:
        """Tell whether there is anything inside."""
        return self.source.revision is not None and isinstance(self.source.revision.document, dict | list)


Row: TypeAlias = TreeSourceRow | PlaceRow | RestRow


def place_key(source: str, path: Path) -> str:
    """Return what identifies a place of a source."""
    return f"{source}\0{pointer.render(path)}"


def rows(
    picture: Picture, opened: frozenset[str], order: Order, touched_at: TouchedAt | None = None
) -> tuple[Row, ...]:
    """Return all sources, unreadable ones first or in the *order* asked for, with what is opened of them."""
    found: list[Row] = []
    touched_at = None if touched_at is None else _bounded(touched_at)
    for plain in _sorted(picture, order):
        source, is_open = plain.source, plain.key in opened
        found.append(TreeSourceRow(source, is_open))
        if is_open and source.revision is not None:
            found += _Tree(source, opened, touched_at).inside(_document(source))
    return tuple(found)


def search(picture: Picture, text: str, order: Order) -> tuple[tuple[Row, ...], int]:
    """Return what a filter finds: sources it fits, and places in any of them; and how many sources it leaves out."""
    holds = query.parse(text)
    found: list[Row] = []
    hidden, looks = 0, MOST_SEARCHED
    for plain in _sorted(picture, order):
        source = plain.source
        document = _document(source)
        hits: list[Row] = []
        tree = _Tree(source)
        for path, value in islice(_places(document), looks):
            looks -= 1
            if len(found) + len(hits) < MOST_FOUND and holds(_fields(source, path, value)):
                hits.append(tree.place(path, value, pointer.render(path)[1:], depth=1))
        if hits or holds(plain.fields):
            found += [TreeSourceRow(source, opened=bool(hits)), *hits]
        else:
            hidden += 1
    return tuple(found), hidden


def _document(source: Source) -> JSON:
    return None if source.revision is None else shown(source.revision.document, source.kind)


def _bounded(touched_at: TouchedAt) -> TouchedAt:
    """Return *touched_at* for the first rows only: of more than anybody looks at, it would take long."""
    left = iter(range(MOST_TOLD))
    return lambda source, path: None if next(left, None) is None else touched_at(source, path)


def _sorted(picture: Picture, order: Order) -> tuple[SourceRow, ...]:
    plain = sources.rows(picture)
    if order is None or order[0] not in sources.SPEC.sorts:
        return plain
    return tuple(sorted(plain, key=sources.SPEC.sorts[order[0]], reverse=order[1]))


class _Tree:
    """The places of one source."""

    def __init__(
        self, source: Source, opened: frozenset[str] = frozenset(), touched_at: TouchedAt | None = None
    ) -> None:
        self._source = source
        self._opened = opened
        self._touched_at = touched_at

    def inside(self, value: JSON) -> Iterator[Row]:
        """Yield the places in a value, and in what is opened of it. Not by recursion: documents may be deep."""
        stack = [self._children((), value)]
        while stack:
            row = next(stack[-1], None)
            if row is None:
                stack.pop()
                continue
            yield row
            if isinstance(row, PlaceRow) and row.opened and row.can_open:
                stack.append(self._children(row.path, row.value))

    def _children(self, path: Path, value: JSON) -> Iterator[Row]:
        for step, child in islice(_steps(value), MOST_CHILDREN):
            yield self.place((*path, step), child, str(step), depth=len(path) + 1)
        if isinstance(value, dict | list) and len(value) > MOST_CHILDREN:
            yield RestRow(self._source, path, len(value) - MOST_CHILDREN, len(path) + 1)

    def place(self, path: Path, value: JSON, named: str, *, depth: int) -> PlaceRow:
        """Return the row of a place, called *named*."""
        touched = None if self._touched_at is None else self._touched_at(self._source.key, path)
        opened = place_key(self._source.key, path) in self._opened
        entry = self._entries.get(path[0]) if len(path) == 1 else None
        return PlaceRow(self._source, path, value, harmless(named, _LONGEST), depth, opened, entry, touched)

    @cached_property
    def _entries(self) -> Mapping[str | int, Entry]:
        """Return what the file itself says of its keys: their versions, and when they were saved."""
        view = self._source.view
        return {entry.key: entry for entry in view.entries} if isinstance(view, NamespaceView) else {}


def _steps(value: JSON) -> Iterator[tuple[str | int, JSON]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _places(document: JSON) -> Iterator[tuple[Path, JSON]]:
    """Yield every place in a document with its value, in the order of the document."""
    stack: list[tuple[Path, Iterator[tuple[str | int, JSON]]]] = [((), _steps(document))]
    while stack:
        path, steps = stack[-1]
        following = next(steps, None)
        if following is None:
            stack.pop()
            continue
        here = (*path, following[0])
        yield here, following[1]
        if isinstance(following[1], dict | list):
            stack.append((here, _steps(following[1])))


def _fields(source: Source, path: Path, value: JSON) -> dict[str, str]:
    shown = value if isinstance(value, str) else "" if isinstance(value, dict | list) else json.dumps(value)
    return {"key": str(path[-1]), "value": shown, "source": source.label}


def text_of(value: JSON) -> str:
    """Return a value as text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _name(row: Row, _now: float) -> Cell:
    if isinstance(row, RestRow):
        return cells.own("  " * row.depth + f"… {row.count:,} more: search finds them", "muted")
    sign = "▾ " if row.opened else "▸ " if row.can_open else "  "
    if isinstance(row, TreeSourceRow):
        return ((sign, "muted"), (row.source.label, "strong"))
    return (("  " * row.depth + sign, "muted"), (row.named or '""', ""))


def _value(row: Row, now: float) -> Cell:
    if isinstance(row, TreeSourceRow):
        return sources.says(row, now)
    return () if isinstance(row, RestRow) else cells.say(brief(row.value, _LONGEST), "muted" if row.can_open else "")


def _kind(row: Row, _now: float) -> Cell:
    if isinstance(row, TreeSourceRow):
        return cells.own(row.source.kind)
    return () if isinstance(row, RestRow) else cells.own(type_name(row.value).rpartition(" ")[2], "muted")


def _size(row: Row, now: float) -> Cell:
    """Return how large a source is, or which version of a key this is."""
    if isinstance(row, TreeSourceRow):
        return sources.size(row, now)
    version = row.entry.version if isinstance(row, PlaceRow) and row.entry is not None else None
    return () if version is None else cells.own(f"v{version}", "muted")


def _changed(row: Row, now: float) -> Cell:
    if isinstance(row, RestRow):
        return ()
    return cells.age(row.source.changed_at if isinstance(row, TreeSourceRow) else row.changed_at, now)


SPEC: TableSpec[Row] = TableSpec(
    columns=(
        Column("source", "SOURCE / KEY", _name, width=46, minimum=29, flex=1),
        Column("value", "VALUE", _value, width=36, minimum=20, flex=2),
        Column("kind", "KIND", _kind, width=9, minimum=9, priority=3),
        Column("size", "SIZE", _size, width=9, minimum=9, align="right", priority=2),
        Column("age", "CHANGED", _changed, width=7, minimum=7, align="right", ticks=True, priority=1),
    ),
    empty="no source yet",
    sorts={name: lambda row: row.source.label for name in sources.SPEC.sorts},  # only by name: `rows` knows the order
)

"""Rows of the Checkpoints view: the sources with what is kept of them, and the timeline of one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from statewatch.documents.text import harmless
from statewatch.kinds import times
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec
from statewatch.tui.widgets.table_model import Cell, Column, Role, Span
from statewatch.watch.kept import Check, Counts, Kept, Shelf, What
from statewatch.watch.picture import Picture, Source
from statewatch.watch.shelves import Looked, Shelves

_MOST_SAID = 12
_MARKS: Mapping[str, Span] = {
    "pinned": ("◆ pinned", "info"),
    "checkpoint": ("● checkpoint", ""),
    "backup": ("○ backup", "warn"),
    "copy": ("· safety copy", "muted"),
}
_ABOUT: Mapping[str, str] = {
    "checkpoint": "a checkpoint",
    "backup": "a backup that another tool left: only that tool may change or delete it",
    "copy": "a safety copy, made by itself before an action; the oldest go when there are many",
}
_SIGNS: tuple[tuple[str, Role], ...] = (("+", "good"), ("−", "bad"), ("~", "warn"), ("⇄", "info"))
_CHECKS: Mapping[str, tuple[str, Role]] = {
    "good": ("it holds, to the byte, what it held when it was made", "good"),
    "readable": ("it can be read; whoever made it did not note what it should be", "warn"),
    "damaged": ("damaged", "bad"),
}


@dataclass(frozen=True)
class ShelfRow:
    """One source, with what is kept of it; None while nobody has come to look."""

    source: Source
    shelf: Shelf | None

    @property
    def key(self) -> str:
        """Return what identifies the source."""
        return self.source.key

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return {"source": self.source.label, "kind": self.source.kind}


@dataclass(frozen=True)
class KeptRow:
    """One thing to come back to; `begins_day` where it is the first one of its day in a timeline.

    There may be no present version that it could be `comparable` with.
    """

    source: Source
    kept: Kept
    comparable: bool = True
    begins_day: bool = True

    @property
    def key(self) -> str:
        """Return what identifies it."""
        return f"{self.source.key}\0{self.kept.name}"

    @property
    def sort(self) -> str:
        """Return what sort of thing it is."""
        return "pinned" if self.kept.pinned else self.kept.what

    @property
    def title(self) -> str:
        """Return what people call it, harmless: a safety copy has no name of its own."""
        if self.kept.what == "copy":
            return f"copy of {times.clock(self.kept.at)}"
        return harmless(self.kept.name, 300)

    @property
    def is_same(self) -> bool:
        """Tell whether nothing differs from now, as far as that is known."""
        return self.kept.since is not None and not any(self.kept.since) and not self.kept.old

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        kept = self.kept
        check = kept.check.result if kept.check else ""
        return {
            "name": self.title,
            "what": _MARKS[self.sort][0][2:],
            "by": harmless(kept.by, 60),
            "note": harmless(kept.said, 500),
            "check": check,
        }


def looked_at(picture: Picture, shelves: Shelves | None, chosen: str | None) -> tuple[Looked, Source | None]:
    """Look at what is kept of all sources; return that, and the source that was looked at closely.

    *chosen* is the key of a source, or of something that is kept of one; else it is the first one.
    """
    if shelves is None or not picture.sources:
        return Looked(), None
    key, _, name = (chosen or "").partition("\0")
    if picture.source(key) is None:
        looked = shelves.look(picture.sources, None, None)
        key, name = shelf_rows(picture, looked)[0].key, ""
    return shelves.look(picture.sources, key, name or None), picture.source(key)


def shelf_rows(picture: Picture, looked: Looked) -> tuple[ShelfRow, ...]:
    """Return the sources: those of which something is kept first."""
    rows = (ShelfRow(source, looked.shelves.get(source.key)) for source in picture.sources)
    return tuple(sorted(rows, key=lambda row: (not (row.shelf and row.shelf.kept), row.source.label)))


def kept_rows(source: Source, looked: Looked) -> tuple[KeptRow, ...]:
    """Return what is kept of a source, newest first."""
    shelf = looked.shelves.get(source.key)
    return tuple(KeptRow(source, kept, not looked.now) for kept in shelf.kept) if shelf else ()


def by_day(rows: Sequence[Any]) -> tuple[KeptRow, ...]:
    """Return rows in the order of time so that each day begins with a line of its own."""
    days: list[date | None] = [None, *(datetime.fromtimestamp(row.kept.at).date() for row in rows)]
    return tuple(
        row if (day != before) == row.begins_day else replace(row, begins_day=day != before)
        for row, before, day in zip(rows, days, days[1:], strict=False)
    )


def detail(row: KeptRow, looked: Looked, now: float) -> tuple[Cell, ...]:
    """Return all about one thing to come back to, and the first of what has happened since."""
    kept = row.kept
    then = datetime.fromtimestamp(kept.at)
    when = times.clock(kept.at, now) if then.year == datetime.fromtimestamp(now).year else f"{then:%Y-%m-%d %H:%M:%S}"
    made = f"{when}, in the future" if kept.at > now else f"{when}, {times.span(now - kept.at)} ago"
    lines: list[Cell] = [
        ((f"{row.title}  ", "strong"), (_ABOUT[kept.what] + (", pinned" if kept.pinned else ""), "muted")),
        (_label("made"), (made, ""), *((f" by {harmless(kept.by, 60)}" if kept.by else "", ""),)),
    ]
    if kept.said:
        lines.append((_label("note" if kept.what == "checkpoint" else "why"), *cells.say(kept.said)))
    if kept.path is not None:
        lines.append((_label("in"), *cells.say(str(kept.path), "muted")))
    lines += _checked(kept.check, now)
    return (*lines, *_since(row, looked))


def trouble(source: Source, looked: Looked) -> tuple[Cell, ...]:
    """Return why what is kept of a source cannot be told, or compared with now."""
    shelf = looked.shelves.get(source.key)
    lines: list[Cell] = []
    if shelf is not None and shelf.problem:
        lines.append((("✕ ", "bad"), *cells.say(shelf.problem, "bad")))
    if looked.key == source.key and looked.now and shelf is not None and shelf.kept:
        lines.append(
            ((f"✕ {source.label}: ", "bad"), *cells.say(looked.now, "bad"), ("  R puts one of these in its place", ""))
        )
    return tuple(lines)


def _label(name: str) -> Span:
    return f"{name:<10}", "muted"


def _checked(check: Check | None, now: float) -> list[Cell]:
    if check is None:
        return []
    words, role = _CHECKS[check.result]
    problem = cells.say(f": {check.problem}" if check.problem else "", role)
    return [(_label("verified"), (f"{times.clock(check.at, now)}  ", "muted"), (words, role), *problem)]


def _since(row: KeptRow, looked: Looked) -> list[Cell]:
    kept = row.kept
    if kept.problem:
        return [(("cannot be compared with now: ", "bad"), *cells.say(kept.problem, "bad"))]
    if looked.now:
        return [(("nothing to compare with: ", "warn"), *cells.say(looked.now, "warn"))]
    if kept.is_large:
        return [cells.own("it is large: d compares it with now", "muted")]
    if kept.since is None:
        return [cells.own("comparing with now …", "muted")]
    if row.is_same:
        return [cells.own("nothing differs from now", "good")]
    lines: list[Cell] = [(("SINCE THEN  ", "muted"), *_counts(kept.since, old=kept.old))]
    for said in (looked.said or ())[:_MOST_SAID]:
        subject = cells.say(f"{said.subject}  " if said.subject else "", "strong", 200)
        lines.append((("  ", ""), *subject, *cells.say(said.text, cells.tone(said.tone))))
    if (more := len(looked.said or ()) - _MOST_SAID) > 0:
        lines.append(cells.own(f"  and {more} more; d shows all of it place by place", "muted"))
    return lines


def _counts(counts: Counts, *, old: bool) -> Cell:
    shown = [(sign, role, count) for (sign, role), count in zip(_SIGNS, counts, strict=True)]
    spans: list[Span] = [
        (f"{sign}{count} ", "muted" if old or not count else role)
        for sign, role, count in shown
        if count or sign != "⇄"  # few lists are ever put in another order
    ]
    return tuple(spans)


def _differs(row: KeptRow, _now: float) -> Cell:
    kept = row.kept
    if kept.problem:
        return cells.own("✕ unreadable", "bad")
    if kept.check is not None and kept.check.result == "damaged":
        return cells.own("✕ damaged", "bad")
    if kept.is_large or not row.comparable:
        return cells.own("d compares" if row.comparable else "–", "muted")
    if kept.since is None:
        return cells.own("…", "muted")
    return cells.own("= now", "good") if row.is_same else _counts(kept.since, old=kept.old)


def _when(row: KeptRow, now: float) -> Cell:
    then, today = datetime.fromtimestamp(row.kept.at), datetime.fromtimestamp(now).date()
    clock = then.strftime("%H:%M")
    if not row.begins_day:
        return (("│", "muted"), (f"{clock:>14}", ""))
    if then.year != today.year:  # the time of day, for which there is no room, is among the details
        return (("┌ ", "muted"), (f"{then:%Y-%m-%d}", "strong"))
    day = "today" if then.date() == today else f"{then:%d %b}"
    return (("┌ ", "muted"), (f"{day:<7}", "strong"), (f"{clock:>6}", ""))


def _name(row: KeptRow, _now: float) -> Cell:
    glyph, role = _MARKS[row.sort]
    return ((f"{glyph[0]} ", role), (row.title, "muted" if row.kept.what == "copy" else "strong"))


def _what(row: KeptRow, _now: float) -> Cell:
    word, role = _MARKS[row.sort]
    return ((word[2:], role),)


def _size(row: KeptRow, _now: float) -> Cell:
    size = row.kept.size
    if size is None:
        return ()
    return cells.own(f"{size} B" if size < 10_000 else f"{size / 1000:.0f} kB", "muted")


def _shelf_count(row: ShelfRow, _now: float) -> Cell:
    if row.shelf is None:
        return cells.own("…", "muted")
    return cells.own("✕", "bad") if row.shelf.problem and not row.shelf.kept else cells.number(len(row.shelf.kept))


def _shelf_age(row: ShelfRow, now: float) -> Cell:
    return cells.age(row.shelf.kept[0].at, now) if row.shelf and row.shelf.kept else ()


def _shelf_part(what: What, title: str) -> Column[ShelfRow]:
    def cell(row: ShelfRow, _now: float) -> Cell:
        return cells.number(row.shelf.count(what)) if row.shelf else ()

    return Column(what, title, cell, width=len(title), minimum=len(title), align="right", priority=3)


SHELVES: TableSpec[ShelfRow] = TableSpec(
    columns=(
        Column("source", "SOURCE", lambda row, _now: cells.own(row.source.label), width=40, minimum=32, flex=1),
        Column("kept", "KEPT", _shelf_count, width=5, minimum=4, align="right", priority=1),
        _shelf_part("checkpoint", "CHECKPOINTS"),
        _shelf_part("backup", "BACKUPS"),
        _shelf_part("copy", "COPIES"),
        Column("age", "NEWEST", _shelf_age, width=6, minimum=6, align="right", ticks=True, priority=2),
    ),
    empty="no source yet",
)

KEPT: TableSpec[KeptRow] = TableSpec(
    columns=(
        Column("when", "WHEN", _when, width=15, minimum=15),
        Column("name", "NAME", _name, width=28, minimum=17, flex=2),
        Column("what", "WHAT", _what, width=11, minimum=11, priority=3),
        Column("since", "SINCE THEN", _differs, width=14, minimum=14, priority=0),
        Column("age", "AGE", lambda row, now: cells.age(row.kept.at, now), 4, 4, align="right", ticks=True, priority=1),
        Column("size", "SIZE", _size, width=6, minimum=6, align="right", priority=4),
        Column("by", "BY", lambda row, _now: cells.say(row.kept.by, "muted", 60), width=10, minimum=6, priority=5),
        Column("note", "WHY", lambda row, _now: cells.say(row.kept.said), width=30, minimum=20, flex=3, priority=2),
    ),
    empty="nothing is kept of it yet: c makes a checkpoint",
    sorts={
        "when": lambda row: -row.kept.at,
        "name": lambda row: row.title,
        "what": lambda row: (row.sort, -row.kept.at),
        "since": lambda row: -sum(row.kept.since or ()),
        "size": lambda row: -(row.kept.size or 0),
        "by": lambda row: row.kept.by,
    },
)

"""Differences as lines of text: a tree of places, unified, side by side, and counts. Pure: spans with a role each."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, Literal, TypeAlias

from statewatch.cli import columns
from statewatch.documents import pointer
from statewatch.documents.diff import Change
from statewatch.documents.lines import Line
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON, Path
from statewatch.documents.words import word_changes
from statewatch.kinds.plain import brief

Role: TypeAlias = Literal["", "old", "new", "old word", "new word", "place", "muted"]
Spans: TypeAlias = tuple[tuple[str, Role], ...]

SIGNS: Final = {"add": "+", "remove": "-", "replace": "~", "move": ">"}
_VALUE: Final = 400
_SHARED_IN_LINES: Final = 60
_SHARED_IN_TREE: Final = 20
"""Characters at either end of a stretch that both texts have that are kept, where it has four times as many."""
_LONGEST: Final = 100_000
_WORTH_MARKING: Final = 0.3
"""The share that two texts must have in common for the marks on the rest to say more than that they differ."""
_MARGIN: Final = "  "
_NAMES: Final = ("name", "title", "agent", "step", "id", "feature_index", "index", "key", "feature_ref", "taskId")
"""The members by which people know an object in a list."""


def tree(changes: Iterable[Change], named: Callable[[Path], str] = lambda _: "") -> Iterator[Spans]:
    """Yield a line for each change, those in one object or list below its place; *named* says what an item is."""
    for place, group in groupby(changes, key=lambda change: change.path[:-1]):
        lines = [_change_line(run) for run in _runs(group)]
        called = _place(place, named)
        if not place or not called:
            yield from lines
        elif len(lines) == 1:
            sign, *rest = lines[0]
            yield (sign, (called[0][0] + "/", ""), *rest)
        else:
            yield called
            for line in lines:
                yield ((_MARGIN, ""), *line)


def unified(lines: Iterable[Line], context: int = 3) -> Iterator[Spans]:
    """Yield what differs as lines with `-` and `+`, and some lines around; `@@` names the place."""
    for line in _hunks(lines, context):
        if not isinstance(line, Line):
            yield (_heading(line),)
        elif not line.is_changed:
            yield ((f" {_shown(line.after)}", ""),)
        else:
            old, new = _sides(line)
            if line.before is not None:
                yield (("-", "old"), *old)
            if line.after is not None:
                yield (("+", "new"), *new)


def side_by_side(lines: Iterable[Line], width: int, context: int = 3) -> Iterator[Spans]:
    """Yield what differs in two columns, on lines of *width* cells; what differs is wrapped, the rest is cropped."""
    half = max((width - 3) // 2, 8)
    for line in _hunks(lines, context):
        if not isinstance(line, Line):
            yield (_heading(line),)
        elif not line.is_changed:
            left = columns.pad(columns.crop(_shown(line.before), half), half)
            yield ((f"{left}   {columns.crop(_shown(line.after), half)}", ""),)
        else:
            old, new = (_wrapped(spans, half) for spans in _sides(line))
            sign = "<" if line.after is None else ">" if line.before is None else "|"
            for at in range(max(len(old), len(new))):
                left_spans = old[at] if at < len(old) else ()
                filling = " " * (half - sum(columns.width(text) for text, _ in left_spans))
                yield (*left_spans, (f"{filling} {sign} ", "place"), *(new[at] if at < len(new) else ()))


def counted(changes: Iterable[Change]) -> dict[str, Counter[str]]:
    """Return how many changes of each operation there are, by the place that they are in."""
    found: dict[str, Counter[str]] = {}
    for change in changes:
        found.setdefault(pointer.render(change.path[:-1]) or "/", Counter())[change.op] += 1
    return found


def summary(counts: Counter[str]) -> str:
    """Return counts as `+12 -3 ~9`, with `>2` where items moved."""
    return " ".join(f"{sign}{counts[op]:,}" for op, sign in SIGNS.items() if counts[op] or op != "move")


def _runs(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Yield changes of one object or list, those together that add or remove plain values next to each other."""
    run: list[Change] = []
    for change in changes:
        if run and _continues(run[-1], change):
            run.append(change)
            continue
        if run:
            yield run
        run = [change]
    if run:
        yield run


def _continues(last: Change, change: Change) -> bool:
    if change.op != last.op or change.op not in {"add", "remove"} or not change.path:
        return False
    here, there = change.path[-1], last.path[-1]
    values = (change.before, change.after, last.before, last.after)
    if not isinstance(here, int) or not isinstance(there, int) or any(isinstance(each, dict | list) for each in values):
        return False
    return here - there == (1 if change.op == "add" else -1)


def _change_line(run: Sequence[Change]) -> Spans:
    change = run[0]
    name = harmless(str(change.path[-1])) if change.path else "/"
    sign = SIGNS[change.op]
    if len(run) > 1:
        first, last = sorted((int(run[0].path[-1]), int(run[-1].path[-1])))
        ordered = run if change.op == "add" else reversed(run)
        values = ", ".join(brief(each.after if change.op == "add" else each.before) for each in ordered)
        role: Role = "new" if change.op == "add" else "old"
        return ((f"{sign} ", role), (f"{first}…{last}: ", ""), (harmless(values, _VALUE), role))
    if change.op == "add":
        return ((f"{sign} ", "new"), (f"{name}: ", ""), (_brief(change.after), "new"))
    if change.op == "remove":
        return ((f"{sign} ", "old"), (f"{name}: ", ""), (_brief(change.before), "old"))
    if change.source is not None:
        came = harmless(pointer.render(change.source))
        return ((f"{sign} ", "place"), (f"{name}: ", ""), (_brief(change.after), ""), (f", moved from {came}", "muted"))
    if isinstance(change.before, str) and isinstance(change.after, str):
        was, now = (json.dumps(text, ensure_ascii=False) for text in (change.before, change.after))
        old, new = _marked(was, now, _SHARED_IN_TREE)
    else:
        old, new = ((_brief(change.before), "old"),), ((_brief(change.after), "new"),)
    return ((f"{sign} ", "place"), (f"{name}: ", ""), *old, (" → ", "muted"), *new)


def called(value: JSON) -> str:
    """Return what an object in a list is called, where it says so; an empty text for everything else."""
    if not isinstance(value, dict):
        return ""
    return next((str(value[key]) for key in _NAMES if isinstance(value.get(key), str | int) and value[key] != ""), "")


def _brief(value: JSON) -> str:
    name = called(value)
    return harmless(brief(value, _VALUE) + (f" ({name:.100})" if name else ""), _VALUE)


def _place(path: Path, named: Callable[[Path], str]) -> Spans:
    name = named(path) if path else ""
    line: Spans = ((harmless(pointer.render(path)), "place"),)
    return (*line, (f"  {harmless(name, 100)}", "muted")) if name else line


def _hunks(lines: Iterable[Line], context: int) -> Iterator["Line | Path | int"]:
    """Yield what differs with some lines before and after it, and before each such piece its place."""
    waiting: deque[Line] = deque(maxlen=context)
    left, is_gap = 0, True
    for line in lines:
        if line.is_changed:
            if is_gap:
                yield line.place
            yield from waiting
            yield line
            waiting.clear()
            left, is_gap = context, False
        elif left:
            yield line
            left -= 1
        else:
            is_gap = is_gap or len(waiting) == context
            waiting.append(line)


def _heading(place: Path | int) -> tuple[str, Role]:
    where = f"line {place}" if isinstance(place, int) else pointer.render(place) or "/"
    return f"@@ {harmless(where)} @@", "place"


def _shown(text: str | None) -> str:
    return harmless((text or "").expandtabs(4), _LONGEST)


def _sides(line: Line) -> tuple[Spans, Spans]:
    if line.before is None or line.after is None:
        return ((_shown(line.before), "old"),), ((_shown(line.after), "new"),)
    return _marked(line.before, line.after, _SHARED_IN_LINES)


def _marked(before: str, after: str, shared_ends: int) -> tuple[Spans, Spans]:
    """Return two texts with what differs marked; long stretches that both have lose their middle."""
    spans = word_changes(before, after)
    shared = sum(len(span.text) for span in spans if span.what == "same")
    if shared < _WORTH_MARKING * max(len(before), len(after)):
        return ((_shown(before), "old"),), ((_shown(after), "new"),)
    old: list[tuple[str, Role]] = []
    new: list[tuple[str, Role]] = []
    for span in spans:
        text = _shown(span.text)
        if span.what == "same":
            text = text if len(text) <= 4 * shared_ends else f"{text[:shared_ends]} … {text[-shared_ends:]}"
            old.append((text, "old"))
            new.append((text, "new"))
        elif span.what == "removed":
            old.append((text, "old word"))
        else:
            new.append((text, "new word"))
    return tuple(old), tuple(new)


def _wrapped(spans: Spans, width: int) -> list[Spans]:
    """Return spans as rows of at most so many cells."""
    rows: list[Spans] = []
    row: list[tuple[str, Role]] = []
    left = width
    for text, role in spans:
        rest = text
        while rest:
            piece = _fitting(rest, left)
            if not piece and row:
                rows.append(tuple(row))
                row, left = [], width
                continue
            piece = piece or rest[0]
            row.append((piece, role))
            left -= columns.width(piece)
            rest = rest[len(piece) :]
    return [*rows, tuple(row)] if row else rows


def _fitting(text: str, cells: int) -> str:
    """Return as much of the beginning of a text as takes at most so many cells."""
    if text.isascii():
        return text[: max(cells, 0)]
    used = 0
    for end, character in enumerate(text):
        used += columns.width(character)
        if used > cells:
            return text[:end]
    return text

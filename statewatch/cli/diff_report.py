"""Telling what differs in the format that was asked for; the exit code is 1 where something does, else 0."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from statewatch.cli import diff_text, output, shapes
from statewatch.cli.colours import painter
from statewatch.cli.columns import Column
from statewatch.cli.compared import Compared, Missing
from statewatch.cli.diff_sides import Side
from statewatch.cli.diff_text import SIGNS, Spans
from statewatch.cli.errors import MistakeError
from statewatch.documents.diff import Change
from statewatch.documents.lines import Line, text_lines
from statewatch.documents.patch import write_patch
from statewatch.documents.patterns import Pattern
from statewatch.documents.text import harmless
from statewatch.kinds import registry

TREE, UNIFIED, SIDE_BY_SIDE, STAT, JSON_PATCH, JSON_ROWS = (
    "tree",
    "unified",
    "side-by-side",
    "stat",
    "json-patch",
    "json",
)
FORMATS: Final = (TREE, UNIFIED, SIDE_BY_SIDE, STAT, JSON_PATCH, JSON_ROWS)
_USUAL_WIDTH: Final = 120
_SENTENCES: Final = 12


@dataclass(frozen=True, slots=True)
class View:
    """What was asked for: the format, the places that count, whether noise is shown, and how much around it."""

    format: str
    only: Sequence[Pattern] = ()
    ignored: Sequence[Pattern] = ()
    noise: str = "hide"
    context: int = 3
    width: int | None = None
    compact: bool = False

    def counts(self, change: Change) -> bool:
        """Tell whether a change is one that was asked for."""
        places = (change.path,) if change.source is None else (change.path, change.source)
        if any(all(each.matches(place, within=True) for place in places) for each in self.ignored):
            return False
        values = (change.before, change.after)
        return not self.only or any(
            each.reaches(place, value) for each in self.only for place in places for value in values
        )

    def shows(self, change: Change) -> bool:
        """Tell whether people are to see a change."""
        return self.counts(change) and not (change.noise and self.noise == "hide")


def report(seen: Compared, left: Side, right: Side, view: View) -> int:
    """Print what differs; return the exit code."""
    if view.format == JSON_ROWS:
        changes = list(seen.narrowed(view.counts).changes)
        rows = zip(shapes.change_rows(changes), changes, strict=True)
        marked = [{**row, "noise": change.noise} for row, change in rows if isinstance(row, dict)]
        output.json_out(marked, compact=view.compact)
        return int(bool(changes))
    if view.format == JSON_PATCH:
        patch = write_patch(seen.narrowed(view.counts).changes)
        output.json_out(patch, compact=view.compact)
        return int(bool(patch))
    tally = _Tally(view)
    paint = painter()
    if view.format in {UNIFIED, SIDE_BY_SIDE}:
        for line in _framed(seen.lines(view.shows), left, right, view):
            output.say(paint(line))
        for change in seen.changes:  # when the lines are out: they do not wait for the counts
            tally.add(change)
    elif view.format == STAT:
        _stat(seen, [change for change in seen.changes if tally.add(change)], view)
    else:
        for line in diff_text.tree((change for change in seen.changes if tally.add(change)), seen.name_of):
            output.say(paint(line))
    _closing(tally, left, right)
    return int(bool(tally.shown or tally.noise))


def report_texts(left: Side, right: Side, view: View) -> int:
    """Print how two texts differ that are not both JSON; return the exit code. Raises MistakeError for some formats."""
    if view.format in {JSON_PATCH, JSON_ROWS} or view.only or view.ignored:
        what = f"--format {view.format}" if view.format in {JSON_PATCH, JSON_ROWS} else "--only and --ignore"
        why = next(f"{side.address}: {side.problem}" for side in (left, right) if side.problem)
        raise MistakeError(f"{why}. Texts are compared line by line, without {what}.")
    for side in (left, right):
        if side.problem:
            output.note(f"{side.label} is {harmless(side.problem)}; compared line by line")
    before, after = left.text_lines(), right.text_lines()
    lines = text_lines(before, after)
    if before == after:
        output.note(f"no difference between {left.label} and {right.label}")
        return 0
    paint = painter()
    view = view if view.format in {SIDE_BY_SIDE, STAT} else View(UNIFIED, context=view.context)
    if view.format == STAT:
        counts = Counter(
            "add" if line.before is None else "remove" if line.after is None else "replace"
            for line in lines
            if line.is_changed
        )
        output.say(f"{diff_text.summary(counts)} lines")
        return 1
    for line in _framed(lines, left, right, view):
        output.say(paint(line))
    return 1


class _Tally:
    """Counts what is shown, and what is not."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.shown: Counter[str] = Counter()
        self.noise = 0
        self.left_out = 0

    def add(self, change: Change) -> bool:
        """Count a change; tell whether it is shown."""
        if not self._view.counts(change):
            self.left_out += 1
            return False
        if not self._view.shows(change):
            self.noise += 1
            return False
        self.shown[change.op] += 1
        return True


def _framed(lines: Iterable[Line], left: Side, right: Side, view: View) -> Iterator[Spans]:
    """Yield what differs below what is compared; nothing where nothing does."""
    if view.format == SIDE_BY_SIDE:
        title: list[Spans] = [((f"{left.label} → {right.label}", "place"),)]
        body = diff_text.side_by_side(lines, view.width or output.line_length() or _USUAL_WIDTH, view.context)
    else:
        title = [((f"--- {left.label}", "old"),), ((f"+++ {right.label}", "new"),)]
        body = diff_text.unified(lines, view.context)
    for line in body:
        yield from title
        title = []
        yield line


def _stat(seen: Compared, changes: list[Change], view: View) -> None:
    """Print in words what happened, where whole documents of a kind are compared, and the counts by place."""
    before, after = seen.before, seen.after
    whole = seen.is_whole and not view.only and not view.ignored
    if whole and not isinstance(before, Missing) and not isinstance(after, Missing) and changes:
        said = registry.sentences(before, after)
        for sentence in said[:_SENTENCES]:
            subject = f"{harmless(sentence.subject, 200)}  " if sentence.subject else ""
            output.say(f"{subject}{output.paint(harmless(sentence.text, 400), sentence.tone)}")
        if len(said) > _SENTENCES:
            output.say(f"and {len(said) - _SENTENCES:,} more")
        output.say()
    rows = [
        (harmless(place, 300), *(str(counts[op]) if counts[op] else "" for op in SIGNS))
        for place, counts in diff_text.counted(changes).items()
    ]
    if rows:
        output.table(
            [Column("place", 12, is_name=True), *(Column(sign, align="right") for sign in SIGNS.values())], rows
        )


def _closing(tally: _Tally, left: Side, right: Side) -> None:
    parts = [diff_text.summary(tally.shown)] if tally.shown else ["no difference" if not tally.noise else "only noise"]
    if tally.noise:
        parts.append(f"noise hidden: {tally.noise:,} (--noise show)")
    if tally.left_out:
        parts.append(f"left out: {tally.left_out:,}")
    output.note(f"{left.label} → {right.label}: {'; '.join(parts)}")

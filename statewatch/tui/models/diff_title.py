"""What stands above a diff: which source, which two moments, how much differs, and what is picked of it."""

from collections.abc import Iterator

from rich.cells import cell_len

from statewatch.documents.text import harmless
from statewatch.kinds import times
from statewatch.tui.models.comparison import Side
from statewatch.tui.models.diff_rows import DiffModel, counted
from statewatch.tui.widgets.table_model import Cell, Span

_LONGEST, _SHORT, _SHORTEST = 80, 20, 10
"""How much of the label is to be seen at least."""


def title(model: DiffModel, now: float, width: int, *, noise: bool, picked: int, position: tuple[int, int]) -> Cell:
    """Return the line above the diff, as long as there is room for: the counts stay to the last."""
    label = harmless(model.comparison.label)
    for shortest, middle, right in _versions(model, now, noise=noise, picked=picked, position=position):
        room = width - sum(cell_len(text) for text, _ in (*middle, *right)) - 4
        if room >= min(shortest, cell_len(label)):
            break
    name = _end_of(label, max(1, room))
    gap = " " * (room - cell_len(name) + 1)
    return ((f" {name}  ", "strong"), *middle, (gap, ""), *right)


def _versions(
    model: DiffModel, now: float, *, noise: bool, picked: int, position: tuple[int, int]
) -> Iterator[tuple[int, list[Span], list[Span]]]:
    """Yield what to say, from all there is to as little as will do: the label's least width, moments, and counts."""
    before, after = model.comparison.before, model.comparison.after
    long: list[Span] = [(f"{told(before, now)} → {told(after, now)}  ", "")]
    short: list[Span] = [(f"{harmless(before.label, 40)} → {harmless(after.label, 40)}  ", "")]
    counts = counts_of(model, noise=noise)
    quiet = _noise(model, "noise shown: " if noise else "noise hidden: ", noise=noise)
    brief = _noise(model, "noise ", noise=noise)
    picks: list[Span] = [(f"{picked} picked  ", "warn")] if picked else []
    where: list[Span] = [(f"{position[0]} of {position[1]}", "muted")] if position[1] > 1 else []
    yield _LONGEST, long, [*counts, *quiet, *picks, *where]
    yield _LONGEST, short, [*counts, *quiet, *picks, *where]
    yield _SHORT, short, [*counts, *brief, *picks, *where]
    yield _SHORTEST, short, [*counts, *brief, *picks]
    yield _SHORTEST, [], [*counts, *brief, *picks]
    yield 0, [], [*counts, *picks]


def counts_of(model: DiffModel, *, noise: bool) -> list[Span]:
    """Return how many places were added, removed, changed and moved: of those that are no noise, or of all."""
    spans = counted((change for change in model.changes if noise or not change.noise), all_kinds=True)
    return [(f"{text}  ", role) for text, role in spans]


def told(side: Side, now: float) -> str:
    """Return what people call a moment, and how long ago it was."""
    ago = "" if side.is_now or side.at is None else f" ({times.span(now - side.at)} ago)"
    return f"{harmless(side.label, 60)}{ago}"


def _noise(model: DiffModel, word: str, *, noise: bool) -> list[Span]:
    return [(f"{word}{model.noise}  ", "warn" if noise else "muted")] if model.noise else []


def _end_of(path: str, width: int) -> str:
    """Return the end of a path: its beginning says least."""
    return path if cell_len(path) <= width else f"…{path[-(width - 1) :]}" if width > 1 else "…"

"""Pieces that the rows of several views share: ages, bars, marks. Pure functions to cells."""

from collections.abc import Sequence

from statewatch.documents.text import harmless, harmless_lines
from statewatch.kinds import times
from statewatch.kinds.base import Tone
from statewatch.tui.widgets.table_model import Cell, Role, Span

_MOST_LINES = 2_000
_BLOCKS = "▁▂▃▄▅▆▇█"
_MARKS: dict[str, tuple[str, Role]] = {
    "open": ("●", "bad"),
    "half_open": ("◐", "warn"),
    "closed": ("○", "good"),
    "completed": ("✓", "good"),
    "done": ("✓", "good"),
    "failed": ("✕", "bad"),
    "skipped": ("↷", "warn"),
    "pending": ("·", "muted"),
    "in_progress": ("▶", "info"),
    "running": ("▶", "info"),
    "paused": ("‖", "warn"),
    "initialized": ("·", "muted"),
    "resumable": ("◔", "info"),
    "partial": ("◑", "warn"),
}


def say(text: str | None, role: Role = "", limit: int = 500) -> Cell:
    """Return a cell of one text from a file, harmless."""
    return ((harmless(text, limit), role),) if text else ()


def lines(text: str, role: Role = "") -> tuple[Cell, ...]:
    """Return a text from a file as lines, harmless; of a very long one the beginning, and how much more there is."""
    found = harmless_lines(text)
    shown = tuple(own(line, role) for line in found[:_MOST_LINES])
    return shown if len(found) <= _MOST_LINES else (*shown, own(f"… {len(found) - _MOST_LINES} more lines", "muted"))


def own(text: str, role: Role = "") -> Cell:
    """Return a cell of one text of ours."""
    return ((text, role),) if text else ()


def mark(state: str) -> Span:
    """Return the glyph of a state. A word nobody knows gets a grey question mark, never a healthy sign."""
    return _MARKS.get(state, ("?", "muted"))


def marked(state: str) -> Cell:
    """Return a state as glyph and word."""
    glyph, role = mark(state)
    return ((f"{glyph} ", role), (harmless(state.replace("_", "-") if state == "half_open" else state, 40), role))


def tone(of: Tone) -> Role:
    """Return the role in which a sentence of that tone is shown."""
    return "" if of == "info" else of


def age(since: float | None, now: float) -> Cell:
    """Return how long ago an instant is."""
    return () if since is None else own(times.span(now - since), "muted")


def number(value: int | None, role: Role = "") -> Cell:
    """Return a count; a dash where the file has none, grey where it is nought."""
    if value is None:
        return own("–", "muted")
    return own(str(value), role if value else "muted")


def bar(done: int, failed: int, skipped: int, total: int, width: int = 20) -> Cell:
    """Return a bar of *width* cells: done, failed, skipped and left, told apart without colour too."""
    if total <= 0:
        return own("░" * width, "muted")
    edges = [round(width * part / total) for part in (done, done + failed, done + failed + skipped)]
    # Only what is whole looks whole, and a failure is never rounded away.
    limit = width if done + failed + skipped >= total else max(1, width - 1)
    edges = [min(edge, limit) for edge in edges]
    if failed and edges[1] == edges[0]:
        edges[1] = min(limit, edges[0] + 1)
        edges[0] = edges[1] - 1
        edges[2] = max(edges[2], edges[1])
    good, bad, skip = edges[0], edges[1] - edges[0], edges[2] - edges[1]
    spans: list[Span] = [
        ("█" * good, "good"),
        ("▓" * bad, "bad"),
        ("▒" * skip, "warn"),
        ("░" * (width - edges[2]), "muted"),
    ]
    return tuple(span for span in spans if span[0])


def spark(values: Sequence[int]) -> str:
    """Return numbers as a line of little columns."""
    top = max(values, default=0)
    if top <= 0:
        return _BLOCKS[0] * len(values)
    return "".join(_BLOCKS[0] if value <= 0 else _BLOCKS[max(1, round(value / top * 7))] for value in values)

"""What the frame around every view shows: what is watched and how, what needs somebody, when something happened."""

from dataclasses import dataclass

from statewatch.documents.text import harmless
from statewatch.kinds import times
from statewatch.tui.models import cells
from statewatch.tui.widgets.table_model import Cell, Span
from statewatch.watch.attention import attention
from statewatch.watch.picture import Picture

SMALLEST = (60, 20)
"""Columns and lines from which on everything has its place."""

TIMELINE_SPAN = 600.0
"""Seconds of activity in the timeline."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame's figures. `activity` are the instants of the latest changes, newest first."""

    sources: int = 0
    needs: int = 0
    polling: bool = False
    reason: str = ""
    looked_in: tuple[str, ...] = ()
    activity: tuple[float, ...] = ()


def frame(picture: Picture, now: float) -> Frame:
    """Return the frame of a picture."""
    return Frame(
        sources=len(picture.sources),
        needs=len(attention(picture, now)),
        polling=picture.watching.mode == "polling",
        reason=harmless(picture.watching.reason, 60),
        looked_in=picture.watching.looked_in,
        activity=tuple(line.at for line in picture.changes),
    )


def too_small(seen: Frame, size: tuple[int, int]) -> Cell:
    """Return the top line of a terminal that is too small for everything: what needs somebody still comes first."""
    needs: Span = (f" {seen.needs} need you", "bad") if seen.needs else (" all well", "good")
    return (needs, (f"  {size[0]}×{size[1]} is small, use {SMALLEST[0]}×{SMALLEST[1]}", "warn"))


def top_line(seen: Frame, title: str, now: float, width: int, *, read_only: bool) -> Cell:
    """Return the top line, always true; what matters least gives way first when it is narrow."""
    mode: Span = (
        (f"◌ polling{f' ({seen.reason})' if seen.reason else ''}", "warn") if seen.polling else ("● live", "good")
    )
    needs: Span = (f"{seen.needs} need you", "bad") if seen.needs else ("all well", "good")
    right: list[Span] = [mode, (f"{seen.sources} sources", ""), needs, (times.clock(now), "strong")]
    if read_only:
        right.insert(1, ("read-only", "warn"))
    gap = "   " if width >= 80 else "  "
    used = sum(len(text) for text, _ in right) + len(gap) * len(right)
    name = "statewatch"
    left = (
        f" {name}  {title}"
        if used + len(name) + len(title) + 4 <= width
        else f" {name}"
        if used + len(name) + 2 <= width
        else ""
    )
    space = " " * max(1, width - used - len(left) + len(gap) - 1)
    spans: list[Span] = [(left, "strong"), (space, "")]
    for index, span in enumerate(right):
        if index:
            spans.append((gap, ""))
        spans.append(span)
    return tuple(spans)


def timeline(seen: Frame, now: float, width: int) -> Cell:
    """Return the activity of the last ten minutes as little columns, the present at the right."""
    label = f" {times.clock(now - TIMELINE_SPAN)[:5]} "
    room = width - len(label) - 6
    if room < 10:
        return ()
    counts = [0] * room
    for at in seen.activity:
        index = room - 1 - int((now - at) / TIMELINE_SPAN * room)
        if 0 <= index < room:
            counts[index] += 1
    return ((label, "muted"), (cells.spark(counts), "info"), ("│ now", "muted"))

"""What the frame around every view shows: what is watched and how, what needs somebody, when something happened."""

from dataclasses import dataclass

from rich.cells import cell_len

from statewatch.documents.text import harmless
from statewatch.kinds import times
from statewatch.tui.models import cells
from statewatch.tui.widgets.table_model import Cell, Span, fill
from statewatch.watch.attention import attention
from statewatch.watch.picture import Picture

SMALLEST = (60, 20)
"""Columns and lines from which on everything has its place."""

_GIVEN_UP = ("title", "name", "reason", "sources", "clock", "read-only", "mode")
"""What the top line does without when it is narrow, in this order; what needs somebody stays to the last."""

TIMELINE_SPAN = 600.0
"""Seconds of activity in the timeline."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame's figures. `activity` counts changes by the instant.

    `stale` when the view could not be made from what is there now, `past` when it is what was there at another time.
    """

    sources: int = 0
    needs: int = 0
    polling: bool = False
    reason: str = ""
    looked_in: tuple[str, ...] = ()
    activity: tuple[tuple[float, int], ...] = ()
    stale: bool = False
    starting: bool = False
    past: bool = False

    @property
    def verdict(self) -> Span:
        """Return whether anything needs somebody, in few words; before the first look nobody knows."""
        if self.starting:
            return ("reading …", "muted")
        if self.past:
            return (f"{self.needs} needed you", "warn") if self.needs else ("all was well", "good")
        return (f"{self.needs} need you", "bad") if self.needs else ("all well", "good")


def frame(picture: Picture, now: float, needs: int | None = None) -> Frame:
    """Return the frame of a picture; *needs* is how many need somebody, where that is known already."""
    return Frame(
        sources=len(picture.sources),
        needs=len(attention(picture, now)) if needs is None else needs,
        polling=picture.watching.mode == "polling",
        reason=harmless(picture.watching.reason, 60),
        looked_in=picture.watching.looked_in,
        activity=picture.activity,
        starting=picture.watching.mode == "starting",
    )


def too_small(seen: Frame, size: tuple[int, int], viewing: str = "") -> Cell:
    """Return the top line of a terminal that is too small for everything: what needs somebody still comes first."""
    first: Span = (f" {viewing}", "warn") if viewing else (f" {seen.verdict[0]}", seen.verdict[1])
    return (first, (f"  {size[0]}×{size[1]} is small, use {SMALLEST[0]}×{SMALLEST[1]}", "warn"))


def top_line(seen: Frame, title: str, now: float, width: int, *, read_only: bool, viewing: str = "") -> Cell:
    """Return the top line, always true; what matters least gives way first when it is narrow.

    *viewing* says which moment is shown, where that is not the present.
    """
    gap = "   " if width >= 80 else "  "
    gone: set[str] = set()
    for given_up in ("", *_GIVEN_UP):
        gone.add(given_up)
        left = "" if "name" in gone else " statewatch" if "title" in gone or not title else f" statewatch  {title}"
        spans = _state(seen, now, gone, read_only=read_only, viewing=viewing)
        used = cell_len(left) + sum(cell_len(text) for text, _ in spans) + len(gap) * (len(spans) - 1) + 2
        if used <= width:
            break
    line: list[Span] = [(left, "strong"), (" " * (width - used + 1), "")]
    for index, span in enumerate(spans):
        line += [(gap, ""), span] if index else [span]
    return tuple(fill(tuple(line), width))


def _state(seen: Frame, now: float, gone: set[str], *, read_only: bool, viewing: str) -> list[Span]:
    """Return the pieces at the right of the top line, without those that are gone."""
    mode: Span = (viewing, "strong") if viewing and not seen.stale else _mode(seen, with_reason="reason" not in gone)
    pieces: dict[str, Span] = {"viewing" if viewing else "mode": mode}
    if read_only:
        pieces["read-only"] = ("read-only", "warn")
    pieces |= {"sources": (f"{seen.sources} sources", ""), "needs": seen.verdict}
    if not viewing:
        pieces["clock"] = (times.clock(now), "strong")
    return [piece for name, piece in pieces.items() if name not in gone]


def _mode(seen: Frame, *, with_reason: bool) -> Span:
    if seen.stale:
        return ("✕ not up to date", "bad")
    if seen.starting:
        return ("◌ starting", "muted")
    if seen.polling:
        return (f"◌ polling{f' ({seen.reason})' if seen.reason and with_reason else ''}", "warn")
    return ("● live", "good")


def timeline(seen: Frame, now: float, width: int) -> Cell:
    """Return the activity of the last ten minutes as little columns, the present at the right."""
    label = _timeline_label(now)
    room = _timeline_room(now, width)
    if room < 10:
        return ()
    counts = [0] * room
    step = TIMELINE_SPAN / room
    for at, changes in seen.activity:  # by whole multiples of a step: all columns move on together, and seldom
        index = room - 1 - max(0, int(now // step - at // step))
        if 0 <= index < room:
            counts[index] += changes
    return ((label, "muted"), (cells.spark(counts), "info"), ("│ now", "muted"))


def pointed(x: int, now: float, width: int) -> float | None:
    """Return the instant that is meant by column *x* of the timeline; None beside it, or where there is none."""
    room, x = _timeline_room(now, width), x - len(_timeline_label(now))
    return now - TIMELINE_SPAN / room * (room - 1 - x) if room >= 10 and 0 <= x < room else None


def _timeline_label(now: float) -> str:
    return f" {times.clock(now - TIMELINE_SPAN)[:5]} "


def _timeline_room(now: float, width: int) -> int:
    return width - len(_timeline_label(now)) - 6

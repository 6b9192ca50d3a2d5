"""What the frame says while the past is viewed: which moment, what happened at it, and the scrubber."""

import math
from datetime import UTC, datetime

from statewatch.kinds import times
from statewatch.tui.models import cells
from statewatch.tui.travel import Journey
from statewatch.tui.widgets.table_model import Cell, Span
from statewatch.watch.picture import ChangeLine, Picture

_UNITS = {"s": "s", "m": "min", "h": "h", "d": "d"}
_MARK = "┃"
_BOOKMARK = "◆"
_MOST_TOLD = 3


def moment(at: float, now: float) -> str:
    """Return an instant to the second; with the date in front when it is not the day of *now*."""
    local = datetime.fromtimestamp(at)
    today = local.date() == datetime.fromtimestamp(now).date()
    return local.strftime("%H:%M:%S" if today else "%m-%d %H:%M:%S")


def address_time(at: float) -> str:
    """Return an instant as it is written in an address."""
    # Not earlier than it is, so that what was seen then is what is found.
    whole, micros = divmod(math.ceil(at * 1_000_000), 1_000_000)
    return datetime.fromtimestamp(whole, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{micros:06d}Z")


def ago(seconds: float) -> str:
    """Return how long ago that is: `7 min ago`."""
    shown = times.span(seconds)
    return f"{shown[:-1]} {_UNITS[shown[-1]]} ago"


def viewing(here: Journey, now: float) -> str:
    """Return what the top line says."""
    return f"viewing {moment(here.at, now)}, {ago(now - here.at)}"


def banner(here: Journey, picture: Picture) -> Cell:
    """Return the line above a view of the past: that it is the past, and what was seen at this moment."""
    place, total = here.place(), len(here.log.instants)
    spans: list[Span] = [("◷ THE PAST  ", "warn"), (f"change {place} of {total}  ", "strong")]
    if names := [entry.bookmark for entry in here.log.seen_at(here.at) if entry.bookmark]:
        spans += [(f"{_BOOKMARK} ", "info"), *cells.say(", ".join(names), "info", 80), ("  ", "")]
    return (*spans, *_thinned(here), *_happened(here, picture))


def _happened(here: Journey, picture: Picture) -> list[Span]:
    seen = {entry.seen_at for entry in here.log.seen_at(here.at)}
    said = [line for line in picture.changes if line.at in seen]
    if said:
        more = f"  and {len(said) - _MOST_TOLD} more" if len(said) > _MOST_TOLD else ""
        return [*(span for line in said[:_MOST_TOLD] for span in _told(line)), (more, "muted")]
    place = here.place()
    return [(f"as it was since {moment(here.log.instants[place - 1], here.now)}", "muted")] if place else []


def _told(line: ChangeLine) -> tuple[Span, ...]:
    who = f"{line.kind if line.kind == 'batch' else line.sentence.subject or line.label}: "  # a batch id says little
    return (who, "muted"), (f"{line.sentence.text}  ", cells.tone(line.sentence.tone))


def _thinned(here: Journey) -> list[Span]:
    """Return how many revisions were seen here but are kept no longer: what is shown may not be all there was."""
    here_dropped = sum(entry.dropped for entry in here.log.seen_at(here.at))
    if here_dropped:
        return [(f"{_revisions(here_dropped)} before this one no longer kept  ", "warn")]
    place = here.place()
    if place < len(here.log.instants) and here.at not in here.log.instants[max(0, place - 1) : place]:
        following = here.log.instants[place]
        if between := sum(entry.dropped for entry in here.log.seen_at(following)):
            return [(f"{_revisions(between)} until {moment(following, here.now)} no longer kept  ", "warn")]
    return []


def _revisions(count: int) -> str:
    return f"{count} revision{'' if count == 1 else 's'}"


def scrubber(here: Journey, width: int) -> Cell:
    """Return how much changed when, with a mark at the moment that is viewed and the bookmarks."""
    left, right = _labels(here)
    columns = _columns(here, width)
    if columns < 10:
        return ()
    step = here.width / columns
    counts = [here.log.count(here.start + step * index, here.start + step * (index + 1)) for index in range(columns)]
    glyphs: list[Span] = [(glyph, "info") for glyph in cells.spark(counts)]
    for entry in here.log.bookmarks:
        index = _column(here, entry.seen_at, step)
        if 0 <= index < columns:
            glyphs[index] = (_BOOKMARK, "strong")
    glyphs[min(columns - 1, max(0, _column(here, here.at, step)))] = (_MARK, "warn")
    return ((left, "muted"), *_joined(glyphs), (right, "muted"), (_pace(here), "warn" if here.playing else "muted"))


def pointed(here: Journey, x: int, width: int) -> float | None:
    """Return the instant that is meant by column *x* of the scrubber; None beside it, or where there is none."""
    columns = _columns(here, width)
    x -= len(_labels(here)[0])
    if columns < 10 or not 0 <= x < columns:
        return None
    return here.start + here.width / columns * (x + 1)


def _columns(here: Journey, width: int) -> int:
    left, right = _labels(here)
    return width - len(left) - len(right) - len(_pace(here))


def _column(here: Journey, at: float, step: float) -> int:
    """Return in which column an instant is: each holds what came after its left edge, up to its right one."""
    return math.ceil((at - here.start) / step - 1e-6) - 1


def _labels(here: Journey) -> tuple[str, str]:
    end = here.start + here.width
    to_now = here.now - end < here.width / 100
    return f" {_short(here.start, here.now)} ", " now " if to_now else f" {_short(end, here.now)} "


def _short(at: float, now: float) -> str:
    return moment(at, now)[:-3]


def _pace(here: Journey) -> str:
    return f"{'▶' if here.playing else '‖'} {here.speed}×".ljust(5)


def _joined(spans: list[Span]) -> list[Span]:
    """Join neighbours of one role."""
    joined: list[Span] = []
    for text, role in spans:
        if joined and joined[-1][1] == role:
            joined[-1] = (joined[-1][0] + text, role)
        else:
            joined.append((text, role))
    return joined

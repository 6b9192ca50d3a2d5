"""What is shown of the history of a circuit, and of what else is kept beside its record. Pure functions to cells."""

from collections.abc import Sequence

from statewatch.documents.text import harmless
from statewatch.kinds import circuit_history, times
from statewatch.kinds.base import text
from statewatch.kinds.circuit_extras import entry_of, openings_of
from statewatch.kinds.circuit_modes import mode_row, mode_word
from statewatch.kinds.hooks import first_line
from statewatch.kinds.policy import Policy
from statewatch.tui.models import cells
from statewatch.tui.widgets.table_model import Cell, Role, Span
from statewatch.watch.stories import Event, Story

TREND = 8
"""Hours that the trend in the table tells of, one in each terminal cell."""

_WIDTH = 48
_HOUR = 3600.0
_SPANS = (_HOUR, 6 * _HOUR, 24 * _HOUR, 7 * 24 * _HOUR, 30 * 24 * _HOUR, 365 * 24 * _HOUR)
_SHOWN = 30
_STATES: dict[str, tuple[str, Role]] = {
    "closed": ("─", "good"),
    "open": ("█", "bad"),
    "half_open": ("▒", "warn"),
    "": ("·", "muted"),
}
_TONES: dict[str, Role] = {"failed": "warn", "opened": "bad", "closed": "good", "half_open": "warn"}


def trend(events: Sequence[Event], now: float) -> Cell:
    """Return the failures of the last hours as little columns; nothing where none is known."""
    failures = [period.failures for period in circuit_history.over_time(events, now, _HOUR, TREND)] if events else []
    return cells.own(cells.spark(failures), "warn") if any(failures) else ()


def mode(story: Story, hook: str, now: float) -> str:
    """Return the mode that holds for a hook in the word that people use; empty without one."""
    return mode_row(_entry(story, hook), now)["mode"] or ""


def openings(story: Story, hook: str) -> int:
    """Return how often in a row a circuit has opened, where a back-off counts that."""
    return openings_of(_entry(story, hook))


def settings(story: Story, hook: str, policy: Policy, now: float) -> list[Cell]:
    """Return lines about the mode of a circuit, and about its back-off."""
    lines: list[Cell] = []
    word, until = mode_row(_entry(story, hook), now).values()
    if word:
        end = "until it is taken back" if until is None else f"until {harmless(until, 40)}"
        lines.append((_label("mode"), (f"{word} {end}", "warn")))
    if (count := openings(story, hook)) > 1:
        said = f"opened {count} times in a row, cools down {times.span(policy.cooldown)}"
        lines.append((_label("back-off"), (said, "warn")))
    return lines


def strip(events: Sequence[Event], state: str, now: float) -> list[Cell]:
    """Return the states of a circuit over time, its failures below them, and the figures; nothing without events."""
    figures = circuit_history.metrics_of(events, now)
    if figures.since is None:
        return []
    age = now - figures.since
    width = next((each for each in _SPANS if each >= age), max(age, _SPANS[-1])) / _WIDTH
    states = circuit_history.states_over_time(events, now, width, _WIDTH, state)
    failures = [period.failures for period in circuit_history.over_time(events, now, width, _WIDTH)]
    rate = figures.failures_per_hour(now) if age > _HOUR else None
    said = (
        f"{_counted(figures.failures, 'failure')}, {_counted(figures.openings, 'opening')}, "
        f"open for {times.span(figures.open_for)} in {times.span(age)}"
        + ("" if rate is None else f"; {rate:.2g} failures an hour")
    )
    return [
        (
            _label(f"last {times.span(width * _WIDTH)}"),
            *_merged([_STATES.get(each, ("?", "muted")) for each in states]),
        ),
        (_label("failed"), (cells.spark(failures), "warn")),
        (_label("in all"), (said, "")),
    ]


def log(events: Sequence[Event], now: float) -> list[Cell]:
    """Return what happened to a circuit, newest first: each failure with its error, each change of its state."""
    return [_line(event, now) for event in events[:_SHOWN]]


def _line(event: Event, now: float) -> Cell:
    at = times.instant(event.get("at"))
    what = text(event.get("event")) or "?"
    role = _TONES.get(what, "")
    why, by = text(event.get("why")), text(event.get("by"))
    said = {"half_open": "half-open", "probe": "tested"}.get(what, what)
    if what == "action":
        said = f"{event.get('action')} by {by or '?'}" + (f": {why}" if why else "")
    elif what == "mode":
        said = f"mode {mode_word(text(event.get('to')))}" + (f" by {by}" if by else "") + (f": {why}" if why else "")
    elif error := text(event.get("error")):
        said += f": {first_line(error)}"
    return ((f"{'?' if at is None else times.clock(at, now):<13} ", "muted"), (harmless(said, 500), role))


def _entry(story: Story, hook: str) -> Event:
    return entry_of(story.extras, hook)


def _label(name: str) -> Span:
    return f"{name:<14}", "muted"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Join neighbours of one role: a line of few pieces is painted faster."""
    joined: list[Span] = []
    for glyph, role in spans:
        if joined and joined[-1][1] == role:
            joined[-1] = joined[-1][0] + glyph, role
        else:
            joined.append((glyph, role))
    return joined

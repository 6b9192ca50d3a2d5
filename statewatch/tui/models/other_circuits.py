"""What is shown of the circuits of other tools than hooks, and of the files beside them."""

from pathlib import PurePath

from statewatch.documents.text import harmless
from statewatch.kinds import times
from statewatch.kinds.declared_view import Circuit, CircuitsView
from statewatch.tui.models import cells
from statewatch.tui.widgets.table_model import Cell
from statewatch.watch.picture import Picture, Source

_SHOWN_ENTRIES = 12
_NAMED = 3
_NAME_WIDTH = 24


def summary(view: CircuitsView) -> Cell:
    """Return a file in a line: its circuits, or what it says where it has none."""
    flaw = cells.say(f"  {view.notes[0]}", "warn") if view.notes else ()
    if view.circuits:
        shown = view.circuits[:_NAMED]
        spans = [span for circuit in shown for span in (*cells.marked(circuit.state), (f" {_name(circuit)}  ", ""))]
        rest = len(view.circuits) - len(shown)
        return (*spans, *cells.own(f"and {rest} more" if rest else "", "muted"), *flaw)
    if view.log:
        return (*cells.own(f"{len(view.log)} entries, the last: "), *cells.say(view.log[-1].text))
    if not view.status and not view.facts:
        return cells.own("no entries yet", "muted")
    told = ", ".join(f"{name} {text}" for name, text in view.facts[:2])
    status = cells.marked(view.status) if view.status else ()
    return (*status, *cells.say(f"  {told}" if status else told), *flaw)


def told(source: Source, now: float) -> list[Cell]:
    """Return what a file without circuits says: facts, a log, and what had to be assumed; nothing of any other."""
    view = source.view
    return _beside(source, view, now) if isinstance(view, CircuitsView) and not view.circuits else []


def detail(source: Source, circuit: Circuit, picture: Picture, now: float) -> list[Cell]:
    """Return everything there is to say about a circuit, and what files beside its own tell about it."""
    lines: list[Cell] = []
    if circuit.disabled_at is not None:
        lines.append(_moment("since", circuit.disabled_at, now))
    if circuit.until is not None:
        lines.append(_moment("ends by itself", circuit.until, now))
    lines += _facts(circuit.facts)
    view = source.view
    assert isinstance(view, CircuitsView)
    lines += [cells.say(view.note, "muted")] if view.note else []
    lines += [] if circuit.can_reset else [cells.own("shown only: what resets it is known to its own tool", "muted")]
    lines += _notes(view)
    for beside in picture.sources:
        if isinstance(beside.view, CircuitsView) and not beside.view.circuits and _are_together(beside, source):
            lines += _beside(beside, beside.view, now)
    return lines


def _beside(source: Source, view: CircuitsView, now: float) -> list[Cell]:
    lines: list[Cell] = [(), cells.own(source.label, "muted")]
    if view.status:
        lines.append(cells.marked(view.status))
    lines += _facts(view.facts)
    for entry in reversed(view.log[-_SHOWN_ENTRIES:]):
        at = times.clock(entry.at, now) if entry.at is not None else "?"
        lines.append(((f"{at}  ", "muted"), *cells.say(entry.text)))
    return lines + _notes(view)


def _facts(facts: tuple[tuple[str, str], ...]) -> list[Cell]:
    return [((f"{name:<{_NAME_WIDTH}}", "muted"), *cells.say(text)) for name, text in facts]


def _notes(view: CircuitsView) -> list[Cell]:
    return [(("assumed: ", "warn"), *cells.say(note, "muted")) for note in view.notes]


def _moment(name: str, at: float, now: float) -> Cell:
    how = f"in {times.span(at - now)}" if at > now else f"{times.span(now - at)} ago"
    return ((f"{name:<{_NAME_WIDTH}}", "muted"), (f"{times.clock(at, now)}  ({how})", ""))


def _are_together(one: Source, other: Source) -> bool:
    return PurePath(one.key).parent == PurePath(other.key).parent


def _name(circuit: Circuit) -> str:
    return harmless(circuit.name, 60)

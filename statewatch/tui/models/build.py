"""From a picture and what the operator looks at to the finished model of a view: filtered, sorted, immutable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from statewatch.kinds import field_circuits, times
from statewatch.tui import query
from statewatch.tui.models import batches, cells, changes, hooks, overview, sources, workflows
from statewatch.tui.models.frame import Frame, frame
from statewatch.tui.models.row import Row, TableSpec
from statewatch.tui.widgets.table_model import Cell
from statewatch.watch.picture import Picture
from statewatch.watch.stories import NOTHING, Story

VIEW_OF_KIND = {
    **dict.fromkeys(field_circuits.with_circuits(), "hooks"),
    "hooks": "hooks",
    "batch": "batches",
    **dict.fromkeys(("workflow", "session", "pipeline", "run", "checkpoint"), "workflows"),
}
"""The view that shows sources of a kind; those of other kinds are only in the State view."""
_MOST_WARNINGS = 3

Rows: TypeAlias = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be shown: a view of a picture, filtered, sorted, with one row chosen."""

    view: str
    picture: Picture
    now: float
    filter: str = ""
    sort: tuple[str, bool] | None = None
    chosen: str | None = None
    story_of: Callable[[str], Story] = lambda _key: NOTHING
    """Tells what is kept beside the hook state of a source, which may take reading files."""


@dataclass(frozen=True, slots=True)
class Model:
    """A finished view: the rows of its tables and the lines of its panes by name; `hidden` rows were filtered out."""

    view: str
    now: float
    frame: Frame
    tables: Mapping[str, Rows] = field(default_factory=dict)
    panes: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict)
    hidden: int = 0
    warnings: tuple[Cell, ...] = ()
    """What to say above the rows: which of them are old, since their file cannot be read now."""


def build(ask: Ask) -> Model:
    """Return the model for *ask*: it touches nothing, so that it can be made in any thread."""
    model = _BUILDERS[ask.view](ask)
    return replace(model, warnings=_warnings(ask)) if ask.view in VIEW_OF_KIND.values() else model


def _warnings(ask: Ask) -> tuple[Cell, ...]:
    return tuple(
        (
            (f"✕ {source.label}: {source.problem.reason}; ", "bad"),
            (f"showing the version of {times.clock(source.revision.modified_at, ask.now)}", "warn"),
        )
        for source in ask.picture.sources
        if VIEW_OF_KIND.get(source.kind) == ask.view and source.problem is not None and source.revision is not None
    )[:_MOST_WARNINGS]


def _arranged(rows: Rows, spec: TableSpec[Any], ask: Ask) -> tuple[Rows, int]:
    shown = rows
    if ask.filter:
        holds = query.parse(ask.filter)
        shown = tuple(row for row in rows if holds(row.fields))
    if ask.sort is not None and ask.sort[0] in spec.sorts:
        shown = tuple(sorted(shown, key=spec.sorts[ask.sort[0]], reverse=ask.sort[1]))
    return shown, len(rows) - len(shown)


def _chosen(rows: Rows, key: str | None) -> Any:
    return next((row for row in rows if row.key == key), rows[0] if rows else None)


def _overview(ask: Ask) -> Model:
    all_needs = overview.need_rows(ask.picture, ask.now)
    needs, hidden = _arranged(all_needs, overview.NEEDS, ask)
    runs, _ = _arranged(overview.run_rows(ask.picture), overview.RUNS, ask)
    said, _ = _arranged(changes.news(ask.picture), changes.SPEC, ask)
    panes = {"circuits": overview.circuits(ask.picture, ask.now)}
    return Model(
        "overview",
        ask.now,
        frame(ask.picture, ask.now, len(all_needs)),
        {"needs": needs, "runs": runs, "said": said},
        panes,
        hidden,
    )


def _batches(ask: Ask) -> Model:
    rows, hidden = _arranged(batches.rows(ask.picture), batches.SPEC, ask)
    row = _chosen(rows, ask.chosen)
    tables = {"batches": rows, "items": batches.items(row) if row else ()}
    notes = tuple((("assumed: ", "warn"), *cells.say(note, "muted")) for note in row.view.notes) if row else ()
    return Model("batches", ask.now, frame(ask.picture, ask.now), tables, {"notes": notes}, hidden)


def _workflows(ask: Ask) -> Model:
    rows, hidden = _arranged(workflows.rows(ask.picture), workflows.SPEC, ask)
    row = _chosen(rows, ask.chosen)
    panes = {"detail": workflows.text(row, ask.now) if row else ()}
    return Model("workflows", ask.now, frame(ask.picture, ask.now), {"workflows": rows}, panes, hidden)


def _hooks(ask: Ask) -> Model:
    rows, hidden = _arranged(hooks.rows(ask.picture, ask.now, ask.story_of), hooks.SPEC, ask)
    row = _chosen(rows, ask.chosen)
    panes = {"detail": hooks.detail(row, ask.picture, ask.now) if row else ()}
    return Model("hooks", ask.now, frame(ask.picture, ask.now), {"hooks": rows}, panes, hidden)


def _single(view: str, rows_of: Callable[[Picture], Rows], spec: TableSpec[Any]) -> Callable[[Ask], Model]:
    def build_single(ask: Ask) -> Model:
        rows, hidden = _arranged(rows_of(ask.picture), spec, ask)
        return Model(view, ask.now, frame(ask.picture, ask.now), {view: rows}, {}, hidden)

    return build_single


_BUILDERS: Mapping[str, Callable[[Ask], Model]] = {
    "overview": _overview,
    "batches": _batches,
    "workflows": _workflows,
    "hooks": _hooks,
    "state": _single("state", sources.rows, sources.SPEC),
    "changes": _single("changes", changes.rows, changes.SPEC),
}

"""From a picture and what the operator looks at to the finished model of a view: filtered, sorted, immutable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from statewatch.documents.values import Path
from statewatch.kinds import field_circuits, times
from statewatch.tui import query
from statewatch.tui.models import (
    batch_about,
    batch_items,
    batches,
    changes,
    hooks,
    overview,
    run_detail,
    run_phases,
    workflows,
)
from statewatch.tui.models.frame import Frame, frame
from statewatch.tui.models.row import Row, TableSpec
from statewatch.tui.widgets.table_model import Cell
from statewatch.watch.besides import NOTHING as ALONE
from statewatch.watch.besides import Beside
from statewatch.watch.picture import Picture
from statewatch.watch.stories import NOTHING, Story, until

if TYPE_CHECKING:
    from statewatch.tui.models.since import Since
    from statewatch.tui.travel import Journey
    from statewatch.watch.shelves import Shelves

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
    here: "Journey | None" = None
    """Where in the past the operator is; None in the present."""
    picture_at: Callable[[float], Picture] | None = None
    """Gives the picture of a past moment, which takes reading the history."""
    since: "Since | None" = None
    """What changed between the last look and the start."""
    opened: frozenset[str] = frozenset()
    """What is unfolded, in the view that can be."""
    touched_at: Callable[[str, Path], float | None] | None = None
    """Tells when a place of a source was last seen to change, which takes reading the history."""
    beside_of: Callable[[str, str], Beside] = lambda _key, _kind: ALONE
    """Tells what lies beside the run of a source, by its key and kind; that takes reading files, too."""
    shelves: "Shelves | None" = None
    """Looks at what is kept of the sources, which takes reading files; only the view that shows it has it."""


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
    here: "Journey | None" = None
    """Which moment of the past it shows; None for the present."""
    banner: Cell = ()
    """What to say of that moment."""
    unfinished: bool = False
    """Whether there is more to show when one asks again, since looking takes longer than one may wait for it."""


def build(ask: Ask) -> Model:
    """Return the model for *ask*: it touches nothing, so that it can be made in any thread."""
    if ask.here is not None and ask.picture_at is not None:
        return _in_the_past(ask, ask.here, ask.picture_at)
    model = _BUILDERS[ask.view](ask)
    return replace(model, warnings=_warnings(ask)) if ask.view in VIEW_OF_KIND.values() else model


def _in_the_past(ask: Ask, here: "Journey", picture_at: Callable[[float], Picture]) -> Model:
    from statewatch.tui.models.travel import banner  # noqa: PLC0415 - only who travels pays for it

    picture = picture_at(here.at)
    then = replace(
        ask,
        picture=picture,
        now=here.at,
        here=None,
        since=None,
        story_of=lambda key: until(ask.story_of(key), here.at),
        beside_of=lambda _key, _kind: ALONE,  # what lies beside a run is not recorded
    )
    model = build(then)
    return replace(model, here=here, frame=replace(model.frame, past=True), banner=banner(here, picture))


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
    tables = {"batches": rows, "items": batch_items.items(row) if row else ()}
    notes = batch_about.about(row, ask.now) if row else ()
    return Model("batches", ask.now, frame(ask.picture, ask.now), tables, {"notes": notes}, hidden)


def _workflows(ask: Ask) -> Model:
    rows, hidden = _arranged(workflows.rows(ask.picture), workflows.SPEC, ask)
    row = _chosen(rows, ask.chosen)
    beside = ask.beside_of(row.source.key, row.source.kind) if row else ALONE
    tables = {"workflows": rows, "phases": run_phases.rows(row, ask.now, beside) if row else ()}
    panes = {"detail": run_detail.detail(row, ask.now, beside) if row else ()}
    return Model("workflows", ask.now, frame(ask.picture, ask.now), tables, panes, hidden)


def _hooks(ask: Ask) -> Model:
    rows, hidden = _arranged(hooks.rows(ask.picture, ask.now, ask.story_of), hooks.SPEC, ask)
    row = _chosen(rows, ask.chosen)
    panes = {"detail": hooks.detail(row, ask.picture, ask.now) if row else ()}
    return Model("hooks", ask.now, frame(ask.picture, ask.now), {"hooks": rows}, panes, hidden)


def _checkpoints(ask: Ask) -> Model:
    from statewatch.tui.models import checkpoints  # noqa: PLC0415 - it knows the stores, and costs their import

    looked, source = checkpoints.looked_at(ask.picture, ask.shelves, ask.chosen)
    rows = checkpoints.kept_rows(source, looked) if source else ()
    shown, hidden = _arranged(rows, checkpoints.KEPT, ask)
    row = _chosen(shown, ask.chosen)
    tables = {
        "shelves": checkpoints.shelf_rows(ask.picture, looked),
        "kept": shown if ask.sort else checkpoints.by_day(shown),
    }
    panes = {"about": checkpoints.detail(row, looked, ask.now) if row else ()}
    warnings = checkpoints.trouble(source, looked) if source else ()
    return Model(
        "checkpoints",
        ask.now,
        frame(ask.picture, ask.now),
        tables,
        panes,
        hidden,
        warnings,
        unfinished=looked.unfinished,
    )


def _changes(ask: Ask) -> Model:
    told = ask.picture if ask.since is None else ask.since.added_to(ask.picture)
    rows, hidden = _arranged(changes.rows(told), changes.SPEC, ask)
    return Model("changes", ask.now, frame(ask.picture, ask.now), {"changes": rows}, {}, hidden)


def _state(ask: Ask) -> Model:
    from statewatch.tui.models import state_tree  # noqa: PLC0415 - only one view needs it

    if ask.filter:
        rows, hidden = state_tree.search(ask.picture, ask.filter, ask.sort)
    else:
        rows, hidden = state_tree.rows(ask.picture, ask.opened, ask.sort, ask.touched_at), 0
    return Model("state", ask.now, frame(ask.picture, ask.now), {"state": rows}, {}, hidden)


_BUILDERS: Mapping[str, Callable[[Ask], Model]] = {
    "overview": _overview,
    "batches": _batches,
    "workflows": _workflows,
    "hooks": _hooks,
    "checkpoints": _checkpoints,
    "state": _state,
    "changes": _changes,
}

"""All there is to say about one run besides its phases: error, facts, handoffs, results as a tree, its last events."""

from statewatch.documents.text import harmless, harmless_lines
from statewatch.documents.values import JSON
from statewatch.kinds import session, times
from statewatch.kinds.agent_checkpoint import CheckpointView, missing_artifacts
from statewatch.kinds.base import mapping
from statewatch.kinds.session import SessionView
from statewatch.kinds.steps import COMPLETED
from statewatch.tui.models import cells, run_events, run_handoffs, run_phases, workflows
from statewatch.tui.models.run_phases import PhaseRow
from statewatch.tui.models.trees import tree
from statewatch.tui.models.workflows import WorkflowRow
from statewatch.tui.widgets.table_model import Cell
from statewatch.watch.besides import NOTHING, Beside

_NAME_WIDTH = 16
_EMPTY: tuple[JSON, ...] = (None, {}, [], "")


def detail(row: WorkflowRow, now: float, beside: Beside = NOTHING) -> tuple[Cell, ...]:
    """Return what stands below the phases: what is the matter first."""
    view = row.view
    lines: list[Cell] = [(*cells.marked(view.status), ("  ", ""), (row.name, "strong"), *_title(row))]
    lines.append(cells.own(f"in {row.source.label}", "muted"))
    if view.error:
        lines += [_heading("ERROR"), *(cells.own(line, "bad") for line in harmless_lines(view.error))]
    lines += [((f"{name:<{_NAME_WIDTH}}", "muted"), *cells.say(said)) for name, said in view.facts]
    lines += _missing(view, beside) if isinstance(view, CheckpointView) else []
    lines += [(("assumed: ", "warn"), *cells.say(note, "muted")) for note in view.notes]
    return (*lines, *more(row, now, beside))


def whole(row: WorkflowRow, now: float, beside: Beside = NOTHING) -> tuple[Cell, ...]:
    """Return everything there is to say about a run, its phases with the whole of their errors first."""
    lines = [*workflows.text(row, now)]
    lines += _missing(row.view, beside) if isinstance(row.view, CheckpointView) else []
    return (*lines, *more(row, now, beside))


def more(row: WorkflowRow, now: float, beside: Beside) -> tuple[Cell, ...]:
    """Return who ran beside whom, who handed what to whom, the results of the phases, and what happened last."""
    lines: list[Cell] = []
    if isinstance(row.view, SessionView) and (pairs := session.parallel(row.view, now)):
        said = ", ".join(f"{harmless(one, 60)} + {harmless(other, 60)}" for one, other in dict.fromkeys(pairs))
        lines.append(((f"{'at the same time':<{_NAME_WIDTH}}  ", "muted"), (said, "")))
    if handed := run_handoffs.handoffs(row, beside):
        lines += [_heading("HANDED OVER"), *run_handoffs.lines(handed, over=row.view.status == COMPLETED)]
    if results := _results(row, beside):
        lines += [_heading("RESULTS"), *tree(results)]
    events = run_events.rows(run_phases.rows(row, now, beside), beside, now)
    if events:
        lines += [_heading("EVENTS"), *run_events.brief_log(events, beside, now)]
    return tuple(lines)


def of_phase(row: PhaseRow, now: float) -> tuple[Cell, ...]:
    """Return everything there is to say about one phase: its whole error above all, and its results as a tree."""
    phase = row.phase
    lines: list[Cell] = [(*cells.marked(phase.status), ("  ", ""), (row.name, "strong"))]
    seconds = phase.seconds(now)
    facts = (
        ("began", None if phase.started_at is None else times.stamp(phase.started_at)),
        ("ended", None if phase.completed_at is None else times.stamp(phase.completed_at)),
        ("took", None if seconds is None else times.span(seconds)),
    )
    lines += [((f"{name:<{_NAME_WIDTH}}", "muted"), (said, "")) for name, said in facts if said]
    for title, said in (("TOLD", phase.note), ("ERROR", phase.error)):
        lines += [(), _heading(title), *(cells.own(line) for line in harmless_lines(said))] if said else []
    if row.says and not phase.note and not phase.error:
        lines += [(), _heading("TOLD"), cells.own(row.says)]
    document = row.source.revision.document if row.source.revision is not None else None
    record = mapping(mapping(mapping(document).get("phases")).get(phase.name))
    if record.get("results") not in _EMPTY:
        lines += [(), _heading("RESULTS"), *tree(record["results"])]
    return tuple(lines)


def _missing(view: CheckpointView, beside: Beside) -> list[Cell]:
    missing = missing_artifacts(view, beside.files) if beside.files else ()
    if not missing:
        return []
    return [(("missing         ", "muted"), (harmless(", ".join(missing), 500), "warn"))]


def _results(row: WorkflowRow, beside: Beside) -> JSON:
    """Return what the phases have brought, by phase; of a checkpoint, what the artifacts beside it hold."""
    if row.source.kind == "checkpoint":
        return dict(beside.artifacts)
    document = row.source.revision.document if row.source.revision is not None else None
    fields = mapping(document)
    found: dict[str, JSON] = {}
    for name, record in mapping(fields.get("phases")).items():
        told = {key: value for key in ("results", "error") if (value := mapping(record).get(key)) not in _EMPTY}
        if told:
            found[name] = told["results"] if told.keys() == {"results"} else told
    if fields.get("results") not in _EMPTY:
        found["in all"] = fields["results"]
    return found


def _title(row: WorkflowRow) -> Cell:
    return (("  ", ""), (harmless(row.view.title, 200), "")) if row.view.title else ()


def _heading(title: str) -> Cell:
    return cells.own(title, "muted")

"""Who handed what to whom in a run: results to the next phase, messages to the next agent, artifacts."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.agent_checkpoint import ARTIFACTS, CheckpointView
from statewatch.kinds.base import mapping, text
from statewatch.kinds.hooks import first_line
from statewatch.kinds.plain import brief
from statewatch.kinds.session import AgentRun, SessionView
from statewatch.kinds.steps import COMPLETED
from statewatch.tui.models.workflows import WorkflowRow
from statewatch.tui.widgets.table_model import Cell
from statewatch.watch.besides import Beside

AT_ONCE = 1.0
"""Seconds within which two agents are taken to begin together, and one to begin at the end of another."""

_LONG = 60


class Handoff(NamedTuple):
    """What one gave to others: harmless texts. `lacking` where what should be there is not."""

    giver: str
    takers: tuple[str, ...]
    what: str
    lacking: bool = False


def handoffs(row: WorkflowRow, beside: Beside) -> list[Handoff]:
    """Return the handoffs of a run in their order; of a pipeline, which tells of none, an empty list."""
    view = row.view
    if isinstance(view, SessionView):
        return list(_between_agents(view.runs))
    if isinstance(view, CheckpointView):
        return list(_artifacts(view, beside))
    return list(_results(row)) if row.source.kind == "workflow" else []


def lines(found: Sequence[Handoff], *, over: bool = False) -> list[Cell]:
    """Return handoffs as lines: `scout → plan  files (1)`; of a run that is *over* the last one goes to nobody."""
    nobody = "the end" if over else "nobody yet"
    return [
        (
            (each.giver, "strong"),
            (" → ", "muted"),
            (", ".join(each.takers) or nobody, "" if each.takers else "muted"),
            ("  ", ""),
            (each.what or "nothing told", "warn" if each.lacking else "muted"),
        )
        for each in found
    ]


def _results(row: WorkflowRow) -> Iterator[Handoff]:
    document = row.source.revision.document if row.source.revision is not None else None
    recorded = mapping(mapping(document).get("phases"))
    names = [phase.name for phase in row.view.phases]
    for place, phase in enumerate(row.view.phases):
        results = mapping(recorded.get(phase.name)).get("results")
        if phase.status == COMPLETED and results not in (None, {}, [], ""):
            following = names[place + 1 : place + 2]
            yield Handoff(
                harmless(phase.name, _LONG), tuple(harmless(each, _LONG) for each in following), _told(results)
            )


def _between_agents(runs: Sequence[AgentRun]) -> Iterator[Handoff]:
    begun = sorted((run for run in runs if run.started_at is not None), key=lambda run: run.started_at or 0.0)
    for run in begun:
        if run.status != COMPLETED or run.ended_at is None:
            continue
        after = [each for each in begun if each is not run and (each.started_at or 0.0) >= run.ended_at - AT_ONCE]
        first = after[0].started_at or 0.0 if after else 0.0
        takers = [harmless(each.agent, _LONG) for each in after if (each.started_at or 0.0) <= first + AT_ONCE]
        tools = f"  with {', '.join(run.tools)}" if run.tools else ""
        yield Handoff(
            harmless(run.agent, _LONG),
            tuple(dict.fromkeys(takers)),
            harmless(f"“{first_line(run.message)}”{tools}" if run.message else tools.strip(), 300),
        )


def _artifacts(view: CheckpointView, beside: Beside) -> Iterator[Handoff]:
    names = [phase.name for phase in view.phases]
    for place, phase in enumerate(view.phases):
        file = ARTIFACTS.get(phase.name, "")
        if phase.status != COMPLETED or not file:
            continue
        lacking = bool(beside.files) and file not in beside.files
        made = mapping(beside.artifacts.get(file))
        said = "missing" if lacking else first_line(text(made.get("summary")) or text(made.get("request")))
        following = tuple(harmless(each, _LONG) for each in names[place + 1 : place + 2])
        what = harmless(f"{file}: {said}" if said else file, 300)
        yield Handoff(harmless(phase.name, _LONG), following, what, lacking)


def _told(results: JSON) -> str:
    if not isinstance(results, dict):
        return harmless(brief(results), 300)
    return harmless(", ".join(f"{name} {_short(value)}" for name, value in results.items()), 300)


def _short(value: JSON) -> str:
    if isinstance(value, list | dict):
        return f"({len(value)})"
    return brief(value, 40)

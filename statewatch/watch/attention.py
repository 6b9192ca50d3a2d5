"""What needs the operator: a pure function of the picture and of now."""

from dataclasses import dataclass
from typing import Literal

from statewatch.kinds import batch, declared_view, hooks, workflow
from statewatch.kinds.base import Need
from statewatch.kinds.batch import BatchView
from statewatch.kinds.declared_view import CircuitsView
from statewatch.kinds.hooks import HooksView
from statewatch.kinds.times import clock
from statewatch.kinds.workflow import WorkflowView
from statewatch.watch.picture import Picture, Source

NeedKind = Literal["hook", "circuit", "batch", "workflow", "file"]
_ORDER: dict[NeedKind, int] = {"file": 0, "batch": 1, "workflow": 2, "circuit": 3, "hook": 4}
"""Circuits come last: there may be hundreds of them, and a failed run must be seen all the same."""


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing that needs the operator: of which source, what about it, and since when (an instant)."""

    kind: NeedKind
    source: Source
    subject: str
    what: str
    since: float | None

    @property
    def key(self) -> str:
        """Return what identifies it from one picture to the next."""
        return f"{self.kind}:{self.source.key}:{self.subject}"


def attention(picture: Picture, now: float) -> tuple[Attention, ...]:
    """Return everything that needs the operator, by kind and in each kind the worst first."""
    found: list[Attention] = []
    for source in picture.sources:
        if _is_tidied_up(source):
            continue
        if source.problem is not None:
            found.append(_unreadable(source, now))
        kind, needs = _needs(source, now)
        found += [Attention(kind, source, need.subject, need.what, need.since) for need in needs]
    return tuple(sorted(found, key=lambda each: _ORDER[each.kind]))


def stalled_for(source: Source, now: float) -> float | None:
    """Return for how many seconds a run that says it is running has not moved, if that is too long; None otherwise."""
    idle = now - moved_at(source, now)
    view = source.view
    if isinstance(view, BatchView):
        stalled = view.is_running and view.processed < view.total and idle > _patience(source)
    else:
        stalled = isinstance(view, WorkflowView) and view.is_running and idle > view.patience
    return idle if stalled else None


def moved_at(source: Source, now: float) -> float:
    """Return when a run last moved: by its own times where it has some, since a copied file has a new time."""
    view, changed = source.view, source.changed_at or now
    if isinstance(view, BatchView) and view.updated_at is not None:
        return min(view.updated_at, now)
    if isinstance(view, WorkflowView) and view.moved_at is not None:
        return min(view.moved_at, now)
    return changed


def _patience(source: Source) -> float:
    return max(batch.STALLED_AFTER, 4 * (source.pace.seconds_per_item or 0.0))


def _needs(source: Source, now: float) -> tuple[NeedKind, list[Need]]:
    view = source.view
    if isinstance(view, HooksView):
        return "hook", hooks.needs(view, source.policy, now)
    if isinstance(view, CircuitsView):
        return "circuit", declared_view.needs(view, now)
    if isinstance(view, BatchView):
        return "batch", batch.needs(view, moved_at(source, now), now, _patience(source))
    if isinstance(view, WorkflowView):
        return "workflow", workflow.needs(view, moved_at(source, now), now)
    return "file", []


def _is_tidied_up(source: Source) -> bool:
    """Tell whether a run was deleted after it had ended, or a pause with its flag: nobody need look at it."""
    ended = isinstance(source.view, BatchView | WorkflowView) and source.view.status in {batch.COMPLETED, batch.FAILED}
    over = ended or (isinstance(source.view, CircuitsView) and source.kind != "plain")
    return over and source.problem is not None and source.problem.gone


def _unreadable(source: Source, now: float) -> Attention:
    problem = source.problem
    assert problem is not None
    shown = f"; showing the last good one, {clock(source.revision.modified_at, now)}" if source.revision else ""
    return Attention("file", source, source.label, problem.reason + shown, problem.since)

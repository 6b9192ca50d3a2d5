"""What needs the operator: a pure function of the picture and of now."""

from dataclasses import dataclass
from typing import Literal

from statewatch.kinds import batch, hooks, workflow
from statewatch.kinds.base import Need
from statewatch.kinds.batch import BatchView
from statewatch.kinds.hooks import HooksView
from statewatch.kinds.times import clock
from statewatch.kinds.workflow import WorkflowView
from statewatch.watch.picture import Picture, Source

NeedKind = Literal["hook", "batch", "workflow", "file"]
_ORDER: dict[NeedKind, int] = {"file": 0, "hook": 1, "batch": 2, "workflow": 3}


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
        if source.problem is not None and not _is_tidied_up(source):
            found.append(_unreadable(source, now))
        kind, needs = _needs(source, now)
        found += [Attention(kind, source, need.subject, need.what, need.since) for need in needs]
    return tuple(sorted(found, key=lambda each: _ORDER[each.kind]))


def _needs(source: Source, now: float) -> tuple[NeedKind, list[Need]]:
    view, changed = source.view, source.changed_at or now
    if isinstance(view, BatchView) and view.updated_at is not None:
        changed = min(view.updated_at, now)  # a copy of a file has a new time of its own, the batch has not moved
    if isinstance(view, HooksView):
        return "hook", hooks.needs(view, source.policy, now)
    if isinstance(view, BatchView):
        pace = source.pace.seconds_per_item or 0.0
        return "batch", batch.needs(view, changed, now, max(batch.STALLED_AFTER, 4 * pace))
    if isinstance(view, WorkflowView):
        return "workflow", workflow.needs(view, changed, now)
    return "file", []


def _is_tidied_up(source: Source) -> bool:
    """Tell whether a batch was deleted after it had finished: its tool does so, nobody need look at it."""
    finished = isinstance(source.view, BatchView) and source.view.status == batch.COMPLETED
    return finished and source.problem is not None and source.problem.gone


def _unreadable(source: Source, now: float) -> Attention:
    problem = source.problem
    assert problem is not None
    shown = f"; showing the last good one, {clock(source.revision.modified_at, now)}" if source.revision else ""
    return Attention("file", source, source.label, problem.reason + shown, problem.since)

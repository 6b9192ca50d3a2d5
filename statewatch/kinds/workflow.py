"""Workflows: the phases of a run, as `.claude/workflows/<id>/state.json` holds them; times local and naive."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from statewatch.documents import pointer
from statewatch.documents.diff import Identities
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import Change, Fault, Need, RefusedError, Sentence, Tone, mapping, text, type_name, word
from statewatch.kinds.details import details
from statewatch.kinds.hooks import first_line
from statewatch.kinds.times import instant, span

STALLED_AFTER = 6 * 3600.0
"""Seconds without a change after which a running workflow is said to be stalled; a phase may well take an hour."""
USUAL_PHASES = ("scout", "plan", "build", "review")
_MARKS: dict[str, Tone] = {"completed": "good", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a workflow. Times are instants, `took` the seconds that the file says; `note` is what was told."""

    name: str
    status: str
    started_at: float | None
    completed_at: float | None
    error: str | None = None
    note: str = ""
    took: float | None = None

    def seconds(self, now: float) -> float | None:
        """Return how long the phase took, or has been running."""
        if self.took is not None:
            return max(0.0, self.took)
        if self.started_at is None or (self.completed_at is None and self.status != "in_progress"):
            return None
        end = self.completed_at if self.completed_at is not None else now
        return max(0.0, end - self.started_at)


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """A run in phases as an operator sees it; `status` is derived, since a running one may still say `initialized`.

    `facts` are names with what to show for them. A running one is stalled after `patience` seconds without a change.
    """

    workflow_id: str
    title: str
    status: str
    phases: tuple[Phase, ...]
    started_at: float | None
    error: str | None
    notes: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    patience: float = STALLED_AFTER

    @property
    def moved_at(self) -> float | None:
        """Return when a phase last began or ended, by the times of the file; None where it has none."""
        times = [at for phase in self.phases for at in (phase.started_at, phase.completed_at) if at is not None]
        return max(times, default=self.started_at)

    @property
    def is_running(self) -> bool:
        """Tell whether a phase is under way."""
        return self.status == "running"


class WorkflowKind:
    """Workflows with phases (`state.json` of a workflow directory)."""

    name = "workflow"

    def matches(self, document: JSON) -> bool:
        """Tell whether there are phases and a workflow id."""
        return isinstance(mapping(document).get("phases"), dict) and "workflow_id" in mapping(document)

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:  # noqa: ARG002
        """Return what the tool that owns the file would stumble over."""
        phases = mapping(document).get("phases")
        if not isinstance(phases, dict):
            return [Fault("/phases", f"expected an object, found {type_name(phases)}")]
        return [
            Fault(pointer.render(("phases", name)), f"expected an object, found {type_name(phase)}")
            for name, phase in phases.items()
            if not isinstance(phase, dict)
        ]

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Say which phases began, ended or failed, and what became of the whole."""
        old, new = view(before), view(after)
        was = {phase.name: phase.status for phase in old.phases}
        said = []
        for phase in new.phases:
            if phase.status != was.get(phase.name, "pending"):
                error = f": {first_line(phase.error)}" if phase.error else ""
                tone = _MARKS.get(phase.status, "info")
                said.append(Sentence(new.workflow_id, f"{phase.name} {phase.status.replace('_', ' ')}{error}", tone))
        if old.status != new.status:
            said.append(Sentence(new.workflow_id, f"{old.status} → {new.status}", _MARKS.get(new.status, "info")))
        return said or details(new.workflow_id, before, after)

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return nothing: a workflow keeps no statistics."""
        return ()

    @property
    def identities(self) -> Identities:
        """Return nothing: phases are members of an object."""
        return {}

    def refresh(self, document: JSON, now: float) -> JSON:  # noqa: ARG002
        """Return the document as it is."""
        return document


KIND = WorkflowKind()


def view(document: JSON) -> WorkflowView:
    """Return the typed view of a workflow, whatever its faults."""
    fields = mapping(document)
    phases = [_phase(name, record) for name, record in mapping(fields.get("phases")).items()]
    names = {phase.name for phase in phases}
    if names <= set(USUAL_PHASES):  # show what is still to come where the usual phases are followed
        phases += [Phase(name, "pending", None, None) for name in USUAL_PHASES if name not in names]
    return WorkflowView(
        workflow_id=text(fields.get("workflow_id")) or "unknown",
        title=text(mapping(fields.get("spec")).get("title")) or "",
        status=_status(word(fields.get("status")), phases),
        phases=tuple(phases),
        started_at=instant(fields.get("started_at"), naive="local"),
        error=text(fields.get("error")),
        notes=tuple(f"{fault.pointer}: {fault.message}" for fault in KIND.faults(document)),
    )


def needs(seen: WorkflowView, changed_at: float, now: float) -> list[Need]:
    """Return what is the matter with a workflow: that it failed, or that nothing has moved. Times are instants."""
    if seen.is_running and now - changed_at > seen.patience:
        running = next((each.name for each in seen.phases if each.status == "in_progress"), "between two phases")
        return [Need(seen.workflow_id, f"stalled {span(now - changed_at)} in {running}", changed_at)]
    if seen.status != "failed":
        return []
    phase = next((each for each in seen.phases if each.status == "failed"), None)
    where = f" in {phase.name}" if phase else ""
    if phase and phase.completed_at is not None:
        changed_at = phase.completed_at
    error = first_line(seen.error or (phase.error if phase else None))
    return [
        Need(
            seen.workflow_id,
            f"failed{where} {span(now - changed_at)} ago" + (f": {error}" if error else ""),
            changed_at,
        )
    ]


def retry_phase(document: JSON, name: str) -> Change:
    """Return the change after which the tool runs a failed phase again: its record and its results go.

    Raises RefusedError for a phase that is not there or has not failed.
    """
    fields, record = _recorded(document, name)
    if word(record.get("status")) != "failed":
        raise RefusedError(f"the phase {name} has not failed ({word(record.get('status')) or 'unknown'})")
    left = {each: other for each, other in mapping(fields["phases"]).items() if each != name}
    after = {**fields, "status": "initialized", "phases": left, "error": None}
    if isinstance(fields.get("context"), dict):
        after["context"] = {key: value for key, value in mapping(fields["context"]).items() if key != f"{name}_results"}
    return Change("retry phase", (name,), after, ((("status",),),))


def fail_phase(document: JSON, name: str, why: str, now: float) -> Change:
    """Return the change that marks a phase which never ends as failed, and its workflow. *now* is an instant.

    Raises RefusedError for a phase that is not there or is not in progress.
    """
    fields, record = _recorded(document, name)
    if word(record.get("status")) != "in_progress":
        raise RefusedError(f"the phase {name} is not in progress ({word(record.get('status')) or 'unknown'})")
    error = why or "marked failed by an operator"
    at = datetime.fromtimestamp(now).isoformat()  # this layout writes local times
    ended = {**record, "status": "failed", "completed_at": at, "error": error}
    after: JSON = {
        **fields,
        "status": "failed",
        "phases": {**mapping(fields["phases"]), name: ended},
        "error": error,
    }
    return Change("fail phase", (name,), after, ((("phases", name, "status"),),))


def _recorded(document: JSON, name: str) -> tuple[Mapping[str, JSON], Mapping[str, JSON]]:
    fields = mapping(document)
    phases = mapping(fields.get("phases"))
    record = phases.get(name)
    if not isinstance(record, dict):
        raise RefusedError(f"there is no phase {name!r} in this workflow; there is: {', '.join(phases) or 'none'}")
    return fields, record


def _phase(name: str, record: JSON) -> Phase:
    fields = mapping(record)
    return Phase(
        name=name,
        status=word(fields.get("status")) or "unknown",
        started_at=instant(fields.get("started_at"), naive="local"),
        completed_at=instant(fields.get("completed_at"), naive="local"),
        error=text(fields.get("error")),
    )


def _status(said: str, phases: list[Phase]) -> str:
    states = {phase.status for phase in phases}
    if said in {"completed", "failed"}:
        return said
    if "failed" in states and "in_progress" not in states:
        return "failed"
    if states & {"in_progress", "completed"}:  # between two phases it runs as well
        return "running"
    return said or "unknown"

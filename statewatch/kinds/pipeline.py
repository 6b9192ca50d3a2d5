"""Pipelines: the steps of one run of a feature, while it runs and as it was summed up afterwards.

`pipeline_state_<run_id>.json` is the run itself; `<run_id>-pipeline.json` with `pipeline_steps` is what was kept of it,
under a name that sessions have, too. Times are aware. A skipped step has its reason where others have an error.
"""

from collections.abc import Mapping
from typing import Final

from statewatch.documents.diff import Identities
from statewatch.documents.pointer import render
from statewatch.documents.values import JSON, Path
from statewatch.kinds import steps
from statewatch.kinds.base import Change, Fault, RefusedError, Sentence, items, mapping, text, type_name
from statewatch.kinds.details import details
from statewatch.kinds.steps import COMPLETED, FAILED, PENDING, RUNNING, SKIPPED
from statewatch.kinds.times import instant, restamp, stamp
from statewatch.kinds.workflow import Phase, WorkflowView

STEPS: Final = (
    "alignment",
    "research_cache",
    "research",
    "plan",
    "acceptance_tests",
    "tdd_tests",
    "implement",
    "hook_check",
    "validate",
    "verify",
    "report",
    "congruence",
    "ci_analysis",
)
"""The steps of a whole run, in their order."""
_STATUSES: Final = "pending, running, passed, failed or skipped"
_IDENTITIES: Final[Identities] = {"/features": "feature_ref"}


class PipelineKind:
    """Pipelines that run (`pipeline_state_*.json`)."""

    name = "pipeline"

    def matches(self, document: JSON) -> bool:
        """Tell whether there is a run, and an object of steps."""
        fields = mapping(document)
        return "run_id" in fields and isinstance(fields.get("steps"), dict)

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:  # noqa: ARG002
        """Return what the tool that owns the file would stumble over."""
        return _faults(document, "run_id", "steps")

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Say which steps began, ended or failed, and what became of the whole."""
        new = view(after)
        return steps.told(view(before), new) or details(new.workflow_id, before, after)

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return the time of the last change."""
        return (("updated_at",),)

    @property
    def identities(self) -> Identities:
        """Return nothing: steps are members of an object."""
        return {}

    def refresh(self, document: JSON, now: float) -> JSON:
        """Stamp the run with the time of the change, where it has such a stamp."""
        fields = mapping(document)
        return {**fields, "updated_at": restamp(now, fields["updated_at"])} if "updated_at" in fields else document


class RunKind:
    """What was kept of a pipeline when it ended (`*-pipeline.json` with its steps)."""

    name = "run"

    def matches(self, document: JSON) -> bool:
        """Tell whether there are the steps of a pipeline, or its summary."""
        fields = mapping(document)
        return any(isinstance(fields.get(field), dict) for field in ("pipeline_steps", "pipeline_summary"))

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:  # noqa: ARG002
        """Return what the tool that owns the file would stumble over."""
        return _faults(document, "run_id", "pipeline_steps")

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Say which steps changed: a run that was summed up should not any more."""
        new = summed_up(after)
        return steps.told(summed_up(before), new) or details(new.workflow_id, before, after, _IDENTITIES)

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return nothing: what was summed up moves no more."""
        return ()

    @property
    def identities(self) -> Identities:
        """Tell features apart by what they are called."""
        return _IDENTITIES

    def refresh(self, document: JSON, now: float) -> JSON:  # noqa: ARG002
        """Return the document as it is."""
        return document


KIND = PipelineKind()
RUN = RunKind()


def view(document: JSON) -> WorkflowView:
    """Return the typed view of a pipeline that runs, whatever its faults."""
    fields = mapping(document)
    phases = _phases(fields.get("steps"))
    facts = [("mode", text(fields.get("mode"))), ("steps", steps.progress(phases))]
    if fields.get("remediation_occurred") is True:
        facts.append(("remediation", "yes"))
    if again := mapping(fields.get("redispatch_agents")):
        facts.append(("dispatched again", ", ".join(again)))
    return _view(fields, phases, steps.whole(phases), facts, _notes(KIND.faults(document)))


def summed_up(document: JSON) -> WorkflowView:
    """Return the typed view of a pipeline that has ended, whatever its faults."""
    fields = mapping(document)
    summary = mapping(fields.get("pipeline_summary"))
    phases = _phases(fields.get("pipeline_steps"))
    said = steps.status_of(summary.get("status"))
    status = steps.whole(phases) if phases else said
    notes = _notes(RUN.faults(document))
    waiting = [phase.name for phase in phases if phase.status == PENDING]
    if said == COMPLETED and status != COMPLETED:
        notes = (*notes, f"its summary says completed, and {len(waiting)} of {len(phases)} steps were never begun")
    facts = [
        ("mode", text(summary.get("mode")) or text(fields.get("mode"))),
        ("steps", steps.progress(phases)),
        ("agents", _count(summary.get("agent_count"))),
        ("seconds", _count(summary.get("duration_s"))),
        ("batch", text(fields.get("batch_id"))),
        ("features", ", ".join(_features(fields)) or None),
        ("schema", text(fields.get("schema_version"))),
    ]
    return _view({**summary, **fields}, phases, status, facts, notes)


def end_step(document: JSON, step: str, outcome: str, why: str, now: float) -> Change:
    """Return the change that ends a step as `failed`, or as `skipped` with the reason *why*. *now* is an instant.

    Raises RefusedError for a step that is not there, or has ended as something else already.
    """
    there = mapping(mapping(document).get("steps"))
    record = there.get(step)
    if not isinstance(record, dict):
        raise RefusedError(f"there is no step {step!r} in this pipeline; there is: {', '.join(there) or 'none'}")
    state = steps.status_of(record.get("status"))
    if state in {COMPLETED, FAILED, SKIPPED}:
        raise RefusedError(f"the step {step} has ended already ({state})")
    likeness = next(
        (like for field in ("started_at", "updated_at", "created_at") if (like := _like(document, record, field))), None
    )
    ended = {
        **record,
        "status": outcome,
        "completed_at": stamp(now, likeness),
        "error": why or f"{outcome} by an operator",
    }
    after: JSON = {**mapping(document), "steps": {**there, step: ended}}
    return Change(f"{outcome[:4]} step", (step,), after, ((("steps", step, "status"),),))


def _like(document: JSON, record: Mapping[str, JSON], field: str) -> JSON:
    return record.get(field) or mapping(document).get(field)


def _view(
    fields: Mapping[str, JSON],
    phases: tuple[Phase, ...],
    status: str,
    facts: list[tuple[str, str | None]],
    notes: tuple[str, ...],
) -> WorkflowView:
    began = instant(fields.get("started_at") or fields.get("created_at"))
    failed = next((phase for phase in phases if phase.status == FAILED), None)
    return WorkflowView(
        workflow_id=text(fields.get("run_id")) or "unknown",
        title=text(fields.get("feature")) or "",
        status=status,
        phases=phases,
        started_at=began,
        error=failed.error if failed and status == FAILED else None,
        notes=notes,
        facts=tuple((name, said) for name, said in facts if said),
        patience=steps.STALLED_AFTER,
    )


def _phases(recorded: JSON) -> tuple[Phase, ...]:
    found = mapping(recorded)
    ordered = [name for name in STEPS if name in found] + [name for name in found if name not in STEPS]
    return tuple(_phase(name, found[name]) for name in ordered)


def _phase(name: str, record: JSON) -> Phase:
    fields = mapping(record)
    status = steps.status_of(fields.get("status") if fields else record)
    said = text(fields.get("error"))
    return Phase(
        name=name,
        status=status,
        started_at=instant(fields.get("started_at")),
        completed_at=instant(fields.get("completed_at")),
        error=said if status not in {SKIPPED, COMPLETED, RUNNING} else None,
        note=(said or "") if status == SKIPPED else "",
    )


def _features(fields: Mapping[str, JSON]) -> list[str]:
    named = [mapping(each) for each in items(fields.get("features"))]
    return [text(each.get("feature_ref")) or text(each.get("feature")) or "?" for each in named]


def _count(said: JSON) -> str | None:
    return f"{said:,.0f}" if isinstance(said, int | float) and not isinstance(said, bool) else None


def _notes(faults: list[Fault]) -> tuple[str, ...]:
    return tuple(f"{fault.pointer}: {fault.message}" for fault in faults)


def _faults(document: JSON, identity: str, place: str) -> list[Fault]:
    fields = mapping(document)
    found = []
    if not isinstance(fields.get(identity), str):
        found.append(Fault(f"/{identity}", f"expected a text, found {type_name(fields.get(identity))}"))
    recorded = fields.get(place)
    if not isinstance(recorded, dict):
        return [*found, Fault(f"/{place}", f"expected an object, found {type_name(recorded)}")]
    for name, record in recorded.items():
        if not isinstance(record, dict):
            found.append(Fault(render((place, name)), f"expected an object, found {type_name(record)}"))
        elif not steps.is_known(record.get("status")):
            found.append(Fault(render((place, name, "status")), f"expected {_STATUSES}"))
    return found

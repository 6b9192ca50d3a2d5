"""Checkpoints of workflows of agents, and the files beside them: artifacts, and the progress of the moment.

`.claude/artifacts/<workflow_id>/checkpoint.json` names the agents that are done; it is overwritten by the next one, so
there is one for a workflow. Times are naive and in UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from statewatch.documents.diff import Identities
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import Change, Fault, RefusedError, Sentence, items, mapping, text, type_name
from statewatch.kinds.details import details
from statewatch.kinds.steps import COMPLETED, PENDING
from statewatch.kinds.times import instant
from statewatch.kinds.workflow import Phase, WorkflowView

VERSION: Final = "2.0"
PIPELINE: Final = (
    "orchestrator",
    "researcher",
    "planner",
    "test-master",
    "implementer",
    "reviewer",
    "security-auditor",
    "doc-master",
)
"""The agents of a whole workflow, in their order."""
ARTIFACTS: Final[Mapping[str, str]] = {
    "orchestrator": "manifest.json",
    "researcher": "research.json",
    "planner": "architecture.json",
    "test-master": "test-plan.json",
    "implementer": "implementation.json",
    "reviewer": "review.json",
    "security-auditor": "security.json",
    "doc-master": "docs.json",
}
"""The file in which each agent leaves what it made, beside the checkpoint."""
FILES: Final = (*ARTIFACTS.values(), "final-report.json", "tests.json")

REQUIRED: Final = ("version", "workflow_id", "completed_agents", "current_agent")


@dataclass(frozen=True, slots=True)
class CheckpointView(WorkflowView):
    """A workflow as its checkpoint tells: who is done, who is next, and which artifacts there should be.

    `completed` are different agents of the pipeline; `created_at` is when the checkpoint was made, an instant.
    """

    completed: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    current: str = ""
    artifacts: tuple[str, ...] = ()
    created_at: float | None = None
    version: str = ""

    @property
    def next_agent(self) -> str | None:
        """Return the agent with which the workflow goes on, None when all are done."""
        return self.remaining[0] if self.remaining else None

    @property
    def percentage(self) -> int:
        """Return how far the workflow is, 0 to 100."""
        return 100 * (len(PIPELINE) - len(self.remaining)) // len(PIPELINE)


class CheckpointKind:
    """Checkpoints of workflows of agents (`checkpoint.json`)."""

    name = "checkpoint"

    def matches(self, document: JSON) -> bool:
        """Tell whether there are agents that are done, and a workflow that they are of."""
        fields = mapping(document)
        return "completed_agents" in fields and "workflow_id" in fields

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:  # noqa: ARG002
        """Return what the tool that owns the file would stumble over; a newer version is none that it knows."""
        fields = mapping(document)
        found = []
        for field in REQUIRED:
            expected = list if field == "completed_agents" else str
            if not isinstance(fields.get(field), expected):
                wanted = "a list" if expected is list else "a text"
                found.append(Fault(f"/{field}", f"expected {wanted}, found {type_name(fields.get(field))}"))
        if is_newer(fields.get("version")):
            found.append(Fault("/version", f"expected {VERSION} or older, found {fields['version']!r}"))
        for index, agent in enumerate(items(fields.get("completed_agents"))):
            if not isinstance(agent, str):
                found.append(Fault(f"/completed_agents/{index}", f"expected a text, found {type_name(agent)}"))
        return found

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Say which agents are done now, or no longer."""
        old, new = view(before), view(after)
        said = [
            Sentence(new.workflow_id, f"{name} completed", "good") for name in _beyond(new.completed, old.completed)
        ]
        said += [
            Sentence(new.workflow_id, f"{name} no longer completed", "warn")
            for name in _beyond(old.completed, new.completed)
        ]
        if old.next_agent and not new.next_agent:
            said.append(Sentence(new.workflow_id, "all agents completed", "good"))
        return said or details(new.workflow_id, before, after)

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return the time of the checkpoint."""
        return (("created_at",),)

    @property
    def identities(self) -> Identities:
        """Return nothing: agents and artifacts are names."""
        return {}

    def refresh(self, document: JSON, now: float) -> JSON:  # noqa: ARG002
        """Return the document as it is: the time of a checkpoint is that of what it holds."""
        return document


KIND = CheckpointKind()


def view(document: JSON) -> CheckpointView:
    """Return the typed view of a checkpoint, whatever its faults."""
    fields = mapping(document)
    completed = tuple(
        dict.fromkeys(_name(agent) for agent in items(fields.get("completed_agents")) if agent is not None)
    )
    done = set(completed)
    remaining = tuple(name for name in PIPELINE if name not in done)
    others = tuple(name for name in completed if name not in PIPELINE)
    made = tuple(name for name in items(fields.get("artifacts_created")) if isinstance(name, str))
    notes = [f"{fault.pointer}: {fault.message}" for fault in KIND.faults(document)]
    if len(items(fields.get("completed_agents"))) != len(completed):
        notes.append("an agent is named more than once among the completed; each counts once")
    metadata = mapping(fields.get("metadata"))
    current = text(fields.get("current_agent")) or ""
    at = instant(fields.get("created_at"))
    facts = [
        ("agents", f"{len(PIPELINE) - len(remaining)} of {len(PIPELINE)}"),
        ("next", remaining[0] if remaining else "nothing is left"),
        ("at", current),
        ("artifacts", str(len(made))),
        *((name, said) for name in ("error", "retry_count") if (said := _said(metadata.get(name)))),
    ]
    return CheckpointView(
        workflow_id=_name(fields.get("workflow_id")),
        title="",
        status="resumable" if remaining else COMPLETED,
        phases=tuple(Phase(name, COMPLETED if name in done else PENDING, None, None) for name in (*PIPELINE, *others)),
        started_at=at,
        error=text(metadata.get("error")),
        notes=tuple(notes),
        facts=tuple(facts),
        completed=completed,
        remaining=remaining,
        current=current,
        artifacts=made,
        created_at=at,
        version=text(fields.get("version")) or "",
    )


def made(
    workflow_id: str,
    completed: Sequence[str],
    current: str,
    artifacts: Sequence[str],
    metadata: Mapping[str, JSON] | None,
    now: float,
) -> JSON:
    """Return a checkpoint as it is made at *now*, an instant."""
    return {
        "version": VERSION,
        "workflow_id": workflow_id,
        "created_at": datetime.fromtimestamp(now, UTC).replace(tzinfo=None).isoformat(),
        "checkpoint_type": "agent_completion",
        "completed_agents": list(completed),
        "current_agent": current,
        "artifacts_created": list(artifacts),
        "metadata": dict(metadata or {}),
    }


def roll_back(document: JSON, agent: str) -> Change:
    """Return the change after which the workflow goes on with *agent*: it and all after it are no longer completed.

    Raises RefusedError for an agent that is not completed, and for a checkpoint of a newer version.
    """
    seen = view(document)
    if is_newer(seen.version):
        raise RefusedError(f"the checkpoint is of version {seen.version}, which is newer than {VERSION}: only shown")
    if agent not in seen.completed:
        raise RefusedError(f"{agent!r} is not among the completed: {', '.join(seen.completed) or 'nobody is'}")
    kept = seen.completed[: seen.completed.index(agent)]
    after: JSON = {**mapping(document), "completed_agents": list(kept), "current_agent": agent}
    return Change("roll back", (agent,), after, ((("completed_agents",),),))


def missing_artifacts(seen: CheckpointView, existing: Iterable[str]) -> tuple[str, ...]:
    """Return the artifacts that the checkpoint names and that are not among the *existing* files beside it."""
    return tuple(_beyond(seen.artifacts, existing))


def is_newer(version: JSON) -> bool:
    """Tell whether a checkpoint is of a version that nobody knew when this was written."""
    parts = text(version)
    try:
        return parts is not None and int(parts.partition(".")[0]) > int(VERSION.partition(".")[0])
    except ValueError:
        return False


def _beyond(these: Iterable[str], those: Iterable[str]) -> list[str]:
    known = set(those)
    return [each for each in these if each not in known]


def _name(value: JSON) -> str:
    return value if isinstance(value, str) else "unknown" if value is None else str(value)


def _said(value: JSON) -> str | None:
    return None if value in (None, "", 0) or isinstance(value, dict | list) else str(value)

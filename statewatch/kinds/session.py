"""Sessions of agents: who ran, for how long, with what outcome, as `docs/sessions/*-pipeline.json` holds it.

Times are local and naive. An agent may appear several times, since it may be started again: its last entry counts.
What has ended is never changed again, not here either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from statewatch.documents import pointer
from statewatch.documents.diff import Identities
from statewatch.documents.values import JSON, Path
from statewatch.kinds import steps
from statewatch.kinds.base import Change, Fault, RefusedError, Sentence, items, mapping, number, text, type_name, word
from statewatch.kinds.details import details
from statewatch.kinds.steps import COMPLETED, FAILED, PENDING, RUNNING
from statewatch.kinds.times import instant
from statewatch.kinds.workflow import Phase, WorkflowView

EXPECTED: Final = (
    "researcher",
    "planner",
    "test-master",
    "implementer",
    "reviewer",
    "security-auditor",
    "doc-master",
)
"""The agents that a whole run has, in their order."""
_INSTEAD: Final = {"researcher": ("researcher-local", "researcher-web")}
_STATUSES: Final = ("started", "completed", "failed")
_IDENTITIES: Final[Identities] = {"/agents": ("agent", "started_at")}


@dataclass(frozen=True, slots=True)
class AgentRun:
    """One run of an agent. Times are instants; `seconds` is what the file says it took."""

    index: int
    agent: str
    status: str
    started_at: float | None
    ended_at: float | None
    message: str
    tools: tuple[str, ...]
    issue: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class SessionView(WorkflowView):
    """A session as an operator sees it: every run in `runs`, and in `phases` where each agent stands now.

    `missing` are the agents of a whole run that have not begun.
    """

    runs: tuple[AgentRun, ...] = ()
    missing: tuple[str, ...] = ()
    issue: int | None = None


class SessionKind:
    """Sessions of agents (`*-pipeline.json`)."""

    name = "session"

    def matches(self, document: JSON) -> bool:
        """Tell whether there is a list of agents, and a session that they are of."""
        fields = mapping(document)
        return isinstance(fields.get("agents"), list) and ("session_id" in fields or "started" in fields)

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:
        """Return what the tool that owns the file would stumble over."""
        fields = mapping(document)
        found = [
            Fault(f"/{field}", f"expected a text, found {type_name(fields.get(field))}")
            for field in ("session_id", "started")
            if not isinstance(fields.get(field), str)
        ]
        agents = fields.get("agents")
        if not isinstance(agents, list):
            return [*found, Fault("/agents", f"expected a list, found {type_name(agents)}")]
        seen = {id(entry) for entry in items(mapping(other).get("agents"))}
        for index, entry in enumerate(agents):
            if id(entry) not in seen:
                found += [Fault(f"/agents/{index}{at}", message) for at, message in _entry_faults(entry)]
        return found

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Say which agents began, ended or failed, and what became of the session."""
        new = view(after)
        return steps.told(view(before), new) or details(new.workflow_id, before, after, _IDENTITIES)

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return nothing: a session keeps no statistics."""
        return ()

    @property
    def identities(self) -> Identities:
        """Tell runs apart by agent and beginning: the same agent may be started again."""
        return _IDENTITIES

    def refresh(self, document: JSON, now: float) -> JSON:  # noqa: ARG002
        """Return the document as it is: a session has no time of its last change."""
        return document


KIND = SessionKind()


def view(document: JSON) -> SessionView:
    """Return the typed view of a session, whatever its faults."""
    fields = mapping(document)
    runs = tuple(_run(index, entry) for index, entry in enumerate(items(fields.get("agents"))))
    latest: dict[str, AgentRun] = {}
    for run in runs:
        latest[run.agent] = run
    missing = tuple(name for name in EXPECTED if not {name, *_INSTEAD.get(name, ())} & latest.keys())
    phases = [_phase(run, [each for each in runs if each.agent == name]) for name, run in latest.items()]
    status = steps.whole(phases)
    waiting = tuple(Phase(name, PENDING, None, None) for name in missing)
    issue = number(fields.get("github_issue"))
    failed = next((phase for phase in phases if phase.status == FAILED), None)
    return SessionView(
        workflow_id=text(fields.get("session_id")) or "unknown",
        title=text(mapping(fields.get("pipeline_summary")).get("feature")) or text(fields.get("feature")) or "",
        status=steps.PARTIAL if status == COMPLETED and missing else status,
        phases=(*phases, *waiting),
        started_at=instant(fields.get("started"), "local"),
        error=failed.error if failed and status == FAILED else None,
        notes=_notes(document, latest),
        facts=_facts(fields, runs, missing, issue),
        patience=steps.STALLED_AFTER,
        runs=runs,
        missing=missing,
        issue=issue,
    )


def parallel(seen: SessionView, now: float) -> list[tuple[str, str]]:
    """Return the pairs of runs that took place at the same time, in the order in which they began."""
    begun = [(run.started_at, run) for run in seen.runs if run.started_at is not None]
    ordered = [run for _, run in sorted(begun, key=lambda each: each[0])]
    pairs = []
    for index, run in enumerate(ordered):
        end = run.ended_at if run.ended_at is not None else now if run.status == RUNNING else run.started_at or 0.0
        pairs += [(run.agent, other.agent) for other in ordered[index + 1 :] if (other.started_at or 0.0) < end]
    return pairs


# --- changes: what an agent's tool, or an operator, writes into a session


def blank(session_id: str, now: float) -> JSON:
    """Return a session in which nobody has begun, as it is at *now*, an instant."""
    return {"session_id": session_id, "started": local(now), "github_issue": None, "agents": []}


def started(document: JSON, agent: str, message: str, now: float) -> JSON:
    """Return the session with one run more of *agent*, begun at *now*, an instant."""
    return _with(document, None, {"agent": agent, "status": "started", "started_at": local(now), "message": message})


def ended(
    document: JSON,
    agent: str,
    status: str,
    message: str,
    now: float,
    *,
    tools: Sequence[str] = (),
    issue: int | None = None,
    began: float | None = None,
) -> JSON:
    """Return the session in which *agent* has ended at *now*, an instant, as `completed` or `failed`.

    Of one that has ended already nothing is changed, so that it may be told twice. One that nobody started is entered
    as begun at *began*, else at *now*. The seconds it took are whole ones unless *began* is given.
    """
    runs = view(document).runs
    last = next((run for run in reversed(runs) if run.agent == agent), None)
    if last is not None and last.status != RUNNING:
        return document
    entry: dict[str, JSON] = {"agent": agent, "status": status, "started_at": local(now if began is None else began)}
    if last is not None:
        entry = {**mapping(items(mapping(document)["agents"])[last.index]), "status": status}
    entry["message"] = message
    entry["completed_at" if status == COMPLETED else "failed_at"] = local(now)
    if tools:
        entry["tools_used"] = list(tools)
    if issue is not None:
        entry["github_issue"] = issue
    since = began if began is not None else last.started_at if last else None
    if since is not None:
        seconds = max(0.0, now - since)
        entry["duration_seconds"] = seconds if began is not None else int(seconds)
    return _with(document, last.index if last else None, entry)


def fail_stuck(document: JSON, agent: str, why: str, now: float) -> Change:
    """Return the change that marks a run of *agent* as failed that began and never ended. *now* is an instant.

    Raises RefusedError for an agent that is not running: what has ended is never changed again.
    """
    run = next((each for each in reversed(view(document).runs) if each.agent == agent), None)
    if run is None:
        known = ", ".join(dict.fromkeys(each.agent for each in view(document).runs)) or "none has begun"
        raise RefusedError(f"there is no agent {agent!r} in this session; there is: {known}")
    if run.status != RUNNING:
        raise RefusedError(f"{agent} has ended already ({run.status}), and what has ended is never changed again")
    after = ended(document, agent, FAILED, why or "marked failed by an operator", now)
    place: Path = ("agents", run.index, "status")
    return Change("fail agent", (agent,), after, ((place,),))


def local(moment: float) -> str:
    """Return an instant as sessions hold it: local time without an offset."""
    return datetime.fromtimestamp(moment).isoformat()


def _with(document: JSON, index: int | None, entry: dict[str, JSON]) -> JSON:
    fields = mapping(document)
    agents = list(items(fields.get("agents")))
    if index is None:
        agents.append(entry)
    else:
        agents[index] = entry
    return {**fields, "agents": agents}


def _run(index: int, entry: JSON) -> AgentRun:
    fields = mapping(entry)
    took = fields.get("duration_seconds")
    return AgentRun(
        index=index,
        agent=text(fields.get("agent")) or (entry if isinstance(entry, str) else f"agent {index}"),
        status=steps.status_of(fields.get("status")),
        started_at=instant(fields.get("started_at"), "local"),
        ended_at=instant(fields.get("completed_at") or fields.get("failed_at"), "local"),
        message=text(fields.get("message")) or "",
        tools=tuple(tool for tool in items(fields.get("tools_used")) if isinstance(tool, str)),
        issue=number(fields.get("github_issue")),
        seconds=float(took) if isinstance(took, int | float) and not isinstance(took, bool) else None,
    )


def _phase(run: AgentRun, tries: Sequence[AgentRun]) -> Phase:
    failed = run.status == FAILED
    again = f"try {len(tries)}: " if len(tries) > 1 else ""
    return Phase(
        name=run.agent,
        status=run.status,
        started_at=run.started_at,
        completed_at=run.ended_at,
        error=again + run.message if failed else None,
        note="" if failed else again + run.message,
        took=None if run.status == RUNNING else run.seconds,
    )


def _facts(
    fields: Mapping[str, JSON], runs: Sequence[AgentRun], missing: Sequence[str], issue: int | None
) -> tuple[tuple[str, str], ...]:
    agents = len({run.agent for run in runs})
    told = [("agents", f"{agents} of {max(agents + len(missing), len(EXPECTED))}")]
    if len(runs) != agents:
        told.append(("runs", str(len(runs))))
    if missing and runs:
        told.append(("not begun", ", ".join(missing)))
    if took := sum(run.seconds or 0.0 for run in runs):
        told.append(("seconds in all", f"{took:,.0f}"))
    if issue is not None:
        told.append(("issue", f"#{issue}"))
    if named := text(fields.get("claude_session_id")):
        told.append(("session", named))
    for field in ("parallel_exploration", "parallel_validation"):
        if said := text(mapping(fields.get(field)).get("status")):
            told.append((field.replace("_", " "), said))
    return tuple(told)


def _notes(document: JSON, latest: Mapping[str, AgentRun]) -> tuple[str, ...]:
    notes = [f"{fault.pointer}: {fault.message}" for fault in KIND.faults(document)]
    for run in latest.values():
        if run.started_at is not None and run.ended_at is not None and run.ended_at < run.started_at:
            notes.append(f"{run.agent} ended before it began; it is taken to have taken no time")
    return tuple(notes)


def _entry_faults(entry: JSON) -> list[tuple[str, str]]:
    if not isinstance(entry, dict):
        return [("", f"expected an object, found {type_name(entry)}")]
    found = []
    if not isinstance(entry.get("agent"), str):
        found.append(("/agent", f"expected a text, found {type_name(entry.get('agent'))}"))
    if word(entry.get("status")) not in _STATUSES:
        found.append((pointer.render(("status",)), f"expected one of {', '.join(_STATUSES)}"))
    return found

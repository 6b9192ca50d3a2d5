"""The actions on runs in phases (workflows, sessions, checkpoints, pipelines) of the dashboard and the library.

Each is about the run that was seen: where the file holds another one by then, nothing is changed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias

from statewatch.core.actions import Action
from statewatch.documents.values import JSON
from statewatch.kinds import agent_checkpoint, pipeline, session, workflow
from statewatch.kinds.base import Change, Kind, RefusedError, mapping, text
from statewatch.kinds.registry import kind_of

Ending: TypeAlias = Literal["failed", "skipped"]
"""How a step of a pipeline can be ended by hand."""

_Transform: TypeAlias = Callable[[JSON, float], Change]
_IDENTITY: Final = {
    workflow.KIND.name: "workflow_id",
    session.KIND.name: "session_id",
    agent_checkpoint.KIND.name: "workflow_id",
    pipeline.KIND.name: "run_id",
}
_NEVER: Final = {
    pipeline.RUN.name: "it is what was kept of a run that has ended, and what has ended is never changed again",
}


def retry_phase_action(source: Path, phase: str, run: str, *, why: str = "", via: str = "library") -> Action:
    """Return the action after which a failed phase of the workflow *run* is run again by its tool."""
    return _action(
        source,
        workflow.KIND,
        run,
        "retry phase",
        lambda document, _now: workflow.retry_phase(document, phase),
        why,
        via,
    )


def fail_phase_action(source: Path, phase: str, run: str, *, why: str = "", via: str = "library") -> Action:
    """Return the action that marks a phase of the workflow *run* as failed which never ends; *why* is its error."""

    def transform(document: JSON, now: float) -> Change:
        return workflow.fail_phase(document, phase, why, now)

    return _action(source, workflow.KIND, run, "fail phase", transform, why, via)


def fail_agent_action(source: Path, agent: str, run: str, *, why: str = "", via: str = "library") -> Action:
    """Return the action that marks an agent of the session *run* as failed which never ends; *why* is its message."""

    def transform(document: JSON, now: float) -> Change:
        return session.fail_stuck(document, agent, why, now)

    return _action(source, session.KIND, run, "fail agent", transform, why, via)


def roll_back_action(source: Path, agent: str, run: str, *, why: str = "", via: str = "library") -> Action:
    """Return the action after which the workflow *run* goes on with *agent*, as its checkpoint says."""
    return _action(
        source,
        agent_checkpoint.KIND,
        run,
        "roll back",
        lambda document, _now: agent_checkpoint.roll_back(document, agent),
        why,
        via,
    )


def end_step_action(
    source: Path, step: str, outcome: Ending, run: str, *, why: str = "", via: str = "library"
) -> Action:
    """Return the action that ends a step of the pipeline *run*; *why* is its error, or the reason of the skip."""

    def transform(document: JSON, now: float) -> Change:
        return pipeline.end_step(document, step, outcome, why, now)

    return _action(source, pipeline.KIND, run, f"{outcome[:4]} step", transform, why, via)


def _action(source: Path, kind: Kind, run: str, name: str, change: _Transform, why: str, via: str) -> Action:
    """Return an action on the file of the *run* that was seen, which is of that *kind*."""

    def transform(document: JSON, now: float) -> Change:
        found = kind_of(document)
        if found is not kind:
            why_not = _NEVER.get(found.name, f"it holds no {kind.name} any more. Look again")
            raise RefusedError(why_not)
        there = text(mapping(document).get(_IDENTITY[kind.name])) or "unknown"
        if there != run:
            raise RefusedError(f"it holds another {kind.name} now, {there!r:.80} in place of {run!r:.80}. Look again")
        return change(document, now)

    return Action(source, transform, name, why, via)

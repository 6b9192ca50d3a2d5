"""A tool that takes one workflow after another through its phases, each with a state file and a log of events.

Every phase is started and ended by an event that looks at what is there: a workflow whose directory an operator
deletes is not brought back, and a phase that he ended is not ended twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final

from statewatch.demo.data import PHASE_ERRORS, REQUIREMENTS, SOURCE_FILES, WORKFLOW_TITLES
from statewatch.demo.script import Clock, Document, Event, dice, local_time

DIRECTORY: Final = "project/.claude/workflows"
PHASES: Final = ("scout", "plan", "build", "review")

_PAST_STARTS: Final = (-3300.0, -2000.0, -380.0)
_KEPT: Final = 8
"""How many workflows are kept: the tool removes older ones, so that the demo can run for days."""
_LOG_LAG: Final = 0.05
"""The log is written after the state, so it can lag behind."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One workflow: which phase fails, if any, and the words it is told in."""

    workflow_id: str
    title: str
    issue: int
    failing: str | None

    @property
    def state_file(self) -> str:
        return f"{DIRECTORY}/{self.workflow_id}/state.json"

    @property
    def log_file(self) -> str:
        return f"{DIRECTORY}/{self.workflow_id}/events.jsonl"


def plan(seed: int, number: int) -> Plan:
    """Give the workflow of that *number*: the second and then every fourth one fails."""
    rng = dice(seed, "workflow", number)
    return Plan(
        workflow_id=f"adw-{rng.getrandbits(32):08x}",
        title=WORKFLOW_TITLES[(seed + number) % len(WORKFLOW_TITLES)],
        issue=460 + number,
        failing=("build" if number == 1 else rng.choice(PHASES)) if number % 4 == 1 else None,
    )


def events(seed: int, clock: Clock) -> Iterator[Event]:
    """Give everything that happens to the workflows, from an hour before the start and without an end."""
    at = _PAST_STARTS[0]
    number = 0
    while True:
        if number < len(_PAST_STARTS):
            at = _PAST_STARTS[number]
        if number >= _KEPT:
            old = plan(seed, number - _KEPT)
            yield from (Event(at - 1, path, _removed) for path in (old.state_file, old.log_file))
        for event in _course(plan(seed, number), at, clock, dice(seed, "course", number)):
            yield event
            at = event.at
        at += dice(seed, "rest", number).uniform(6, 12)
        number += 1


def _course(flow: Plan, at: float, clock: Clock, rng: Random) -> Iterator[Event]:
    """Give the events of one workflow."""
    yield Event(at, flow.state_file, partial(_created, flow=flow, now=clock.at(at)))
    for phase in PHASES:
        at += 1.2
        yield from _step(flow, at, clock, "phase_started", phase)
        at += _length(rng, at)
        if phase == flow.failing:
            yield from _step(flow, at, clock, "phase_failed", phase, error=PHASE_ERRORS[phase])
            return
        yield from _step(flow, at, clock, "phase_completed", phase, results=_results(phase, rng))
    at += 0.8
    yield Event(at, flow.state_file, partial(_finished, now=clock.at(at)))


def _length(rng: Random, at: float) -> float:
    """Choose how long a phase takes: minutes before the demo, seconds in it, and the one at its start ends soon."""
    long, short = rng.uniform(100, 180), rng.uniform(9, 20)
    if at >= 0:
        return short
    return min(long, rng.uniform(4, 9) - at)


def _step(flow: Plan, at: float, clock: Clock, kind: str, phase: str, **told: Any) -> Iterator[Event]:
    """Give the two events of a phase's start or end: the state's, and then the log's."""
    turn = partial(_started, phase=phase) if kind == "phase_started" else partial(_ended, phase=phase, **told)
    line = {
        "workflow_id": flow.workflow_id,
        "event_type": kind,
        "data": {"phase": phase, **told},
        "timestamp": local_time(clock.at(at) + _LOG_LAG / 10),
    }
    yield Event(at, flow.state_file, partial(_if_running, turn, now=clock.at(at)))
    yield Event(at + _LOG_LAG, flow.log_file, partial(_logged, line=line))


def _created(_old: Document | None, *, flow: Plan, now: float) -> Document:
    return {
        "workflow_id": flow.workflow_id,
        "spec": {"title": flow.title, "issue": flow.issue, "priority": ("high", "normal")[flow.issue % 2]},
        "status": "initialized",
        "phases": {},
        "context": {},
        "results": {},
        "started_at": local_time(now),
        "completed_at": None,
        "current_phase": None,
        "error": None,
    }


def _if_running(
    turn: Callable[[Document, float], Document], document: Document | None, *, now: float
) -> Document | None:
    """Do nothing to a workflow that was deleted or that has ended."""
    if document is None or document["status"] != "initialized":
        return document
    return turn(document, now)


def _started(document: Document, now: float, *, phase: str) -> Document:
    entry = {
        "status": "in_progress",
        "started_at": local_time(now),
        "completed_at": None,
        "results": None,
        "error": None,
    }
    return {**document, "phases": {**document["phases"], phase: entry}, "current_phase": phase}


def _ended(
    document: Document, now: float, *, phase: str, results: Document | None = None, error: str | None = None
) -> Document:
    """End a phase; its results are kept twice, as in the field, and a failure ends the workflow."""
    entry = document["phases"][phase]
    if entry["status"] != "in_progress":
        return document
    status = "completed" if error is None else "failed"
    told = {"status": status, "completed_at": local_time(now), "results": results, "error": error}
    after = {**document, "phases": {**document["phases"], phase: {**entry, **told}}}
    if error is not None:
        return after | {"status": "failed", "error": error}
    return after | {"context": {**document["context"], f"{phase}_results": results}}


def _finished(document: Document | None, *, now: float) -> Document | None:
    if document is None or document["status"] != "initialized":
        return document
    return {**document, "status": "completed", "completed_at": local_time(now)}


def _logged(lines: list[Document] | None, *, line: Document) -> list[Document]:
    return [*(lines or []), line]


def _removed(_content: Any) -> None:
    return None


def _results(phase: str, rng: Random) -> Document:
    """Make up what a phase hands over to the next."""
    files = rng.sample(SOURCE_FILES, 3)
    if phase == "scout":
        return {"files": files, "requirements": rng.sample(REQUIREMENTS, 2)}
    if phase == "plan":
        count = rng.randint(3, 5)
        tasks = [{"id": f"T{n}", "dependencies": [f"T{n - 1}"] if n > 1 else []} for n in range(1, count + 1)]
        return {"tasks": tasks, "estimate_minutes": rng.randrange(20, 90, 5)}
    if phase == "build":
        made = [{"path": path, "checksum": f"{rng.getrandbits(32):08x}"} for path in files]
        return {"artifacts": made, "tests": {"passed": rng.randint(180, 240), "failed": 0}}
    return {"verdict": "approved", "remarks": rng.randint(0, 4)}

"""What callers do to circuits: ask whether a hook may run, and tell how it went; all that this changes, at once.

Here the record of the hook state, the entry beside it (`circuit_extras`) and the history (`circuit_history`) come
together. Pure functions, which load fast: they run in front of every hook, on a file as in a database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from statewatch.kinds import breaker
from statewatch.kinds.breaker import CLOSED, HALF_OPEN, OPEN, Step, state_of
from statewatch.kinds.circuit_extras import (
    Decision,
    after_step,
    decide,
    entry_of,
    outcome_of,
    with_entry,
    without_tests,
)
from statewatch.kinds.times import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statewatch.documents.values import JSON
    from statewatch.kinds.policy import Policy

T = TypeVar("T")

ERROR_LENGTH = 100_000
"""Characters of an error that the history keeps."""

Event = dict[str, "JSON"]
"""A line of the history: `at`, `hook`, `event`, and where they say something `from`, `to`, `error`, `until`, `by`."""


class Run(NamedTuple):
    """How one run of a hook went: well where `error` is None.

    `policy` is for this call, where it is not that of all; `probe` is the lease under which it was tested, if it was.
    """

    hook: str
    error: str | None = None
    policy: Policy | None = None
    probe: str | None = None


class Called(NamedTuple, Generic[T]):
    """What a call makes of a hook state, of what is kept beside it, and of the history; and what it returns.

    `document` and `extras` are the very same objects where nothing in them changed. `hooks` are the names of the
    records that did; `opened` is how many circuits are open, where that was counted.
    """

    document: JSON
    extras: JSON
    events: tuple[Event, ...]
    result: T
    hooks: tuple[str, ...] = ()
    opened: int | None = None


def record(
    document: JSON, extras: JSON, runs: Sequence[Run], now: float, policy: Policy, opened: int | None = None
) -> Called[tuple[Step, ...]]:
    """Record how hooks ran, in their order. *opened* is how many circuits are open, where that is known.

    Raises RefusedError for a document that is no hook state, or a hook whose record is no object.
    """
    steps: list[Step] = []
    events: list[Event] = []
    after, entries = document, extras
    for same_time in _apart(runs):
        known = [entry_of(entries, run.hook) for run in same_time]
        outcomes = [
            outcome_of(run.hook, run.error, run.policy or policy, entry, now)
            for run, entry in zip(same_time, known, strict=True)
        ]
        done = breaker.recorded(after, outcomes, now, policy, opened)
        after, opened = done.document, done.opened
        for run, step, entry in zip(same_time, done.steps, known, strict=True):
            if (changed := after_step(entry, step, now, run.probe)) is not entry:
                entries = with_entry(entries, run.hook, changed)
            events += _events(step, now)
        steps += done.steps
    return Called(after, entries, tuple(events), tuple(steps), tuple({step.outcome.hook: 0 for step in steps}), opened)


def ask(document: JSON, extras: JSON, hook: str, now: float, policy: Policy, probe: str) -> Called[Decision]:
    """Decide whether *hook* may run; *probe* names the lease that is taken where it is to be tested.

    Raises RefusedError for a document that is no hook state, or a hook whose record is no object.
    """
    hooks = breaker.hooks_in(document)
    before = breaker.record_in(hooks, hook)
    record = before if before is not None else breaker.blank()
    entry = entry_of(extras, hook)
    asked = decide(hook, record, entry, policy.of(hook), now, probe)
    events: list[Event] = []
    if asked.record is not record:
        document = breaker.replaced(document, hook, asked.record, now)
        if state_of(asked.record) != state_of(record):
            events.append(event(now, hook, HALF_OPEN, state_of(record), HALF_OPEN))
    if asked.entry is not entry:
        extras = with_entry(extras, hook, asked.entry)
    if asked.decision.probe is not None:
        events.append(event(now, hook, "probe"))
    changed = (hook,) if asked.record is not record else ()
    return Called(document, extras, tuple(events), asked.decision, changed)


def half_open(document: JSON, extras: JSON, hook: str, now: float) -> Called[bool]:
    """Let an open circuit be tested at once; tell whether it was open."""
    record = breaker.record_in(breaker.hooks_in(document), hook)
    if record is None or state_of(record) != OPEN:
        return Called(document, extras, (), False)
    entry = entry_of(extras, hook)
    if (rest := without_tests(entry)) is not entry:
        extras = with_entry(extras, hook, rest)
    told = event(now, hook, HALF_OPEN, OPEN, HALF_OPEN)
    return Called(breaker.replaced(document, hook, breaker.tested(record), now), extras, (told,), True, (hook,))


def event(
    now: float, hook: str, what: str, before: str | None = None, after: str | None = None, error: str | None = None
) -> Event:
    """Return a line of the history."""
    told: Event = {"at": stamp(now), "hook": hook, "event": what}
    if before is not None or after is not None:
        told |= {"from": before, "to": after}
    if error is not None:
        told["error"] = breaker.bounded(error, ERROR_LENGTH)
    return told


def _events(step: Step, now: float) -> list[Event]:
    """Return what the history tells of an outcome: nothing of a success that changes no state."""
    hook, error = step.outcome.hook, step.outcome.error
    told = [] if error is None else [event(now, hook, "failed", error=error)]
    before, after = step.states
    if before != after:
        told.append(event(now, hook, {OPEN: "opened", CLOSED: "closed"}.get(after, after), before, after))
    return told


def _apart(runs: Sequence[Run]) -> list[list[Run]]:
    """Split runs where a hook comes again: what its first run did to its entry counts for the next."""
    batches: list[list[Run]] = []
    seen: set[str] = set()
    for run in runs:
        if not batches or run.hook in seen:
            batches.append([])
            seen.clear()
        batches[-1].append(run)
        seen.add(run.hook)
    return batches

"""The circuit breaker of hooks as pure functions: from a record, what happened and the time to the next record.

The states, the ten fields of a record and the statistics are those of the hook guardrails' state file, and so is what
each call does to them. Records are changed field by field: fields that are not known here stay, and so does the style
of timestamps. Times come from the caller, as instants. It loads fast, because it runs in front of every hook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from statewatch.kinds.times import instant, restamp, stamp
from statewatch.kinds.words import RefusedError, mapping, number, type_name, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from statewatch.documents.values import JSON
    from statewatch.kinds.policy import Policy

Record = dict[str, "JSON"]

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
STATES: Final = (CLOSED, OPEN, HALF_OPEN)
COUNTERS: Final = ("failure_count", "consecutive_failures", "consecutive_successes")
TIMES: Final = ("first_failure", "last_failure", "last_success", "disabled_at", "retry_after")

_BLANK: Final[Record] = {
    "state": CLOSED,
    **dict.fromkeys(COUNTERS, 0),
    **dict.fromkeys(TIMES[:3]),
    "last_error": None,
    **dict.fromkeys(TIMES[3:]),
}


class Outcome(NamedTuple):
    """How one run of a hook went: well where `error` is None. `policy` is its own, where it is not that of all."""

    hook: str
    error: str | None = None
    policy: Policy | None = None
    trips: bool = True
    """Whether a failure may open the circuit."""
    openings: int = 0
    """How often in a row the circuit has opened before."""


class Step(NamedTuple):
    """What an outcome did to the record of its hook; `before` is None where there was none."""

    outcome: Outcome
    before: Record | None
    after: Record

    @property
    def states(self) -> tuple[str, str]:
        """Return the states before and after, in the words of the vocabulary where they are of it."""
        return state_of(self.before or _BLANK), state_of(self.after)

    @property
    def changed(self) -> bool:
        """Tell whether the state has changed."""
        before, after = self.states
        return before != after


class Recorded(NamedTuple):
    """A document in which outcomes were recorded, what each did, and how many circuits are open."""

    document: dict[str, JSON]
    steps: tuple[Step, ...]
    opened: int


def blank() -> Record:
    """Return the record of a hook that has never run: the ten fields, closed."""
    return dict(_BLANK)


def blank_state(now: float) -> dict[str, JSON]:
    """Return a hook state without hooks."""
    return {
        "hooks": {},
        "global_stats": {
            "total_executions": 0,
            "total_failures": 0,
            "hooks_disabled": 0,
            "last_updated": stamp(now),
        },
    }


def state_of(record: Mapping[str, JSON]) -> str:
    """Return the state of a record in the word of the vocabulary; a word that is none of it as it is.

    A record that does not say counts as closed.
    """
    found = record.get("state")
    if found in STATES:
        return str(found)
    plain = word(found)
    return plain if plain in STATES else (found if isinstance(found, str) else CLOSED)


def succeeded(record: Record, now: float, policy: Policy, like: JSON = None) -> Record:
    """Return the record after a run that went well: half open, it closes after `success_threshold` of them in a row.

    *like* is a timestamp in the style of the file, for a record that has none of its own.
    """
    streak = _count(record, "consecutive_successes") + 1
    after = {
        **record,
        "state": _written_state(record),
        "consecutive_failures": 0,
        "consecutive_successes": streak,
        "last_success": stamp(now, _style(record, like)),
    }
    if state_of(record) == HALF_OPEN and streak >= policy.success_threshold:
        gone = dict.fromkeys(("first_failure", "last_error", "disabled_at", "retry_after"))
        after |= {"state": CLOSED, "failure_count": 0, **{field: None for field in gone if field in record}}
    return after


def failed(
    record: Record,
    error: str,
    now: float,
    policy: Policy,
    *,
    trips: bool = True,
    openings: int = 0,
    like: JSON = None,
) -> Record:
    """Return the record after a run that failed: it opens after `failure_threshold` in a row, half open at once.

    *openings* is how often in a row it has opened before, which a back-off counts; one that does not *trip* is counted
    only. *like* is as for `succeeded`.
    """
    moment = stamp(now, _style(record, like))
    streak = _count(record, "consecutive_failures") + 1
    state = state_of(record)
    after = {
        **record,
        "state": _written_state(record),
        "failure_count": _count(record, "failure_count") + 1,
        "consecutive_failures": streak,
        "consecutive_successes": 0,
        "first_failure": record.get("first_failure") or moment,
        "last_failure": moment,
        "last_error": bounded(error, policy.error_length),
    }
    if trips and state != OPEN and (state == HALF_OPEN or streak >= policy.failure_threshold):
        retry = stamp(now + policy.cooldown_after(openings + 1), moment)
        after |= {"state": OPEN, "disabled_at": moment, "retry_after": retry}
    return after


def asked(record: Record, now: float, policy: Policy, openings: int = 0) -> Record:
    """Return the record after the question whether the hook may run: open, it is half open once the cool-down is over.

    The same object where nothing changes. A clock that jumped back leaves a time of opening in the future: it is
    brought back to now, so that the rest of a cool-down is never longer than the cool-down.
    """
    if state_of(record) != OPEN:
        return record
    opened = instant(record.get("disabled_at"))
    if opened is not None and opened > now:
        moment = stamp(now, record.get("disabled_at"))
        return {**record, "disabled_at": moment, "retry_after": stamp(now + policy.cooldown_after(openings), moment)}
    return tested(record) if remaining(record, now, policy, openings) <= 0 else record


def remaining(record: Record, now: float, policy: Policy, openings: int = 0) -> float:
    """Return the seconds until an open circuit may be tested, 0 or less when it may be.

    The policy of now decides; the record's own `retry_after` only where it does not say when the circuit opened. One
    that says neither may be tested at once.
    """
    cooldown = policy.cooldown_after(openings)
    opened = instant(record.get("disabled_at"))
    due = instant(record.get("retry_after")) if opened is None else opened + cooldown
    return min(due - now, cooldown) if due is not None else 0.0


def tested(record: Record) -> Record:
    """Return the record half open, its streaks begun anew; when it opened is kept, as its tool does."""
    return {**record, "state": HALF_OPEN, "consecutive_failures": 0, "consecutive_successes": 0}


def record(document: JSON, outcomes: Iterable[Outcome], now: float, policy: Policy) -> dict[str, JSON]:
    """Return a hook state in which *outcomes* are recorded, in their order; see `recorded`."""
    return recorded(document, outcomes, now, policy).document


def recorded(
    document: JSON, outcomes: Iterable[Outcome], now: float, policy: Policy, opened: int | None = None
) -> Recorded:
    """Record *outcomes*, in their order, in a hook state. What is not there yet is created.

    *opened* is how many circuits are open, where that is known. Raises RefusedError for a document that is no hook
    state, or a hook whose record is no object: nothing can be counted there.
    """
    hooks, stats = dict(hooks_in(document)), dict(_statistics(document))
    opened = count_open(hooks) if opened is None else opened
    like = stats.get("last_updated")
    steps = []
    for outcome in outcomes:
        before = record_in(hooks, outcome.hook)
        own = policy.of(outcome.hook) if outcome.policy is None else outcome.policy
        after = _after(before or blank(), outcome, now, own, like)
        hooks[outcome.hook] = after
        steps.append(Step(outcome, before, after))
        opened += _is_open(after) - _is_open(before)
    _count_runs(stats, steps, opened, now)
    return Recorded({**mapping(document), "hooks": hooks, "global_stats": stats}, tuple(steps), opened)


def replaced(document: JSON, hook: str, after: Record, now: float) -> dict[str, JSON]:
    """Return a hook state in which the record of *hook* is *after*: no run is counted."""
    hooks, stats = dict(hooks_in(document)), dict(_statistics(document))
    hooks[hook] = after
    _count_runs(stats, (), count_open(hooks), now)
    return {**mapping(document), "hooks": hooks, "global_stats": stats}


def hooks_in(document: JSON) -> dict[str, JSON]:
    """Return the records of a hook state, none where it is still to be made. Raises RefusedError when it is none."""
    return _part(document, "hooks")


def record_in(hooks: dict[str, JSON], hook: str) -> Record | None:
    """Return the record of a hook, None where there is none. Raises RefusedError for what is no record."""
    found = hooks.get(hook)
    if isinstance(found, dict):
        return found
    if hook in hooks:
        raise RefusedError(f"/hooks: {hook!r} is {type_name(found)}, not an object; mend the file first")
    return None


def count_open(hooks: Mapping[str, JSON]) -> int:
    """Return how many circuits are open, as the tool that owns the file counts them."""
    return sum(map(_is_open, hooks.values()))


def bounded(error: str, length: int) -> str:
    """Return an error text of at most *length* characters; where it is cut in the middle, that is said there."""
    if len(error) <= length:
        return error
    mark = f" … [cut: {len(error):,} characters in all] … "
    room = max(length - len(mark), 0)
    tail = room // 2
    return (error[: room - tail] + mark + error[len(error) - tail :])[:length]


def _after(before: Record, outcome: Outcome, now: float, policy: Policy, like: JSON) -> Record:
    if outcome.error is None:
        return succeeded(before, now, policy, like)
    return failed(before, outcome.error, now, policy, trips=outcome.trips, openings=outcome.openings, like=like)


def _count_runs(stats: dict[str, JSON], steps: Sequence[Step], opened: int, now: float) -> None:
    failures = sum(step.outcome.error is not None for step in steps)
    stats["total_executions"] = _count(stats, "total_executions") + len(steps)
    stats["total_failures"] = _count(stats, "total_failures") + failures
    stats["hooks_disabled"] = opened
    stats["last_updated"] = restamp(now, stats.get("last_updated"))


def _statistics(document: JSON) -> dict[str, JSON]:
    return _part(document, "global_stats")


def _part(document: JSON, key: str) -> dict[str, JSON]:
    if not isinstance(document, dict):
        raise RefusedError(f"expected an object, found {type_name(document)}")
    found = document.get(key)
    if not isinstance(found, dict | None):
        raise RefusedError(f"/{key}: expected an object, found {type_name(found)}")
    return found or {}


def _is_open(value: JSON) -> bool:
    return isinstance(value, dict) and value.get("state") == OPEN


def _count(fields: Record, name: str) -> int:
    return max(number(fields.get(name)) or 0, 0)


def _written_state(record: Record) -> JSON:
    """Return the state as it stands in the record: a word of another tool stays; what is no word is closed."""
    found = record.get("state")
    return found if isinstance(found, str) and found.strip() else CLOSED


def _style(record: Record, like: JSON) -> JSON:
    """Return a timestamp in whose style new ones are written."""
    return next((record[field] for field in TIMES if isinstance(record.get(field), str) and record[field]), like)

"""What the history of a circuit tells: how often it failed and opened, for how long it was open, and how that goes on.

The history holds failures and changes of state, newest first; see `circuit_calls`. It is bounded, and of what has been
let go of nothing is known: figures are of the time since `since`. Pure functions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from statewatch.documents.values import JSON
from statewatch.kinds.breaker import CLOSED, OPEN, state_of
from statewatch.kinds.circuit_extras import entry_of
from statewatch.kinds.times import instant
from statewatch.kinds.words import mapping


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of one circuit, since the first event that is known: an instant, None without any.

    `open_for` are the seconds in which it was open, up to now where it still is; `last_opened` is an instant.
    """

    since: float | None = None
    failures: int = 0
    openings: int = 0
    recoveries: int = 0
    tests: int = 0
    open_for: float = 0.0
    last_opened: float | None = None

    def failures_per_hour(self, now: float) -> float | None:
        """Return the rate of failures since the first event, None where nothing has failed or no time has passed."""
        if self.since is None or now <= self.since or not self.failures:
            return None
        return self.failures / ((now - self.since) / 3600)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time from `start`, an instant, and what happened in it."""

    start: float
    failures: int = 0
    openings: int = 0


def metrics_of(events: Iterable[Mapping[str, JSON]], now: float) -> Metrics:
    """Return the figures of the events of one circuit, newest first as the history gives them."""
    told = [(at, event) for event in events if (at := instant(event.get("at"))) is not None]
    if not told:
        return Metrics()
    told.reverse()
    opened = [at for at, event in told if event.get("event") == "opened"]
    return Metrics(
        since=min(at for at, _ in told),
        failures=_count(told, "failed"),
        openings=len(opened),
        recoveries=_count(told, CLOSED),
        tests=_count(told, "probe"),
        open_for=_open_for(told, now),
        last_opened=opened[-1] if opened else None,
    )


def by_hook(events: Iterable[Mapping[str, JSON]]) -> dict[str, list[Mapping[str, JSON]]]:
    """Return the events of each hook, in the order given."""
    found: dict[str, list[Mapping[str, JSON]]] = {}
    for event in events:
        if isinstance(hook := event.get("hook"), str):
            found.setdefault(hook, []).append(event)
    return found


def of_action(before: JSON, after: JSON, said: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """Return what the history of each circuit tells of what an operator did to a hook state.

    *said* is what is the same for all: when, what, who, why, and by which record of the audit log.
    """
    old, new = mapping(mapping(before).get("hooks")), mapping(mapping(after).get("hooks"))
    return [
        {**said, "hook": hook, "event": "action", "from": _state(old.get(hook)), "to": _state(new.get(hook))}
        for hook in {**old, **new}
        if old.get(hook) != new.get(hook)
    ]


def of_modes(before: JSON, after: JSON, said: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """Return what the history tells of modes that an operator set, in what is kept beside the circuits; see above."""
    told: list[dict[str, JSON]] = []
    for hook in {**mapping(mapping(before).get("circuits")), **mapping(mapping(after).get("circuits"))}:
        old, new = entry_of(before, hook), entry_of(after, hook)
        if any(old.get(name) != new.get(name) for name in ("mode", "until")):
            until = {} if new.get("until") is None else {"until": new["until"]}
            told.append(
                {**said, "hook": hook, "event": "mode", "from": old.get("mode"), "to": new.get("mode"), **until}
            )
    return told


def over_time(events: Iterable[Mapping[str, JSON]], now: float, width: float, count: int) -> list[Period]:
    """Return the last *count* periods of *width* seconds up to *now*, oldest first, with what happened in each."""
    begin = now - width * count
    failures, openings = [0] * count, [0] * count
    for event in events:
        at = instant(event.get("at"))
        if at is None or not begin <= at <= now:
            continue
        place = min(int((at - begin) // width), count - 1)
        failures[place] += event.get("event") == "failed"
        openings[place] += event.get("event") == "opened"
    return [Period(begin + width * each, failures[each], openings[each]) for each in range(count)]


def states_over_time(
    events: Iterable[Mapping[str, JSON]], now: float, width: float, count: int, current: str
) -> list[str]:
    """Return for the last *count* periods of *width* seconds up to *now* the worst state in each, oldest first.

    Empty where none is known: before the first event. *events* are of one circuit, newest first; *current* is the state
    it is in, which another program may have written.
    """
    told = [(at, event) for event in events if (at := instant(event.get("at"))) is not None]
    found = [""] * count
    if not told:
        return found
    told.reverse()
    changes = [(at, event) for at, event in told if "to" in event and event.get("event") != "mode"]
    states = [(told[0][0], _named(changes[0][1].get("from")) if changes else current)]
    states += [(at, _named(event.get("to"))) for at, event in changes]
    begin = now - width * count
    for (start, state), (end, _) in pairwise([*states, (now, "")]):
        first, last = (min(int(max(each - begin, 0.0) // width), count - 1) for each in (start, end))
        if end >= begin:
            for place in range(first, last + 1):
                found[place] = max(found[place], state, key=_severity)
    found[-1] = current
    return found


def _named(state: JSON) -> str:
    return state if isinstance(state, str) else ""


def _severity(state: str) -> int:
    return {"": 0, CLOSED: 1, OPEN: 3}.get(state, 2)


def _count(told: list[tuple[float, Mapping[str, JSON]]], what: str) -> int:
    return sum(event.get("event") == what for _, event in told)


def _state(record: JSON) -> str:
    return state_of(mapping(record))


def _open_for(told: list[tuple[float, Mapping[str, JSON]]], now: float) -> float:
    """Add up the stretches that began with an event that left the circuit open; a clock set back adds nothing."""
    states = [(at, event.get("to")) for at, event in told if "to" in event and event.get("event") != "mode"]
    ends = [*states, (now, None)]
    return sum(max(0.0, end - begin) for (begin, state), (end, _) in pairwise(ends) if state == OPEN)

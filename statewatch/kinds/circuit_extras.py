"""What the owner of a hook state does not know: modes, tests under way, and how often a circuit opened in a row.

It lives in a document of its own, `{"version": 1, "circuits": {HOOK: ENTRY}}`. An entry says only what there is to say:
`mode` (`disabled`: never trips, so the hook always runs; `forced_open`: skipped; `metrics_only`: counted and tripped,
but always run) with `until`, a time or null for ever; `probes`, the leases of those who test a half-open circuit; and
`openings` in a row, which a back-off counts. Pure functions, which load fast; times come from the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from statewatch.kinds import breaker
from statewatch.kinds.breaker import CLOSED, HALF_OPEN, OPEN, Outcome, Step, state_of
from statewatch.kinds.times import countdown, instant, stamp
from statewatch.kinds.words import RefusedError, items, mapping, number, type_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statewatch.documents.values import JSON
    from statewatch.kinds.breaker import Record
    from statewatch.kinds.policy import Policy

EXECUTE, SKIP, TEST = "execute", "skip", "execute_test"
DECISIONS: Final = (EXECUTE, SKIP, TEST)

DISABLED, FORCED_OPEN, METRICS_ONLY = "disabled", "forced_open", "metrics_only"
MODES: Final = (DISABLED, FORCED_OPEN, METRICS_ONLY)

VERSION: Final = 1
_NO_ENTRY: Final[Mapping[str, JSON]] = {}
_OURS: Final = ("mode", "until", "openings", "probes")


class Decision(NamedTuple):
    """Whether a hook may run: `execute`, `skip` or `execute_test`, in which state of its circuit, and why.

    `probe` is the lease under which it is tested: who is given one says so when the test is over. `retry_in` are the
    seconds until asking again makes sense, for a hook that is skipped and where that is known.
    """

    decision: str
    state: str
    message: str
    probe: str | None = None
    retry_in: float | None = None

    @property
    def should_execute(self) -> bool:
        """Tell whether the hook is to be run."""
        return self.decision != SKIP


class Asked(NamedTuple):
    """A decision, and the record and the entry as they are after it: the very same objects where nothing changed."""

    decision: Decision
    record: Record
    entry: Mapping[str, JSON]


def entry_of(extras: JSON, hook: str) -> Mapping[str, JSON]:
    """Return the entry of a hook, an empty one where there is nothing to say."""
    return mapping(mapping(mapping(extras).get("circuits")).get(hook)) if extras else _NO_ENTRY


def with_entry(extras: JSON, hook: str, entry: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the document with *entry* for *hook*, without one where it says nothing.

    Raises RefusedError for a document that is none of these: what it holds must not be lost.
    """
    if not isinstance(extras, dict | None) or not isinstance(circuits := mapping(extras).get("circuits", {}), dict):
        raise RefusedError(f"expected an object with circuits, found {type_name(extras)}")
    kept = {name: value for name, value in circuits.items() if name != hook}
    if entry:
        kept = {**circuits, hook: dict(entry)}
    return {"version": VERSION, **mapping(extras), "circuits": kept}


def mode_of(entry: Mapping[str, JSON], now: float) -> str | None:
    """Return the mode that holds now: None without one, after its time, and for a word that is no mode."""
    mode = entry.get("mode")
    if mode is None:
        return None
    until = instant(entry.get("until"))
    return str(mode) if mode in MODES and (until is None or now < until) else None


def with_mode(entry: Mapping[str, JSON], mode: str | None, until: float | None = None) -> dict[str, JSON]:
    """Return the entry with a mode, until an instant or for ever; None takes the mode away.

    Raises RefusedError for a word that is no mode.
    """
    if mode is not None and mode not in MODES:
        raise RefusedError(f"{mode!r} is no mode of a circuit; the modes are {', '.join(MODES)}")
    rest = _without(entry, "mode", "until")
    if mode is None:
        return rest
    return {"mode": mode, "until": None if until is None else stamp(until), **rest}


def decide(hook: str, record: Record, entry: Mapping[str, JSON], policy: Policy, now: float, probe: str) -> Asked:
    """Decide whether *hook* may run; *probe* is the name of the lease that is taken where it is to be tested.

    A circuit in a state that nobody knows lets its hook run: nothing is stopped for a reason nobody knows.
    """
    state = state_of(record)
    if not policy.enabled:
        return Asked(Decision(EXECUTE, state, "Circuit breaker switched off, executing normally"), record, entry)
    if policy.excludes(hook) is not None:
        return Asked(Decision(EXECUTE, state, "Hook excluded from circuit breaker"), record, entry)
    mode = mode_of(entry, now)
    if mode == DISABLED:
        return Asked(Decision(EXECUTE, state, "Circuit disabled, it never opens"), record, entry)
    if mode == FORCED_OPEN:
        return Asked(_forced(state, entry, now), record, entry)
    asked = _asked(record, _unexpired(entry, now), policy, now, probe)
    if mode == METRICS_ONLY and not asked.decision.should_execute:
        allowed = asked.decision._replace(
            decision=EXECUTE, message=f"Metrics only, executing all the same: {asked.decision.message}", retry_in=None
        )
        return asked._replace(decision=allowed)
    return asked


def outcome_of(hook: str, error: str | None, policy: Policy, entry: Mapping[str, JSON], now: float) -> Outcome:
    """Return the outcome of a run of *hook* as its circuit is to count it: `error` is None where it went well."""
    return Outcome(hook, error, policy.of(hook), mode_of(entry, now) != DISABLED, openings_of(entry))


def after_step(entry: Mapping[str, JSON], step: Step, now: float, probe: str | None = None) -> Mapping[str, JSON]:
    """Return the entry after an outcome was recorded: the very same object where there is nothing new to say.

    The lease *probe*, or else the oldest, is given back; opening is counted where a back-off asks for it, and forgotten
    on recovery.
    """
    before, after = step.states
    changed = before != after
    if not entry and not changed:
        return entry
    if after == HALF_OPEN:
        return _released(entry, probe, now)
    rest = _without(entry, "probes")
    policy = step.outcome.policy
    if changed and after == OPEN and policy is not None and policy.backoff > 1:
        rest = {**rest, "openings": openings_of(entry) + 1}
    elif before == HALF_OPEN and after == CLOSED:
        rest = _without(rest, "openings")
    return rest if rest != entry else entry


def without_tests(entry: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Return the entry without leases: they are of tests that no longer count."""
    return _without(entry, "probes") if "probes" in entry else entry


def openings_of(entry: Mapping[str, JSON]) -> int:
    """Return how often in a row the circuit has opened, as far as it was counted."""
    return max(number(entry.get("openings")) or 0, 0)


def probes_of(entry: Mapping[str, JSON], now: float) -> list[dict[str, JSON]]:
    """Return the leases that have not run out, oldest first."""
    found = [dict(probe) for probe in items(entry.get("probes")) if isinstance(probe, dict)]
    return [probe for probe in found if (instant(probe.get("until")) or 0.0) > now]


def _forced(state: str, entry: Mapping[str, JSON], now: float) -> Decision:
    until = instant(entry.get("until"))
    left = None if until is None else until - now
    how_long = "until that is taken back" if left is None else f"for {countdown(left)}"
    return Decision(SKIP, state, f"Circuit forced open {how_long}", retry_in=left)


def _asked(record: Record, entry: Mapping[str, JSON], policy: Policy, now: float, probe: str) -> Asked:
    openings = openings_of(entry)
    after = breaker.asked(record, now, policy, openings)
    state = state_of(after)
    if state == OPEN:
        left = breaker.remaining(after, now, policy, openings)
        message = f"Circuit open, hook disabled, tested in {countdown(left)}"
        return Asked(Decision(SKIP, OPEN, message, retry_in=left), after, entry)
    if state == HALF_OPEN:
        return _tested(after, entry, policy, now, probe, is_first=after is not record)
    known = state == CLOSED
    message = "Circuit closed, executing normally" if known else f"Unknown state {state[:40]!r}, executing normally"
    return Asked(Decision(EXECUTE, state, message), after, entry)


def _tested(
    record: Record, entry: Mapping[str, JSON], policy: Policy, now: float, probe: str, *, is_first: bool
) -> Asked:
    """Give out a lease for a test, where one is free. Leases of before the circuit opened last are no longer good."""
    latest = now + policy.probe_lease
    found = items(entry.get("probes"))
    live: list[JSON] = [] if is_first else [_within(each, latest) for each in probes_of(entry, now)]
    rest = _without(entry, "probes")
    if len(live) >= policy.max_probes:
        # A lease from a clock that ran ahead ends when one that begins now would.
        unchanged = len(live) == len(found) and all(a == b for a, b in zip(live, found, strict=True))
        left = min((instant(mapping(each).get("until")) or latest) - now for each in live)
        others = "another call is testing it" if len(live) == 1 else f"{len(live)} other calls are testing it"
        message = f"Circuit half-open, {others}"
        kept: Mapping[str, JSON] = entry if unchanged else {**rest, "probes": live}
        return Asked(Decision(SKIP, HALF_OPEN, message, retry_in=left), record, kept)
    lease: dict[str, JSON] = {"id": probe, "until": stamp(latest)}
    message = "Testing recovery after cooldown" if is_first else "Testing recovery"
    return Asked(Decision(TEST, HALF_OPEN, message, probe), record, {**rest, "probes": [*live, lease]})


def _within(lease: dict[str, JSON], latest: float) -> dict[str, JSON]:
    return lease if (instant(lease.get("until")) or 0.0) <= latest else {**lease, "until": stamp(latest)}


def _released(entry: Mapping[str, JSON], probe: str | None, now: float) -> Mapping[str, JSON]:
    """Give back a lease: that of the name, or where none is named the oldest."""
    live: list[JSON] = [*probes_of(entry, now)]
    live = live[1:] if probe is None else [each for each in live if mapping(each).get("id") != probe]
    after = _without(entry, "probes")
    if live:
        after["probes"] = live
    return after if after != entry else entry


def _unexpired(entry: Mapping[str, JSON], now: float) -> Mapping[str, JSON]:
    """Return the entry without a mode whose time is over; one that is no mode of ours stays, unheeded."""
    return _without(entry, "mode", "until") if entry.get("mode") in MODES and mode_of(entry, now) is None else entry


def _without(entry: Mapping[str, JSON], *names: str) -> dict[str, JSON]:
    return {name: value for name, value in entry.items() if name not in names}

"""A tool that runs hooks and keeps a circuit breaker for each of them in one file.

The tool decides by what it finds in the file. A hook that an operator resets in between simply starts afresh, and one
that he tests early is tested at its next run.
"""

import heapq
from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from random import Random
from typing import Final

from statewatch.demo.data import BLIPS, DISABLED_HOOK, FORGOTTEN_HOOK, HOOKS, TROUBLES
from statewatch.demo.script import Clock, Document, Event, dice, epoch_of, utc_time

STATE_FILE: Final = "home/.claude/hook_state.json"
POLICY_FILE: Final = "home/.claude/guardrails.yaml"

FAILURE_THRESHOLD: Final = 3
SUCCESS_THRESHOLD: Final = 2
_COOLDOWN: Final = 45
_HISTORY: Final = -10_800.0
_LATELY: Final = -130.0

_Spell = tuple[float, float]
"""From when to when a hook fails, in simulated seconds."""

_OPENING_SPELLS: Final[tuple[_Spell, ...]] = ((1.0, 20.0), (-29.0, 10.0), (-125.0, 40.0))
"""The first spells of three troubled hooks: one trips at once, one recovers soon, one opens again and again."""


def cooldown(clock: Clock) -> int:
    """Give the real seconds an open circuit waits; the policy file holds whole seconds only."""
    return max(1, round(_COOLDOWN / clock.speed))


def policy_text(clock: Clock) -> str:
    """Give the content of the policy file."""
    return (
        "circuit_breaker:\n"
        "  enabled: true\n"
        f"  failure_threshold: {FAILURE_THRESHOLD}\n"
        f"  cooldown_seconds: {cooldown(clock)}\n"
        f"  success_threshold: {SUCCESS_THRESHOLD}\n"
        "  exclude:\n"
        "    - block-dangerous-commands\n"
        "logging:\n"
        "  level: INFO\n"
    )


def run(document: Document | None, *, hook: str, error: str | None, now: float, wait: int) -> Document:
    """Run a hook that succeeds (*error* is None) or fails, and record what that means for its circuit.

    An open circuit skips the hook. Once it has cooled down, being asked for only makes it half open; the result of the
    next run is its first test.
    """
    state = {} if document is None else document
    circuit = {**_new_circuit(), **state.get("hooks", {}).get(hook, {})}
    if circuit["state"] == "open":
        opened = circuit["disabled_at"]
        if opened is not None and now - epoch_of(opened) < wait:
            return state
        tested = {"state": "half_open", "consecutive_failures": 0, "consecutive_successes": 0}
        return _store(state, hook, circuit | tested, now)
    after = _succeed(circuit, now) if error is None else _fail(circuit, error, now, wait)
    return _store(state, hook, after, now, runs=1, failures=int(error is not None))


def events(seed: int, clock: Clock) -> Iterator[Event]:
    """Give everything that happens to the hook state, from some hours before the start and without an end."""
    rng = dice(seed, "hooks", "roles")
    troubled = rng.sample(list(TROUBLES), 6)
    idle = {*troubled, DISABLED_HOOK, FORGOTTEN_HOOK}
    healthy = [hook for hook in HOOKS if hook not in idle]
    streams = [
        _everyday(dice(seed, "everyday"), healthy),
        _tripped_once(-5400.0, DISABLED_HOOK, "Manually disabled via CLI", gap=0.004),
        _tripped_once(-1500.0, FORGOTTEN_HOOK, "git describe: no names found, cannot describe anything", gap=31.0),
    ]
    for number, hook in enumerate(troubled):
        first = _OPENING_SPELLS[number] if number < len(_OPENING_SPELLS) else None
        streams.append(_troubled(dice(seed, "troubled", hook), hook, first))
    for at, hook, error in heapq.merge(*streams, key=itemgetter(0)):
        now = clock.at(at)
        yield Event(at, STATE_FILE, partial(run, hook=hook, error=error, now=now, wait=cooldown(clock)))


_Run = tuple[float, str, str | None]
"""When a hook runs, which one, and the error it ends with."""


def _everyday(rng: Random, hooks: list[str]) -> Iterator[_Run]:
    """Let hooks run that are well, apart from a failure once in a while; each of them has run before the demo."""
    at = _HISTORY
    for hook in rng.sample(hooks, len(hooks)):
        yield at, hook, None
        at += rng.uniform(5, 40)
    while True:
        yield at, rng.choice(hooks), rng.choice(BLIPS) if rng.random() < 0.06 else None
        at += rng.uniform(8, 25) if at < _LATELY else rng.uniform(0.7, 1.6)


def _tripped_once(at: float, hook: str, error: str, gap: float) -> Iterator[_Run]:
    """Let a hook run well, then fail until its circuit opens, and never run again."""
    yield at - 3000, hook, None
    for number in range(FAILURE_THRESHOLD):
        yield at + number * gap, hook, error


def _troubled(rng: Random, hook: str, first: _Spell | None) -> Iterator[_Run]:
    """Let a hook run every few seconds, well for a while and badly for a while."""
    began, ended = first or _next_spell(rng, 30.0)
    at = _HISTORY + rng.uniform(0, 200)
    while True:
        failing = began <= at <= ended
        yield at, hook, TROUBLES[hook] if failing else None
        after = at + _pause(rng, at, failing=failing)
        at = began + rng.uniform(0.3, 0.8) if at < began < after else after
        if at > ended:
            began, ended = _next_spell(rng, at)


def _pause(rng: Random, at: float, *, failing: bool) -> float:
    """Choose the seconds until a troubled hook runs again; one that failed is tried again sooner."""
    if at < _LATELY:
        return min(rng.uniform(200, 400), max(_LATELY - at, 5.0))
    return rng.uniform(1.8, 2.6) if failing else rng.uniform(2.5, 4.5)


def _next_spell(rng: Random, after: float) -> _Spell:
    """Choose when a hook fails next: mostly shorter than the cool-down, sometimes so long that its test fails."""
    began = after + rng.uniform(60, 200)
    return began, began + rng.choice((9, 12, 15, 80))


def _new_circuit() -> Document:
    return {
        "state": "closed",
        "failure_count": 0,
        "consecutive_failures": 0,
        "consecutive_successes": 0,
        "first_failure": None,
        "last_failure": None,
        "last_success": None,
        "last_error": None,
        "disabled_at": None,
        "retry_after": None,
    }


def _succeed(circuit: Document, now: float) -> Document:
    successes = circuit["consecutive_successes"] + 1
    after = circuit | {
        "consecutive_failures": 0,
        "consecutive_successes": successes,
        "last_success": utc_time(now),
    }
    if circuit["state"] == "half_open" and successes >= SUCCESS_THRESHOLD:
        cleared = dict.fromkeys(("first_failure", "last_error", "disabled_at", "retry_after"))
        after |= {"state": "closed", "failure_count": 0, **cleared}
    return after


def _fail(circuit: Document, error: str, now: float, wait: int) -> Document:
    failures = circuit["consecutive_failures"] + 1
    after = circuit | {
        "failure_count": circuit["failure_count"] + 1,
        "consecutive_failures": failures,
        "consecutive_successes": 0,
        "first_failure": circuit["first_failure"] or utc_time(now),
        "last_failure": utc_time(now),
        "last_error": error,
    }
    if circuit["state"] == "half_open" or failures >= FAILURE_THRESHOLD:
        after |= {"state": "open", "disabled_at": utc_time(now), "retry_after": utc_time(now + wait)}
    return after


def _store(
    document: Document, hook: str, circuit: Document, now: float, *, runs: int = 0, failures: int = 0
) -> Document:
    """Put a circuit back and bring the statistics up to date."""
    hooks = {**document.get("hooks", {}), hook: circuit}
    stats = document.get("global_stats", {})
    counted = {
        "total_executions": stats.get("total_executions", 0) + runs,
        "total_failures": stats.get("total_failures", 0) + failures,
        "hooks_disabled": sum(entry["state"] == "open" for entry in hooks.values()),
        "last_updated": utc_time(now),
        "doctor_run_count": stats.get("doctor_run_count", 0),
    }
    return {**document, "hooks": hooks, "global_stats": {**stats, **counted}}

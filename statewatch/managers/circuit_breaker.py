"""CircuitBreaker: decides whether a hook runs, and counts how it went, under the names that programs already use."""

import logging
import threading
import time
from dataclasses import dataclass
from enum import StrEnum

from statewatch.core.breaker_log import logger_for
from statewatch.core.recording import Run
from statewatch.kinds.breaker import STATES, Step, state_of
from statewatch.kinds.policy import Policy
from statewatch.managers.guardrails import GuardrailsConfig
from statewatch.managers.hook_records import CircuitState
from statewatch.managers.hook_state import HookStateManager


class CircuitBreakerDecision(StrEnum):
    """What is to be done with a hook: run it, skip it, or run it to test whether it has recovered."""

    EXECUTE = "execute"
    SKIP = "skip"
    EXECUTE_TEST = "execute_test"


@dataclass(frozen=True, slots=True)
class CircuitBreakerResult:
    """A decision about a hook, the state of its circuit (closed where that is none of the vocabulary), and why."""

    decision: CircuitBreakerDecision
    state: CircuitState
    message: str
    should_execute: bool

    @property
    def is_testing(self) -> bool:
        """Tell whether the run is a test of an open circuit."""
        return self.decision is CircuitBreakerDecision.EXECUTE_TEST


class CircuitBreaker:
    """The breaker in front of hooks: ask before a run, and tell afterwards how it went.

    The state is the manager's; *config* is that of now, so that a new cool-down holds for circuits that are open
    already. *logger* gets a line for each decision with the hook as `hook_cmd`; without one it is written to the log
    file of *config*. Threads may share a breaker.
    """

    def __init__(
        self, state_manager: HookStateManager, config: GuardrailsConfig, logger: logging.Logger | None = None
    ) -> None:
        self.state_manager = state_manager
        self.config = config
        self.logger = logger or logger_for(config.get_log_file_path(), config.logging.level, config.logging.format)
        self._tests = _Tests()

    def should_execute(self, hook_cmd: str) -> CircuitBreakerResult:
        """Decide whether a hook is to run.

        Once the cool-down of an open circuit is over, so many callers as `max_probes` says are told to test it: others
        skip it until their tests are over. Raises as HookStateManager does.
        """
        policy = self._policy()
        decision = self.state_manager.ask(hook_cmd, policy)
        if decision.probe is not None:
            self._tests.begin(hook_cmd, decision.probe, policy.of(hook_cmd).probe_lease)
        known = decision.state if decision.state in STATES else CircuitState.CLOSED
        is_routine = decision.decision == CircuitBreakerDecision.EXECUTE and decision.state == CircuitState.CLOSED
        self._log(logging.DEBUG if is_routine else logging.INFO, hook_cmd, decision.message)
        return CircuitBreakerResult(
            CircuitBreakerDecision(decision.decision), CircuitState(known), decision.message, decision.should_execute
        )

    def record_success(self, hook_cmd: str) -> None:
        """Record a run that went well: a circuit that is tested closes after `success_threshold` of them."""
        step = self._record(hook_cmd, None)
        streak = step.after.get("consecutive_successes")
        if step.changed:
            self._log(logging.INFO, hook_cmd, f"Circuit closed after {streak} successes")
        else:
            self._log(logging.DEBUG, hook_cmd, f"Success recorded (consecutive: {streak})")

    def record_failure(self, hook_cmd: str, error: str) -> None:
        """Record a run that failed: the circuit opens after `failure_threshold` in a row, at once when it is tested."""
        step = self._record(hook_cmd, str(error))
        policy = self._policy().of(hook_cmd)
        streak = step.after.get("consecutive_failures")
        if step.changed and state_of(step.after) == CircuitState.OPEN:
            told = f"Circuit opened after {streak} failures. Hook disabled for {policy.cooldown:g}s."
            self._log(logging.WARNING, hook_cmd, f"{told} Last error: {error}")
        else:
            told = f"Failure recorded (consecutive: {streak}/{policy.failure_threshold}). Error: {error}"
            self._log(logging.DEBUG, hook_cmd, told)

    def _record(self, hook_cmd: str, error: str | None) -> Step:
        run = Run(hook_cmd, error, self._policy().of(hook_cmd), self._tests.end(hook_cmd))
        return self.state_manager.record_runs([run])[0]

    def _policy(self) -> Policy:
        return self.config.circuit_breaker.policy()

    def _log(self, level: int, hook_cmd: str, message: str) -> None:
        self.logger.log(level, "%s", message, extra={"hook_cmd": hook_cmd})


class _Tests:
    """The tests that callers of a breaker have been told to make; whoever tells how one went gives its lease back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, list[tuple[float, str]]] = {}

    def begin(self, hook: str, probe: str, seconds: float) -> None:
        """Remember the lease *probe*, which runs out after so many seconds."""
        with self._lock:
            self._under_way.setdefault(hook, []).append((time.monotonic() + seconds, probe))

    def end(self, hook: str) -> str | None:
        """Return the oldest lease for a test of *hook* that has not run out, and forget it."""
        with self._lock:
            leases = self._under_way.pop(hook, [])
            good = [lease for lease in leases if lease[0] > time.monotonic()]
            if good[1:]:
                self._under_way[hook] = good[1:]
            return good[0][1] if good else None

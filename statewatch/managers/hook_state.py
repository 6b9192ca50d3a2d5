"""HookStateManager: the circuits of hooks, under the names that programs already use."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from statewatch.core.errors import SourceError, UnavailableError
from statewatch.core.lock import TIMEOUT
from statewatch.core.reading import read
from statewatch.core.recording import Circuits, Decision, Run, Step
from statewatch.core.stores.base import Store
from statewatch.core.stores.urls import is_store_url
from statewatch.documents.values import JSON
from statewatch.kinds.breaker import OPEN, blank_state
from statewatch.kinds.circuit_calls import Event
from statewatch.kinds.circuit_history import Metrics, metrics_of
from statewatch.kinds.policy import DEFAULTS, Limit, Policy
from statewatch.kinds.words import mapping
from statewatch.managers.hook_records import GlobalStats, HookState, HookStateData

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_STATE_FILE = Path("~/.claude/hook_state.json")

_THRESHOLD = Limit("", 1, 1_000_000)
_COOLDOWN = Limit("", 0, 31_536_000, whole=False)


class CorruptedStateError(SourceError, ValueError):
    """A hook state that is no hook state; the message begins with "Corrupted state file"."""

    def __init__(self, found: SourceError) -> None:
        super().__init__(
            "Corrupted state file",
            f"{found}. It was left as it is. Mend it, put an older version back, or move it away: then it begins anew.",
        )
        self.reason = found.reason


class HookStateManager:
    """The circuits of hooks in a hook state: a file, by default `~/.claude/hook_state.json`, or any store.

    *state_file* is a path, the URL of a store (`sqlite:`, `redis:`, `postgresql:`), or a store: then all who use it, in
    any number of processes and hosts, share one breaker. A file that is missing is made, with its directory; it is not
    read before it is asked for. *policy* says what the thresholds of the calls do not: per hook settings, probes,
    back-off, how much of an error is kept. No update is lost, whoever else writes through statewatch.

    Methods raise CorruptedStateError, a ValueError, where it is no hook state, and StatewatchError otherwise: each says
    what is wrong, where, and what to do.
    """

    def __init__(
        self,
        state_file: Path | str | Store | None = None,
        *,
        policy: Policy = DEFAULTS,
        clock: Callable[[], float] = time.time,
        timeout: float = TIMEOUT,
    ) -> None:
        self._clock = clock
        self._latest: tuple[tuple[object, ...], tuple[type, ...], Policy] | None = None
        self.circuits = Circuits(_source(state_file), policy, clock, timeout)
        self.state_file = self.circuits.file
        self.circuits.create(blank_state(clock()))

    @property
    def policy(self) -> Policy:
        """Return what holds where the thresholds of a call say nothing."""
        return self.circuits.policy

    # --- reading

    def get_hook_state(self, hook_cmd: str) -> HookState:
        """Return the record of a hook; that of one which has never run where there is none."""
        record = self._sound(self.circuits.hook, hook_cmd)
        return HookState() if record is None else HookState.from_dict(record)

    def get_all_hooks(self) -> dict[str, HookState]:
        """Return the records of all hooks by name, in the order of the file."""
        return self._data().hooks

    def get_disabled_hooks(self) -> list[tuple[str, HookState]]:
        """Return the names and records of the hooks whose circuit is open."""
        return [(name, state) for name, state in self.get_all_hooks().items() if state.state == OPEN]

    def get_global_stats(self) -> GlobalStats:
        """Return the statistics of all hooks."""
        return GlobalStats.from_dict(mapping(mapping(self._sound(self.circuits.document)).get("global_stats")))

    def get_health_report(self) -> dict[str, JSON]:
        """Return how many hooks there are, how many run, which are disabled and why, and the statistics."""
        data = self._data()
        disabled = {name: state for name, state in data.hooks.items() if state.state == OPEN}
        shown = (
            "state",
            "failure_count",
            "consecutive_failures",
            "last_error",
            "disabled_at",
            "retry_after",
        )
        return {
            "total_hooks": len(data.hooks),
            "active_hooks": len(data.hooks) - len(disabled),
            "disabled_hooks": len(disabled),
            "disabled_hook_details": [
                {"command": name, **{each: getattr(state, each) for each in shown}} for name, state in disabled.items()
            ],
            "global_stats": data.global_stats.to_dict(),
        }

    def get_history(self, hook_cmd: str | None = None, limit: int = 100) -> list[Event]:
        """Return what happened to a hook, or to all, newest first, at most *limit* events."""
        found: list[Event] = []
        for event in self.circuits.history(hook_cmd):
            if len(found) >= limit:
                break
            found.append(event)
        return found

    def get_metrics(self, hook_cmd: str) -> Metrics:
        """Return how often a hook failed and its circuit opened, and for how long it was open, as far as is kept."""
        return metrics_of(self.circuits.history(hook_cmd), self._clock())

    # --- recording

    def record_success(self, hook_cmd: str, success_threshold: int = 2) -> tuple[HookState, bool]:
        """Record a run that went well; return the record, and whether its circuit has closed."""
        policy = self._policy(success_threshold=success_threshold)
        return self._recorded([Run(hook_cmd, None, policy)])[0]

    def record_failure(
        self,
        hook_cmd: str,
        error: str,
        failure_threshold: int = 3,
        cooldown_seconds: float = 300,
        *,
        threshold: int | None = None,
    ) -> tuple[HookState, bool]:
        """Record a run that failed; return the record, and whether its circuit has opened.

        *threshold* is another name for the failure threshold. Raises ValueError for thresholds that are none.
        """
        limit = failure_threshold if threshold is None else threshold
        policy = self._policy(failure_threshold=limit, cooldown_seconds=cooldown_seconds)
        return self._recorded([Run(hook_cmd, str(error), policy)])[0]

    def record_batch(
        self,
        outcomes: Mapping[str, str | None] | Iterable[tuple[str, str | None]],
        failure_threshold: int = 3,
        cooldown_seconds: float = 300,
        success_threshold: int = 2,
    ) -> list[tuple[HookState, bool]]:
        """Record how several hooks ran, in one transaction: each with its error, or None where it went well.

        Return the record of each, and whether its circuit has opened or closed.
        """
        policy = self._policy(failure_threshold, cooldown_seconds, success_threshold)
        pairs = outcomes.items() if isinstance(outcomes, Mapping) else outcomes
        return self._recorded([Run(hook, None if error is None else str(error), policy) for hook, error in pairs])

    def ask(self, hook_cmd: str, policy: Policy | None = None) -> Decision:
        """Decide whether a hook is to run, by *policy* where it is given; see `core.recording.Circuits.ask`."""
        return self._sound(self.circuits.ask, hook_cmd, policy)

    def record_runs(self, runs: Sequence[Run]) -> tuple[Step, ...]:
        """Record runs with policies and leases of their own, in one transaction; return what each did."""
        return self._sound(self.circuits.record, runs)

    # --- what operators do

    def transition_to_half_open(self, hook_cmd: str) -> bool:
        """Let an open circuit be tested at once; tell whether it was open."""
        return self._sound(self.circuits.half_open, hook_cmd)

    def reset_hook(self, hook_cmd: str) -> bool:
        """Take the record of a hook away, as if it had never run; tell whether there was one.

        What other programs have added to the record stays. It can be undone (`statewatch undo`).
        """
        return bool(self._sound(self.circuits.reset, [hook_cmd]))

    def reset_all(self) -> int:
        """Take all records away and begin the statistics anew; return how many there were. It can be undone."""
        return len(self._sound(self.circuits.reset))

    def set_mode(self, hook_cmd: str, mode: str | None, until: float | None = None, *, why: str = "") -> bool:
        """Give a circuit a mode, until an instant (seconds since the epoch) or for ever; tell whether that is new.

        `disabled` never opens, `forced_open` never runs, `metrics_only` counts and always runs; None is none of them.
        It is in the audit log, with the reason *why*, and can be undone.
        """
        return bool(self._sound(self.circuits.set_mode, [hook_cmd], mode, until, why=why))

    def close(self) -> None:
        """Let go of connections."""
        self.circuits.close()

    def __enter__(self) -> Self:
        """Return the manager itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()

    def _data(self) -> HookStateData:
        self._sound(self.circuits.hooks)
        return HookStateData.from_dict(mapping(self._sound(self.circuits.document)))

    def _recorded(self, runs: Sequence[Run]) -> list[tuple[HookState, bool]]:
        return [(HookState.from_dict(step.after), step.changed) for step in self.record_runs(runs)]

    def _policy(
        self, failure_threshold: object = 3, cooldown_seconds: object = 300, success_threshold: object = 2
    ) -> Policy:
        given = self.policy, failure_threshold, cooldown_seconds, success_threshold
        if self._latest is None or self._latest[:2] != (given, tuple(map(type, given))):
            policy = self.policy._replace(
                failure_threshold=int(_checked("failure_threshold", failure_threshold, _THRESHOLD)),
                cooldown=_checked("cooldown_seconds", cooldown_seconds, _COOLDOWN),
                success_threshold=int(_checked("success_threshold", success_threshold, _THRESHOLD)),
            )
            self._latest = given, tuple(map(type, given)), policy
        return self._latest[2]

    def _sound(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what *call* does. Raises CorruptedStateError where what is there can be read but is no hook state."""
        try:
            return call(*arguments, **named)
        except UnavailableError:
            raise
        except SourceError as error:
            if error.missing or (self.state_file is not None and not _can_be_read(self.state_file)):
                raise
            raise CorruptedStateError(error) from None


def _source(state_file: Path | str | Store | None) -> Path | str | Store:
    if isinstance(state_file, Store) or (isinstance(state_file, str) and is_store_url(state_file)):
        return state_file
    return Path(DEFAULT_STATE_FILE if state_file is None else state_file).expanduser()


def _checked(name: str, value: object, limit: Limit) -> float:
    """Return a threshold as a number. Raises ValueError for what is none, and for what is out of all bounds."""
    found = limit.fits(value if isinstance(value, int | float | str) else None)
    if found is None:
        raise ValueError(f"{name} must be {limit}, and not {value!r:.100}")
    return found


def _can_be_read(path: Path) -> bool:
    try:
        read(path)
    except SourceError:
        return False
    return True

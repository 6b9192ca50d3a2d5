"""AsyncHookStateManager and AsyncCircuitBreaker: the same circuits, awaited; the event loop never waits for a disk."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from statewatch.core.lock import TIMEOUT
from statewatch.core.stores.base import Store
from statewatch.documents.values import JSON
from statewatch.kinds.circuit_calls import Event
from statewatch.kinds.circuit_history import Metrics
from statewatch.kinds.policy import DEFAULTS, Policy
from statewatch.managers.circuit_breaker import CircuitBreaker, CircuitBreakerResult
from statewatch.managers.guardrails import GuardrailsConfig
from statewatch.managers.hook_records import GlobalStats, HookState
from statewatch.managers.hook_state import HookStateManager


class AsyncHookStateManager:
    """HookStateManager with the same methods, to be awaited; `sync` is the one that does the work, in threads.

    Where a task is cancelled, what its thread has begun is carried to its end. Making one makes the file, as
    HookStateManager does; use `await AsyncHookStateManager.open(…)` where even that should not hold the loop up.
    """

    def __init__(
        self,
        state_file: Path | str | Store | None = None,
        *,
        policy: Policy = DEFAULTS,
        clock: Callable[[], float] = time.time,
        timeout: float = TIMEOUT,
    ) -> None:
        self.sync = HookStateManager(state_file, policy=policy, clock=clock, timeout=timeout)

    @classmethod
    async def open(cls, state_file: Path | str | Store | None = None, *, policy: Policy = DEFAULTS) -> Self:
        """Make a manager in a thread."""
        return await asyncio.to_thread(cls, state_file, policy=policy)

    async def get_hook_state(self, hook_cmd: str) -> HookState:
        """Return the record of a hook; that of one which has never run where there is none."""
        return await asyncio.to_thread(self.sync.get_hook_state, hook_cmd)

    async def get_all_hooks(self) -> dict[str, HookState]:
        """Return the records of all hooks by name."""
        return await asyncio.to_thread(self.sync.get_all_hooks)

    async def get_disabled_hooks(self) -> list[tuple[str, HookState]]:
        """Return the names and records of the hooks whose circuit is open."""
        return await asyncio.to_thread(self.sync.get_disabled_hooks)

    async def get_global_stats(self) -> GlobalStats:
        """Return the statistics of all hooks."""
        return await asyncio.to_thread(self.sync.get_global_stats)

    async def get_health_report(self) -> dict[str, JSON]:
        """Return how many hooks there are, how many run, which are disabled and why, and the statistics."""
        return await asyncio.to_thread(self.sync.get_health_report)

    async def get_history(self, hook_cmd: str | None = None, limit: int = 100) -> list[Event]:
        """Return what happened to a hook, or to all, newest first, at most *limit* events."""
        return await asyncio.to_thread(self.sync.get_history, hook_cmd, limit)

    async def get_metrics(self, hook_cmd: str) -> Metrics:
        """Return the figures of a hook, as far as its history is kept."""
        return await asyncio.to_thread(self.sync.get_metrics, hook_cmd)

    async def record_success(self, hook_cmd: str, success_threshold: int = 2) -> tuple[HookState, bool]:
        """Record a run that went well; return the record, and whether its circuit has closed."""
        return await asyncio.to_thread(self.sync.record_success, hook_cmd, success_threshold)

    async def record_failure(
        self,
        hook_cmd: str,
        error: str,
        failure_threshold: int = 3,
        cooldown_seconds: float = 300,
        *,
        threshold: int | None = None,
    ) -> tuple[HookState, bool]:
        """Record a run that failed; return the record, and whether its circuit has opened."""
        return await asyncio.to_thread(
            self.sync.record_failure, hook_cmd, error, failure_threshold, cooldown_seconds, threshold=threshold
        )

    async def record_batch(
        self,
        outcomes: Mapping[str, str | None] | Iterable[tuple[str, str | None]],
        failure_threshold: int = 3,
        cooldown_seconds: float = 300,
        success_threshold: int = 2,
    ) -> list[tuple[HookState, bool]]:
        """Record how several hooks ran, in one transaction."""
        return await asyncio.to_thread(
            self.sync.record_batch, outcomes, failure_threshold, cooldown_seconds, success_threshold
        )

    async def transition_to_half_open(self, hook_cmd: str) -> bool:
        """Let an open circuit be tested at once; tell whether it was open."""
        return await asyncio.to_thread(self.sync.transition_to_half_open, hook_cmd)

    async def reset_hook(self, hook_cmd: str) -> bool:
        """Take the record of a hook away, as if it had never run; tell whether there was one."""
        return await asyncio.to_thread(self.sync.reset_hook, hook_cmd)

    async def reset_all(self) -> int:
        """Take all records away and begin the statistics anew; return how many there were."""
        return await asyncio.to_thread(self.sync.reset_all)

    async def set_mode(self, hook_cmd: str, mode: str | None, until: float | None = None, *, why: str = "") -> bool:
        """Give a circuit a mode, until an instant or for ever; tell whether that is new."""
        return await asyncio.to_thread(self.sync.set_mode, hook_cmd, mode, until, why=why)

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.to_thread(self.sync.close)

    async def __aenter__(self) -> Self:
        """Return the manager itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        await self.close()


class AsyncCircuitBreaker:
    """CircuitBreaker with the same methods, to be awaited."""

    def __init__(
        self,
        state_manager: AsyncHookStateManager | HookStateManager,
        config: GuardrailsConfig,
        logger: logging.Logger | None = None,
    ) -> None:
        manager = state_manager.sync if isinstance(state_manager, AsyncHookStateManager) else state_manager
        self.sync = CircuitBreaker(manager, config, logger)

    async def should_execute(self, hook_cmd: str) -> CircuitBreakerResult:
        """Decide whether a hook is to run."""
        return await asyncio.to_thread(self.sync.should_execute, hook_cmd)

    async def record_success(self, hook_cmd: str) -> None:
        """Record a run that went well."""
        await asyncio.to_thread(self.sync.record_success, hook_cmd)

    async def record_failure(self, hook_cmd: str, error: str) -> None:
        """Record a run that failed."""
        await asyncio.to_thread(self.sync.record_failure, hook_cmd, error)

"""The classes that programs use to keep their state: thin, and all through the locked core.

Each is loaded when it is first used, so that a program pays for what it needs.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statewatch.core.stores.urls import open_store
    from statewatch.kinds.batch_summary import BatchCompletionSummary
    from statewatch.managers.agent_checkpoints import CheckpointManager
    from statewatch.managers.agent_tracker import AgentTracker, save_agent_checkpoint
    from statewatch.managers.async_hooks import AsyncCircuitBreaker, AsyncHookStateManager
    from statewatch.managers.async_state import AsyncStateManager
    from statewatch.managers.batch_functions import (
        cleanup_batch_state,
        create_batch_state,
        generate_completion_summary,
        get_default_state_file,
        get_feature_git_status,
        get_next_pending_feature,
        get_retry_count,
        increment_retry_count,
        load_batch_state,
        mark_feature_skipped,
        mark_feature_status,
        record_auto_clear_event,
        record_git_operation,
        save_batch_state,
        should_auto_clear,
        update_batch_progress,
    )
    from statewatch.managers.batch_records import BatchState, BatchStateError, InvalidBatchError
    from statewatch.managers.batch_state import BatchStateManager
    from statewatch.managers.chain import Chain
    from statewatch.managers.circuit_breaker import CircuitBreaker, CircuitBreakerDecision, CircuitBreakerResult
    from statewatch.managers.guardrails import (
        CircuitBreakerConfig,
        ConfigError,
        GuardrailsConfig,
        LoggingConfig,
        load_config,
    )
    from statewatch.managers.hook_records import (
        CircuitState,
        GlobalStats,
        HookState,
        HookStateData,
        get_current_timestamp,
    )
    from statewatch.managers.hook_state import CorruptedStateError, HookStateManager
    from statewatch.managers.session_state import SessionStateManager
    from statewatch.managers.state import StateException, StateManager
    from statewatch.managers.user_state import UserStateManager

__all__ = [
    "AgentTracker",
    "AsyncCircuitBreaker",
    "AsyncHookStateManager",
    "AsyncStateManager",
    "BatchCompletionSummary",
    "BatchState",
    "BatchStateError",
    "BatchStateManager",
    "Chain",
    "CheckpointManager",
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitBreakerDecision",
    "CircuitBreakerResult",
    "CircuitState",
    "ConfigError",
    "CorruptedStateError",
    "GlobalStats",
    "GuardrailsConfig",
    "HookState",
    "HookStateData",
    "HookStateManager",
    "InvalidBatchError",
    "LoggingConfig",
    "SessionStateManager",
    "StateException",
    "StateManager",
    "UserStateManager",
    "cleanup_batch_state",
    "create_batch_state",
    "generate_completion_summary",
    "get_current_timestamp",
    "get_default_state_file",
    "get_feature_git_status",
    "get_next_pending_feature",
    "get_retry_count",
    "increment_retry_count",
    "load_batch_state",
    "load_config",
    "mark_feature_skipped",
    "mark_feature_status",
    "open_store",
    "record_auto_clear_event",
    "record_git_operation",
    "save_agent_checkpoint",
    "save_batch_state",
    "should_auto_clear",
    "update_batch_progress",
]

PLACES = {
    "AgentTracker": "statewatch.managers.agent_tracker",
    "AsyncCircuitBreaker": "statewatch.managers.async_hooks",
    "AsyncHookStateManager": "statewatch.managers.async_hooks",
    "AsyncStateManager": "statewatch.managers.async_state",
    "BatchCompletionSummary": "statewatch.kinds.batch_summary",
    "BatchState": "statewatch.managers.batch_records",
    "BatchStateError": "statewatch.managers.batch_records",
    "BatchStateManager": "statewatch.managers.batch_state",
    "Chain": "statewatch.managers.chain",
    "CheckpointManager": "statewatch.managers.agent_checkpoints",
    "CircuitBreaker": "statewatch.managers.circuit_breaker",
    "CircuitBreakerConfig": "statewatch.managers.guardrails",
    "CircuitBreakerDecision": "statewatch.managers.circuit_breaker",
    "CircuitBreakerResult": "statewatch.managers.circuit_breaker",
    "CircuitState": "statewatch.managers.hook_records",
    "ConfigError": "statewatch.managers.guardrails",
    "CorruptedStateError": "statewatch.managers.hook_state",
    "GlobalStats": "statewatch.managers.hook_records",
    "GuardrailsConfig": "statewatch.managers.guardrails",
    "HookState": "statewatch.managers.hook_records",
    "HookStateData": "statewatch.managers.hook_records",
    "HookStateManager": "statewatch.managers.hook_state",
    "InvalidBatchError": "statewatch.managers.batch_records",
    "LoggingConfig": "statewatch.managers.guardrails",
    "SessionStateManager": "statewatch.managers.session_state",
    "StateException": "statewatch.managers.state",
    "StateManager": "statewatch.managers.state",
    "UserStateManager": "statewatch.managers.user_state",
    "cleanup_batch_state": "statewatch.managers.batch_functions",
    "create_batch_state": "statewatch.managers.batch_functions",
    "generate_completion_summary": "statewatch.managers.batch_functions",
    "get_current_timestamp": "statewatch.managers.hook_records",
    "get_default_state_file": "statewatch.managers.batch_functions",
    "get_feature_git_status": "statewatch.managers.batch_functions",
    "get_next_pending_feature": "statewatch.managers.batch_functions",
    "get_retry_count": "statewatch.managers.batch_functions",
    "increment_retry_count": "statewatch.managers.batch_functions",
    "load_batch_state": "statewatch.managers.batch_functions",
    "load_config": "statewatch.managers.guardrails",
    "mark_feature_skipped": "statewatch.managers.batch_functions",
    "mark_feature_status": "statewatch.managers.batch_functions",
    "open_store": "statewatch.core.stores.urls",
    "record_auto_clear_event": "statewatch.managers.batch_functions",
    "record_git_operation": "statewatch.managers.batch_functions",
    "save_agent_checkpoint": "statewatch.managers.agent_tracker",
    "save_batch_state": "statewatch.managers.batch_functions",
    "should_auto_clear": "statewatch.managers.batch_functions",
    "update_batch_progress": "statewatch.managers.batch_functions",
}
"""Where each public name is."""


def __getattr__(name: str) -> object:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)

"""The cockpit for long agent and batch runs."""

TYPE_CHECKING = False  # as type checkers take it; the module `typing` alone costs more than all else here
if TYPE_CHECKING:
    from statewatch.managers import (
        AgentTracker,
        AsyncCircuitBreaker,
        AsyncHookStateManager,
        AsyncStateManager,
        BatchCompletionSummary,
        BatchState,
        BatchStateError,
        BatchStateManager,
        Chain,
        CheckpointManager,
        CircuitBreaker,
        CircuitBreakerConfig,
        CircuitBreakerDecision,
        CircuitBreakerResult,
        CircuitState,
        ConfigError,
        CorruptedStateError,
        GlobalStats,
        GuardrailsConfig,
        HookState,
        HookStateData,
        HookStateManager,
        InvalidBatchError,
        LoggingConfig,
        SessionStateManager,
        StateException,
        StateManager,
        UserStateManager,
        cleanup_batch_state,
        create_batch_state,
        generate_completion_summary,
        get_current_timestamp,
        get_default_state_file,
        get_feature_git_status,
        get_next_pending_feature,
        get_retry_count,
        increment_retry_count,
        load_batch_state,
        load_config,
        mark_feature_skipped,
        mark_feature_status,
        open_store,
        record_auto_clear_event,
        record_git_operation,
        save_agent_checkpoint,
        save_batch_state,
        should_auto_clear,
        update_batch_progress,
    )

__version__ = "0.1.0"

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
    "__version__",
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


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: importing the package itself costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from statewatch import managers  # noqa: PLC0415

    return getattr(managers, name)


def __dir__() -> list[str]:
    """Name what is public, loaded or not, for completion and for who looks around."""
    return sorted({*globals(), *__all__})

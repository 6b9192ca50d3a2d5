"""The cockpit for long agent and batch runs."""

TYPE_CHECKING = False  # as type checkers take it; the module `typing` alone costs more than all else here
if TYPE_CHECKING:
    from statewatch.managers import AsyncStateManager, Chain, StateException, StateManager, open_store

__version__ = "0.1.0"

__all__ = ["AsyncStateManager", "Chain", "StateException", "StateManager", "__version__", "open_store"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: importing the package itself costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from statewatch import managers  # noqa: PLC0415

    return getattr(managers, name)

"""The cockpit for long agent and batch runs."""

TYPE_CHECKING = False  # as type checkers take it; the module `typing` alone costs more than all else here
if TYPE_CHECKING:
    from statewatch.managers import *  # noqa: F403 - what programs use, as `__getattr__` finds it
    from statewatch.managers import __all__ as __all__

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: importing the package itself costs nothing."""
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import statewatch.managers as managers  # noqa: PLC0415, PLR0402 - the other form would ask this function for it

    if name == "__all__":
        return [*managers.__all__, "__version__"]
    if name not in managers.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(managers, name)


def __dir__() -> list[str]:
    """Name what is public, loaded or not, for completion and for who looks around."""
    import statewatch.managers as managers  # noqa: PLC0415, PLR0402 - the other form would ask this function for it

    return sorted({*globals(), *managers.__all__})

"""The classes that programs use to keep their state: thin, and all through the locked core.

Each is loaded when it is first used, so that a program pays for what it needs.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statewatch.core.stores.urls import open_store
    from statewatch.documents.schema import Chain
    from statewatch.managers.async_state import AsyncStateManager
    from statewatch.managers.state import StateException, StateManager

__all__ = ["AsyncStateManager", "Chain", "StateException", "StateManager", "open_store"]

PLACES = {
    "AsyncStateManager": "statewatch.managers.async_state",
    "Chain": "statewatch.documents.schema",
    "StateException": "statewatch.managers.state",
    "StateManager": "statewatch.managers.state",
    "open_store": "statewatch.core.stores.urls",
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

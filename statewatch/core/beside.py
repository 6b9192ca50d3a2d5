"""The files beside a hook state, for what the owner of that does not know: what they are called, and whose they are."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_EXTRAS: Final = ".statewatch-circuits.json"
_HISTORY: Final = ".statewatch-circuits.jsonl"


@lru_cache(maxsize=64)
def extras_file(hook_state: Path) -> Path:
    """Return the file of what is kept beside the circuits of a hook state, which is no link."""
    return hook_state.with_name(f".{hook_state.name}{_EXTRAS}")


@lru_cache(maxsize=64)
def history_file(hook_state: Path) -> Path:
    """Return the file of the history of the circuits of a hook state, which is no link."""
    return hook_state.with_name(f".{hook_state.name}{_HISTORY}")


def owner_of(path: Path) -> Path | None:
    """Return the hook state whose extras are in the file *path*; None where it is no such file."""
    name = path.name.removesuffix(_EXTRAS)
    is_one = path.name.endswith(_EXTRAS) and name.startswith(".") and len(name) > 1
    return path.with_name(name[1:]) if is_one else None

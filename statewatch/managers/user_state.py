"""UserStateManager: the preferences of a user, and whether this is the first run, under names that programs use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from statewatch.documents.values import JSON
from statewatch.kinds.base import mapping
from statewatch.managers.merged_state import MergedState

_FILE: Final = Path(".autonomous-dev", "user_state.json")


class UserStateManager:
    """The state of a user, by default in `~/.autonomous-dev/user_state.json`.

    `state` is a copy that the program may change; `save` writes what it changed, and nothing that another program has
    written meanwhile is lost. What is missing in the file has its default. Where the file cannot be used all defaults
    hold, `problem` says why, and the next save keeps a safety copy of it. Raises StateException.
    """

    def __init__(self, state_file: str | Path | None = None) -> None:
        self._file = MergedState(Path.home() / _FILE if state_file is None else Path(state_file), _defaults)
        self.state = self._file.load()

    @property
    def state_file(self) -> Path:
        """Return where the state is."""
        return self._file.path

    @property
    def problem(self) -> str | None:
        """Return why the file could not be used, None where it could."""
        return self._file.problem

    def load_state(self) -> dict[str, JSON]:
        """Read the state anew, and return it; what was changed and not saved is forgotten."""
        self.state = self._file.load()
        return self.state

    def save_state(self, state: Mapping[str, JSON]) -> None:
        """Write what *state* has other than what was loaded."""
        self._file.save(state, "save the user state", lambda _state: None)
        self.state = self._file.load()

    def save(self) -> None:
        """Write what was changed in `state` since it was loaded."""
        self.save_state(self.state)

    def cleanup_state(self) -> None:
        """Delete the file, and keep a safety copy of it."""
        self._file.remove("delete the user state")
        self.state = self._file.load()

    def is_first_run(self) -> bool:
        """Tell whether the first run has not been completed."""
        return self.state.get("first_run_complete") is not True

    def record_first_run_complete(self) -> None:
        """Take note that the first run is complete; `save` writes it."""
        self.state["first_run_complete"] = True

    def get_preference(self, key: str, default: JSON = None) -> JSON:
        """Return a preference, else *default*."""
        return mapping(self.state.get("preferences")).get(key, default)

    def set_preference(self, key: str, value: JSON) -> None:
        """Set a preference; `save` writes it."""
        self.state["preferences"] = {**mapping(self.state.get("preferences")), key: value}


def load_user_state(state_file: str | Path | None = None) -> dict[str, JSON]:
    """Return the state of the user, completed by the defaults."""
    return UserStateManager(state_file).state


def save_user_state(state: Mapping[str, JSON], state_file: str | Path | None = None) -> None:
    """Write what *state* has other than the file; what it does not mention stays."""
    manager = UserStateManager(state_file)
    manager.save_state({**manager.state, **state})


def is_first_run(state_file: str | Path | None = None) -> bool:
    """Tell whether the first run has not been completed."""
    return UserStateManager(state_file).is_first_run()


def record_first_run_complete(state_file: str | Path | None = None) -> None:
    """Write that the first run is complete."""
    manager = UserStateManager(state_file)
    manager.record_first_run_complete()
    manager.save()


def get_user_preference(key: str, state_file: str | Path | None = None, default: JSON = None) -> JSON:
    """Return a preference of the user, else *default*."""
    return UserStateManager(state_file).get_preference(key, default)


def set_user_preference(key: str, value: JSON, state_file: str | Path | None = None) -> None:
    """Write a preference of the user."""
    manager = UserStateManager(state_file)
    manager.set_preference(key, value)
    manager.save()


def _defaults() -> dict[str, JSON]:
    return {"first_run_complete": False, "preferences": {}, "version": "1.0"}

"""State of which a program holds a copy: what it changed in that is merged into what the file holds when it saves."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path

from statewatch.core.agent_file import AgentFile
from statewatch.core.errors import RefusedError, SourceError
from statewatch.documents.merge import merge
from statewatch.documents.values import JSON, cloned
from statewatch.kinds.base import mapping, type_name


class MergedState:
    """An object in a file, with defaults for what is missing in it. Two programs that save never lose each other's.

    `problem` says what was wrong with the file when it was looked at last; a safety copy is kept of what could not be
    used before anything is written in its place.
    """

    def __init__(self, path: Path, defaults: Callable[[], dict[str, JSON]], within: Path | None = None) -> None:
        self._file = AgentFile(path, within)
        self._defaults = defaults
        self._base: dict[str, JSON] | None = None
        self.problem: str | None = None

    @property
    def path(self) -> Path:
        """Return where the state is."""
        return self._file.path

    def load(self) -> dict[str, JSON]:
        """Return a copy of the state, completed by the defaults: all of them where the file cannot be used.

        Raises RefusedError for a file that is reached through a symbolic link.
        """
        self.problem = None
        try:
            document = self._file.held()
        except SourceError as error:
            self.problem = error.reason
            document = None
        state = self._completed(document)
        self._base = copy.deepcopy(state)
        return state

    def save(self, state: Mapping[str, JSON], operation: str, stamp: Callable[[dict[str, JSON]], None]) -> None:
        """Write what *state* has other than what was loaded into what is there now; *stamp* has the last word."""
        base = self._base
        if not isinstance(state, Mapping):
            raise RefusedError(f"the state is an object, not {type(state).__name__}")

        def change(current: dict[str, JSON]) -> None:
            wanted = dict(state)
            # Of two values for one place ours counts; what both added to a list stays.
            after = {**current, **wanted} if base is None else merge(base, current, wanted, "merge").document
            current.clear()
            current.update(mapping(after))
            stamp(current)

        self._base = copy.deepcopy(self.update(change, operation))

    def update(self, change: Callable[[dict[str, JSON]], None], operation: str) -> dict[str, JSON]:
        """Let *change* change what the file holds, completed by the defaults; return what was written."""

        def plan(document: JSON) -> JSON:
            state = self._completed(document)
            if self.problem and document is not None:
                self._file.keep()
            change(state)
            return state

        self.problem = None
        return dict(mapping(cloned(self._file.change(plan, operation, repairs=True))))

    def remove(self, operation: str) -> bool:
        """Delete the file, and keep a safety copy of it; tell whether there was one."""
        self._base = None
        return self._file.remove(operation)

    def _completed(self, document: JSON) -> dict[str, JSON]:
        if document is not None and not isinstance(document, dict):
            self.problem = f"expected an object, found {type_name(document)}"
            document = None
        state = self._filled(self._defaults(), dict(mapping(cloned(document))), "")
        assert isinstance(state, dict)
        return state

    def _filled(self, default: JSON, found: JSON, at: str) -> JSON:
        """Return what was *found*, completed from *default*; that itself where the other is of another type."""
        if isinstance(default, dict) and isinstance(found, Mapping):
            known = {
                key: self._filled(value, found[key], f"{at}/{key}") if key in found else value
                for key, value in default.items()
            }
            return {**found, **known}
        if isinstance(default, dict | list) and type(default) is not type(found):
            self.problem = f"{at}: expected {type_name(default)}, found {type_name(found)}"
            return default
        return found

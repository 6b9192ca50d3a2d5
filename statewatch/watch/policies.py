"""The circuit policies of the hook states that are shown, kept until the settings beside them change."""

from collections.abc import Mapping
from pathlib import Path

from statewatch.core import reading
from statewatch.core.policy import SETTINGS, policy_for, settings_for
from statewatch.core.policy import hook_state_file as configured_hook_state
from statewatch.kinds.hooks import Policy

__all__ = ["Policies", "configured_hook_state"]


class Policies:
    """The policy for each hook state. Settings are read again only when a file of them has changed, come or gone."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known: dict[Path, tuple[_Seen, Policy]] = {}

    def of(self, path: str) -> Policy:
        """Return the policy for the hook state at *path*, from the settings beside it or those of the home."""
        directory = Path(path).parent
        if directory not in self._known:
            seen = self._look(directory)
            self._known[directory] = (seen, policy_for(Path(path), self._environment))
        return self._known[directory][1]

    def refresh(self) -> bool:
        """Look whether settings in use have changed; tell whether any did."""
        stale = [directory for directory, (seen, _) in self._known.items() if self._look(directory) != seen]
        for directory in stale:
            del self._known[directory]
        return bool(stale)

    def _look(self, directory: Path) -> "_Seen":
        beside = reading.signature(directory / SETTINGS)
        return beside, None if beside else reading.signature(settings_for(None, self._environment))


_Seen = tuple[reading.Signature | None, reading.Signature | None]

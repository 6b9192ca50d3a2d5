"""The circuit policies of the hook states that are shown, kept until the settings beside them change."""

from collections.abc import Mapping
from pathlib import Path

from statewatch.core import reading
from statewatch.core.policy import SETTINGS, policy_for
from statewatch.core.policy import hook_state_file as configured_hook_state
from statewatch.kinds.hooks import Policy

__all__ = ["Policies", "configured_hook_state"]


class Policies:
    """The policy for each hook state. A settings file is read again only when it changed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known: dict[Path, tuple[reading.Signature | None, Policy]] = {}

    def of(self, path: str) -> Policy:
        """Return the policy for the hook state at *path*, from the settings beside it."""
        beside = Path(path).parent / SETTINGS
        if beside not in self._known:
            self._known[beside] = (reading.signature(beside), policy_for(Path(path), self._environment))
        return self._known[beside][1]

    def refresh(self) -> bool:
        """Look whether settings in use have changed; tell whether any did."""
        stale = [path for path, (seen, _) in self._known.items() if reading.signature(path) != seen]
        for path in stale:
            del self._known[path]
        return bool(stale)

"""The circuit policy that applies to a hook state: `guardrails.yaml` beside it, and `GUARDRAILS_*` variables."""

import os
from collections.abc import Mapping
from pathlib import Path

from statewatch.core.errors import SourceError
from statewatch.core.reading import read
from statewatch.documents.values import JSON
from statewatch.kinds.base import mapping, text
from statewatch.kinds.hooks import Policy, policy_from

SETTINGS = "guardrails.yaml"
_MAX_BYTES = 1_000_000
_ODD_SCALARS = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What PyYAML raises beside its own errors, for `!!int ""`, `!!bool x` and the like."""


def policy_for(state_file: Path, environment: Mapping[str, str] = os.environ) -> Policy:
    """Return the policy for a hook state file; the defaults of its tool where nothing, or nothing readable, is set."""
    return policy_from(settings(state_file.parent / SETTINGS), environment)


def hook_state_file(home: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the tool keeps its hook state: the variable, the settings file, else `~/.claude/hook_state.json`."""
    claude = home / ".claude"
    chosen = environment.get("GUARDRAILS_STATE_FILE") or text(mapping(settings(claude / SETTINGS)).get("state_file"))
    if not chosen:
        return claude / "hook_state.json"
    return home / chosen[2:] if chosen.startswith("~/") else Path(chosen)


def settings(path: Path) -> JSON:
    """Return the settings file as a value, or None when it is missing or not YAML: its tool uses the defaults then."""
    try:
        data = read(path, _MAX_BYTES).data
    except SourceError:
        return None
    import yaml  # noqa: PLC0415 - only where there are settings: it costs a cold start 15 ms

    try:
        value: JSON = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, *_ODD_SCALARS):
        return None
    return value

"""The circuit policy that applies to a hook state: `guardrails.yaml` beside it, and `GUARDRAILS_*` variables."""

import os
from collections.abc import Mapping
from pathlib import Path

from statewatch.core.errors import SourceError
from statewatch.core.reading import read
from statewatch.documents.values import JSON
from statewatch.kinds.policy import Policy, policy_from
from statewatch.kinds.words import mapping, text

SETTINGS = "guardrails.yaml"
_MAX_BYTES = 1_000_000
_ODD_SCALARS = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What PyYAML raises beside its own errors, for `!!int ""`, `!!bool x` and the like."""


def policy_for(source: object, environment: Mapping[str, str] = os.environ) -> Policy:
    """Return the policy for a hook state; the defaults of its tool where nothing, or nothing readable, is set."""
    return policy_from(settings(settings_for(source, environment)), environment)


def settings_for(source: object, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the settings that hold for a hook state: those beside a file, else those of the home.

    *source* is the path of the file; for anything else, as the URL of a store or a store, they are those of the home.
    """
    if isinstance(source, Path):
        beside = source.parent / SETTINGS
        if os.path.lexists(beside):
            return beside
    home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - any bytes
    return Path(home, ".claude", SETTINGS)


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
        return settings_or_error(path)
    except SourceError:
        return None


def settings_or_error(path: Path) -> JSON:
    """Return the settings file as a value. Raises SourceError when it is missing or not YAML, saying where it stops."""
    data = read(path, _MAX_BYTES).data
    import yaml  # noqa: PLC0415 - only where there are settings: it costs a cold start 15 ms

    try:
        value: JSON = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" at line {mark.line + 1} column {mark.column + 1}"
        raise SourceError(path, f"not YAML{where}: {getattr(error, 'problem', None) or 'damaged'}") from None
    except _ODD_SCALARS:
        raise SourceError(path, "not YAML: a value is not what its tag says") from None
    return value

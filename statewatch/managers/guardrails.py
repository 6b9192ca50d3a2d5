"""The configuration of circuit breakers: `guardrails.yaml` and `GUARDRAILS_*` variables, checked and typed."""

import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from statewatch.core.breaker_log import FORMAT, LEVELS
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.policy import SETTINGS, settings_or_error
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.policy import SETTINGS as NUMBERS
from statewatch.kinds.policy import Policy, switch
from statewatch.kinds.words import type_name

T = TypeVar("T")

_PREFIX: Final = "GUARDRAILS_"


class ConfigError(RefusedError, ValueError):
    """A configuration that cannot be used: the message names the file or variable, the key, and what would be right."""


@dataclass(slots=True)
class CircuitBreakerConfig:
    """When circuits open, are tested and close. `hooks` holds other numbers for single hooks, by their exact name.

    What the tool that owns the file does not know (from `max_probes` on) is explained at `kinds.policy.Policy`.
    """

    enabled: bool = True
    failure_threshold: int = 3
    cooldown_seconds: int = 300
    success_threshold: int = 2
    exclude: list[str] = field(default_factory=list)
    max_probes: int = 1
    probe_lease_seconds: int = 60
    backoff: float = 1.0
    max_cooldown_seconds: int = 86_400
    error_length: int = 2_000
    hooks: dict[str, dict[str, float]] = field(default_factory=dict)

    def policy(self) -> Policy:
        """Return what circuits are judged by."""
        fields: dict[str, Any] = {limit.field: getattr(self, key) for key, limit in NUMBERS.items()}
        base = Policy(exclude=tuple(self.exclude), enabled=self.enabled)._replace(**fields)
        own = {hook: {NUMBERS[key].field: value for key, value in each.items()} for hook, each in self.hooks.items()}
        changes: dict[str, dict[str, Any]] = dict(own)
        return base._replace(overrides=tuple((hook, base._replace(**each)) for hook, each in changes.items()))


@dataclass(slots=True)
class LoggingConfig:
    """Where the breaker writes what it does, from which level on, and in which format of `logging`."""

    file: str = "~/.claude/logs/circuit_breaker.log"
    level: str = "INFO"
    format: str = FORMAT


@dataclass(slots=True)
class GuardrailsConfig:
    """The whole configuration; paths may begin with `~` and hold `$VARIABLES`."""

    circuit_breaker: CircuitBreakerConfig = field(default_factory=CircuitBreakerConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    state_file: str = "~/.claude/hook_state.json"

    def get_state_file_path(self) -> Path:
        """Return the path of the hook state."""
        return _expanded(self.state_file)

    def get_log_file_path(self) -> Path:
        """Return the path of the log."""
        return _expanded(self.logging.file)


def load_config(config_path: Path | str | None = None, environment: Mapping[str, str] = os.environ) -> GuardrailsConfig:
    """Return the configuration: the defaults, then the file, by default `~/.claude/guardrails.yaml`, then variables.

    A missing file is no error. Raises ConfigError for a file that cannot be read, for a key that does not exist, with
    the nearest that does, and for a value that is out of bounds.
    """
    path = Path("~/.claude", SETTINGS).expanduser() if config_path is None else Path(config_path).expanduser()
    try:
        settings = settings_or_error(path)
    except SourceError as error:
        if not error.missing:
            raise ConfigError(str(error)) from None
        settings = None
    return config_of({} if settings is None else settings, str(path), environment)


def config_of(settings: JSON, where: str, environment: Mapping[str, str]) -> GuardrailsConfig:
    """Return the configuration that settings, read already from *where*, and variables make. Raises ConfigError."""
    config = GuardrailsConfig()
    _read(config, settings, where)
    _override(config, environment)
    return config


def _read(config: GuardrailsConfig, settings: JSON, where: str) -> None:
    for key, value in _object(settings, where).items():
        place = f"{where}: {_shown(key)}"
        if key == "state_file":
            config.state_file = _text(value, place)
        elif key in _SECTIONS:
            readers, part = _SECTIONS[key], getattr(config, key)
            for name, each in _object({} if value is None else value, place).items():
                setattr(part, name, _reader(readers, name, f"{place}.{_shown(name)}")(each, f"{place}.{_shown(name)}"))
        else:
            raise _unknown(place, key, ("state_file", *_SECTIONS))


def _override(config: GuardrailsConfig, environment: Mapping[str, str]) -> None:
    """Apply the variables. Those that begin like ours, but with no section of ours, are other programs'."""
    if _PREFIX + "STATE_FILE" in environment:
        config.state_file = environment[_PREFIX + "STATE_FILE"]
    for section, readers in _SECTIONS.items():
        prefix = f"{_PREFIX}{section.upper()}_"
        for variable in sorted(name for name in environment if name.startswith(prefix)):
            key = variable.removeprefix(prefix).lower()
            text = environment[variable]
            value: JSON = [rule.strip() for rule in text.split(",") if rule.strip()] if key == "exclude" else text
            setattr(getattr(config, section), key, _reader(readers, key, variable)(value, variable))


Reader = Callable[[JSON, str], Any]


def _reader(readers: Mapping[str, Reader], key: str, place: str) -> Reader:
    if key not in readers:
        raise _unknown(place, key, readers)
    return readers[key]


def _unknown(place: str, key: str, known: Iterable[str]) -> ConfigError:
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else f" The keys are {', '.join(known)}."
    return ConfigError(f"{place}: there is no such key.{hint}")


def _object(value: JSON, place: str) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise ConfigError(f"{place}: it must be a mapping of keys and values, and is {type_name(value)}.")
    return {str(key): each for key, each in value.items()}


def _number_of(key: str) -> Reader:
    limit = NUMBERS[key]

    def read(value: JSON, place: str) -> float:
        found = limit.fits(value)
        if found is None:
            raise ConfigError(f"{place}: it must be {limit}, and is {value!r:.100}.")
        return found

    return read


def _bool(value: JSON, place: str) -> bool:
    found = switch(value)
    if found is None:
        raise ConfigError(f"{place}: it must be true or false, and is {value!r:.100}.")
    return found


def _text(value: JSON, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{place}: it must be a text, and is {value!r:.100}.")
    return value


def _texts(value: JSON, place: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigError(f"{place}: it must be a list of texts, and is {value!r:.100}.")
    return [str(each) for each in value]


def _level(value: JSON, place: str) -> str:
    level = _text(value, place).strip().upper()
    if level not in LEVELS:
        raise ConfigError(f"{place}: it must be one of {', '.join(LEVELS)}, and is {value!r:.100}.")
    return level


def _format(value: JSON, place: str) -> str:
    import logging  # noqa: PLC0415 - only where a format is given

    try:
        logging.Formatter(_text(value, place))
    except ValueError as error:
        raise ConfigError(f"{place}: it is no format of the logging module: {error}.") from None
    return str(value)


def _own(value: JSON, place: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for hook, numbers in _object({} if value is None else value, place).items():
        inside = f"{place}.{_shown(hook)}"
        found[hook] = {
            key: _reader(_NUMBERS, key, f"{inside}.{_shown(key)}")(each, f"{inside}.{_shown(key)}")
            for key, each in _object(numbers, inside).items()
        }
    return found


_NUMBERS: Final[dict[str, Reader]] = {key: _number_of(key) for key in NUMBERS}
_SECTIONS: Final[dict[str, dict[str, Reader]]] = {
    "circuit_breaker": {"enabled": _bool, "exclude": _texts, "hooks": _own, **_NUMBERS},
    "logging": {"file": _text, "level": _level, "format": _format},
}


def _shown(key: str) -> str:
    return harmless(key, 80)


def _expanded(path: str) -> Path:
    return Path(os.path.expandvars(path)).expanduser()

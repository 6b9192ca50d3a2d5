"""`hooks config`: which settings hold for circuits, where each comes from, and what is wrong with them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from statewatch.cli import output
from statewatch.cli.arguments import home_hook_state, json_option
from statewatch.cli.columns import Column
from statewatch.core.errors import SourceError
from statewatch.core.policy import SETTINGS, settings_or_error
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.base import mapping

_PREFIX = "GUARDRAILS_"


@dataclass(frozen=True, slots=True)
class _Setting:
    """One setting: the value that holds, where it comes from, and what is wrong with what was set instead."""

    key: str
    value: JSON
    origin: str
    mistake: str = ""


@click.command(short_help="Settings, where each comes from, and mistakes in them.")
@click.option("--file", "file", metavar="FILE", help=f"The settings, where not ~/.claude/{SETTINGS}.")
@json_option
def config(file: str | None, *, as_json: bool) -> int:
    """Show every setting of circuits: the value that holds, and whether it is a default, from the file or a variable.

    Settings come from ~/.claude/guardrails.yaml and GUARDRAILS_* variables, which win. A value that is out of bounds
    does not hold; it is named, and so is a key that does not exist, with the nearest that does.

    \b
    Examples:
      statewatch hooks config
      GUARDRAILS_CIRCUIT_BREAKER_FAILURE_THRESHOLD=5 statewatch hooks config --json | jq '.mistakes'

    \b
    Exit codes: 0 all is well, 1 there are mistakes, 3 the file cannot be read.
    """
    path = Path.home() / ".claude" / SETTINGS if file is None else Path(file)
    code, damage = 0, ""
    settings: JSON = None
    try:
        settings = settings_or_error(path)
    except SourceError as error:
        if not error.missing or file is not None:
            code, damage = 3, str(error)
            output.complain(damage)
    rows, mistakes = _explained(settings, os.environ, output.shown_path(str(path)))
    if as_json:
        output.json_out(
            {
                "file": str(path),
                "exists": os.path.lexists(path),
                "state_file": home_hook_state(),
                "settings": [{"key": row.key, "value": row.value, "from": row.origin} for row in rows],
                "mistakes": [*([damage] if damage else []), *mistakes],
            }
        )
    else:
        _print(rows, mistakes)
    return code or int(bool(mistakes))


def _print(rows: list[_Setting], mistakes: list[str]) -> None:
    output.table(
        (Column("setting", is_name=True), Column("value", 12, elastic=True), Column("from")),
        [(row.key, harmless(_shown(row.value), 300), harmless(row.origin, 200)) for row in rows],
        [None for _ in rows],
    )
    for mistake in mistakes:
        output.note(harmless(f"mistake: {mistake}"))


def _explained(settings: JSON, environment: Mapping[str, str], where: str) -> tuple[list[_Setting], list[str]]:
    """Return the settings that hold, and the mistakes in what is set."""
    from statewatch.managers.guardrails import ConfigError, GuardrailsConfig, config_of  # noqa: PLC0415

    mistakes: list[str] = []

    def taken(values: JSON, variables: Mapping[str, str]) -> GuardrailsConfig | None:
        try:
            return config_of(values, where, variables)
        except ConfigError as error:
            mistakes.append(str(error))
            return None

    held = {key: _Setting(key, value, "default") for key, value in _flat(GuardrailsConfig()).items()}
    for key, values in _pieces(settings):
        if (found := taken(values, {})) is not None and key in held:
            held[key] = _Setting(key, _flat(found)[key], where)
    for name in sorted(name for name in environment if name.startswith(_PREFIX)):
        if (found := taken({}, {name: environment[name]})) is not None:
            key = _key_of(name)
            if key in held:
                held[key] = _Setting(key, _flat(found)[key], f"${name}")
    return list(held.values()), mistakes


def _pieces(settings: JSON) -> list[tuple[str, JSON]]:
    """Take settings apart, so that a mistake in one does not hide the others."""
    if settings is not None and not isinstance(settings, dict):
        return [("", settings)]
    pieces: list[tuple[str, JSON]] = []
    for section, values in mapping(settings).items():
        if isinstance(values, dict):
            pieces += [(f"{section}.{key}", {section: {key: value}}) for key, value in values.items()]
        else:
            pieces.append((str(section), {str(section): values}))
    return pieces


def _flat(config: Any) -> dict[str, JSON]:
    from dataclasses import asdict  # noqa: PLC0415

    found: dict[str, JSON] = {}
    for key, value in asdict(config).items():
        if isinstance(value, dict):
            found |= {f"{key}.{name}": each for name, each in value.items()}
        else:
            found[key] = value
    return found


def _key_of(variable: str) -> str:
    rest = variable.removeprefix(_PREFIX).lower()
    for section in ("circuit_breaker", "logging"):
        if rest.startswith(f"{section}_"):
            return f"{section}.{rest.removeprefix(section + '_')}"
    return rest


def _shown(value: JSON) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value) if value != {} else "-"

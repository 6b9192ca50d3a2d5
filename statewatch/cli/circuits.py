"""`hooks reset`, `enable`, `disable`, `half-open`: the same actions as in the dashboard, through the same core."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli.acting import Manner, action_options, carry_out
from statewatch.cli.arguments import as_typed, file_of, home_hook_state, in_file, settled
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import NotFoundError, SourceError
from statewatch.documents.values import JSON
from statewatch.kinds.base import mapping

if TYPE_CHECKING:
    from statewatch.core.circuits import Verb

_MARK = "#/hooks/"

state_file_option = click.option(
    "--state-file", metavar="FILE", help="The hook state, where that of your home is not meant."
)


def _circuit_arguments(decorated: Callable[..., Any]) -> Callable[..., Any]:
    names = click.argument("names", nargs=-1, metavar="NAME...")
    for option in (action_options, state_file_option, names):
        decorated = option(decorated)
    return decorated


@click.command(short_help="Close circuits and forget their failures.")
@_circuit_arguments
@click.option("--all", "every", is_flag=True, help="Reset every circuit, and begin the statistics anew.")
def reset(names: tuple[str, ...], state_file: str | None, why: str, *, every: bool, **manner: Any) -> int:
    """Close circuits and forget their failures, so that the hooks run as if they were new.

    NAME is a hook as `hooks list` shows it, or an address (FILE#/hooks/NAME). Names that begin with '-' go behind '--'.
    It asks once, showing exactly what would be written. What was there before is kept, and `statewatch undo` takes the
    action back.

    \b
    Examples:
      statewatch hooks reset validate-file
      statewatch hooks reset --all --dry-run
      statewatch hooks reset validate-file --yes --why "path fixed" --reapply 3

    \b
    Exit codes: 0 done, or nothing to change; 1 no such hook; 2 nobody to ask;
    3 the file cannot be read; 4 refused; 5 overwritten by another writer; 6 locked.
    """
    if every == bool(names):
        raise click.UsageError("name the hooks to reset, or give --all, not both.")
    if not every:
        return _act("reset", names, state_file, why, manner)
    from statewatch.core.circuits import reset_all_action  # noqa: PLC0415 - only commands that act pay for it

    file = _default_file(state_file)
    settled(file)
    again = f"statewatch hooks reset --all --reapply 3 --state-file {shlex.quote(file)}"
    return carry_out(reset_all_action(Path(file), why=why, via="cli"), Manner(**manner), again)


@click.command(short_help="Reset circuits that are not closed.")
@_circuit_arguments
def enable(names: tuple[str, ...], state_file: str | None, why: str, **manner: Any) -> int:
    """Reset circuits that are not closed; leave closed ones as they are.

    NAME and the options are as for `hooks reset`.

    \b
    Example:
      statewatch hooks enable validate-file

    \b
    Exit codes: 0 done, or nothing to change; 1 no such hook; 2 nobody to ask;
    3 the file cannot be read; 4 refused; 5 overwritten by another writer; 6 locked.
    """
    return _act("enable", names, state_file, why, manner)


@click.command(short_help="Open circuits: the hooks are skipped.")
@_circuit_arguments
def disable(names: tuple[str, ...], state_file: str | None, why: str, **manner: Any) -> int:
    """Open circuits, so that the hooks are skipped for one cool-down and then tested.

    NAME and the options are as for `hooks reset`.

    \b
    Example:
      statewatch hooks disable validate-file --why "hangs on large files"

    \b
    Exit codes: 0 done, or nothing to change; 1 no such hook; 2 nobody to ask;
    3 the file cannot be read; 4 refused; 5 overwritten by another writer; 6 locked.
    """
    return _act("disable", names, state_file, why, manner)


@click.command("half-open", short_help="Let open circuits be tested at once.")
@_circuit_arguments
def half_open(names: tuple[str, ...], state_file: str | None, why: str, **manner: Any) -> int:
    """Let open circuits be tested at once, at the next run, instead of after the cool-down.

    NAME and the options are as for `hooks reset`.

    \b
    Example:
      statewatch hooks half-open validate-file

    \b
    Exit codes: 0 done, or nothing to change; 1 no such hook; 2 nobody to ask;
    3 the file cannot be read; 4 refused; 5 overwritten by another writer; 6 locked.
    """
    return _act("half-open", names, state_file, why, manner)


ACTIONS = (reset, enable, disable, half_open)


def _act(verb: "Verb", names: tuple[str, ...], state_file: str | None, why: str, manner: dict[str, Any]) -> int:
    if not names:
        raise click.UsageError(f"name the hooks to {verb}; `statewatch hooks list` shows them.")
    file, hooks = _meant(names, _default_file(state_file), given=state_file is not None)
    _, document = settled(file)
    _refuse_unknown(file, hooks, document)
    from statewatch.core.circuits import circuit_action  # noqa: PLC0415 - only commands that act pay for it

    dash = ["--"] if any(name.startswith("-") for name in hooks) else []
    words = ["statewatch", "hooks", verb, "--reapply", "3", "--state-file", file, *dash, *hooks]
    return carry_out(circuit_action(verb, Path(file), hooks, why=why, via="cli"), Manner(**manner), shlex.join(words))


def _default_file(state_file: str | None) -> str:
    return home_hook_state() if state_file is None else file_of(state_file)


def _meant(names: tuple[str, ...], default: str, *, given: bool) -> tuple[str, tuple[str, ...]]:
    """Return the one file and the hooks in it that names and addresses mean. A hook of that very name comes first."""
    names = tuple(name if _MARK in name else as_typed(name) for name in names)
    known = _names_in(default) if any(_MARK in name for name in names) else set()
    chosen = [(default, name) if _MARK not in name or name in known else _from_address(name) for name in names]
    files = {os.path.realpath(file): file for file, _ in chosen}
    if given:
        files[os.path.realpath(default)] = default
    if len(files) > 1:
        raise MistakeError(f"one file at a time, these are {len(files)}: {', '.join(files.values())}")
    return next(iter(files.values())), tuple(dict.fromkeys(hook for _, hook in chosen))


def _from_address(text: str) -> tuple[str, str]:
    found = in_file(text)
    if len(found.tokens) != 2 or found.tokens[0] != "hooks":
        raise NotFoundError(f"{text}: not the address of a hook, which is FILE#/hooks/NAME")
    return found.source, found.tokens[1]


def _names_in(file: str) -> set[str]:
    try:
        return set(mapping(mapping(settled(file)[1]).get("hooks")))
    except SourceError:
        return set()


def _refuse_unknown(file: str, names: tuple[str, ...], document: JSON) -> None:
    hooks = mapping(document).get("hooks")
    if not isinstance(hooks, dict):
        return  # no hook state at all: the core says so
    missing = [name for name in names if name not in hooks]
    if not missing:
        return
    import difflib  # noqa: PLC0415 - only for a message

    near = {name: difflib.get_close_matches(name, list(hooks)[:10_000], n=3) for name in missing}
    told = [
        f"there is no hook {name!r}" + (f"; near it: {', '.join(near[name])}" if near[name] else "") for name in missing
    ]
    raise NotFoundError(f"{file}: {'; '.join(told)}. `statewatch hooks list` shows all.")

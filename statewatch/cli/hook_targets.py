"""Which hooks of which hook state a command line means: names, addresses, patterns, all of them."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli.arguments import as_typed, file_of, home_hook_state, in_file, patiently, settled
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import NotFoundError, RefusedError, SourceError
from statewatch.core.stores.urls import is_store_url, without_password
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.base import mapping

if TYPE_CHECKING:
    from statewatch.core.stores.base import Store

_MARK = "#/hooks/"
_LISTED = 20

state_file_option = click.option(
    "--state-file",
    metavar="FILE_OR_URL",
    help="The hook state, where that of your home is not meant: a file or a store.",
)


def names_options(decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Take names of hooks, and what else says which are meant."""
    for option in (
        state_file_option,
        click.option("--all", "every", is_flag=True, help="Every hook there is."),
        click.option("--all-matching", is_flag=True, help="All hooks that a pattern with * or ? matches."),
        click.argument("names", nargs=-1, metavar="NAME..."),
    ):
        decorated = option(decorated)
    return decorated


@dataclass(frozen=True, slots=True)
class Target:
    """Hooks of a hook state, which is a file or a store, with the document that they were looked up in."""

    source: "Path | Store"
    address: str
    hooks: tuple[str, ...]
    document: JSON


def target_of(
    verb: str, names: Sequence[str], state_file: str | None, *, every: bool, all_matching: bool, known_only: bool = True
) -> Target:
    """Return what is meant. Raises StatewatchError where that is nothing, or more than was said.

    Where not *known_only*, a name may be that of a hook which has not run yet.
    """
    if every == bool(names):
        raise click.UsageError(
            f"name the hooks to {verb}, or give --all, not both. `statewatch hooks list` shows them."
        )
    if state_file is not None and is_store_url(state_file):
        from statewatch.cli.sources import opened  # noqa: PLC0415 - files need no stores

        store = opened(state_file)
        return _among(store, without_password(state_file), patiently(store.version)[1], names, all_matching, known_only)
    default = home_hook_state() if state_file is None else file_of(state_file)
    file, hooks = _meant(names, default, given=state_file is not None) if names else (default, ())
    document = settled(file)[1] if known_only or os.path.lexists(file) else {}
    return _among(Path(file), file, document, hooks, all_matching, known_only)


def matches(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names that a pattern means, in which `*` stands for anything and `?` for one character."""
    parts = (".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)
    expression = re.compile("".join(parts), re.DOTALL)
    return [name for name in names if expression.fullmatch(name)]


def _among(
    source: "Path | Store", address: str, document: JSON, names: Sequence[str], all_matching: bool, known_only: bool
) -> Target:
    hooks = mapping(document).get("hooks")
    known = list(mapping(hooks))
    if not names:
        return Target(source, address, tuple(known), document)
    chosen: list[str] = []
    for name in names:
        is_pattern = name not in mapping(hooks) and any(sign in name for sign in "*?")
        chosen += _matching(address, name, known, all_matching=all_matching) if is_pattern else [name]
    if known_only and isinstance(hooks, dict):  # where there is no hook state at all, the core says so
        _refuse_unknown(address, chosen, hooks)
    if not known_only and not isinstance(hooks, dict) and not _is_empty(document):
        raise RefusedError(f"{address}: the document has no hooks object, so it is not a hook state")
    return Target(source, address, tuple(dict.fromkeys(chosen)), document)


def _is_empty(document: JSON) -> bool:
    """Tell whether a document may become a hook state: nothing is in it, or only what is kept beside the records."""
    return isinstance(document, dict) and document.keys() <= {"circuits"}


def _matching(address: str, pattern: str, known: Sequence[str], *, all_matching: bool) -> list[str]:
    found = matches(pattern, known)
    if not found:
        raise NotFoundError(f"{address}: no hook matches {pattern!r}. `statewatch hooks list` shows all.")
    if len(found) == 1 or all_matching:
        return found
    shown = "".join(f"\n  {harmless(name, 200)}" for name in found[:_LISTED])
    more = f"\n  and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    click.echo(f"{len(found)} hooks match {harmless(pattern, 200)!r}:{shown}{more}", err=True)
    raise MistakeError("nothing was done. --all-matching means all of these; or give one name.")


def _meant(names: Sequence[str], default: str, *, given: bool) -> tuple[str, tuple[str, ...]]:
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


def _refuse_unknown(address: str, names: Iterable[str], hooks: Collection[str]) -> None:
    missing = [name for name in names if name not in hooks]
    if not missing:
        return
    import difflib  # noqa: PLC0415 - only for a message

    near = {name: difflib.get_close_matches(name, list(hooks)[:10_000], n=3) for name in missing}
    told = [
        f"there is no hook {name!r}" + (f"; near it: {', '.join(near[name])}" if near[name] else "") for name in missing
    ]
    raise NotFoundError(f"{address}: {'; '.join(told)}. `statewatch hooks list` shows all.")

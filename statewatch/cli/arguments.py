"""What the arguments of commands mean: sources, addresses, and the picture of what was named."""

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli.errors import MistakeError
from statewatch.cli.output import is_terminal, note
from statewatch.core import address
from statewatch.core.address import Address
from statewatch.core.errors import NotFoundError, SourceError, StatewatchError
from statewatch.core.reading import Snapshot, read
from statewatch.documents.values import JSON

if TYPE_CHECKING:
    from statewatch.watch.picture import Picture

_STORES = ("redis://", "rediss://", "postgresql://", "postgres://", "sqlite:")
_PATIENCE = (0.02, 0.04, 0.09)
"""Seconds between the readings of a file that is broken: an in-place writer may be at work."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON: stable names, times as ISO 8601 UTC.")
poll_option = click.option("--poll", is_flag=True, help="Look at intervals instead of waiting for notification.")


def paths_argument(decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Take any number of paths."""
    argument: Callable[[Callable[..., Any]], Callable[..., Any]] = click.argument(
        "paths", nargs=-1, metavar="[PATH]..."
    )
    return argument(decorated)


def help_instead(ctx: click.Context) -> int:
    """Print the help of a group that was called without a command of its own; return the exit code."""
    if ctx.invoked_subcommand is not None:
        return 0
    note(ctx.get_help())
    return 2


def parsed(text: str) -> Address:
    """Take an address apart. Raises StatewatchError for sources and moments that cannot be read."""
    if text.startswith(_STORES):
        raise StatewatchError(f"{text}: only files can be read so far, not {text.split(':', 1)[0]} stores")
    if text.startswith("~/") and not os.path.lexists("~"):  # quoted, or behind `=`, where the shell leaves it
        text = os.path.expanduser(text)  # noqa: PTH111 - any bytes
    found = address.parse(text)
    if found.when is not None:
        raise NotFoundError(
            f"{text}: nothing is known of {found.source} at {found.when!r}: no history is recorded, only the present"
        )
    return found


def as_typed(text: str) -> str:
    """Return what was typed where the locale is not UTF-8 but the terminal is: names in documents are."""
    try:
        return os.fsencode(text).decode()
    except UnicodeError:
        return text


def file_of(text: str) -> str:
    """Return the file or directory that an address without a pointer names."""
    found = parsed(text)
    if found.tokens:
        raise MistakeError(f"{text}: a whole source is meant here; `statewatch show` takes a place inside one.")
    return found.source


def files_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the files and directories that addresses name."""
    return tuple(file_of(text) for text in texts)


def picture_of(paths: Iterable[str]) -> "Picture":
    """Look at what was named, or at the project and the home where nothing was."""
    from statewatch.watch.scope import scope_of  # noqa: PLC0415 - each command loads what it uses
    from statewatch.watch.watcher import look  # noqa: PLC0415

    return look(scope_of(paths))


def settled(path: str) -> tuple[Snapshot, JSON]:
    """Read a file, a few times where it is broken. Raises SourceError when it stays so."""
    for pause in (*_PATIENCE, None):
        snapshot = read(Path(path))
        try:
            return snapshot, snapshot.document()
        except SourceError:
            if pause is None:
                raise
            time.sleep(pause)
    raise AssertionError  # the last turn returns or raises


def home_hook_state() -> str:
    """Return where the tool that owns hook states keeps the user's."""
    from statewatch.watch.policies import configured_hook_state  # noqa: PLC0415

    return str(configured_hook_state(Path.home(), os.environ))


def can_ask() -> bool:
    """Tell whether there is somebody to ask: keys come from a terminal, and questions reach one."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)

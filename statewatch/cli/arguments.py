"""What the arguments of commands mean: sources, addresses, and the picture of what was named."""

import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from statewatch.cli.errors import MistakeError
from statewatch.cli.output import is_terminal, note
from statewatch.core import address
from statewatch.core.address import Address
from statewatch.core.errors import NotFoundError, SourceError
from statewatch.core.reading import Snapshot, read
from statewatch.core.stores.model import Version
from statewatch.core.stores.urls import is_store_url, refuse_guess, without_password
from statewatch.documents.values import JSON
from statewatch.kinds.times import duration, instant

if TYPE_CHECKING:
    from statewatch.watch.picture import Picture

Readable = TypeVar("Readable", bound=Version)

_PATIENCE = (0.02, 0.04, 0.09)
"""Seconds between the readings of a file that is broken: an in-place writer may be at work."""
_TIME_OF_DAY = re.compile(r"(\d\d:\d\d)(:\d\d(?:\.\d+)?)?", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON: stable names, times as ISO 8601 UTC.")
at_time = "statewatch.at"
history_file = "statewatch.history"
"""Under which names a command keeps the past moment it is to look at, and the history that was named for that."""


def _kept(name: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return what keeps the value of an option for whoever reads sources, however deep below the command."""

    def keep(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
        if value is not None:
            context.meta[name] = value
        return value

    return keep


history_option = click.option(
    "--history",
    envvar="STATEWATCH_HISTORY",
    metavar="PATH",
    expose_value=False,
    callback=_kept(history_file),
    help="The history to look into, instead of the usual one.",
)
_at_option = click.option(
    "--at",
    metavar="TIME",
    expose_value=False,
    callback=_kept(at_time),
    help="As it was then, by the history: 10m (ago), 14:03, 2026-11-20T14:03, or the name of a bookmark.",
)


def at_option(decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Take the past moment to look at, and the history that tells of it: for commands that read only."""
    return _at_option(history_option(decorated))


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
    """Take an address apart. Raises NotFoundError when its pointer cannot be read."""
    if text.startswith("~/") and not os.path.lexists("~"):  # quoted, or behind `=`, where the shell leaves it
        text = os.path.expanduser(text)  # noqa: PTH111 - any bytes
    return address.parse(text)


def in_file(text: str) -> Address:
    """Take the address of a place in a file, as that is now. Raises StatewatchError for stores and other moments."""
    found = parsed(text)
    if is_store_url(found.source):
        raise MistakeError(f"{without_password(found.source)}: a file is meant here, not another store")
    if found.when is not None:
        raise NotFoundError(f"{text}: {found.source} is meant as it is now here, not at {found.when!r}")
    return found


def moment_of(text: str, now: float) -> float | None:
    """Return the instant that a text means: a duration before *now*, or a time in ISO 8601, local without an offset."""
    try:
        return now - duration(text)
    except ValueError:
        found = _TIME.fullmatch(text)
    day, minute, second, zone = found.groups(default="") if found else ("",) * 4
    return instant(f"{day}T{minute or '00:00'}{second or ':00'}{zone}", naive="local")


def past_moment_of(text: str, now: float) -> float | None:
    """Return the instant that a text means as `moment_of` does; a time of day alone is the last one before *now*."""
    if _TIME_OF_DAY.fullmatch(text) is None:
        return moment_of(text, now)
    days = (datetime.fromtimestamp(now).date() - timedelta(days=back) for back in range(2))
    moments = [moment_of(f"{day.isoformat()}T{text}", now) for day in days]
    return next((moment for moment in moments if moment is not None and moment <= now), None)


def given_moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Return the instant that the value of an option means."""
    if value is None:
        return None
    moment = past_moment_of(value, time.time())
    if moment is None:
        raise click.BadParameter(f"{value!r} is neither a duration (10m, 2h, 3d) nor a time (14:03, 2026-11-20T14:03).")
    return moment


def asked_moment() -> float | None:
    """Return the past instant that the command is to look at, None for now. Raises StatewatchError as `--at` does."""
    context = click.get_current_context(silent=True)
    text = context.meta.get(at_time) if context is not None else None
    if text is None:
        return None
    from statewatch.cli.history import moment_meant  # noqa: PLC0415 - what is about now needs none of it

    return moment_meant(text)


def current_time() -> float:
    """Return the instant that the command is about: now, or the past one that was asked for."""
    moment = asked_moment()
    return time.time() if moment is None else moment


def as_typed(text: str) -> str:
    """Return what was typed where the locale is not UTF-8 but the terminal is: names in documents are."""
    try:
        return os.fsencode(text).decode()
    except UnicodeError:
        return text


def file_of(text: str) -> str:
    """Return the file or directory that an address without a pointer names."""
    found = in_file(text)
    if found.tokens:
        raise MistakeError(f"{text}: a whole source is meant here; `statewatch show` takes a place inside one.")
    refuse_guess(found.source)
    return found.source


def files_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the files and directories that addresses name."""
    return tuple(file_of(text) for text in texts)


def picture_of(paths: Iterable[str]) -> "Picture":
    """Look at what was named, or at the project and the home where nothing was: now, or then with `--at`."""
    from statewatch.watch.scope import scope_of  # noqa: PLC0415 - each command loads what it uses

    moment = asked_moment()
    if moment is not None:
        from statewatch.cli.history import past_picture  # noqa: PLC0415

        return past_picture(scope_of(paths), moment)
    from statewatch.watch.watcher import look  # noqa: PLC0415

    return look(scope_of(paths))


def settled(path: str) -> tuple[Snapshot, JSON]:
    """Read a file, a few times where it is broken, or look up what it held with `--at`. Raises SourceError."""
    moment = asked_moment()
    if moment is not None:
        from statewatch.cli.history import past_snapshot  # noqa: PLC0415

        then = past_snapshot(path, moment)
        return then, then.document()
    return patiently(lambda: read(Path(path)))


def patiently(look: Callable[[], Readable]) -> tuple[Readable, JSON]:
    """Return what *look* sees and its document; it looks a few times where that is broken, then raises SourceError."""
    for pause in (*_PATIENCE, None):
        found = look()
        try:
            return found, found.document()
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

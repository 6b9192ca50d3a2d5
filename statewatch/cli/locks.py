"""`locks`: who holds the lock of which source."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import files_of, json_option, paths_argument, picture_of
from statewatch.cli.columns import Column
from statewatch.cli.status import explain_nothing
from statewatch.core.lock import Holder, holder, host, sidecar
from statewatch.core.processes import still_runs
from statewatch.documents.text import harmless
from statewatch.kinds.times import instant, span
from statewatch.watch.picture import Picture, Source

_UNSAID = "?"


@dataclass(frozen=True, slots=True)
class _Held:
    """A lock that is held. `alive` tells whether the holder still runs; None where that cannot be known from here."""

    source: Source
    lock_file: Path
    who: Holder
    alive: bool | None


@click.command(name="locks")
@paths_argument
@json_option
def command(paths: tuple[str, ...], *, as_json: bool) -> int:
    """List the locks that are held: on which source, by whom, what for and since when.

    Looks at the PATHs (files, directories or addresses), else at the project around the current directory and at
    ~/.claude. A lock ends with the process that holds it: to free one, end that process.

    \b
    Examples:
      statewatch locks
      statewatch locks ~/work
      statewatch locks --json | jq '.[] | {source, pid, operation}'

    \b
    Exit codes: 0 done, whether any lock is held or not; 3 it cannot be known whether one is.
    """
    picture = picture_of(files_of(paths))
    held, code = _locks(picture)
    if as_json:
        output.json_out([shapes.lock_row(each.source, each.lock_file, each.who, each.alive) for each in held])
    elif held:
        _table(held, picture.at)
    elif not picture.sources:
        explain_nothing(picture)
    elif not code:
        output.say("No lock is held.")
    return code


def _locks(picture: Picture) -> tuple[list[_Held], int]:
    """Return the locks that are held, and the exit code; say on standard error of which it cannot be known."""
    held: list[_Held] = []
    code = 0
    for source in picture.sources:
        path = Path(os.path.realpath(source.key))
        who, lock_file = holder(path), sidecar(path)
        if who is not None:
            held.append(_Held(source, lock_file, who, _is_alive(who)))
        elif os.path.lexists(lock_file) and not os.access(lock_file, os.R_OK):
            output.complain(f"{output.shown_path(source.key)}: you may not read its lock file {lock_file}")
            code = 3
    return held, code


def _is_alive(who: Holder) -> bool | None:
    """Tell whether a holder still runs: of one on another host, or that has not said where, that cannot be known."""
    since = instant(who.since)
    return None if who.host != host() or since is None else still_runs(who.pid, since)


def _table(held: Sequence[_Held], now: float) -> None:
    output.table(
        (
            Column("source", 12, elastic=True, is_name=True),
            Column("user", 6, dispensable=2),
            Column("host", 6, dispensable=3),
            Column("process", align="right"),
            Column("operation", 10, elastic=True),
            Column("held for", align="right", dispensable=1),
        ),
        [_cells(each, now) for each in held],
    )
    output.note("To free a lock end the process that holds it, with `kill`: the lock goes with it.")
    for each in held:
        if each.alive is False:
            output.note(
                f"Process {each.who.pid} has ended, but something it began has its lock file open still: "
                f"`fuser {output.shown_path(str(each.lock_file))}` tells what."
            )


def _cells(held: _Held, now: float) -> tuple[str, ...]:
    who, since = held.who, instant(held.who.since)
    process = str(who.pid) if who.pid else _UNSAID
    return (
        harmless(held.source.label),
        harmless(who.user, 60) or _UNSAID,
        harmless(who.host, 60) or _UNSAID,
        process if held.alive is not False else f"{process} (ended)",
        harmless(who.operation, 200) or _UNSAID,
        _UNSAID if since is None else span(now - since),
    )

"""`locks`: who holds the lock of which source."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import files_of, json_option, paths_argument, picture_of
from statewatch.cli.columns import Column
from statewatch.cli.sources import source_at
from statewatch.cli.status import explain_nothing
from statewatch.core.errors import StatewatchError
from statewatch.core.lock import Holder, holder, host, sidecar
from statewatch.core.places import STATE_ROOT
from statewatch.core.processes import still_runs
from statewatch.core.stores.base import Store
from statewatch.core.stores.urls import is_store_url
from statewatch.documents.text import harmless
from statewatch.kinds.times import instant, span
from statewatch.watch.picture import Picture
from statewatch.watch.scope import scope_of

_UNSAID = "?"
_SPACE_FILES = ("state.json", "state.db")


@dataclass(frozen=True, slots=True)
class _Held:
    """A lock that is held, in a file or (no `lock_file`) on a server.

    `alive` tells whether the holder still runs; None where that cannot be known from here.
    """

    source: str
    label: str
    lock_file: Path | None
    who: Holder
    alive: bool | None


@click.command(name="locks")
@paths_argument
@json_option
def command(paths: tuple[str, ...], *, as_json: bool) -> int:
    """List the locks that are held: on which source, by whom, what for and since when.

    Looks at the PATHs (files, directories or addresses of namespaces, also on a server), else at the project around the
    current directory, its namespaces in .claude/state included, and at ~/.claude. A lock ends with the process that
    holds it: to free one, end that process. Redis has no locks: there it tells who is let go first, if anyone is.

    \b
    Examples:
      statewatch locks
      statewatch locks ~/work 'sqlite:runs.db?namespace=nightly'
      statewatch locks --json | jq '.[] | {source, pid, operation}'

    \b
    Exit codes: 0 done, whether any lock is held or not; 3 it cannot be known whether one is.
    """
    urls = [path for path in paths if is_store_url(path)]
    files = files_of(path for path in paths if path not in urls)
    picture = None if urls and not files else picture_of(files)
    found, code = _of_stores(urls)
    if picture is not None:
        held, hidden = _of_files(picture, files)
        found, code = [*held, *found], max(code, hidden)
    if as_json:
        output.json_out([shapes.lock_row(each.source, each.lock_file, each.who, each.alive) for each in found])
    elif found:
        _table(found, picture.at if picture is not None else time.time())
    elif picture is not None and not picture.sources and not urls and not any(_spaces(files)):
        explain_nothing(picture)
    elif not code:
        output.say("No lock is held.")
    return code


def _of_files(picture: Picture, files: Sequence[str]) -> tuple[list[_Held], int]:
    """Return the locks held on files, and the exit code; say on standard error of which it cannot be known."""
    held: list[_Held] = []
    code = 0
    shown = {source.key: source.label for source in picture.sources}
    label = scope_of(files).label
    for key in dict.fromkeys([*shown, *map(str, _spaces(files))]):
        path = Path(os.path.realpath(key))
        who, lock_file = holder(path), sidecar(path)
        if who is not None:
            held.append(_Held(key, shown.get(key) or label(key), lock_file, who, _is_alive(who)))
        elif os.path.lexists(lock_file) and not os.access(lock_file, os.R_OK):
            output.complain(f"{output.shown_path(key)}: you may not read its lock file {lock_file}")
            code = 3
    return held, code


def _spaces(files: Sequence[str]) -> Iterator[Path]:
    """Yield the files of namespaces below the directories looked at, also where only their lock is there yet."""
    for root in scope_of(files).roots:
        directory = Path(root.path)
        for place in (directory / STATE_ROOT, directory / STATE_ROOT.name, directory):
            if place.parts[-2:] != STATE_ROOT.parts:
                continue
            try:
                spaces = sorted(entry.path for entry in os.scandir(place) if entry.is_dir())
            except OSError:
                continue
            for path in (Path(space, name) for space in spaces for name in _SPACE_FILES):
                if os.path.lexists(path) or os.path.lexists(sidecar(path)):
                    yield path


def _of_stores(urls: Sequence[str]) -> tuple[list[_Held], int]:
    """Return the locks held on namespaces, as their engines tell, and the exit code."""
    held: list[_Held] = []
    code = 0
    for url in urls:
        try:
            store = source_at(url)
            whose = store.holders()
        except StatewatchError as error:
            output.complain(str(error))
            code = code or error.exit_code
            continue
        shown = output.shown_path(store.source)
        held += [_Held(store.source, shown, _lock_file(store), who, _is_alive(who)) for who in whose]
        if not whose and _is_redis(url):
            output.note(f"{shown}: Redis has no locks, and nobody waits for their turn to write there.")
    return held, code


def _lock_file(store: Store) -> Path | None:
    path = getattr(store, "path", None)
    return None if path is None else sidecar(Path(os.path.realpath(path)))


def _is_redis(url: str) -> bool:
    return url.partition(":")[0] in {"redis", "rediss", "unix"}


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
        if each.alive is False and each.lock_file is not None:
            output.note(
                f"Process {each.who.pid} has ended, but something it began has its lock file open still: "
                f"`fuser {output.shown_path(str(each.lock_file))}` tells what."
            )


def _cells(held: _Held, now: float) -> tuple[str, ...]:
    who, since = held.who, instant(held.who.since)
    process = str(who.pid) if who.pid else _UNSAID
    return (
        harmless(held.label),
        harmless(who.user, 60) or _UNSAID,
        harmless(who.host, 60) or _UNSAID,
        process if held.alive is not False else f"{process} (ended)",
        harmless(who.operation, 200) or _UNSAID,
        _UNSAID if since is None else span(now - since),
    )

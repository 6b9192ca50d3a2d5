"""`record`: the history of what happens, kept without a screen."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from statewatch.cli import output
from statewatch.cli.arguments import files_of, history_option, paths_argument, poll_option
from statewatch.cli.errors import MistakeError
from statewatch.documents.text import harmless
from statewatch.kinds.times import clock, duration

if TYPE_CHECKING:
    from statewatch.watch.history.model import Entry
    from statewatch.watch.history.recorder import Recorder
    from statewatch.watch.picture import Picture
    from statewatch.watch.scope import Scope

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK = 0.5
"""Seconds between two looks at whether recording has become impossible."""


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float:
    try:
        return 0.0 if value is None else duration(value)
    except ValueError:
        raise MistakeError(f"--every takes a duration such as 2s, 5m or 1h, not {value!r}") from None


@click.command(name="record")
@paths_argument
@history_option
@poll_option
@click.option(
    "--every",
    metavar="DURATION",
    callback=_seconds,
    help="At most one revision of a source in so long, the newest: 10s, 5m.",
)
@click.option("-v", "--verbose", is_flag=True, help="Print a line for every revision that is recorded.")
def command(paths: tuple[str, ...], *, poll: bool, every: float, verbose: bool) -> int:
    """Record every revision of the sources, as the dashboard does while it runs, but without a screen.

    Watches the PATHs (files or directories), else the project around the current directory and ~/.claude,
    until it is told to end: by ctrl+c, SIGTERM or SIGHUP. Where it records is said on standard error. Others may record
    in the same history at the same time. It takes 256 MB at most, and keeps what is older than 14 days no longer.

    \b
    Examples:
      statewatch record
      statewatch record --verbose .claude/batch_state.json
      statewatch record --every 10s --history /var/tmp/night.db .claude &

    \b
    Exit codes: 0 told to end; 3 the history cannot be used (once it records, a full disk is waited for);
    141 the reader of the output went away.
    """
    from statewatch.cli.history import place  # noqa: PLC0415 - each command loads what it uses
    from statewatch.watch.history.recorder import Recorder  # noqa: PLC0415
    from statewatch.watch.scope import scope_of  # noqa: PLC0415

    scope = scope_of(files_of(paths))
    with _told_to_end() as ended:
        sayer = _Sayer(scope, ended, verbose=verbose)
        recorder = Recorder(
            place(), tell=lambda text: output.note(f"statewatch: {harmless(text)}"), recorded=sayer.say, every=every
        )
        where = recorder.ready()
        code = _record(scope, recorder, where, ended, poll=poll)
    if sayer.is_unheard:
        raise output.ReaderGoneError
    return code


def _record(scope: "Scope", recorder: "Recorder", where: Path, ended: threading.Event, *, poll: bool) -> int:
    from statewatch.watch.watcher import Watcher  # noqa: PLC0415

    teller = _Teller(where)
    watcher = Watcher(scope, on_picture=teller.pictured, poll=poll, record=recorder.take)
    recorder.start()
    watcher.start()
    try:
        while not (ended.wait(_LOOK) or recorder.has_failed):
            pass
    finally:
        watcher.stop()
        recorder.stop()
    return 3 if recorder.has_failed else 0


class _Teller:
    """Says on standard error what is recorded, and what is not."""

    def __init__(self, where: Path) -> None:
        self._where = where
        self._begun = False
        self._unread: dict[str, str] = {}

    def pictured(self, picture: "Picture") -> None:
        """Take note of a picture."""
        if not self._begun:
            self._begun = True
            places = ", ".join(picture.watching.looked_in)
            count = output.count(len(picture.sources), "source")
            output.note(f"recording {count} in {places} to {output.shown_path(str(self._where))}")
        for source in picture.sources:
            reason = source.problem.reason if source.problem is not None and not source.problem.gone else ""
            if reason != self._unread.get(source.key, "") and reason:
                output.note(f"statewatch: {source.label}: {harmless(reason)}")
            self._unread[source.key] = reason


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Have an event that is set when the program is told to end, so that what was seen is still recorded then."""
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in _ENDING}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Sayer:
    """Prints a line for every entry, and ends the program when nobody reads them any more."""

    def __init__(self, scope: "Scope", ended: threading.Event, *, verbose: bool) -> None:
        self.is_unheard = False
        self._scope = scope
        self._ended = ended
        self._verbose = verbose

    def say(self, entry: "Entry") -> None:
        """Print an entry."""
        if not self._verbose or self.is_unheard:
            return
        dropped = f"  ({output.count(entry.dropped, 'revision')} before it not kept)" if entry.dropped else ""
        label = self._scope.label(entry.source)
        try:
            output.say(f"{clock(entry.seen_at)}  {label}  {entry.digest[:12]}  {output.size(entry.size)}{dropped}")
        except (OSError, output.ReaderGoneError):
            self.is_unheard = True
            self._ended.set()

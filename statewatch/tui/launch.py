"""Starting the dashboard, and ending it when its terminal goes away."""

import contextlib
import gc
import os
import select
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from statewatch.documents.text import harmless
from statewatch.tui.archive import Archive
from statewatch.watch.history.recorder import Recorder
from statewatch.watch.scope import Scope, scope_of
from statewatch.watch.watcher import Watcher

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp
    from statewatch.watch.history.store import History

_STARTED_AFTER = 2.0
_LOST_AFTER = 2.0
LOST_TERMINAL = 129
"""Exit code when the terminal went away: 128 + SIGHUP, as if the hang-up had ended us."""


def run_dashboard(
    paths: tuple[str, ...] = (),
    *,
    poll: bool = False,
    read_only: bool = False,
    reapply: bool = False,
    history: Path | None = None,
) -> int:
    """Open the dashboard on what is at *paths*, or around here; return the exit code.

    What it sees is recorded in *history*, or nowhere.
    """
    scope = scope_of(paths)
    title = paths[0] if len(paths) == 1 else f"{len(paths)} places" if paths else scope.shown(scope.base)
    return open_dashboard(scope, harmless(title), poll=poll, read_only=read_only, reapply=reapply, history=history)


def open_dashboard(
    scope: Scope,
    title: str,
    *,
    poll: bool = False,
    read_only: bool = False,
    reapply: bool = False,
    history: Path | None = None,
) -> int:
    """Open the dashboard on *scope*, with *title* in its top line; return the exit code.

    What it sees is recorded in *history*, or nowhere.
    """
    with _collecting_later():
        from statewatch.tui.app import StatewatchApp  # noqa: PLC0415 - most of the start, without the collector

        def tell(text: str) -> None:
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                app.call_later(app.tell, text, "warning")

        recorder = None if history is None else Recorder(history, tell=tell)
        record = None if recorder is None else recorder.take
        app = StatewatchApp(
            lambda on_picture: Watcher(scope, on_picture=on_picture, poll=poll, record=record),
            project=title,
            read_only=read_only,
            reapply=reapply,
            archive=None if history is None else Archive(partial(_history, history), scope),
        )
        with _terminal_watched(app), _recording(recorder):
            app.run()
        return app.return_code or 0


def _history(path: Path) -> "History":
    """Open the history to look into it."""
    from statewatch.watch.history.store import History  # noqa: PLC0415 - 20 ms that the first picture need not wait for

    return History.open(path, create=False)


@contextlib.contextmanager
def _recording(recorder: Recorder | None) -> Iterator[None]:
    """Record while the dashboard runs, and what was seen last before it ends."""
    if recorder is None:
        yield
        return
    recorder.start()
    try:
        yield
    finally:
        recorder.stop()


@contextlib.contextmanager
def _collecting_later() -> Iterator[None]:
    """Collect no garbage while starting, and never look again at what was made until then: it stays.

    The collector would take a seventh of the start, and later hold up every thirtieth change by 60 ms.
    """
    gc.disable()
    started = threading.Timer(_STARTED_AFTER, _collect_from_now)
    started.daemon = True
    started.start()
    try:
        yield
    finally:
        started.cancel()
        gc.unfreeze()
        gc.enable()


def _collect_from_now() -> None:
    gc.freeze()
    gc.enable()


@contextlib.contextmanager
def _terminal_watched(app: "StatewatchApp") -> Iterator[None]:
    """End the program when its terminal goes away: without one it would go on for ever, at full speed."""
    ended = threading.Event()
    threading.Thread(target=_watch_terminal, args=(app, ended), name="terminal", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _watch_terminal(app: "StatewatchApp", ended: threading.Event) -> None:
    try:
        descriptor = sys.__stdin__.fileno() if sys.__stdin__ else 0
    except (OSError, ValueError):
        return
    watched = select.poll()
    watched.register(descriptor, select.POLLHUP | select.POLLERR)
    while not ended.is_set():
        if any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in watched.poll()):
            threading.Thread(target=_ask_to_end, args=(app,), daemon=True).start()
            if not ended.wait(_LOST_AFTER):
                os._exit(LOST_TERMINAL)  # it hangs on writing to a terminal that is not there
            return


def _ask_to_end(app: "StatewatchApp") -> None:
    """Ask in a thread of its own: the asking waits for an answer, which a hanging app never gives."""
    with contextlib.suppress(RuntimeError):
        app.call_from_thread(app.exit, return_code=LOST_TERMINAL)

"""The live picture of a scope, kept up to date in a thread; and a single look at one."""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from statewatch.documents.values import JSON
from statewatch.watch.alarm import Alarm, listenable
from statewatch.watch.hearing import Hearing
from statewatch.watch.memory import MAX_BYTES, Memory
from statewatch.watch.picture import Picture, Watching
from statewatch.watch.scope import Scope
from statewatch.watch.sweep import Record, Sweep
from statewatch.watch.tree import MAX_DIRECTORIES

if TYPE_CHECKING:
    from statewatch.watch.board import Board

LIVE_SWEEP = (1.0, 2.0)
"""Seconds between sweeps while notification works: longer where a sweep costs more."""

POLLING_SWEEP = (0.1, 0.25)
"""Seconds between sweeps while it does not."""

_LIVE_SHARE, _POLLING_SHARE = 1_000, 250  # a sweep may take so small a share of the time
_MOST_PATHS = 2_000
_REST, _LONGEST_REST = 2.0, 0.08
"""After each pass the thread rests for twice its CPU time, at most 80 ms: a flood of changes takes a third of a CPU."""


def look(scope: Scope, *, now: float | None = None) -> Picture:
    """Return the picture of *scope* at the instant *now*, without watching it.

    Waits 0.15 s only where a file is broken or missing, to be sure that it is not just being written.
    """
    at = time.time() if now is None else now
    sweep = Sweep(scope, clock=lambda: at)
    sweep.everything()
    while sweep.in_doubt and (due := sweep.next_due) is not None:
        time.sleep(max(0.0, due - time.monotonic()))
        sweep.again()
    return sweep.picture(Watching(looked_in=_cut_short(scope.looked_in, sweep)))


class Watcher:
    """Watches a scope and calls *on_picture* with every new picture, from its own thread.

    What happens within one pass comes as one picture. *on_picture* must neither block nor raise. *max_bytes* bounds
    the memory for revisions that can be recalled. *record* takes every revision for the history, from that thread too;
    it must neither block nor raise.
    """

    def __init__(
        self,
        scope: Scope,
        *,
        on_picture: Callable[[Picture], None],
        poll: bool = False,
        clock: Callable[[], float] = time.time,
        max_bytes: int = MAX_BYTES,
        record: Record | None = None,
    ) -> None:
        self._places = scope.looked_in
        self._on_picture = on_picture
        self._poll = poll
        self._memory = Memory(max_bytes)
        self._sweep = Sweep(scope, self._memory, clock, record=record)
        self._inbox = _Inbox()
        self._alarm = Alarm(self._inbox.ring, self._inbox.alarm_is)
        self._hearing = Hearing()
        self._deaf = ""
        self._shown: tuple[Board, Watching] | None = None
        self._picture = Picture(clock())
        self._thread = threading.Thread(target=self._run, name="statewatch-watcher", daemon=True)

    @property
    def picture(self) -> Picture:
        """Return the latest picture; empty until the first look is done."""
        return self._picture

    def start(self) -> None:
        """Begin to watch; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the watching; returns when both threads have ended. May be called more than once, from any thread."""
        self._inbox.stop()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        self._alarm.stop()

    def poke(self) -> None:
        """Look at everything now: after an action of our own, or when the terminal comes back."""
        self._inbox.ring(None)

    def recall(self, digest: str) -> JSON:
        """Return the document of a revision that was seen, or None when it is no longer kept."""
        for source in self._picture.sources:
            if source.revision is not None and source.revision.digest == digest:
                return source.revision.document
        return self._memory.recall(digest)

    def recall_bytes(self, digest: str) -> bytes | None:
        """Return the bytes of a revision that was seen, or None when they are no longer kept."""
        return self._memory.recall_bytes(digest)

    def _run(self) -> None:
        next_sweep = self._look()
        if not self._poll:
            self._alarm.start()
        rest = 0.0
        while True:
            due = self._sweep.next_due
            call = self._inbox.take(next_sweep if due is None else min(next_sweep, due), rest)
            if call.stop:
                return
            begun = time.thread_time()
            self._heed(call)
            if call.everything or time.monotonic() >= next_sweep:
                next_sweep = self._look(on_time=not call.everything)
            elif call.paths and self._sweep.at(call.paths):
                self._cover()
            self._sweep.again()
            self._show()
            rest = min(_REST * (time.thread_time() - begun), _LONGEST_REST)

    def _look(self, *, on_time: bool = False) -> float:
        """Sweep, and return when to do so again."""
        begun = time.thread_time()
        self._sweep.everything()
        now = time.monotonic()
        if on_time and not self._is_polling(now):
            self._hearing.found(self._sweep.unheard, now)
        self._cover()
        self._show()
        cost = time.thread_time() - begun
        if self._is_polling(now):
            return now + min(max(cost * _POLLING_SHARE, POLLING_SWEEP[0]), POLLING_SWEEP[1])
        return now + min(max(cost * _LIVE_SHARE, LIVE_SWEEP[0]), LIVE_SWEEP[1])

    def _heed(self, call: "_Call") -> None:
        if call.everything:
            self._hearing.begin()
        if call.paths:
            self._hearing.heard(call.paths)
        if call.alarm is not None:
            self._deaf = call.alarm

    def _cover(self) -> None:
        if not self._poll:
            self._alarm.cover(listenable(self._sweep.directories))

    def _is_polling(self, now: float) -> bool:
        return self._poll or bool(self._deaf) or self._hearing.is_deaf(now)

    def _show(self) -> None:
        board, watching = self._sweep.board, self._watching()
        if self._shown is not None and self._shown[0] is board and self._shown[1] == watching:
            return
        self._shown = (board, watching)
        self._picture = self._sweep.picture(watching)
        self._on_picture(self._picture)
        self._memory.pack()

    def _watching(self) -> Watching:
        places = _cut_short(self._places, self._sweep)
        if self._poll:
            return Watching("polling", "as asked for", places)
        if self._deaf:
            return Watching("polling", self._deaf, places)
        if self._hearing.is_deaf(time.monotonic()):
            return Watching("polling", "notification does not report changes here", places)
        return Watching("live", "", places)


@dataclass(slots=True)
class _Call:
    """What woke the watcher: something happened at `paths`, or anywhere; the alarm became deaf or heard again."""

    paths: set[str] = field(default_factory=set)
    everything: bool = False
    alarm: str | None = None
    stop: bool = False


class _Inbox:
    """Where other threads leave word for the watcher's. Calls that come while it is at work are put together."""

    def __init__(self) -> None:
        self._call = _Call()
        self._news = threading.Condition()
        self._waiting = False

    def ring(self, paths: Collection[str] | None) -> None:
        """Say that something happened at *paths*, or anywhere when None."""
        with self._news:
            if paths is None or len(self._call.paths) + len(paths) > _MOST_PATHS:
                self._call.everything = True
            else:
                self._call.paths.update(paths)
            self._leave()

    def alarm_is(self, reason: str) -> None:
        """Say that the alarm is deaf for that reason, or that it hears (empty)."""
        with self._news:
            self._call.alarm = reason
            self._leave()

    def stop(self) -> None:
        """Say that the watching is to end."""
        with self._news:
            self._call.stop = True
            self._leave()

    def take(self, deadline: float, rest: float = 0.0) -> _Call:
        """Wait for a call, at most until *deadline* (a tick of the monotonic clock), and take it.

        Only the call to stop is heard during the first *rest* seconds.
        """
        earliest = time.monotonic() + rest
        with self._news:
            while not self._call.stop and (left := earliest - time.monotonic()) > 0:
                self._news.wait(left)
            while not self._waiting and (left := deadline - time.monotonic()) > 0:
                self._news.wait(left)
            call, self._call, self._waiting = self._call, _Call(), False
            return call

    def _leave(self) -> None:
        self._waiting = True
        self._news.notify()


def _cut_short(places: tuple[str, ...], sweep: Sweep) -> tuple[str, ...]:
    return (*places, f"(only the nearest {MAX_DIRECTORIES:,} directories)") if sweep.is_cut_short else places

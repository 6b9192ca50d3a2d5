"""Recording what a watcher sees, in a thread of its own: whatever becomes of the history, the watching goes on."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from statewatch.watch.history.model import Entry, HistoryError
from statewatch.watch.history.pending import Item, Pending

if TYPE_CHECKING:
    from statewatch.watch.history.store import History

RETRY: Final = 30.0
"""Seconds after which recording is tried again when the history could not be written."""

_PRUNE_AFTER: Final = 1_000
_PRUNE_EVERY: Final = 600.0
_FLUSH: Final = 3.0
"""Seconds at the end in which all that waits is recorded; then only the newest of each source is."""
_LONGEST_FLUSH: Final = 15.0
_MANY: Final = 100
_LONGEST_REST: Final = 0.05


class Recorder:
    """Adds revisions to a history as they are seen.

    *tell* is called with what people should know (recording pauses, goes on, or cannot be), *recorded* with every new
    entry: both from the recorder's thread, and they must neither block nor raise. With *every* at most one revision of
    a source is recorded in so many seconds, the newest; the entry counts the others as dropped.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        tell: Callable[[str], None] = lambda text: None,  # noqa: ARG005
        recorded: Callable[[Entry], None] = lambda entry: None,  # noqa: ARG005
        every: float = 0.0,
        retry: float = RETRY,
    ) -> None:
        self._path = path
        self._tell = tell
        self._recorded = recorded
        self._every = every
        self._retry = retry
        self._news = threading.Condition()
        self._pending = Pending()
        self._busy = False
        self._ending = False
        self._hurry_at = 0.0
        self._failed = False
        self._history: History | None = None
        self._paused = ""
        self._refused: set[str] = set()
        self._resting: dict[str, float] = {}
        self._since_pruned = _PRUNE_AFTER
        self._prune_at = 0.0
        self._thread = threading.Thread(target=self._run, name="statewatch-recorder", daemon=True)

    @property
    def has_failed(self) -> bool:
        """Tell whether nothing can be recorded, and never will be."""
        return self._failed

    def ready(self) -> Path:
        """Open the history now rather than with the first revision; return where it is. Raises HistoryError."""
        return self._open().path

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Record what is still waiting, and end. May be called more than once."""
        with self._news:
            if not self._ending:
                self._ending, self._hurry_at = True, time.monotonic() + _FLUSH
            self._news.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_LONGEST_FLUSH)

    def take(self, source: str, data: bytes, at: float, seen_at: float) -> None:
        """Take a revision that was written *at* an instant and seen at another. Never blocks and never raises."""
        with self._news:
            if not (self._failed or self._ending):
                self._pending.put(Item(source, data, at, seen_at))
                self._news.notify_all()

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until nothing waits any longer; tell whether that came about."""
        with self._news:
            return self._news.wait_for(lambda: self._failed or not (self._busy or len(self._pending)), timeout)

    def _run(self) -> None:
        while (item := self._next()) is not None:
            begun = time.thread_time()
            try:
                self._record(item)
            except HistoryError as error:
                self._recover(item, error)
            except (OSError, ValueError, RecursionError, MemoryError) as error:
                self._refuse(item.source, f"{item.source} cannot be recorded ({type(error).__name__}: {error}).")
            self._rest(time.thread_time() - begun)
        if self._history is not None:
            self._history.close()

    def _rest(self, cost: float) -> None:
        """Leave the processor to whoever watches for as long as a revision took, unless many more are waiting."""
        with self._news:
            self._news.wait_for(lambda: self._ending or len(self._pending) > _MANY, min(cost, _LONGEST_REST))

    def _next(self) -> Item | None:
        """Wait for the next revision that is due; None at the end."""
        with self._news:
            self._busy = False
            self._news.notify_all()
            while True:
                if self._ending and time.monotonic() > self._hurry_at:
                    self._pending.only_newest()
                item = None if self._failed else self._pending.take(self._not_due())
                if item is not None:
                    self._busy = True
                    return item
                if self._ending:
                    return None
                self._news.wait(self._until_due())

    def _not_due(self) -> frozenset[str]:
        if self._ending:
            return frozenset()
        now = time.monotonic()
        self._resting = {source: until for source, until in self._resting.items() if until > now}
        if self._resting:
            self._pending.only_newest()
        return frozenset(self._resting)

    def _until_due(self) -> float | None:
        return min(self._resting.values()) - time.monotonic() if self._resting and len(self._pending) else None

    def _record(self, item: Item) -> None:
        from statewatch.watch.history.store import LARGEST  # noqa: PLC0415 - 20 ms that no start need wait for

        if len(item.data) > LARGEST:
            self._refuse(item.source, f"{item.source} is over {LARGEST / 1e6:.0f} MB, and is not recorded.")
            return
        history = self._open()
        entry = history.record(item.source, item.data, at=item.at, seen_at=item.seen_at, dropped=item.dropped)
        if self._paused:
            self._paused = ""
            self._tell("Recording goes on.")
        if entry is not None:
            self._since_pruned += 1
            if self._every:
                self._resting[item.source] = time.monotonic() + self._every
            self._recorded(entry)
        if self._since_pruned >= _PRUNE_AFTER or time.monotonic() > self._prune_at:
            self._since_pruned, self._prune_at = 0, time.monotonic() + _PRUNE_EVERY
            history.prune(time.time())
            while not (self._is_awaited() or history.tidy()):
                pass

    def _is_awaited(self) -> bool:
        with self._news:
            return self._ending or len(self._pending) > 0

    def _refuse(self, source: str, reason: str) -> None:
        """Say once of a source why it is not recorded; the others are."""
        if source not in self._refused:
            self._refused.add(source)
            self._tell(reason)

    def _open(self) -> "History":
        if self._history is None:
            from statewatch.watch.history.store import History  # noqa: PLC0415 - as above

            self._history = History.open(self._path, repair=True)
            for note in self._history.notes:
                self._tell(note)
        return self._history

    def _recover(self, item: Item, error: HistoryError) -> None:
        """Decide what a failure means: set the history aside, try again later, or give up."""
        history = self._history
        if history is not None and (error.corrupt or not error.unwritable):
            history.close()
            self._history = None
        if history is not None and error.corrupt:
            try:
                note = history.set_aside(error)
            except HistoryError as worse:
                self._recover(item, worse)
                return
            if note:
                self._tell(note)
            with self._news:
                self._pending.put_back(item)
        elif error.unwritable and not self._ending:
            self._pause(item, error)
        elif self._ending:
            self._tell(f"What was seen last is not recorded. {error}")
            self._give_up()
        else:
            self._tell(f"Nothing is recorded. {error}")
            self._give_up()

    def _pause(self, item: Item, error: HistoryError) -> None:
        if not self._paused:
            self._tell(f"Recording pauses, and is tried again every {self._retry:g} s. {error}")
        self._paused = str(error)
        with self._news:
            self._pending.put_back(item)
            self._news.wait_for(lambda: self._ending, self._retry)

    def _give_up(self) -> None:
        with self._news:
            self._failed = True
            self._pending = Pending()
            self._news.notify_all()

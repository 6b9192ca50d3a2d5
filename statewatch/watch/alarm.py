"""The alarm clock: rings when the system says that something changed in a directory. It may be deaf, the sweep is not.

One thread waits in watchfiles, on the directories themselves and not below them. Whatever goes wrong there (no
support, no watches left, a name that is not UTF-8) is told as a reason; it is tried again later.
"""

import os
import threading
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeAlias

from statewatch.watch.tree import Identity

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

BUSY_STEP, IDLE_STEP = 10, 30
"""Milliseconds between looks at the queue of events: short for a while after an event, cheap when all is quiet.

Measured: 10 costs 0.7 % of a CPU and rings after 10 to 20 ms, 30 costs 0.2 % and rings after 30 to 60 ms.
"""

BUSY_FOR = 5_000
"""Milliseconds for which the step stays short after an event."""

DEBOUNCE = 50
"""Milliseconds for which a stream of events is gathered at most."""

_FIRST_PAUSE, _LONGEST_PAUSE, _HEALTHY_AFTER = 0.25, 30.0, 60.0
_SETTLE = 0.05

Places: TypeAlias = frozenset[tuple[str, Identity]]
"""Directories to listen in; the identity is part of it because a watch stays on a directory that was replaced."""

Ring: TypeAlias = Callable[[Collection[str] | None], None]
"""Called with the paths at which something happened, or with None when anything may have."""


class Alarm:
    """Listens in a thread of its own and calls back from it.

    *ring* tells where something happened; *state* the reason for being deaf, empty when listening begins.
    """

    def __init__(self, ring: Ring, state: Callable[[str], None]) -> None:
        self._ring = ring
        self._state = state
        self._lock = threading.Lock()
        self._places: Places = frozenset()
        self._interrupt = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="statewatch-alarm", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def cover(self, places: Places) -> None:
        """Listen in these directories from now on. Rings for everything once it does."""
        with self._lock:
            if places == self._places:
                return
            self._places = places
            self._interrupt.set()

    def stop(self) -> None:
        """End the thread; returns when it has ended."""
        with self._lock:
            self._stopping = True
            self._interrupt.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            with self._lock:
                if self._stopping:
                    return
                places = self._places
                self._interrupt.clear()
            if not places:
                self._interrupt.wait()
                continue
            begun = time.monotonic()
            reason = self._listen(places)
            if reason:
                pause = _FIRST_PAUSE if time.monotonic() - begun > _HEALTHY_AFTER else min(2 * pause, _LONGEST_PAUSE)
                self._state(reason)
                self._rest(pause)
            else:
                self._rest(_SETTLE)  # directories that come in a burst are taken up together

    def _listen(self, places: Places) -> str:
        """Listen until interrupted; return why that was not possible, empty when it was."""
        try:
            notify = _open([path for path, _ in places if os.path.isdir(path)])  # noqa: PTH112
        except ImportError:
            return "watchfiles cannot be loaded"
        except FileNotFoundError:
            self._ring(None)  # a directory went away meanwhile: the sweep will take note
            return ""
        except (OSError, RuntimeError) as error:
            return _explained(error)
        try:
            self._state("")
            self._ring(None)
            return self._wait(notify)
        finally:
            notify.close()

    def _wait(self, notify: "RustNotify") -> str:
        step, patience = IDLE_STEP, 0
        while True:
            try:
                events = notify.watch(DEBOUNCE, step, patience, self._interrupt)
            except (OSError, RuntimeError) as error:
                return _explained(error)
            if isinstance(events, set):
                step, patience = BUSY_STEP, BUSY_FOR
                self._ring({path for _, path in events})
            elif events == "timeout":
                step, patience = IDLE_STEP, 0
            else:
                return ""

    def _rest(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._stopping and (left := deadline - time.monotonic()) > 0:
            if self._interrupt.wait(left):
                with self._lock:
                    if not self._stopping:
                        self._interrupt.clear()


def listenable(directories: dict[str, Identity]) -> Places:
    """Return the directories that notification can take: those whose path is UTF-8."""
    return frozenset((path, identity) for path, identity in directories.items() if _is_utf8(path))


def _open(paths: list[str]) -> "RustNotify":
    from watchfiles._rust_notify import RustNotify  # noqa: PLC0415 - 40 ms, and not needed before the first picture

    return RustNotify(paths, False, False, 300, False, True)


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _explained(error: Exception) -> str:
    text = str(error)
    if "decode path" in text:
        return "a file name that is not UTF-8 stops notification"
    if "limit" in text.lower() or "too many" in text.lower() or "no space" in text.lower():
        return "the system has no watches left (fs.inotify)"
    return f"notification failed: {text[:100]}"

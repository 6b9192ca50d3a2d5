"""What a run says while it goes on: a bar on a terminal, lines elsewhere; the output of commands in between."""

import os
import sys
import time

from statewatch.cli import output
from statewatch.cli.columns import crop, width
from statewatch.core.batch_work import Taken
from statewatch.documents.text import harmless
from statewatch.kinds.hooks import first_line
from statewatch.kinds.times import span
from statewatch.managers.batch_jobs import Event

_PAUSE = 0.1
"""Seconds between two pictures of the bar."""
_BAR = 20
_CLEAR = "\r\x1b[K"


class Progress:
    """Tells on standard error how a run of so many items goes on, of which some have ended before."""

    def __init__(self, total: int, ended: int) -> None:
        self._total = total
        self._ended = self._before = ended
        self._failed = 0
        self._running = 0
        self._current = ""
        self._begun = time.monotonic()
        self._painted = 0.0
        self._is_shown = False
        self._was_paused = False
        self._is_bar = output.is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"

    @property
    def takes_output(self) -> bool:
        """Tell whether what commands write has to go around the bar."""
        return self._is_bar and output.is_terminal(sys.stdout)

    def began(self, _index: int, title: str) -> None:
        """Show the item as the one that is at work."""
        self._running += 1
        self._current = title

    def ended(self, index: int, title: str, error: str | None) -> None:
        """Count the item, and say what failed."""
        self._running = max(0, self._running - 1)
        self._ended += 1
        if error is not None:
            self._failed += 1
            self._line(f"failed: {index} {harmless(title, 80)}: {harmless(first_line(error), 200)}")

    def again(self, index: int, title: str, error: str, pause: float) -> None:
        """Say what is tried again."""
        self._running = max(0, self._running - 1)
        wait = f" after {pause:g} s" if pause else ""
        self._line(f"trying again{wait}: {index} {harmless(title, 80)}: {harmless(first_line(error), 200)}")

    def interrupted(self, index: int, title: str) -> None:
        """Say which item may have been done or not."""
        self._ended += 1
        self._failed += 1
        self._line(f"interrupted: {index} {harmless(title, 80)}: it may have been done or not")

    def wrote(self, event: Event) -> None:
        """Pass on what a command wrote, as it is: it is the user's own command."""
        self._clear()
        data = memoryview(event.data)
        try:
            while data:
                data = data[os.write(event.descriptor, data) :]
        except OSError:  # nobody reads it; the items are to be done all the same
            return

    def stands(self, taken: Taken, running: int) -> None:
        """Take the figures from the file, where others may have marked items too."""
        self._running = running
        self._ended = max(self._ended, self._total - taken.left)
        if taken.paused and not self._was_paused:
            self._line("The batch is paused: nothing further is begun until `statewatch batch resume`.")
        self._was_paused = taken.paused

    def tick(self) -> float | None:
        """Paint the bar, where there is one and it is time to."""
        if not self._is_bar:
            return None
        now = time.monotonic()
        if now - self._painted >= _PAUSE:
            self._painted = now
            self._write(_CLEAR + self._bar(now))
            self._is_shown = True
        return _PAUSE if self._running else None

    def close(self) -> None:
        """Take the bar away."""
        self._clear()

    def _bar(self, now: float) -> str:
        share = self._ended / self._total if self._total else 1.0
        full = round(share * _BAR)
        parts = [f"[{'#' * full}{'.' * (_BAR - full)}] {self._ended}/{self._total}"]
        if self._failed:
            parts.append(f"{self._failed} failed")
        made, elapsed = self._ended - self._before, now - self._begun
        if self._was_paused:
            parts.append("paused")
        elif made and elapsed > 1:
            parts.append(f"ETA {span((self._total - self._ended) * elapsed / made)}")
        parts.append(harmless(self._current, 200))
        try:
            cells = os.get_terminal_size(sys.stderr.fileno()).columns
        except OSError:
            cells = 80
        text = "  ".join(parts)
        return text if width(text) < cells else crop(text, cells - 1)

    def _line(self, text: str) -> None:
        self._clear()
        output.note(text)

    def _clear(self) -> None:
        if self._is_shown:
            self._write(_CLEAR)
            self._is_shown = False
            self._painted = 0.0

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:  # the terminal is gone; the items are to be done all the same
            self._is_bar = False

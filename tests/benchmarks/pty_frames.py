"""Programs in pseudo terminals of their own, the frames they paint with the time of arrival, and what they use.

A terminal that says it can synchronise its output gets every frame wrapped in marks, so it is known exactly when one
ends; only what is painted before the answer has arrived comes without. What comes is only kept while the program is
measured; the screen is made up afterwards.
"""

import fcntl
import os
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte

COLUMNS, LINES = 120, 40
PATIENCE = 20.0
"""Seconds after which a program is given up that does not show what it should."""

_QUERY, _ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_BEGIN, _END = b"\x1b[?2026h", b"\x1b[?2026l"
_QUERIES = re.compile(rb"\x1b\[\?\d+\$p")  # pyte would print them
_SEQUENCES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Frame:
    """What was painted at once, and when its last byte came."""

    at: float
    data: bytes

    def says(self, text: str) -> bool:
        """Tell whether *text* is in it as it was sent: a quick look, the screen has the last word."""
        return text.encode() in _SEQUENCES.sub(b"", self.data)


class Terminal:
    """A program in a terminal. `begun` is the moment before it was executed; `frames` grows while it is read from."""

    def __init__(self, command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> None:
        """Start *command* in *directory*."""
        self.frames: list[Frame] = []
        self._rest = b""
        self._rest_at = 0.0
        self._answered = False
        self.begun = time.perf_counter()
        self.pid, self.descriptor = os.forkpty()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
                os.chdir(directory)
                os.execvpe(command[0], list(command), dict(environment))
            finally:
                os._exit(127)

    def take(self) -> None:
        """Take what has come; call it as soon as there is something."""
        try:
            data = os.read(self.descriptor, 1 << 16)
        except OSError:
            data = b""
        now = time.perf_counter()
        if not data:
            raise EOFError(f"the program ended early; it said: {self._rest[-500:].decode(errors='replace')}")
        known = len(self._rest)
        self._rest += data
        if not self._answered and _QUERY in self._rest:
            os.write(self.descriptor, _ANSWER)
            self._answered = True
        while True:
            if (begin := self._rest.find(_BEGIN)) > 0:  # what is before it came without marks
                self._cut(begin, now if begin > known else self._rest_at)
                known -= begin
            if (end := self._rest.find(_END)) < 0:
                break
            self._cut(end + len(_END), now)
            known -= end + len(_END)
        self._rest_at = now

    def _cut(self, end: int, at: float) -> None:
        self.frames.append(Frame(at, self._rest[:end]))
        self._rest = self._rest[end:]

    def until_said(self, text: str, first: int, patience: float) -> bool:
        """Read until a frame from the index *first* on says *text*; tell whether one did in time."""
        deadline = time.perf_counter() + patience
        while True:
            while first < len(self.frames):
                if self.frames[first].says(text):
                    return True
                first += 1
            if not _wait([self], deadline):
                return False

    def until_shown(self, texts: Sequence[str], quiet: float = 0.15) -> bool:
        """Read until all *texts* are on the screen; the screen is only looked at when nothing came for a while."""
        deadline = time.perf_counter() + PATIENCE
        screen, fed = Screen(), 0
        while time.perf_counter() < deadline:
            if _wait([self], min(deadline, time.perf_counter() + quiet)):
                continue
            if self._rest and _BEGIN not in self._rest:
                self._cut(len(self._rest), self._rest_at)
            for frame in self.frames[fed:]:
                screen.feed(frame)
            fed = len(self.frames)
            if screen.shows(texts):
                return True
        return False

    def press(self, keys: str) -> None:
        """Type *keys*."""
        os.write(self.descriptor, keys.encode())

    def end(self) -> None:
        """End the program and wait until it has ended; what it still paints is thrown away."""
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.perf_counter() + 3
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            if time.perf_counter() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                break
            if select.select([self.descriptor], [], [], 0.01)[0]:
                try:
                    os.read(self.descriptor, 1 << 16)
                except OSError:
                    time.sleep(0.005)
        os.close(self.descriptor)


class Screen:
    """What a terminal shows after the frames that it was fed."""

    def __init__(self) -> None:
        """Begin with an empty screen."""
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, frame: Frame) -> None:
        """Paint a frame."""
        self._stream.feed(_QUERIES.sub(b"", frame.data))

    def text(self) -> str:
        """Return the lines of the screen."""
        return "\n".join(self._screen.display)

    def shows(self, texts: Sequence[str]) -> bool:
        """Tell whether all *texts* are on the screen; any text at all if there are none."""
        shown = self.text()
        return all(text in shown for text in texts) and bool(shown.strip())


def drain(terminals: Sequence[Terminal], seconds: float) -> None:
    """Let programs run for so long, reading what they paint."""
    deadline = time.perf_counter() + seconds
    while _wait(terminals, deadline):
        pass


def shown_at(frames: Sequence[Frame], texts: Sequence[str]) -> float | None:
    """Return when the first frame came after which all *texts* were on the screen (without texts: anything at all)."""
    screen = Screen()
    for frame in frames:
        screen.feed(frame)
        if screen.shows(texts):
            return frame.at
    return None


def processor_time(pid: int) -> float:
    """Return the seconds of processor time that a process and its children have used, also those that have ended."""
    total = 0.0
    for process in _family(pid):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15])) / _TICKS
    return total


def memory(pid: int) -> tuple[float, float | None]:
    """Return the resident and the proportional megabytes of a process and its children; None where it is not told."""
    family = _family(pid)
    resident = sum(_kilobytes(f"/proc/{process}/status", "VmRSS") for process in family)
    try:
        shared = sum(_kilobytes(f"/proc/{process}/smaps_rollup", "Pss") for process in family)
    except OSError:
        return resident / 1024, None
    return resident / 1024, shared / 1024


def _wait(terminals: Sequence[Terminal], deadline: float) -> bool:
    """Wait for output and take it; tell whether any came before the deadline."""
    by_descriptor = {terminal.descriptor: terminal for terminal in terminals}
    ready = select.select(list(by_descriptor), [], [], max(0.0, deadline - time.perf_counter()))[0]
    for descriptor in ready:
        by_descriptor[descriptor].take()
    return bool(ready)


def _family(pid: int) -> list[int]:
    found = [pid]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def _kilobytes(path: str, name: str) -> int:
    line = next(line for line in Path(path).read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])

"""The dashboard as its users meet it, from outside: `python -m tests.benchmarks.bench_dashboard`.

The real program in a real pseudo terminal of 120×40: how long until it shows something and until it shows the data,
both beside a bare Textual program; how long from the rename of a file to the frame that shows it; what it costs when
nothing happens. On a shared machine the ratios say more than the milliseconds.
"""

import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.dashboard_files import Many, bare, dashboard, environment, sample
from tests.benchmarks.pty_frames import Screen, Terminal, drain, memory, processor_time, shown_at

ROUNDS = 12
FILES = 500
CHANGES = 200
RESTS = 4
REST = 5.5
"""Seconds of quiet after which a change meets a program at rest: it listens more sparingly then."""

IDLE = 10.0
VIEWS = (("Overview", "1"), ("Changes", "7"))


@dataclass(frozen=True, slots=True)
class Figure:
    """One result; `goal` is the most it may be."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    def __str__(self) -> str:
        """Return a line of the report."""
        shown = f"{self.name:44}{self.value:9.2f} {self.unit:3}"
        if self.goal is not None:
            shown += f"  goal ≤ {self.goal:g} {self.unit}  {'met' if self.value <= self.goal else 'MISSED'}"
        return f"{shown}  {self.note}".rstrip()


@dataclass(frozen=True, slots=True)
class Change:
    """A rename: what it makes visible, the moment before it, and the index of the first frame that came after."""

    text: str
    at: float
    first: int


def report(figures: Sequence[Figure]) -> None:
    """Print figures."""
    for figure in figures:
        print(figure, flush=True)


def starting(directory: Path) -> list[Figure]:
    """Start the dashboard and the bare program by turns."""
    project, shown = sample(directory)
    variables = environment(directory)
    first: list[float] = []
    full: list[float] = []
    floor: list[float] = []
    for number in range(1 + ROUNDS):
        ours = _start(dashboard(project), directory, variables, [(), shown])
        theirs = _start(bare(), directory, variables, [("hello",)])
        if number:  # the first round warms up
            first.append(ours[0])
            full.append(ours[1])
            floor.append(theirs[0])
    base = statistics.median(floor)
    return [
        Figure("bare Textual program, first frame", base * 1e3, "ms", note=_spread(floor)),
        Figure("first paint", statistics.median(first) * 1e3, "ms", note=_spread(first)),
        Figure("first paint, compared with bare", statistics.median(first) / base, "×", 1.8),
        Figure("full paint", statistics.median(full) * 1e3, "ms", note=_spread(full)),
        Figure("full paint, compared with bare", statistics.median(full) / base, "×", 2.3),
    ]


def _start(
    command: list[str], directory: Path, variables: dict[str, str], wanted: Sequence[Sequence[str]]
) -> list[float]:
    """Return after how many seconds each of the *wanted* texts was on the screen."""
    terminal = Terminal(command, directory, variables)
    try:
        terminal.until_shown(wanted[-1])
        found = [shown_at(terminal.frames, texts) for texts in wanted]
    finally:
        terminal.end()
    if None in found:
        raise TimeoutError(f"{wanted} never appeared; the last screen:\n{_screen(terminal)}")
    return [at - terminal.begun for at in found if at is not None]


def _spread(seconds: Sequence[float]) -> str:
    return f"({min(seconds) * 1e3:.0f} to {max(seconds) * 1e3:.0f})"


def _screen(terminal: Terminal) -> str:
    screen = Screen()
    for frame in terminal.frames:
        screen.feed(frame)
    return screen.text()


def renaming(terminal: Terminal, files: Many) -> list[Figure]:
    """Rename files and wait for the frame that shows it, in two views; then a few more, each after a rest."""
    chance = random.Random(1)
    changes: list[Change] = []
    share = CHANGES // len(VIEWS)
    for _, key in VIEWS:
        terminal.press(key)
        drain([terminal], 1.0)
        for _ in range(share):
            drain([terminal], chance.uniform(0.02, 0.1))
            changes.append(_rename(terminal, files, len(changes)))
    for _ in range(RESTS):
        drain([terminal], REST + chance.random())
        changes.append(_rename(terminal, files, len(changes)))
    drain([terminal], 1.0)
    taken = _latencies(terminal, changes)
    figures = _told("rename to screen", taken[:CHANGES], CHANGES)
    for index, (name, _) in enumerate(VIEWS):
        seen = [each for each in taken[index * share : (index + 1) * share] if each is not None]
        if seen:
            figures.append(Figure(f"  in {name}, median", statistics.median(seen) * 1e3, "ms"))
    rested = [each for each in taken[CHANGES:] if each is not None]
    if rested:
        figures.append(Figure(f"  after {REST:g} s of rest, worst of {RESTS}", max(rested) * 1e3, "ms"))
    return figures


def _rename(terminal: Terminal, files: Many, number: int) -> Change:
    text, rename = files.change(number)
    change = Change(text, time.perf_counter(), len(terminal.frames))
    rename()
    terminal.until_said(text, change.first, patience=1.0)
    return change


def _latencies(terminal: Terminal, changes: Sequence[Change]) -> list[float | None]:
    """Return for each change how long it took until the screen showed it; None where it never did."""
    screen = Screen()
    waiting = list(enumerate(changes))
    taken: list[float | None] = [None] * len(changes)
    for index, frame in enumerate(terminal.frames):
        screen.feed(frame)
        due = [each for each in waiting if each[1].first <= index]
        if not due:
            continue
        shown = screen.text()
        for number, change in due:
            if change.text in shown:
                taken[number] = frame.at - change.at
                waiting.remove((number, change))
    return taken


def _told(name: str, taken: Sequence[float | None], count: int) -> list[Figure]:
    seen = sorted(each for each in taken if each is not None)
    figures = [Figure(f"{name}: never shown, of {count}", count - len(seen), "", 0)]
    if seen:
        figures += [
            Figure(f"{name}, median", statistics.median(seen) * 1e3, "ms"),
            Figure(f"{name}, p95", seen[min(len(seen) - 1, int(len(seen) * 0.95))] * 1e3, "ms", 100),
            Figure(f"{name}, worst", seen[-1] * 1e3, "ms"),
        ]
    return figures


def resting(terminal: Terminal, directory: Path) -> list[Figure]:
    """Let nothing happen, beside the bare program."""
    other = Terminal(bare(), directory, environment(directory))
    both = (terminal, other)
    try:
        terminal.press(VIEWS[0][1])
        drain(both, REST + 1)
        before, frames = [processor_time(each.pid) for each in both], len(terminal.frames)
        begun = time.perf_counter()
        drain(both, IDLE)
        lasted = time.perf_counter() - begun
        used = [(processor_time(each.pid) - was) / lasted for each, was in zip(both, before, strict=True)]
        ours, theirs = (memory(each.pid) for each in both)
        painted = len(terminal.frames) - frames
    finally:
        other.end()
    figures = [
        Figure(f"processor, nothing happening, {FILES} files", used[0] * 100, "%", 1, f"{painted} frames"),
        Figure("  bare Textual program", used[1] * 100, "%"),
        Figure("memory, resident", ours[0], "MB", 60),
        Figure("  bare Textual program", theirs[0], "MB"),
    ]
    if ours[1] is not None and theirs[1] is not None:
        figures += [
            Figure("memory, shared parts divided", ours[1], "MB"),
            Figure("  bare Textual program", theirs[1], "MB"),
        ]
    return figures


def main() -> None:
    """Measure and print."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as name:
        report(starting(Path(name)))
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        files = Many(directory / "project", FILES)
        terminal = Terminal(dashboard(files.project), directory, environment(directory))
        try:
            if not terminal.until_shown(files.shown):
                raise TimeoutError(f"{files.shown} never appeared; the last screen:\n{_screen(terminal)}")
            report(renaming(terminal, files))
            report(resting(terminal, directory))
        finally:
            terminal.end()


if __name__ == "__main__":
    main()

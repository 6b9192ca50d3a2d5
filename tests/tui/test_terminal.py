"""The whole program in a real terminal: types, reads the screen, and looks at every byte that is sent."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pexpect
import psutil
import pyte
import pytest

from statewatch.watch.history.store import History
from tests.core.files import document, load, write
from tests.support import replace
from tests.tui.dash import HOSTILE, batch_of, in_file

ROOT = Path(__file__).parents[2]
COLUMNS, LINES = 100, 30
PATIENCE = 20.0
KEYS = {"right": "\x1b[C", "down": "\x1b[B", "enter": "\r", "escape": "\x1b", "tab": "\t", "ctrl+c": "\x03"}
COLOURS = re.compile(rb"\x1b\[([0-9;:]*)m")


class Terminal:
    """A program in a terminal of its own. `sent` is every byte that it has sent to the terminal."""

    def __init__(self, *arguments: object, environment: dict[str, str] | None = None, command: Sequence[str] = ()):
        self.sent = b""
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        given = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC", "LANG": "C.UTF-8"}
        usual = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        line = [*command, sys.executable, "-m", "statewatch", *map(str, arguments)]
        self._child = pexpect.spawn(
            line[0],
            line[1:],
            cwd=str(ROOT),
            env={**usual, **given, **(environment or {})},
            dimensions=(LINES, COLUMNS),
            timeout=None,
        )
        self.process = psutil.Process(self._child.pid)

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def type(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            self._child.send(KEYS.get(key, key))

    def until(self, check: Callable[[], object], what: str) -> None:
        """Read what the program sends until *check* holds."""
        deadline = time.monotonic() + PATIENCE
        while not check():
            assert time.monotonic() < deadline, f"{what} did not come; screen:\n{self.text}"
            assert self._read(0.05) or check(), f"{what} did not come before the end; screen:\n{self.text}"

    def reads(self, text: str) -> None:
        """Wait until the screen shows *text*."""
        self.until(lambda: text in self.text, repr(text))

    def ended(self) -> int:
        """Wait until the program has ended; return its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(0.05) and self._child.isalive():
            assert time.monotonic() < deadline, f"it did not end; screen:\n{self.text}"
        while self._read(0.0) and time.monotonic() < deadline:
            pass
        self._child.wait()
        assert self._child.exitstatus is not None, f"killed by signal {self._child.signalstatus}"
        return int(self._child.exitstatus)

    def resize(self, columns: int, lines: int) -> None:
        """Become another size."""
        self._screen.resize(lines, columns)
        self._child.setwinsize(lines, columns)

    def hang_up(self) -> None:
        """Be gone, as a terminal whose window was closed."""
        os.close(self._child.child_fd)

    def close(self) -> None:
        """End it in any case, with all it started."""
        left = [self.process, *self.process.children(recursive=True)] if self.process.is_running() else []
        for process in left:
            process.kill()
        with contextlib.suppress(OSError):  # the other end may be closed already
            self._child.close(force=True)

    def _read(self, wait: float) -> bool:
        """Take what was sent; return False when nothing more can come."""
        if self._child.closed:
            return False
        if not select.select([self._child.child_fd], [], [], wait)[0]:
            return wait > 0
        try:
            data = os.read(self._child.child_fd, 65_536)
        except OSError:  # what Linux says when nobody holds the other end any more
            return False
        self.sent += data
        self._stream.feed(re.sub(rb"\x1b\[\?\d+\$p", b"", data))  # queries, which pyte would print
        return bool(data)


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    """Return what opens a terminal with the program in it."""
    opened: list[Terminal] = []

    def open_one(*arguments: object, **options: Any) -> Terminal:
        opened.append(Terminal(*arguments, **options))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a hook state with three open circuits."""
    return write(tmp_path / "hook_state.json", document(3))


Opening = Callable[..., Terminal]


def is_restored(terminal: Terminal) -> bool:
    """Tell whether the alternate screen was left and the cursor is shown again, and nothing came after."""
    last = {name: terminal.sent.rfind(code) for name, code in CODES.items()}
    return last["leave"] > last["enter"] > -1 and last["show"] > last["hide"] and last["mouse off"] > last["mouse on"]


CODES = {
    "enter": b"\x1b[?1049h",
    "leave": b"\x1b[?1049l",
    "hide": b"\x1b[?25l",
    "show": b"\x1b[?25h",
    "mouse on": b"\x1b[?1000h",
    "mouse off": b"\x1b[?1000l",
}


def test_an_operator_watches_a_file_resets_a_hook_and_leaves(open_terminal: Opening, file: Path) -> None:
    terminal = open_terminal(file)
    terminal.reads("3 need you")
    terminal.reads("h1")
    state = load(file)
    state["hooks"]["h1"]["state"] = "half_open"
    replace(file, json.dumps(state))
    terminal.reads("◐ 1 half-open")
    terminal.type("4")
    terminal.reads("LAST ERROR")
    terminal.type("r")
    terminal.reads("reset h0?")
    terminal.type("right", "enter")
    terminal.reads("Done: reset h0.")
    assert in_file(file, "h0") == "closed"
    assert in_file(file, "h1") == "half_open"
    terminal.reads("○ closed")
    terminal.type("q")
    assert terminal.ended() == 0
    assert is_restored(terminal)
    assert b"Traceback" not in terminal.sent


def test_the_demo_shows_a_run_and_leaves_nothing_behind(open_terminal: Opening, tmp_path: Path) -> None:
    terminal = open_terminal("demo", "--seed", "7", environment={"TMPDIR": str(tmp_path)})
    terminal.reads("demo, seed 7")
    terminal.reads("RUNNING")
    terminal.reads("▶ batch")
    terminal.until(lambda: "7 Changes" in terminal.text, "the tabs")
    tools = terminal.process.children(recursive=True)
    assert tools
    assert list(tmp_path.iterdir())
    terminal.type("4")
    terminal.reads("RETRY IN")
    terminal.type("r")
    terminal.reads("Cancel")
    terminal.type("right", "enter")
    terminal.reads("Done")
    terminal.type("q")
    assert terminal.ended() == 0
    assert is_restored(terminal)
    assert psutil.wait_procs(tools, timeout=5)[1] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_puts_the_terminal_in_order(open_terminal: Opening, file: Path, number: signal.Signals) -> None:
    terminal = open_terminal(file)
    terminal.reads("3 need you")
    terminal.process.send_signal(number)
    assert terminal.ended() == 128 + number
    assert is_restored(terminal)
    assert b"Traceback" not in terminal.sent


def test_so_does_the_demo_which_leaves_nothing_behind_then_either(open_terminal: Opening, tmp_path: Path) -> None:
    terminal = open_terminal("demo", environment={"TMPDIR": str(tmp_path)})
    terminal.reads("RUNNING")
    terminal.until(terminal.process.children, "the tools")
    tools = terminal.process.children(recursive=True)
    terminal.process.terminate()
    terminal.ended()
    assert is_restored(terminal)
    assert psutil.wait_procs(tools, timeout=5)[1] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [(), ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")], ids=["usual", "ignoring"])
def test_without_its_terminal_it_ends(open_terminal: Opening, file: Path, command: tuple[str, ...]) -> None:
    terminal = open_terminal(file, command=command)
    terminal.reads("3 need you")
    process = terminal.process
    terminal.hang_up()
    gone, alive = psutil.wait_procs([process], timeout=8)
    assert gone
    assert not alive


def test_ctrl_c_ends_it_at_once_even_in_front_of_a_question(open_terminal: Opening, file: Path) -> None:
    before = file.read_bytes()
    terminal = open_terminal(file)
    terminal.reads("3 need you")
    terminal.type("r")
    terminal.reads("reset h0?")
    terminal.type("ctrl+c")
    assert terminal.ended() == 0
    assert is_restored(terminal)
    assert file.read_bytes() == before


def test_no_color_means_default_colours_bold_and_reverse_only(open_terminal: Opening, file: Path) -> None:
    terminal = open_terminal(file, environment={"NO_COLOR": "1"})
    terminal.reads("3 need you")
    for key, text in (("4", "LAST ERROR"), (" ", "1 marked"), ("r", "Cancel")):
        terminal.type(key)
        terminal.reads(text)
    terminal.type("ctrl+c")
    terminal.ended()
    codes = {int(code or 0) for found in COLOURS.findall(terminal.sent) for code in re.split(rb"[;:]", found)}
    assert 7 in codes
    assert 1 in codes
    assert codes <= {0, 1, 7, 22, 27, 39, 49}


def test_it_follows_the_size_of_its_terminal(open_terminal: Opening, file: Path) -> None:
    terminal = open_terminal(file)
    terminal.reads("3 need you")
    terminal.resize(20, 5)
    terminal.until(lambda: terminal.text.startswith(" 3 need you"), "the answer, first of all")
    terminal.resize(COLUMNS, LINES)
    terminal.reads("? help")


def test_with_colours_there_are_some(open_terminal: Opening, file: Path) -> None:
    terminal = open_terminal(file)
    terminal.reads("3 need you")
    assert b"38;2;" in terminal.sent


def test_nothing_in_a_file_acts_on_the_terminal(open_terminal: Opening, tmp_path: Path) -> None:
    text = HOSTILE.replace("\ud800", "")
    state = document(1)
    state["hooks"]["h0"]["last_error"] = text + "\x1b]0;owned\x07"
    state["hooks"][text] = state["hooks"]["h0"]
    project = tmp_path / "p"
    path = write(project / ".claude" / "hook_state.json", state)
    write(project / ".claude" / "batch_state.json", {**batch_of(3), "batch_id": text, "features": [text] * 3})  # type: ignore[dict-item]
    terminal = open_terminal(project)
    terminal.reads("need you")
    state["hooks"]["h0"]["state"] = "half_open"
    replace(path, json.dumps(state))
    terminal.reads("◐ 2 half-open")
    for key, shown in (
        ("2", "PROGRESS"),
        ("4", "RETRY IN"),
        ("6", "SOURCE / KEY"),
        ("7", "WHAT CHANGED"),
        ("d", "BEFORE"),
        ("q", "WHAT CHANGED"),
        ("4", "RETRY IN"),
        ("r", "Cancel"),
    ):
        terminal.type(key)
        terminal.reads(shown)
    terminal.type("ctrl+c")
    terminal.ended()
    for part in ("\x1b]52", "\x1b]0;owned", "\u202e", "\u2066", "\x9b", "\x00", "\u2028"):
        assert part.encode() not in terminal.sent, repr(part)


def test_where_there_is_no_terminal_it_prints_what_needs_attention(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "statewatch", str(file)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "h0" in done.stdout
    assert "\x1b" not in done.stdout


def test_what_it_shows_is_recorded_and_that_a_history_was_damaged_is_said(
    open_terminal: Opening, tmp_path: Path, file: Path
) -> None:
    path = tmp_path / "history.db"
    terminal = open_terminal(file, "--history", path)
    terminal.reads("1 sources")
    terminal.type("q")
    assert terminal.ended() == 0
    with History.open(path, create=False) as history:
        assert history.sources() == (str(file),)
    with path.open("r+b") as damaged:
        damaged.seek(100)
        damaged.write(b"\xa5" * 400)
    terminal = open_terminal(file, "--history", path)
    terminal.reads("damaged")
    terminal.type("q")
    assert terminal.ended() == 0

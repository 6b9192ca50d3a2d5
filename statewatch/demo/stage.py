"""The demo as a whole: a temporary project and home, and the processes of the simulated tools that write into it."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from statewatch.demo import disk
from statewatch.demo.script import Clock, Files
from statewatch.demo.world import TOOLS, files

SLOWEST: Final = 0.25
FASTEST: Final = 100.0
DEFAULT_SEED: Final = 7


class Demo:
    """A living project to look at, for as long as the `with` block lasts.

    `root` holds `project` and `home`. Afterwards nothing is left of it, not even when this process is killed: each
    tool notices that and cleans up.
    """

    root: Path

    def __init__(self, seed: int = DEFAULT_SEED, speed: float = 1.0) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"the speed is {speed:g}, it has to be from {SLOWEST:g} to {FASTEST:g}")
        self.seed = seed
        self.speed = speed
        self._tools: list[subprocess.Popen[bytes]] = []

    @property
    def project(self) -> Path:
        """The directory of the simulated project."""
        return self.root / "project"

    @property
    def home(self) -> Path:
        """The simulated user's home directory."""
        return self.root / "home"

    def __enter__(self) -> Self:
        """Set the stage. The tools are there before the directory is, so that somebody can always remove it."""
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._stop)
            for name in TOOLS:
                self._tools.append(self._spawn("tool", name, str(self.seed), repr(self.speed)))
            self._tools.append(self._spawn("runner", repr(self.speed)))
            self.root = Path(tempfile.mkdtemp(prefix="statewatch-demo-"))
            self._tell(str(self.root))
            clock = Clock(time.time(), self.speed)
            write_files(self.root, files(self.seed, clock))
            self._tell(clock.start)
            on_failure.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _spawn(self, module: str, *args: str) -> subprocess.Popen[bytes]:
        """Start a tool, out of reach of the terminal: neither its keys nor its end concern the tool."""
        package_parent = str(Path(__file__).parents[2])
        return subprocess.Popen(  # noqa: S603 - our own module with our own arguments
            [sys.executable, "-P", "-S", "-m", f"statewatch.demo.{module}", *args],
            env={**os.environ, "PYTHONPATH": package_parent},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )

    def _tell(self, value: str | float) -> None:
        """Write a line to every tool."""
        for tool in self._tools:
            assert tool.stdin is not None
            tool.stdin.write(json.dumps(value).encode() + b"\n")

    def _stop(self) -> None:
        """End the tools, politely first, and remove the directory."""
        for tool in self._tools:
            assert tool.stdin is not None
            tool.stdin.close()
        for tool in self._tools:
            _end(tool)
        self._tools.clear()
        if hasattr(self, "root"):
            disk.remove_tree(self.root)


def write_files(root: Path, content: Files) -> None:
    """Write the files of a moment (see `world.files`) under *root*, with the directories that belong to a project."""
    (root / "project" / ".git").mkdir(parents=True, exist_ok=True)
    for path, value in content.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        disk.write(target, value)


def _end(tool: subprocess.Popen[bytes]) -> None:
    """Wait until a tool that was told to end has ended; insist where it does not."""
    for insist in (tool.terminate, tool.kill):
        try:
            tool.wait(2.0)
            return
        except subprocess.TimeoutExpired:
            insist()
    tool.wait()

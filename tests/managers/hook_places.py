"""Places where a hook state can be, and processes that use one together."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from statewatch import HookStateManager

ROOT = Path(__file__).parents[2]


def patient(place: str) -> HookStateManager:
    """Return a manager that waits for a busy machine."""
    return HookStateManager(place, timeout=60)


class Crew:
    """Processes of `hook_workers` that begin their work at the same moment."""

    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.managers.hook_workers", *command],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for command in commands
        ]

    def run(self) -> list[str]:
        """Wait until all are ready, let them go, and return what each has printed; raise when one has failed."""
        try:
            for process in self._processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n", process.communicate()[1]
            told = [process.stdin for process in self._processes]
            for stream in told:
                assert stream is not None
                stream.write("go\n")
                stream.flush()
            return [self._result(process) for process in self._processes]
        finally:
            for process in self._processes:
                process.kill()
                process.communicate()

    def in_step(self, steps: int) -> None:
        """Let all take so many steps, each only when all have taken the one before."""
        try:
            for number in range(-1, steps):
                for process in self._processes:
                    assert process.stdout is not None
                    expected = "ready" if number < 0 else str(number)
                    assert process.stdout.readline() == f"{expected}\n", process.communicate()[1]
                for process in self._processes:
                    assert process.stdin is not None
                    process.stdin.write("go\n")
                    process.stdin.flush()
        finally:
            for process in self._processes:
                process.kill()
                process.communicate()

    def _result(self, process: "subprocess.Popen[str]") -> str:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out.strip()

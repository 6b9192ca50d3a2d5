"""Starting several programs at the same time, and waiting until all have ended well."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def at_once(commands: Sequence[Sequence[str]]) -> None:
    """Run the workers with these arguments side by side; each must end well."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen([sys.executable, "-m", "tests.managers.agent_workers", *arguments], env=environment)
        for arguments in commands
    ]
    try:
        assert [process.wait(timeout=60) for process in running] == [0] * len(running)
    finally:
        for process in running:
            process.kill()
            process.wait()

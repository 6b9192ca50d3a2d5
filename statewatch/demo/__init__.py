"""Simulated tools that write real files: for `statewatch demo`, for screenshots and for tests.

`Demo` runs them as processes; `files` gives what they have written at any moment, without running anything.
"""

from statewatch.demo.script import Clock
from statewatch.demo.stage import Demo, write_files
from statewatch.demo.world import files, moments

__all__ = ["Clock", "Demo", "files", "moments", "write_files"]

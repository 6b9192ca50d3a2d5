"""The power goes while a program saves: on the disk is a whole document, and no save that had returned is gone.

It is a real ext4 on a loop device, shut down in mid-flight without its journal being flushed, and mounted again.
"""

import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statewatch import StateManager

_SHUT_DOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN of linux/ext4.h
_NO_FLUSH = struct.pack("I", 2)  # EXT4_GOING_FLAGS_NOLOGFLUSH
_WRITER = """
import sys
from statewatch import StateException, StateManager
state = StateManager(sys.argv[1])
number = int(sys.argv[2])
try:
    while True:
        number += 1
        state.save("value", [number] * int(sys.argv[3]))
        print(number, flush=True)
except (StateException, OSError):
    pass
"""


def _run(*command: object) -> bool:
    return subprocess.run([str(each) for each in command], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """An image with a journaled file system, and where it is mounted."""
    image, mounted = tmp_path / "image", tmp_path / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    if not (
        shutil.which("mkfs.ext4") and _run("mkfs.ext4", "-q", image) and _run("mount", "-o", "loop", image, mounted)
    ):
        pytest.skip("no file system can be mounted here")
    yield image, mounted
    _run("umount", mounted)


@pytest.mark.parametrize("numbers", [10, 100_000])
def test_the_power_goes_while_a_program_saves(disk: tuple[Path, Path], numbers: int) -> None:
    image, mounted = disk
    path = mounted / "state.json"
    StateManager(str(path)).save("value", [0] * numbers)
    os.sync()
    saved = 0
    for _ in range(4):
        saves = random.randint(1, 8)
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path), str(saved), str(numbers)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            for _ in range(saves):
                writer.stdout.readline()
            here = os.open(mounted, os.O_RDONLY)
            fcntl.ioctl(here, _SHUT_DOWN, _NO_FLUSH)
            os.close(here)
            heard = writer.stdout.read().split()
        returned = int(heard[-1]) if heard else saved + saves
        assert _run("umount", mounted)
        assert _run("mount", "-o", "loop", image, mounted)
        state = StateManager(str(path))
        value: Any = state.load("value")
        assert value == [value[0]] * numbers
        assert value[0] >= returned
        saved = value[0]
        state.save("seen", saved)
        assert not list(mounted.glob(".*.tmp"))

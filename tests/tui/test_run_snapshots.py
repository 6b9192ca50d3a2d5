"""Pictures of batches and runs as other tools leave them, and of what is asked about them, at the usual sizes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.still import files_feed
from tests.support import copy_of_sample
from tests.tui.dash import NOW, Still, runs_on

pytestmark = pytest.mark.usefixtures("short_waits")

SIZES = [(60, 20), (80, 24), (120, 40)]
Compare = Callable[..., bool]

SCREENS: dict[str, tuple[str, ...]] = {
    "batch": ("2",),
    "batch-item": ("2", "tab", *["up"] * 16, "enter"),
    "batch-skip": ("2", "tab", "x"),
    "session": ("3",),
    "workflow": ("3", *["down"] * 4),
    "workflow-whole": ("3", *["down"] * 4, "enter"),
    "workflow-log": ("3", *["down"] * 4, "l"),
    "checkpoint": ("3", "end", *["up"] * 4),
    "checkpoint-roll-back": ("3", "end", *["up"] * 4, "R"),
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Still:
    """Return the sample as it was at a fixed moment, an hour after it was written."""
    world = copy_of_sample(tmp_path_factory.mktemp("sample"))
    for path in Path(world.project.parent).rglob("*"):
        if path.is_file():
            os.utime(path, (NOW - 3600, NOW - 3600))
    return Still(files_feed(world.scope, NOW).picture, NOW)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, size: tuple[int, int], sample: Still, snap_compare: Compare) -> None:
    assert snap_compare(sample.app(), terminal_size=size, run_before=runs_on(SCREENS[name]))

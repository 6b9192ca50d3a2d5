"""Make the pictures that the README shows: `python -m tests.screenshots`.

They show the demo's files, with some seconds of history and a few checkpoints, and files that real tools have left, at
a fixed moment with a fixed seed and clock, so that they only change when the screens do.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from statewatch.core.stores.model import Checkpoint
from statewatch.core.stores.urls import open_store
from statewatch.documents.values import JSON
from statewatch.tui.app import StatewatchApp
from tests.still import START, files_feed, utc
from tests.support import copy_of_sample

PICTURES = Path(__file__).parents[1] / "screenshots"
SIZE = (120, 36)
Stage: TypeAlias = Callable[[Path], StatewatchApp]
PROJECT = "~/projects/tariffs"


def demo(root: Path) -> StatewatchApp:
    """Return the dashboard on forty seconds of the demo, recorded, with checkpoints of its batch."""
    from tests.tui.recorded import demo_recorded

    recorded = demo_recorded(root)
    file = Path(recorded.key("batch_state.json"))
    for name, age, note, back in (
        ("before-deploy", 35 * 60, "all green, then the run began", 12),
        ("auto_20261116_141000", 13 * 60, "before the restore of 7 items", 6),
        ("half-way", 4 * 60, "Ann leaves it alone now", 3),
    ):
        open_store(file).put_checkpoint(
            Checkpoint(name, recorded.now - age, note, "ann", pinned=name == "before-deploy"), _before(file, back)
        )
    return recorded.app(project=PROJECT)


def _before(file: Path, items: int) -> JSON:
    """Return the batch without what it did last."""
    document = open_store(file).version().document()
    assert isinstance(document, dict)
    done, at = document["completed_features"], document["current_index"]
    assert isinstance(done, list)
    assert isinstance(at, int)
    return {**document, "completed_features": done[:-items], "current_index": at - items}


def sample(root: Path) -> StatewatchApp:
    """Return the dashboard on what real tools have left, an hour after it was written."""
    world = copy_of_sample(root)
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (START - 3_600, START - 3_600))
    feed = files_feed(world.scope, START)
    return StatewatchApp(feed.for_app, project=PROJECT, clock=partial(float, START))


SHOTS: tuple[tuple[str, Stage, tuple[str, ...]], ...] = (
    ("overview", demo, ("1",)),
    ("batches", demo, ("2",)),
    ("session", sample, ("3",)),
    ("workflows", demo, ("3",)),
    ("hooks", demo, ("4",)),
    ("checkpoints", demo, ("2", "5", "down", "down")),
    ("state", demo, ("6", "down", "enter", *["down"] * 4, "enter")),
    ("changes", demo, ("7",)),
    ("diff", demo, ("2", "t", "home", "d", *["down"] * 6, "space", "down", "space", "up")),
    ("travel", demo, ("1", "t", *["left"] * 12)),
    ("confirm", demo, ("4", "r")),
    ("help", demo, ("4", "question_mark")),
)


async def take(where: Path) -> None:
    """Take every picture into the directory *where*."""
    utc()
    for name, stage, keys in SHOTS:
        with tempfile.TemporaryDirectory() as root:
            os.environ["STATEWATCH_STATE_DIR"] = str(Path(root, "statewatch"))
            app = stage(Path(root))
            async with app.run_test(size=SIZE) as pilot:
                await settled(pilot)
                for key in keys:
                    await pilot.press(key)
                    await settled(pilot)
                app.hush()
                await settled(pilot)
                picture = app.export_screenshot(title="statewatch")
        (where / f"{name}.svg").write_text(picture, encoding="utf-8")


async def settled(pilot: object) -> None:
    """Wait until the presenter and the screen have nothing more to do."""
    from textual.pilot import Pilot

    assert isinstance(pilot, Pilot)
    app = pilot.app
    assert isinstance(app, StatewatchApp)
    for _ in range(3):
        await asyncio.to_thread(app.presenter.wait)
        if loading := [worker for worker in app.workers if worker.group != "operations"]:
            await app.workers.wait_for_complete(loading)
        await pilot.pause()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES))

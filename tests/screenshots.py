"""Make the pictures that the README shows: `python -m tests.screenshots`.

They show the demo's files at a fixed moment with a fixed seed and clock, so that they only change when the screens do.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from statewatch.tui.app import StatewatchApp
from tests.still import demo_feed, utc

PICTURES = Path(__file__).parents[1] / "screenshots"
SIZE = (120, 36)
SHOTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("overview", ("1",)),
    ("batches", ("2",)),
    ("workflows", ("3",)),
    ("hooks", ("4",)),
    ("state", ("6",)),
    ("changes", ("7",)),
    ("diff", ("7", "home", "d")),
    ("confirm", ("4", "r")),
    ("help", ("4", "question_mark")),
)


async def take(where: Path) -> None:
    """Take every picture into the directory *where*."""
    utc()
    for name, keys in SHOTS:
        with tempfile.TemporaryDirectory() as root:
            feed, now = demo_feed(Path(root))
            app = StatewatchApp(feed.for_app, project="~/projects/tariffs", clock=lambda moment=now: moment)  # type: ignore[misc]
            async with app.run_test(size=SIZE) as pilot:
                await settled(pilot)
                for key in keys:
                    await pilot.press(key)
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

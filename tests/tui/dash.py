"""Helpers for the tests of the dashboard: apps that stand still, apps on real files, and reading the screen."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from statewatch.documents.values import JSON
from statewatch.kinds import agent_checkpoint, batch, hooks, session, workflow
from statewatch.kinds.base import Sentence, Tone
from statewatch.tui.app import StatewatchApp
from statewatch.tui.models.build import Ask, Model, build
from statewatch.tui.views.base import DashTable
from statewatch.tui.widgets.table_model import Cell
from statewatch.watch.picture import ChangeLine, Picture, Problem, Revision, Source, View
from statewatch.watch.scope import Scope
from statewatch.watch.watcher import Watcher
from tests.screenshots import settled
from tests.still import StillFeed

NOW = 1_794_838_980.0
"""2026-11-16 14:23:00 UTC."""

PATIENCE = 10.0

HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202eevil\u2066 [/x] [bold red]\ud800 \u2028\x00\r\n" + "Q" * 10_000
"""A text with everything that must not reach a terminal or a markup parser, and too long besides."""


@dataclass(frozen=True)
class Still:
    """A picture that stands still, as of a moment, with what can be recalled of its past."""

    picture: Picture
    now: float
    recall: Callable[[str], JSON] = lambda _digest: None

    def feed(self) -> StillFeed:
        """Return a feed of its own for one app."""
        return StillFeed(self.picture, self.recall)

    def app(self, feed: StillFeed | None = None, **options: Any) -> StatewatchApp:
        """Return an app that shows it."""
        given = feed or self.feed()
        options = {"project": "~/projects/tariffs", "clock": lambda: self.now, **options}
        return StatewatchApp(given.for_app, **options)


def source(document: JSON, key: str = "/p/state.json", kind: str = "hooks", **fields: Any) -> Source:
    """Return the source of a document of a kind."""
    views: dict[str, Callable[[JSON], View]] = {
        "hooks": hooks.view,
        "batch": batch.view,
        "workflow": workflow.view,
        "session": session.view,
        "checkpoint": agent_checkpoint.view,
    }
    view = views[kind](document) if kind in views else None
    revision = Revision(f"digest of {key}", NOW, NOW - 5, 1234, document)
    return Source(key, fields.pop("label", key.rpartition("/")[2]), kind, revision, view, **fields)


def circuits(**states: Any) -> JSON:
    """Return a hook state: by name of the hook its state, or its whole record."""
    hooks_: dict[str, JSON] = {
        name.replace("_", "-"): state if isinstance(state, dict) else record(state) for name, state in states.items()
    }
    return {"hooks": hooks_, "global_stats": {}}


def record(state: str, failures: int = 0, **fields: JSON) -> dict[str, JSON]:
    """Return the record of a circuit."""
    return {
        "state": state,
        "failure_count": failures,
        "consecutive_failures": failures,
        "consecutive_successes": 0,
        "last_error": None,
        **fields,
    }


def batch_of(titles: int = 4, *, done: int = 0, failed: int = 0, status: str = "in_progress") -> JSON:
    """Return a batch with so many items."""
    return {
        "batch_id": "batch-1",
        "status": status,
        "features": [f"item {index}" for index in range(titles)],
        "total_features": titles,
        "current_index": done + failed,
        "completed_features": list(range(done)),
        "failed_features": [{"feature_index": done + index, "error_message": "boom"} for index in range(failed)],
        "skipped_features": [],
    }


def changed(
    number: int, text: str, of: str = "/p/state.json", subject: str = "hook", tone: Tone = "info"
) -> ChangeLine:
    """Return a line of change."""
    return ChangeLine(
        number,
        NOW - 100 + number,
        of,
        "state.json",
        "hooks",
        Sentence(subject, text, tone),
        f"d{number - 1}",
        f"d{number}",
    )


def broken(good: Source, reason: str = "not JSON at line 41, column 3: expected a comma") -> Source:
    """Return a source that can no longer be read."""
    return replace(good, problem=Problem(reason, NOW - 60))


def many(count: int = 30) -> Source:
    """Return a hook state with so many closed circuits, `h00`, `h01` …"""
    return source({"hooks": {f"h{index:02d}": record("closed") for index in range(count)}, "global_stats": {}})


def still(*sources: Source, **fields: Any) -> Still:
    """Return a picture of sources that stands still."""
    return Still(Picture(NOW, sources, **fields), NOW)


def pictured(*given: Source, changes: Iterable[Any] = ()) -> Picture:
    """Return a picture of sources."""
    return Picture(NOW, given, tuple(changes))


def words(cell: Cell) -> str:
    """Return the text of a cell."""
    return "".join(text for text, _ in cell)


def ask(view: str, picture: Picture, **fields: Any) -> Model:
    """Return the model of a view of a picture."""
    return build(Ask(view, picture, NOW, **fields))


@asynccontextmanager
async def shown(
    still: Still, size: tuple[int, int] = (100, 30), feed: StillFeed | None = None, **options: Any
) -> AsyncIterator[tuple[StatewatchApp, "Keys"]]:
    """Run an app that stands still; yields it with a keyboard."""
    app = still.app(feed, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield app, Keys(pilot)


@asynccontextmanager
async def watching(
    scope: Scope, size: tuple[int, int] = (100, 30), **options: Any
) -> AsyncIterator[tuple[StatewatchApp, "Keys"]]:
    """Run an app on real files with a real watcher; yields it when the first picture is shown."""
    app = StatewatchApp(lambda take: Watcher(scope, on_picture=take), project="test", **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        keys = Keys(pilot)
        await keys.until(lambda: bool(app.picture.sources), "the first picture")
        await keys.settle()
        yield app, keys


class Keys:
    """A keyboard, and eyes: presses keys, waits until the screen has settled, and reads it."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self.pilot = pilot

    @property
    def app(self) -> StatewatchApp:
        """The application."""
        assert isinstance(self.pilot.app, StatewatchApp)
        return self.pilot.app

    async def __call__(self, *keys: str) -> None:
        """Press keys, one after the other, each when what the one before did is done."""
        for key, following in zip_longest(keys, keys[1:]):
            await self.pilot.press(key)
            if key != following:
                await self.settle()

    async def down_to(self, table: str, subject: str) -> None:
        """Go down to the row about *subject*."""
        shown = [row.fields["subject"] for row in self.table(table).rows]
        await self(*["down"] * shown.index(subject))

    async def type(self, text: str) -> None:
        """Type a text."""
        for character in text:
            await self.pilot.press(
                {"/": "slash", " ": "space", "!": "exclamation_mark", ":": "colon"}.get(character, character)
            )
        await self.settle()

    async def settle(self) -> None:
        """Wait until presenter and screen have nothing more to do."""
        for _ in range(3):
            await asyncio.to_thread(self.app.presenter.wait, 1)
            if loading := [worker for worker in self.app.workers if worker.group != "operations"]:
                await self.app.workers.wait_for_complete(loading)
            await self.pilot._wait_for_screen()
        await self.pilot.pause()

    async def until(self, check: Callable[[], object], what: str = "") -> None:
        """Wait until *check* holds; fail when it does not in time."""
        deadline = time.monotonic() + PATIENCE
        while not check():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what or 'the condition'} did not come true; screen:\n{self.text}")
            await asyncio.sleep(0.005)
            await self.pilot.pause()

    async def reads(self, text: str) -> None:
        """Wait until the screen shows *text*."""
        await self.until(lambda: text in self.text, f"{text!r} on the screen")

    @property
    def lines(self) -> list[str]:
        """The lines of the screen on top, and of the messages over it."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self) -> str:
        """The screen on top as text."""
        return "\n".join(self.lines)

    @property
    def prose(self) -> str:
        """The screen on top as running text, wherever its lines were broken."""
        return re.sub(r"[\s│]+", " ", self.text)

    @property
    def told(self) -> list[str]:
        """The messages shown in passing."""
        return [note.message for note in self.app._notifications]

    @property
    def answer(self) -> str:
        """The label of the answer that has the focus."""
        return str(getattr(self.app.focused, "label", ""))

    def table(self, name: str) -> DashTable:
        """Return a table of the main screen."""
        return self.app.main.query_one(f"#{name}", DashTable)

    def keys_of(self, name: str) -> list[str]:
        """Return what identifies the rows of a table, in their order, without the source."""
        return [row.key.rpartition("\0")[2] for row in self.table(name).rows]

    @property
    def cursor(self) -> str:
        """The key of the row under the cursor of the view's table, without the source."""
        return (self.app.main.view.main.cursor_key or "").rpartition("\0")[2]


def runs_on(press: tuple[str, ...]) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Return what a snapshot does before it is taken: press keys, each when the one before is done."""

    async def run(pilot: Pilot[Any]) -> None:
        keys = Keys(pilot)
        await settled(pilot)
        await keys(*press)
        await settled(pilot)

    return run


def in_file(path: Path, hook: str) -> Any:
    """Return the state of a circuit as it is in the file now."""
    import json

    return json.loads(path.read_bytes())["hooks"][hook]["state"]

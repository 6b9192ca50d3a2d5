"""Pictures of the Checkpoints view and of its boxes."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from statewatch.core.stores.model import Checkpoint
from statewatch.core.stores.urls import open_store
from statewatch.tui.models.cells import say
from statewatch.tui.screens.form import Field, FormScreen
from statewatch.watch.scope import scope_of
from tests.core.files import document, write
from tests.screenshots import settled
from tests.still import START, files_feed
from tests.tui.dash import HOSTILE, Keys, Still, shown
from tests.tui.test_checkpoints import counted

pytestmark = pytest.mark.usefixtures("short_waits")

SIZES = [(60, 20), (80, 24), (120, 40), (180, 45)]
NOW = START
DAY = 86_400
Compare = Callable[..., bool]


@pytest.fixture
def still(tmp_path: Path) -> Still:
    """Return a hook state with checkpoints of three days, a backup, a damaged one, and two other sources."""
    (tmp_path / "p" / ".git").mkdir(parents=True)
    hooks = tmp_path / "h" / ".claude" / "hook_state.json"
    others = [tmp_path / "p" / ".claude" / name for name in ("batch_state.json", "hook_state.json")]
    write(others[0], {"batch_id": "b", "features": ["one"], "current_index": 0, "status": "in_progress"})
    write(others[1], document(0))
    write(hooks, document(2))
    store = open_store(hooks)
    for name, age, note, count in (
        ("before-deploy", 90 * 60, "all green, then the night run began", 2),
        ("auto_20261116_090000", 5 * 3600, "", 3),
        ("nightly", 1.4 * DAY, "what the night run left", 5),
        ("good", 400 * DAY, HOSTILE, 2),
    ):
        kept = Checkpoint(name, NOW - age, note, "ann", pinned=name == "before-deploy")
        made = store.put_checkpoint(kept, document(count))
        assert made.name == name
    broken = next((tmp_path / "state").rglob("nightly.json"))
    broken.write_bytes(b"{" * len(broken.read_bytes()))
    backup = write(hooks.with_name("hook_state.json.bak"), document(4))
    os.utime(backup, (NOW - 2 * DAY, NOW - 2 * DAY))
    for path in (hooks, *others):
        os.utime(path, (NOW - 40, NOW - 40))
    feed = files_feed(scope_of((), tmp_path / "p", tmp_path / "h", {}), NOW)
    return Still(feed.picture, NOW, feed.recall)


@pytest.fixture(autouse=True)
def _state_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep checkpoints where the fixture finds them."""
    monkeypatch.setenv("STATEWATCH_STATE_DIR", str(tmp_path / "state"))


SCREENS: dict[str, tuple[str, ...]] = {
    "kept": ("5", "down"),
    "marked": ("5", "space", "down", "space"),
    "restore": ("5", "down", "R"),
    "create": ("5", "c"),
}


def counting(press: tuple[str, ...]) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Return what presses keys, and waits before and after until all that is kept has been compared."""

    async def run(pilot: Pilot[Any]) -> None:
        keys = Keys(pilot)
        await settled(pilot)
        await keys(press[0])
        await counted(keys)
        await keys(*press[1:])
        await settled(pilot)

    return run


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, size: tuple[int, int], still: Still, snap_compare: Compare) -> None:
    assert snap_compare(still.app(), terminal_size=size, run_before=counting(SCREENS[name]))


def test_without_colours(still: Still, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(still.app(), terminal_size=(80, 24), run_before=counting(("5", "c")))


async def test_a_box_says_what_is_wrong_in_a_tiny_terminal_too(still: Still) -> None:
    async with shown(still, size=(24, 8)) as (app, press):
        fields = (Field("name", "name"), Field("note", "note"))
        app.push_screen(FormScreen(say("Keep it?"), fields, lambda values: "bad" * bool(values["name"])))
        await press.settle()
        await press.type("x")
        assert "bad" in press.text
        assert "name" in press.text

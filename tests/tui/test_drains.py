"""Pausing a drain from the dashboard, and letting it go on."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from statewatch.kinds.times import instant
from statewatch.tui.views.drains import wrong_pause
from tests.core.files import date_back, load
from tests.support import SAMPLE
from tests.tui.asking import agreed, asked, project, prompted, warned
from tests.tui.dash import Keys, watching

pytestmark = pytest.mark.usefixtures("short_waits")


@asynccontextmanager
async def drain(root: Path, **options: Any) -> AsyncIterator[tuple[Keys, Path]]:
    """Open the dashboard at the circuits of a drain; yields it with the directory of its files."""
    scope = project(root)
    local = root / "p" / ".claude" / "local"
    local.mkdir(parents=True)
    for name in ("drain_breaker.json", "drain_budget.json"):
        shutil.copyfile(SAMPLE / "project/.claude/local" / name, local / name)
        date_back(local / name)
    async with watching(scope, **options) as (_, press):
        await press("4")
        await press.until(lambda: len(press.table("hooks").rows) == 2)
        yield press, local


async def typed(press: Keys, text: str) -> None:
    for character in text:
        await press.pilot.press({" ": "space"}.get(character, character))
    await press.pilot.press("enter")


async def test_a_drain_is_paused_for_hours_and_goes_on(tmp_path: Path) -> None:
    async with drain(tmp_path) as (press, local):
        assert "For how long may no drain of p begin?" in await prompted(press, "p")
        await typed(press, "2h release")
        assert "pause drain?" in await asked(press)
        await agreed(press)
        flag = load(local / "drain_paused.flag")
        until, since = instant(flag["until_iso"]), instant(flag["triggered_at"])
        assert until is not None
        assert since is not None
        assert until - since == 7200
        assert (flag["reason"], flag["triggered_by"]) == ("release", "operator")
        await press.reads("drain pause")

        table = press.table("hooks")
        table.move_to(next(row.key for row in table.rows if row.name == "drain pause"))
        await press.settle()
        assert "reset drain pause?" in await asked(press, "r")
        await agreed(press)
        ended = instant(load(local / "drain_paused.flag")["until_iso"])
        assert ended is not None
        assert ended < until


async def test_a_budget_is_given_back(tmp_path: Path) -> None:
    async with drain(tmp_path) as (press, local):
        table = press.table("hooks")
        table.move_to(next(row.key for row in table.rows if row.name == "drain budget"))
        await press.settle()
        await asked(press, "r")
        await agreed(press)
        assert load(local / "drain_budget.json")["today_drains"] == 0


async def test_what_is_no_time_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    async with drain(tmp_path) as (press, local):
        await prompted(press, "p")
        await typed(press, "soon")
        await press.reads("Begin with how long: 4h, 90m or 2d.")
        await press("escape")
        assert press.app.screen is press.app.main
        assert not (local / "drain_paused.flag").exists()


async def test_a_read_only_dashboard_asks_nothing(tmp_path: Path) -> None:
    async with drain(tmp_path, read_only=True) as (press, _):
        assert "Read-only" in await warned(press, "p")


@pytest.mark.parametrize(("text", "well"), [("4h", True), ("90m go", True), ("0s", False), ("4", False), ("", False)])
def test_which_pauses_can_be_meant(text: str, well: bool) -> None:
    assert (wrong_pause(text) == "") == well


async def test_an_agent_that_waits_goes_on_and_waits_again(tmp_path: Path) -> None:
    scope = project(tmp_path)
    claude = tmp_path / "p" / ".claude"
    claude.mkdir()
    names = ("PAUSE", "HUMAN_INPUT.md", "pause_checkpoint.json")
    shutil.copyfile(SAMPLE / "project/.claude/pause_checkpoint.json", claude / "pause_checkpoint.json")
    (claude / "PAUSE").touch()
    (claude / "HUMAN_INPUT.md").write_text("Use the other key.\n")
    for name in names:
        date_back(claude / name)
    held = {name: (claude / name).read_bytes() for name in names}
    async with watching(scope) as (_, press):
        await press.reads("an agent waits")
        await asked(press, "r")
        await press("y")
        await press.until(lambda: not any((claude / name).exists() for name in names), "the three files to be gone")
        await press.until(lambda: len(press.told) >= 2 and press.app.screen is press.app.main)
        await asked(press, "u")
        await press("y")
        await press.until(
            lambda: all((claude / name).exists() and (claude / name).read_bytes() == held[name] for name in names),
            "the three files to be back",
        )

"""Narrowing and ordering what is shown."""

import pytest

from tests.tui.dash import Keys, Still, shown

pytestmark = pytest.mark.usefixtures("short_waits")

OPEN = "2026-11-16T14:22:00Z"


class TestFiltering:
    """`/`"""

    async def test_it_narrows_while_one_types_and_says_how_much_it_hides(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("4", "slash")
            await press.type("state:open")
            assert len(press.table("hooks").rows) == 4
            assert "hides 36" in press.text
            await press("enter")
            assert app.focused is press.table("hooks")
            await press("down")
            assert press.cursor == "dependency-audit"

    async def test_escape_shows_everything_again(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("4", "slash")
            await press.type("state:open")
            await press("escape")
            assert len(press.table("hooks").rows) == 40
            assert app.focused is press.table("hooks")
            assert "hides" not in press.text

    async def test_and_so_it_does_later_from_the_table(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            await press("4", "slash")
            await press.type("state:open")
            await press("enter", "escape")
            assert len(press.table("hooks").rows) == 40
            assert "hides" not in press.text

    async def test_each_view_has_its_own_which_is_still_there_when_one_comes_back(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            await press("4", "slash")
            await press.type("audit")
            await press("enter", "7")
            assert "hides" not in press.text
            await press("4")
            assert "filter 'audit' hides 39" in press.text
            await press("slash")
            await press.type("s")
            assert "filter 'audits'" in press.text

    async def test_keys_of_the_view_are_letters_while_one_types(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("4", "slash")
            await press.type("rhxq1?")
            assert app.main.view.filter == "rhxq1?"
            assert app.main.view.NAME == "hooks"
            assert app.screen is app.main

    async def test_what_is_not_finished_fails_nothing(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("4", "slash")
            await press.type('/[( "! x:')
            assert app.is_running

    async def test_marks_of_rows_that_are_hidden_are_dropped(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            await press("4", "a")
            assert len(press.table("hooks").marked) == 40
            await press("slash")
            await press.type("open")
            left = {row.key for row in press.table("hooks").rows}
            assert press.table("hooks").marked == left
            assert f"{len(left)} marked" in press.text
            await press("escape")
            assert press.table("hooks").marked == left


class TestSorting:
    """`s`, `S` and clicks on titles."""

    async def test_by_the_next_column_and_the_other_way_round(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            own = await self.hooks(press, "4")
            await press("s")  # by state: as it is
            assert await self.hooks(press, "s") == sorted(own)
            assert "HOOK ▲" in press.text
            assert await self.hooks(press, "S") == sorted(own, reverse=True)
            assert "HOOK ▼" in press.text

    async def test_after_the_last_column_comes_the_own_order_again(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            own = await self.hooks(press, "4")
            for _ in press.table("hooks").spec.sorts:
                await press("s")
            assert await self.hooks(press, "s") == own
            assert "▲" not in press.lines[2]

    async def test_a_click_on_a_title_and_a_second_one_turns_it_round(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            own = await self.hooks(press, "4")
            at = press.lines[2].index("HOOK")
            await press.pilot.click("#hooks", offset=(at, 0))
            assert await self.hooks(press) == sorted(own)
            await press.pilot.click("#hooks", offset=(at, 0))
            assert await self.hooks(press) == sorted(own, reverse=True)

    async def test_the_cursor_stays_on_its_row(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            await press("4", "down", "down")
            here = press.cursor
            await press("s", "s")
            assert press.cursor == here

    async def hooks(self, press: Keys, *keys: str) -> list[str]:
        await press(*keys)
        await press.settle()
        return press.keys_of("hooks")

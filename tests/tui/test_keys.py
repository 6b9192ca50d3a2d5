"""What keys and mouse do, on a picture that stands still."""

from typing import Any

import pytest

from statewatch.tui.palette import Palette
from statewatch.tui.registry import COMMANDS, VIEWS
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.screens.main import MainScreen
from statewatch.tui.screens.text import TextScreen
from statewatch.tui.views.base import DashTable
from statewatch.tui.widgets.bars import KeyBar, Tabs
from tests.tui.dash import Keys, Still, broken, circuits, shown, source, still

pytestmark = pytest.mark.usefixtures("short_waits")

OPEN = "2026-11-16T14:22:00Z"


class TestMovingBetweenViews:
    """Keys, tabs and rows that lead from view to view."""

    @pytest.mark.parametrize(("key", "view"), [(key, name) for key, name, _ in VIEWS])
    async def test_a_figure_for_each_view(self, demo: Still, key: str, view: str) -> None:
        async with shown(demo) as (app, press):
            await press(key)
            assert view == app.main.view.NAME
            assert app.main.view.display
            assert isinstance(app.focused, DashTable)
            assert app.main.view in app.focused.ancestors
            assert any(table.rows for table in app.main.view.query(DashTable))

    async def test_only_one_view_is_shown(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("2", "4", "1", "7", "4")
            assert [view.id for view in app.main.query(".view") if view.display] == ["view-hooks"]

    async def test_a_tab_can_be_clicked(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press.pilot.click(Tabs, offset=(press.lines[1].index("4 Hooks"), 0))
            await press.settle()
            assert app.main.view.NAME == "hooks"

    async def test_from_a_hook_that_needs_somebody_to_its_row(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press.down_to("needs", "dependency-audit")
            await press("enter")
            assert app.main.view.NAME == "hooks"
            assert press.cursor == "dependency-audit"

    async def test_even_if_a_filter_would_hide_it_there(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            await press("4", "slash")
            await press.type("nothing like it")
            await press("enter", "1")
            await press.down_to("needs", "dependency-audit")
            await press("enter")
            assert press.cursor == "dependency-audit"

    async def test_from_a_batch_with_failures_to_the_batches(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press.down_to("needs", "batch-20261115-123300-000000")
            await press("enter")
            assert app.main.view.NAME == "batches"
            assert (press.table("batches").cursor_key or "").endswith("batch_state_docs.json")

    async def test_from_a_run_to_its_batch_and_on_to_its_items(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("tab", "enter")
            assert app.main.view.NAME == "batches"
            await press("enter")
            assert app.focused is press.table("items")
            await press("enter")
            assert isinstance(app.screen, TextScreen)
            await press("q")
            assert app.focused is press.table("items")

    async def test_from_an_unreadable_file_to_the_state_view(self) -> None:
        bad = broken(source(circuits(a="closed"), "/p/x.json"))
        async with shown(still(source(circuits(b="closed"), "/p/a.json"), bad)) as (app, press):
            await press("enter")
            assert app.main.view.NAME == "state"
            assert press.table("state").cursor_key == "/p/x.json"

    async def test_from_a_source_to_where_it_is_shown_best(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("6", "end", "o")
            assert app.main.view.NAME == "hooks"

    async def test_the_row_one_was_on_is_there_when_one_comes_back(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            await press("4", "down", "down", "down")
            here = press.cursor
            await press("2", "1", "4")
            assert press.cursor == here

    async def test_escape_leads_from_the_detail_back_to_the_table(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("4", "enter")
            assert app.focused is app.main.query_one("#view-hooks #detail")
            await press("escape")
            assert app.focused is press.table("hooks")


class TestLeaving:
    """`q` and ctrl+c."""

    async def test_q_at_the_top(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press.pilot.press("q")
            await press.until(lambda: not app.is_running)
            assert app.return_code == 0

    @pytest.mark.parametrize(
        "keys", [(), ("4", "d"), ("4", "r"), ("question_mark",), ("slash", "x"), ("ctrl+p",)], ids=str
    )
    async def test_ctrl_c_anywhere(self, demo: Still, keys: tuple[str, ...]) -> None:
        async with shown(demo) as (app, press):
            await press(*keys)
            await press.pilot.press("ctrl+c")
            await press.until(lambda: not app.is_running)
            assert app.return_code == 0

    async def test_q_in_front_of_a_screen_only_closes_it(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("question_mark", "q")
            assert app.screen is app.main
            assert app.is_running


class TestHelpAndKeyBar:
    """Both are made from the bindings that are active."""

    @pytest.mark.parametrize("keys", [("1",), ("2",), ("4",), ("7",), ("4", "d"), ("4", "enter")], ids=str)
    async def test_help_lists_exactly_the_keys_that_work(self, demo: Still, keys: tuple[str, ...]) -> None:
        async with shown(demo) as (app, press):
            await press(*keys)
            active = {each.binding.id for each in app.screen.active_bindings.values()}
            expected = [each.help for each in COMMANDS if each.id in active]
            await press("question_mark")
            assert isinstance(app.screen, TextScreen)
            lines = ["".join(piece for piece, _ in line) for line in app.screen._lines]
            told = [line[12:].split("  (")[0] for line in lines[: lines.index("SIGNS")] if line.startswith("  ")]
            assert sorted(told) == sorted(expected)

    async def test_help_begins_with_what_can_be_done_just_here(self, demo: Still) -> None:
        async with shown(demo, (80, 24)) as (_, press):
            await press("2", "question_mark")
            assert press.lines[1].strip() == "BATCHES"

    async def test_help_gives_each_direction_its_own_key(self, demo: Still) -> None:
        async with shown(demo, (80, 60)) as (_, press):
            await press("6", "question_mark")
            assert any(line.split() == ["↑", "k", "One", "row", "up"] for line in press.lines)

    async def test_suspending_where_that_cannot_be_does_nothing(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("ctrl+z", "2")
            assert app.main.view.NAME == "batches"

    async def test_the_same_warning_is_shown_once(self, demo: Still) -> None:
        async with shown(demo, read_only=True) as (_, press):
            await press("4", "r", "r", "r")
            assert len(press.told) == 1

    @pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20), (40, 20)], ids=str)
    @pytest.mark.parametrize("keys", [("1",), ("4",), ("4", "d"), ("question_mark",)], ids=str)
    async def test_the_bar_shows_no_key_twice_cuts_none_and_always_shows_help(
        self, demo: Still, keys: tuple[str, ...], size: tuple[int, int]
    ) -> None:
        async with shown(demo, size) as (app, press):
            await press(*keys)
            shown_keys = [text for text, role in app.screen.query_one(KeyBar)._cell if role == "strong"]
            assert len(shown_keys) == len(set(shown_keys))
            assert "?" in shown_keys
            assert "…" not in press.lines[-1]

    async def test_what_the_bar_shows_can_be_clicked(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("4")
            at = press.lines[-1].index("? help")
            await press.pilot.click("MainScreen KeyBar", offset=(at, 0))
            await press.settle()
            assert isinstance(app.screen, TextScreen)

    async def test_where_nothing_may_be_written_the_bar_offers_no_writing(self, demo: Still) -> None:
        async with shown(demo, read_only=True) as (_, press):
            await press("4")
            assert "reset" not in press.lines[-1]
            assert "undo" not in press.lines[-1]
            assert "help" in press.lines[-1]


class TestPalette:
    """ctrl+p."""

    @staticmethod
    async def hits(press: Keys) -> dict[str, Any]:
        provider = Palette(press.app.screen)
        return {hit.text or "": hit async for hit in provider.discover()}

    async def test_it_has_every_action_and_every_source(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            titles = set(await self.hits(press))
            assert {
                each.label for each in COMMANDS if each.in_palette and not {"diff", "travel"} & {*each.scopes}
            } - titles == {"Copy"}
            assert {f"source {each.label}" for each in demo.picture.sources} <= titles

    async def test_it_finds_what_one_types_and_goes_there(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("ctrl+p")
            await press.type("hook_state")
            await press.until(lambda: "source ~/.claude/hook_state.json" in press.text)
            await press("enter")
            await press.until(lambda: app.screen is app.main and app.main.view.NAME == "hooks")

    async def test_an_action_of_another_view_is_done_there(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("ctrl+p")
            await press.type("Reset all")
            await press.until(lambda: "Reset every circuit" in press.text)
            await press("enter")
            await press.until(lambda: isinstance(app.screen, ConfirmScreen))
            await press.reads("reset all")
            assert app.main.view.NAME == "hooks"

    async def test_an_action_of_the_views_is_done_below_the_screen_on_top(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("4", "question_mark", "ctrl+p")
            await press.type("Filter")
            await press.until(lambda: "Show only what matches" in press.text)
            await press("enter")
            await press.until(lambda: app.focused is not None and app.focused.id == "filter")
            assert isinstance(app.screen, MainScreen)

    async def test_a_source_from_the_diff_screen(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("4", "d", "ctrl+p")
            await press.type("batch_state_docs")
            await press.until(lambda: "source .claude/batch_state_docs.json" in press.text)
            await press("enter")
            await press.until(lambda: app.screen is app.main and app.main.view.NAME == "batches")
            await press.until(lambda: (press.table("batches").cursor_key or "").endswith("batch_state_docs.json"))


class TestReadOnly:
    """`--read-only`"""

    @pytest.mark.parametrize(
        "command",
        [each for each in COMMANDS if each.writes and not {"diff", "travel"} & {*each.scopes}],
        ids=lambda each: each.id,
    )
    async def test_whatever_writes_is_refused_with_the_reason(self, demo: Still, command: Any) -> None:
        async with shown(demo, read_only=True) as (app, press):
            await press(next((key for key, name, _ in VIEWS if name == command.scopes[-1]), "4"))
            assert command.id in {each.binding.id for each in app.screen.active_bindings.values()}
            await press(command.keys)
            await press.until(lambda: press.told)
            assert "Read-only" in press.told[-1]
            assert "--read-only" in press.told[-1]
            assert app.screen is app.main
            assert "read-only" in press.lines[0]

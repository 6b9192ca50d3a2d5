"""What keys and mouse do, on a picture that stands still."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from statewatch.tui import presenter as presenting
from statewatch.tui.app import StatewatchApp
from statewatch.tui.models.build import Ask, Model, build
from statewatch.tui.palette import Palette
from statewatch.tui.registry import COMMANDS, VIEWS
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.screens.diff import DiffScreen
from statewatch.tui.screens.main import MainScreen
from statewatch.tui.screens.text import TextScreen
from statewatch.tui.widgets.bars import KeyBar, Tabs
from statewatch.watch.picture import Picture, Source
from tests.tui.dash import HOSTILE, NOW, Keys, Still, batch_of, broken, changed, circuits, record, shown, source

if TYPE_CHECKING:
    from statewatch.documents.values import JSON

pytestmark = pytest.mark.usefixtures("short_waits")

OPEN = "2026-11-16T14:22:00Z"


def many(count: int = 30) -> Source:
    """Return a hook state with so many closed circuits, `h00`, `h01` …"""
    return source({"hooks": {f"h{index:02d}": record("closed") for index in range(count)}, "global_stats": {}})


def still(*sources: Source, **fields: Any) -> Still:
    return Still(Picture(NOW, sources, **fields), NOW)


def listen(app: StatewatchApp, monkeypatch: pytest.MonkeyPatch) -> list[Ask]:
    """Return the list to which everything is added that the screen asks of the presenter from now on."""
    heard: list[Ask] = []
    really = app.presenter.ask

    def ask(asked: Ask) -> None:
        heard.append(asked)
        really(asked)

    monkeypatch.setattr(app.presenter, "ask", ask)
    return heard


class TestMovingBetweenViews:
    """Keys, tabs and rows that lead from view to view."""

    @pytest.mark.parametrize(("key", "view"), [(key, name) for key, name, _ in VIEWS])
    async def test_a_figure_for_each_view(self, demo: Still, key: str, view: str) -> None:
        async with shown(demo) as (app, press):
            await press(key)
            assert view == app.main.view.NAME
            assert app.main.view.display
            assert app.focused is app.main.view.main
            assert app.main.view.main.rows

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
            await press("6", "end", "enter")
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


class TestWhatChangesMeanwhile:
    """New pictures while one looks."""

    async def test_the_cursor_stays_on_its_row_and_line_while_rows_come_and_go(self) -> None:
        given = still(many())
        feed = given.feed()
        async with shown(given, feed=feed) as (_, press):
            await press("4", *["down"] * 5)
            line = next(index for index, text in enumerate(press.lines) if "h05" in text)
            hooks: dict[str, JSON] = {f"a{index}": record("open", 3) for index in range(3)}
            hooks |= {f"h{index:02d}": record("closed") for index in range(2, 30)}
            feed.show(Picture(NOW, (source({"hooks": hooks, "global_stats": {}}),)))
            await press.until(lambda: "a0" in press.keys_of("hooks"))
            assert press.cursor == "h05"
            assert "h05" in press.lines[line]

    async def test_only_the_newest_of_many_pictures_counts(self, demo: Still) -> None:
        feed = demo.feed()
        async with shown(demo, feed=feed) as (_, press):
            await press("4")
            for index in range(100):
                feed.show(Picture(NOW, (many(index + 1),)))
            await press.until(lambda: len(press.keys_of("hooks")) == 100)

    async def test_newest_changes_come_to_a_cursor_at_the_top(self) -> None:
        given = still(many(), changes=(changed(1, "one"),))
        feed = given.feed()
        async with shown(given, feed=feed) as (_, press):
            await press("7")
            feed.show(replace(given.picture, changes=(changed(2, "two"), changed(1, "one"))))
            await press.until(lambda: len(press.table("changes").rows) == 2)
            assert press.cursor == "2"
            await press("down")
            feed.show(replace(given.picture, changes=(changed(3, "three"), changed(2, "two"), changed(1, "one"))))
            await press.until(lambda: len(press.table("changes").rows) == 3)
            assert press.cursor == "1"


class TestTime:
    """Countdowns and ages."""

    async def test_the_countdown_goes_on_each_second_without_a_new_picture(self) -> None:
        now = [NOW]
        given = still(source(circuits(off=record("open", 3, disabled_at=OPEN))))
        async with shown(given, clock=lambda: now[0]) as (app, press):
            await press("4")
            assert "4:00" in press.text
            now[0] += 7
            app.main.tick()
            await press.settle()
            assert "3:53" in press.text
            assert "14:23:07" in press.lines[0]

    async def test_a_real_second_ticks_it(self) -> None:
        now = [NOW]
        given = still(source(circuits(off=record("open", 3, disabled_at=OPEN))))
        async with shown(given, clock=lambda: now[0]) as (_, press):
            await press("4")
            now[0] += 1
            await press.reads("3:59")

    async def test_what_follows_from_nothing_happening_is_noticed_too(self) -> None:
        now = [NOW]
        given = still(source(batch_of(3, done=1), kind="batch"))
        async with shown(given, clock=lambda: now[0]) as (app, press):
            assert "all well" in press.text
            now[0] += 86_400
            for _ in range(10):
                app.main.tick()
            await press.reads("stalled")

    async def test_behind_another_screen_nothing_ticks_and_coming_back_catches_up(
        self, demo: Still, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [demo.now]
        feed = demo.feed()
        async with shown(demo, feed=feed, clock=lambda: now[0]) as (app, press):
            await press("4", "question_mark")
            asks = listen(app, monkeypatch)
            now[0] += 60
            feed.show(Picture(now[0], (many(3),)))
            for _ in range(20):
                app.main.tick()
            await press.settle()
            assert asks == []
            await press("escape")
            await press.until(lambda: len(press.keys_of("hooks")) == 3)
            assert "14:24:40" in press.lines[0]

    async def test_around_a_question_time_goes_on_but_only_by_the_second(
        self, demo: Still, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        feed = demo.feed()
        async with shown(demo, feed=feed) as (app, press):
            await press("4", "r")
            assert isinstance(app.screen, ConfirmScreen)
            asks = listen(app, monkeypatch)
            for index in range(50):
                feed.show(Picture(demo.now, (many(index + 1),)))
            await asyncio.sleep(0)
            app.main.tick()
            await press.until(lambda: len(press.keys_of("hooks")) == 50)
            assert 1 <= len(asks) <= 2


class TestDiffScreen:
    """`d`"""

    @pytest.fixture
    def given(self) -> Still:
        kept: dict[str, JSON] = {f"d{index}": {"n": index, "list": list(range(index))} for index in range(4)}
        lines = tuple(changed(index, f"change {index}") for index in (3, 2, 1))
        return Still(Picture(NOW, (many(),), lines), NOW, kept.get)

    async def test_it_begins_with_the_last_revision_and_goes_back_and_forth(self, given: Still) -> None:
        async with shown(given) as (app, press):
            await press("4", "d")
            assert isinstance(app.screen, DiffScreen)
            assert "3 of 3" in press.text
            assert "2 → 3" in press.text
            await press("p")
            assert "2 of 3" in press.text
            assert "1 → 2" in press.text
            await press("p", "p")
            assert "1 of 3" in press.text
            assert "This is the oldest revision that was seen." in press.told
            await press("n", "n")
            assert "3 of 3" in press.text
            await press("n")
            assert "This is the newest revision that was seen." in press.told

    async def test_from_a_change_to_its_own_revision(self, given: Still) -> None:
        async with shown(given) as (_, press):
            await press("7", "down", "d")
            assert "2 of 3" in press.text
            await press("q", "enter")
            assert "2 of 3" in press.text

    async def test_both_sides_of_the_place_under_the_cursor(self, given: Still) -> None:
        async with shown(given) as (_, press):
            await press("4", "d", "down")
            assert "nothing here before" in press.text
            await press("enter")
            assert "BEFORE" in press.text
            await press("escape")
            assert "nothing here before" in press.text

    @pytest.mark.parametrize("key", ["q", "escape"])
    async def test_back(self, given: Still, key: str) -> None:
        async with shown(given) as (app, press):
            await press("4", "d", key)
            assert app.screen is app.main
            assert app.is_running

    async def test_before_anything_was_seen_it_says_so(self) -> None:
        async with shown(still(many())) as (app, press):
            await press("4", "d")
            assert app.screen is app.main
            assert press.told == ["No change of it has been seen since the start."]

    async def test_a_revision_that_is_no_longer_kept(self, given: Still) -> None:
        async with shown(replace(given, recall=lambda _: None)) as (_, press):
            await press("4", "d")
            assert "no longer kept" in press.text


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
            assert {each.label for each in COMMANDS if each.in_palette and "diff" not in each.scopes} - titles == {
                "Copy"
            }
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

    @pytest.mark.parametrize("command", [each for each in COMMANDS if each.writes], ids=lambda each: each.id)
    async def test_whatever_writes_is_refused_with_the_reason(self, demo: Still, command: Any) -> None:
        async with shown(demo, read_only=True) as (app, press):
            await press("4")
            assert command.id in {each.binding.id for each in app.screen.active_bindings.values()}
            await press(command.keys)
            await press.until(lambda: press.told)
            assert "Read-only" in press.told[-1]
            assert "--read-only" in press.told[-1]
            assert app.screen is app.main
            assert "read-only" in press.lines[0]


class TestHostileFiles:
    """Text from files, on the screen."""

    @pytest.fixture
    def given(self) -> Still:
        hooks: JSON = {"hooks": {HOSTILE: record("open", 3, last_error=HOSTILE), "[/x]": "open"}, "global_stats": {}}
        batch: JSON = {"batch_id": HOSTILE, "status": HOSTILE, "features": [HOSTILE] * 3, "current_index": 0}
        kept: dict[str, JSON] = {"d0": {HOSTILE: HOSTILE}, "d1": {HOSTILE: "[/x]"}}
        return Still(
            Picture(NOW, (source(hooks, "/p/h"), source(batch, "/p/b", "batch")), (changed(1, "x", "/p/h"),)),
            NOW,
            kept.get,
        )

    @pytest.mark.parametrize(
        "keys",
        [("1",), ("2",), ("2", "tab", "enter"), ("3",), ("4",), ("6",), ("7",), ("4", "d"), ("4", "d", "enter")],
        ids=str,
    )
    async def test_no_screen_is_harmed(self, given: Still, keys: tuple[str, ...]) -> None:
        async with shown(given) as (app, press):
            await press(*keys)
            assert app.is_running
            assert all(text.isprintable() or not text for text in press.lines)
            assert all(len(text) <= 100 for text in press.lines)

    @pytest.mark.parametrize("text", ["[/x]", "[bold red]x", "[@click=app.quit]x[/]", "\x1b[2J"])
    async def test_messages_are_never_taken_for_markup(self, given: Still, text: str) -> None:
        async with shown(given) as (app, press):
            app.tell(text, "warning")
            await press.settle()
            assert app.is_running
            note = next(iter(app._notifications))
            assert (note.message, note.markup) == (text, False)

    async def test_the_palette_is_not_harmed_by_a_label(self) -> None:
        odd = replace(many(), label="[/x][bold]odd")
        async with shown(still(odd)) as (app, press):
            await press("ctrl+p")
            await press.type("odd")
            await press.until(lambda: "odd" in press.text)
            assert app.is_running


class TestSize:
    """Resizing and zooming."""

    async def test_to_something_tiny_and_back_one_keeps_place_and_marks(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("4", *["down"] * 12, "space")
            here = press.cursor
            await press.pilot.resize_terminal(20, 5)
            await press.settle()
            assert press.lines[0].startswith(" 8 need you")
            await press.pilot.resize_terminal(100, 30)
            await press.settle()
            assert press.cursor == here
            assert len(press.table("hooks").marked) == 1
            assert app.focused is press.table("hooks")
            assert any(here in line and "›" in line for line in press.lines)

    @pytest.mark.parametrize("size", [(1, 1), (10, 3), (20, 5), (300, 5), (20, 100)], ids=str)
    async def test_no_size_breaks_any_view(self, demo: Still, size: tuple[int, int]) -> None:
        async with shown(demo, size) as (app, press):
            for keys in (
                ("1",),
                ("2",),
                ("3",),
                ("4",),
                ("6",),
                ("7",),
                ("d",),
                ("q", "question_mark"),
                ("q", "4", "r"),
            ):
                await press(*keys)
            await press.pilot.resize_terminal(100, 30)
            await press("escape")
            assert app.screen is app.main
            assert press.cursor == "run-affected-tests"

    @pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20), (20, 5)], ids=str)
    async def test_the_answers_of_a_question_are_always_in_sight(self, demo: Still, size: tuple[int, int]) -> None:
        async with shown(demo, size) as (app, press):
            await press("4", "r")
            assert isinstance(app.screen, ConfirmScreen)
            for button in app.screen.query("Button"):
                assert app.screen.region.contains_region(button.region)
            assert "Cancel" in press.text
            assert "Apply" in press.text

    async def test_a_pane_gets_all_the_room_and_gives_it_back(self, demo: Still) -> None:
        async with shown(demo) as (app, press):
            await press("1", "tab", "tab", "z")
            assert "NEEDS YOU" not in press.text
            assert app.screen.maximized is press.table("said")
            await press("z")
            assert "NEEDS YOU" in press.text
            assert app.focused is press.table("said")

    async def test_going_to_another_view_ends_it(self, demo: Still) -> None:
        async with shown(demo) as (_, press):
            await press("1", "z", "4")
            assert "LAST ERROR" in press.text

    async def test_a_long_text_can_be_scrolled(self) -> None:
        error = "\n".join(f"line {index}" for index in range(500))
        async with shown(still(source(circuits(h=record("open", 3, last_error=error))))) as (_, press):
            await press("4", "enter", "end")
            assert "line 499" in press.text
            await press("home")
            assert "line 499" not in press.text
            await press("pagedown", "down", "j")
            assert "h.json" not in press.text

    async def test_so_can_the_text_of_a_question(self, demo: Still) -> None:
        async with shown(demo, (60, 20)) as (_, press):
            await press("4", "r")
            assert "/global_stats" not in press.text
            await press(*["down"] * 20)
            assert "/global_stats" in press.text
            assert press.answer == "Cancel"


class TestWhatGoesWrong:
    """A view that cannot be made."""

    async def test_is_told_on_the_screen_and_the_others_live_on(
        self, demo: Still, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(ask: Ask) -> Model:
            if ask.view == "batches":
                raise ZeroDivisionError("a [/x] mistake")
            return build(ask)

        monkeypatch.setattr(presenting, "build", fails)
        feed = demo.feed()
        async with shown(demo, feed=feed) as (_, press):
            await press("2")
            assert "This view could not be made" in press.text
            assert "ZeroDivisionError: a [/x] mistake" in press.text
            assert "✕ not up to date" in press.lines[0]
            await press("4")
            assert "could not be made" not in press.text
            assert "● live" in press.lines[0]
            monkeypatch.undo()
            await press("2")
            feed.show(demo.picture)
            await press.until(lambda: press.table("batches").rows)
            assert "could not be made" not in press.text


class TestNothingThere:
    """A project without any state."""

    async def test_it_says_where_it_looked_and_what_to_try_and_what_comes_later_appears(self) -> None:
        given = Still(Picture(NOW), NOW)
        feed = given.feed()
        async with shown(given, feed=feed) as (_, press):
            for part in ("No state file found yet", "Looked in nowhere", "statewatch PATH", "statewatch demo"):
                assert part in press.text
            for key, _, _ in VIEWS:
                await press(key, "d", "enter", "s", "S", "space", "a", "r")
            await press("1")
            feed.show(Picture(NOW, (many(),)))
            await press.until(lambda: "No state file" not in press.text)

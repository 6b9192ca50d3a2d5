"""What happens by itself: new pictures, passing time, other sizes, and what goes wrong."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from statewatch.tui import presenter as presenting
from statewatch.tui.app import StatewatchApp
from statewatch.tui.models.build import Ask, Model, build
from statewatch.tui.registry import VIEWS
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.watch.picture import Picture
from tests.tui.dash import NOW, Still, batch_of, changed, circuits, many, record, shown, source, still

if TYPE_CHECKING:
    from statewatch.documents.values import JSON

pytestmark = pytest.mark.usefixtures("short_waits")

OPEN = "2026-11-16T14:22:00Z"


def listen(app: StatewatchApp, monkeypatch: pytest.MonkeyPatch) -> list[Ask]:
    """Return the list to which everything is added that the screen asks of the presenter from now on."""
    heard: list[Ask] = []
    really = app.presenter.ask

    def ask(asked: Ask) -> None:
        heard.append(asked)
        really(asked)

    monkeypatch.setattr(app.presenter, "ask", ask)
    return heard


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

    @pytest.mark.parametrize(("view", "table"), [("1", "needs"), ("2", "batches"), ("4", "hooks")], ids=str)
    async def test_a_zoomed_table_has_all_the_room_between_the_top_line_and_the_keys(
        self, demo: Still, view: str, table: str
    ) -> None:
        async with shown(demo, (80, 24)) as (_, press):
            await press(view, "z")
            assert "8 need you" in press.lines[0]
            assert "? help" in press.lines[-1]
            assert press.table(table).size.height == 22
            await press("z")
            assert "1 Overview" in press.lines[1]

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

"""Travelling in time on the dashboard: real keys, a real history, a clock that stands still."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from statewatch.tui.app import StatewatchApp
from statewatch.tui.archive import Archive
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.screens.diff import DiffScreen
from statewatch.tui.screens.prompt import PromptScreen
from statewatch.tui.widgets.timeline import Timeline
from statewatch.watch.history.store import History
from statewatch.watch.picture import Picture
from tests.screenshots import settled
from tests.tui.dash import Keys, many
from tests.tui.recorded import Recorded, demo_recorded

pytestmark = pytest.mark.usefixtures("short_waits")


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return forty seconds of the demo, recorded. Nobody writes to the files or the history."""
    return demo_recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def own(tmp_path: Path) -> Recorded:
    """Return ten recorded seconds of the demo that may be written to."""
    return demo_recorded(tmp_path, seconds=10)


@asynccontextmanager
async def travelling(
    recorded: Recorded, *keys: str, size: tuple[int, int] = (100, 30), app: StatewatchApp | None = None
) -> AsyncIterator[tuple[StatewatchApp, Keys]]:
    """Run a dashboard with a past, after pressing *keys*."""
    shown = app or recorded.app()
    async with shown.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        press = Keys(pilot)
        await press(*keys)
        await press.settle()
        yield shown, press


class TestGoingThere:
    """t, and what it changes."""

    async def test_the_clock_stops_and_a_step_back_shows_what_was(self, past: Recorded) -> None:
        async with travelling(past, "2") as (_, press):
            assert "17/40" in press.text
            await press("t", *["left"] * 3)
            await press.reads("viewing 14:23:37, 3 s ago")
            await press.reads("THE PAST  change 37 of 40")
            assert "16/40" in press.text
            assert "17/40" not in press.text

    async def test_ages_and_countdowns_are_as_they_were_then(self, past: Recorded) -> None:
        async with travelling(past, "4") as (_, press):
            assert "0:31" in press.text
            await press("t", "comma", "left_square_bracket", "home", *["right"] * 30)
            await press.reads("viewing 14:23:31, 9 s ago")
            assert "0:31" not in press.text
            assert "0:40" in press.text

    async def test_every_view_shows_the_past(self, past: Recorded) -> None:
        async with travelling(past, "t", "home") as (app, press):
            for key in "1234567":
                await press(key)
                await press.reads("viewing 14:23:00, 40 s ago")
                await press.reads("change 1 of 40")
                assert app.main.has_class("-past")
            await press("7")
            assert not [line for line in press.lines if "completed 12" in line]

    async def test_leaving_is_one_key_and_everything_is_live_again(self, past: Recorded) -> None:
        for way_out in ("escape", "t", "end"):
            async with travelling(past, "2", "t", *["left"] * 3, way_out) as (app, press):
                await press.reads("● live")
                await press.reads("17/40")
                assert "THE PAST" not in press.text
                assert app.here is None

    async def test_home_and_space_belong_to_tables_again_afterwards(self, past: Recorded) -> None:
        async with travelling(past, "4", "t", "escape", "down", "down", "space") as (_, press):
            table = press.table("hooks")
            assert len(table.marked) == 1
            await press("home")
            assert table.cursor == 0

    async def test_shift_and_arrows_step_through_the_changes_of_the_chosen_source(self, past: Recorded) -> None:
        async with travelling(past, "3", "t") as (_, press):
            assert press.table("workflows").move_to(past.key("adw-108266de/state.json"))
            await press("shift+left")
            await press.reads("viewing 14:23:33")
            await press("left_curly_bracket")
            assert (
                press.told[-1]
                == "This is the oldest change of .claude/workflows/adw-108266de/state.json that was recorded."
            )
            await press("shift+right")
            await press.reads("viewing 14:23:34")
            await press("right_curly_bracket")
            assert "newest change of" in press.told[-1]

    async def test_the_ends_are_told(self, past: Recorded) -> None:
        async with travelling(past, "t", "right") as (_, press):
            assert press.told[-1] == "This is the newest change that was recorded."
            await press("home", "left")
            assert press.told[-1] == "This is the oldest change that was recorded."
            await press("less_than_sign")
            assert press.told[-1] == "The history begins here."
            await press("left_parenthesis")
            assert "no bookmark before" in press.told[-1]

    async def test_the_filter_is_typed_into_as_ever(self, past: Recorded) -> None:
        async with travelling(past, "4", "t", "left", "slash") as (app, press):
            await press.type("audit B")
            assert app.here is not None
            assert app.main.view.filter == "audit B"
            await press("home")
            assert app.here.at > past.now - 5


class TestMouse:
    """Clicks on the timeline."""

    async def test_a_click_on_the_timeline_goes_there(self, past: Recorded) -> None:
        async with travelling(past) as (app, press):
            await press.pilot.click(Timeline, offset=(press.lines[-2].index("│ now") - 2, 0))
            await press.until(lambda: app.here is not None)
            await press.settle()
            assert app.here is not None
            assert past.now - 20 < app.here.at < past.now
            await press.reads("viewing 14:23:")

    async def test_in_the_past_it_jumps_and_dragging_scrubs(self, past: Recorded) -> None:
        async with travelling(past, "t", "w") as (app, press):
            line = press.lines[-2]
            await press.pilot.click(Timeline, offset=(20, 0))
            await press.settle()
            assert app.here is not None
            early = app.here.at
            await press.pilot.mouse_down(Timeline, offset=(20, 0))
            await press.pilot.hover(Timeline, offset=(line.index("now") - 4, 0))
            await press.pilot.mouse_up(Timeline, offset=(line.index("now") - 4, 0))
            await press.settle()
            assert app.here.at > early
            here = app.here.at
            await press.pilot.hover(Timeline, offset=(20, 0))
            await press.settle()
            assert app.here.at == here


class TestPlaying:
    """space."""

    async def test_it_plays_to_the_newest_change_and_stops(self, past: Recorded) -> None:
        async with travelling(past, "t", "home", "plus", "plus", "plus", "space") as (app, press):
            assert app.here is not None
            assert app.here.playing
            assert "▶ 64×" in press.text
            await press.until(lambda: app.here is not None and not app.here.playing)
            assert app.here.at == app.here.log.instants[-1]

    async def test_space_stops_it_and_so_does_a_step(self, past: Recorded) -> None:
        for key in ("space", "left"):
            async with travelling(past, "t", "home", "minus", "minus", "minus", "space", key) as (app, press):
                assert app.here is not None
                assert not app.here.playing
                assert "‖ 1×" in press.text


class TestWhatWorksThere:
    """Actions are off but for two."""

    @pytest.mark.parametrize("key", ["r", "h", "e", "x", "m", "u", "U", "c"])
    async def test_whatever_writes_is_refused_with_the_way_out(self, past: Recorded, key: str) -> None:
        async with travelling(past, "4", "t", "left") as (app, press):
            await press(key)
            await press.until(lambda: press.told)
            assert "viewing the past" in press.told[-1]
            assert "esc" in press.told[-1]
            assert app.screen is app.main

    async def test_neither_bar_nor_help_offers_what_is_off(self, past: Recorded) -> None:
        async with travelling(past, "4", "t", "left", size=(140, 40)) as (_, press):
            assert "R restore" in press.lines[-1]
            assert "reset" not in press.lines[-1]
            assert "undo" not in press.lines[-1]
            await press("question_mark")
            assert "TIME TRAVEL" in press.text
            await press.reads("(off: this is the past)")

    async def test_the_diff_to_now(self, past: Recorded) -> None:
        async with travelling(past, "2", "t", "home", "d") as (app, press):
            assert isinstance(app.screen, DiffScreen)
            await press.reads("@14:23:00")
            await press.reads("now")
            assert "current_index" in press.text
            await press("escape")
            await press.reads("viewing 14:23:00")

    async def test_a_source_is_brought_back_byte_for_byte_and_undone(self, own: Recorded) -> None:
        key = own.key(".claude/batch_state.json")
        file = Path(key)
        with own.history() as history:
            then = history.data(history.entries(key)[-1])
        before = file.read_bytes()
        assert then != before
        async with travelling(own, "2", "t", "home", "R") as (app, press):
            await press.until(lambda: isinstance(app.screen, ConfirmScreen))
            await press.reads("restore @14:23:00")
            assert file.read_bytes() == before
            await press("y")
            await press.until(lambda: file.read_bytes() == then)
            await press.until(lambda: any("Done" in told for told in press.told))
            assert app.here is None  # what was done is to be seen
            await press("u")
            await press.until(lambda: isinstance(app.screen, ConfirmScreen))
            await press("y")
            await press.until(lambda: json.loads(file.read_bytes()) == json.loads(before))

    async def test_read_only_wins(self, past: Recorded) -> None:
        async with travelling(past, "2", "t", "home", app=past.app(read_only=True)) as (app, press):
            assert "R restore" not in press.lines[-1]
            await press("R")
            await press.until(lambda: press.told)
            assert "Read-only" in press.told[-1]
            assert app.screen is app.main

    async def test_what_was_not_recorded_yet_cannot_be_compared(self, past: Recorded) -> None:
        async with travelling(past, "3") as (app, press):
            late = past.key("adw-108266de/state.json")
            await press("t", "home")
            app.travelling.diff(late)
            await press.until(lambda: press.told)
            assert "had not been recorded yet" in press.told[-1]


class TestBookmarks:
    """B."""

    async def test_a_moment_gets_a_name_is_kept_and_found_again(self, own: Recorded) -> None:
        async with travelling(own, "t", "home", "right", "B") as (app, press):
            await press.until(lambda: isinstance(app.screen, PromptScreen))
            await press.type("before deploy")
            await press("enter")
            await press.until(lambda: "Bookmarked" in " ".join(press.told))
            await press.reads("◆ before deploy")
            await press("home", "right_parenthesis")
            await press.reads("viewing 14:23:01")
            await press("B")
            await press.until(lambda: isinstance(app.screen, PromptScreen))
            await press("enter")
            await press.until(lambda: "taken away" in " ".join(press.told))
            await press.until(lambda: "◆" not in press.text)
        with own.history() as history:
            assert history.bookmarks() == []

    async def test_without_a_name_none_is_made(self, own: Recorded) -> None:
        async with travelling(own, "t", "home", "B") as (app, press):
            await press.until(lambda: isinstance(app.screen, PromptScreen))
            await press("enter")
            await press.reads("needs a name")
            await press("escape")
            assert app.screen is app.main


class TestWhatHappensMeanwhile:
    """The present goes on."""

    async def test_new_pictures_do_not_disturb_and_are_there_on_leaving(self, past: Recorded) -> None:
        feed = past.still.feed()
        app = past.still.app(feed, archive=past.archive())
        async with travelling(past, "4", "t", "left", app=app) as (_, press):
            feed.show(Picture(past.now + 60, (many(3),)))
            await press.settle()
            assert len(press.keys_of("hooks")) > 30
            await press("escape")
            await press.until(lambda: len(press.keys_of("hooks")) == 3)

    async def test_what_is_recorded_meanwhile_can_be_visited(
        self, own: Recorded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from statewatch.tui import travelling as module

        monkeypatch.setattr(module, "_FRESH", 0.0)
        feed = own.still.feed()
        app = own.still.app(feed, archive=own.archive())
        async with travelling(own, "4", "t", app=app) as (_, press):
            assert app.here is not None
            count = len(app.here.log.instants)
            with own.history() as history:
                history.record(own.key("hook_state.json"), b"{}", at=own.now + 1, seen_at=own.now + 1)
            feed.show(own.picture)
            await press.until(lambda: app.here is not None and len(app.here.log.instants) == count + 1)

    async def test_a_model_of_the_present_that_comes_late_is_not_shown(self, past: Recorded) -> None:
        async with travelling(past, "4") as (app, press):
            late = app.main._model
            await press("t", "home")
            assert late is not None
            app.main.present(late)
            assert app.main._model is not late


class TestNothingThere:
    """No past, for different reasons."""

    async def test_started_without_a_history(self, past: Recorded) -> None:
        async with travelling(past, app=past.still.app()) as (app, press):
            await press("t")
            await press.until(lambda: isinstance(app.screen, ConfirmScreen))
            assert "--no-history" in press.prose
            assert "--history PATH" in press.prose
            await press("escape")
            assert app.here is None

    @pytest.mark.parametrize("empty", [True, False], ids=["empty", "missing"])
    async def test_nothing_recorded_yet(self, past: Recorded, tmp_path: Path, empty: bool) -> None:
        path = tmp_path / "history.db"
        if empty:
            History.open(path).close()
        archive = Archive(lambda: History.open(path, create=False), past.scope)
        async with travelling(past, app=past.app(archive=archive)) as (app, press):
            await press("t")
            await press.until(lambda: isinstance(app.screen, ConfirmScreen))
            assert "Nothing has been recorded" in press.prose
            assert "statewatch record" in press.prose

    async def test_a_damaged_history_is_told_and_nothing_else_suffers(self, past: Recorded, tmp_path: Path) -> None:
        path = tmp_path / "history.db"
        path.write_bytes(b"not a database at all" * 1_000)
        archive = Archive(lambda: History.open(path, create=False), past.scope)
        async with travelling(past, "4", app=past.app(archive=archive)) as (app, press):
            await press("t")
            await press.until(lambda: isinstance(app.screen, ConfirmScreen))
            assert str(path) in press.prose.replace(" ", "") or "history.db" in press.prose
            await press("escape")
            assert app.here is None
            assert press.table("hooks").rows

    async def test_pressing_twice_begins_one_journey(self, past: Recorded) -> None:
        async with travelling(past) as (app, press):
            await asyncio.gather(app.travelling.begin(), app.travelling.begin())
            await press.settle()
            assert app.here is not None
            await press("escape")
            assert app.here is None

"""The diff screen: looking, picking, copying, with real keys; restoring in real files."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statewatch.core.stores.urls import open_store
from statewatch.documents.patch import apply_patch
from statewatch.tui.app import StatewatchApp
from statewatch.tui.models.comparison import Comparison, Side
from statewatch.tui.models.diff_rows import GroupRow
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.screens.diff import DiffScreen
from statewatch.tui.screens.text import TextScreen
from statewatch.tui.widgets.diff_table import DiffTable
from statewatch.tui.widgets.versus import Versus
from statewatch.watch.picture import Picture
from tests.core.files import load, write
from tests.tui.dash import NOW, Keys, Still, changed, many, shown, still
from tests.tui.diffing import batch, compared

if TYPE_CHECKING:
    from statewatch.documents.values import JSON

pytestmark = pytest.mark.usefixtures("short_waits")


@asynccontextmanager
async def comparing(
    *comparisons: Comparison, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[tuple[StatewatchApp, Keys]]:
    """Run an app with the diff screen on top."""
    async with shown(still(many()), size, **options) as (app, press):
        app.push_screen(DiffScreen(comparisons, 0, app.clock))
        await press.settle()
        yield app, press


def table(app: StatewatchApp) -> DiffTable:
    return app.screen.query_one(DiffTable)


def places(app: StatewatchApp) -> list[str]:
    """Return the places that are listed; those of groups in brackets."""
    return [
        f"[/{'/'.join(map(str, row.path))}]" if isinstance(row, GroupRow) else row.change.pointer
        for row in table(app).rows
    ]


async def go(press: Keys, place: str) -> None:
    """Put the cursor on a place."""
    await press("home", *["down"] * places(press.app).index(place))


class TestRevisions:
    """`d`, and on to the neighbours."""

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
            await press("comma")
            assert "2 of 3" in press.text
            assert "1 → 2" in press.text
            await press("comma", "comma")
            assert "1 of 3" in press.text
            assert "This is the oldest revision that was seen." in press.told
            await press("full_stop", "full_stop")
            assert "3 of 3" in press.text
            await press("full_stop")
            assert "This is the newest revision that was seen." in press.told

    async def test_from_a_change_to_its_own_revision(self, given: Still) -> None:
        async with shown(given) as (_, press):
            await press("7", "down", "d")
            assert "2 of 3" in press.text
            await press("q", "enter")
            assert "2 of 3" in press.text

    async def test_the_sides_say_when_they_were(self, given: Still) -> None:
        async with shown(given, (120, 30)) as (_, press):
            await press("4", "d")
            assert "@14:21:22 (1m ago) → @14:21:23 (1m ago)" in press.lines[0]

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

    async def test_where_there_is_only_one_no_way_to_others_is_offered(self) -> None:
        async with comparing(compared({"a": 1}, {"a": 2})) as (_, press):
            assert "previous" not in press.lines[-1]
            await press("full_stop")
            assert press.told == []


class TestLooking:
    """What is listed, and both sides of it."""

    async def test_the_record_of_a_group_and_each_change_in_it(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (app, press):
            await go(press, "[/failed_features/0]")
            assert '"feature_index": 3' in press.text
            await press("down")
            assert "failed: 3 of 17" in press.prose
            assert "failed: 1 of 17" in press.prose
            assert places(app)[5] == "/failed_features/0/error_message"

    async def test_enter_opens_a_group_and_the_whole_of_a_value(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (app, press):
            await go(press, "[/completed_features]")
            before = len(places(app))
            await press("enter")
            assert len(places(app)) == before + 5
            await press("down", "enter")
            assert isinstance(app.screen, TextScreen)
            assert "BEFORE" in press.text
            await press("q")
            assert isinstance(app.screen, DiffScreen)

    async def test_left_closes_the_group_one_is_in_and_right_opens_it_again(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (app, press):
            await go(press, "/failed_features/0/retries")
            await press("left")
            assert table(app).cursor_key == "in /failed_features/0"
            assert "/failed_features/0/retries" not in places(app)
            await press("left", "right", "right")
            assert places(app)[table(app).cursor or 0] == "/failed_features/0/error_message"

    async def test_all_groups_at_once(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (app, press):
            await press("minus")
            assert len(places(app)) == 7
            await press("plus")
            assert len(places(app)) == 16

    async def test_noise_is_counted_and_one_key_away(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (app, press):
            assert "noise hidden: 2" in press.lines[0]
            assert "/updated_at" not in places(app)
            await press("n")
            assert "noise shown: 2" in press.lines[0]
            assert "/updated_at" in places(app)
            await press("n")
            assert "/updated_at" not in places(app)

    async def test_what_the_operator_calls_noise_is_noise_in_all_such_records(self) -> None:
        before: JSON = {"hooks": {name: {"runs": 1, "state": "open"} for name in "abc"}, "n": 1}
        after: JSON = {"hooks": {name: {"runs": 2, "state": "closed"} for name in "abc"}, "n": 2}
        async with comparing(compared(before, after, "hooks")) as (app, press):
            await go(press, "/hooks/b/runs")
            await press("N")
            assert "noise hidden: 3" in press.lines[0]
            assert "/hooks/*/runs is noise until statewatch ends; N again takes it back." in press.told
            assert not any("runs" in place for place in places(app))
            await press("n")
            await go(press, "/hooks/a/runs")
            await press("N")
            assert "noise" not in press.lines[0]

    async def test_what_was_called_noise_is_noise_in_the_next_diff_too(self) -> None:
        first: JSON = {"a": {"at": 1, "n": 1}}
        second: JSON = {"a": {"at": 2, "n": 2}}
        async with comparing(compared(first, second, key="/p/x.json")) as (app, press):
            await go(press, "/a/at")
            await press("N", "q")
            for key, listed in (("/p/x.json", ["/a/n"]), ("/p/other.json", ["/a/at", "/a/n"])):
                app.push_screen(DiffScreen((compared(first, second, key=key),), 0, app.clock))
                await press.settle()
                assert [place for place in places(app) if place.startswith("/")] == listed
                await press("q")

    async def test_a_group_of_which_a_part_is_picked_has_another_mark(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (_, press):
            await go(press, "[/failed_features/0]")
            await press("down", "space")
            assert [line[:2] for line in press.lines if "½" in line] == ["½ "]
            await press("up", "space")
            assert not any("½" in line for line in press.lines)
            assert sum(line.startswith("✓") for line in press.lines) > 1
            await press("A")
            assert not any(line[:1] in "✓½" for line in press.lines if line[:1].strip())

    async def test_what_is_there_now_is_compared_anew_when_it_changes(self, tmp_path: Path) -> None:
        file = write(tmp_path / "state.json", {"a": 2, "b": 1})
        now = Side("now", lambda: load(file), is_now=True)
        source = replace(many(), key=str(file))
        picture = Picture(NOW, (source,))
        given = Still(picture, NOW)
        feed = given.feed()
        async with shown(given, feed=feed) as (app, press):
            before = Side("@x", lambda: {"a": 1, "b": 1})
            app.push_screen(DiffScreen((Comparison(str(file), "s", "plain", before, now),), 0, app.clock))
            await press.settle()
            assert places(app) == ["/a"]
            await press("space")
            write(file, {"a": 2, "b": 5})
            assert source.revision is not None
            feed.show(replace(picture, sources=(replace(source, revision=replace(source.revision, digest="other")),)))
            await press.until(lambda: places(app) == ["/a", "/b"], "the diff with what is there now")
            assert "1 picked" in press.lines[0]

    async def test_where_only_noise_differs_it_says_so(self) -> None:
        noise = compared({"updated_at": "2026-11-16T14:20:00Z"}, {"updated_at": "2026-11-16T14:22:00Z"})
        async with comparing(noise) as (_, press):
            assert "only noise differs: 1 place, n shows it" in press.text

    async def test_side_by_side_or_in_one_column(self) -> None:
        async with comparing(compared({"a": "old text"}, {"a": "new text"})) as (app, press):
            pane = app.screen.query_one(Versus)
            assert any("old text" in line and "new text" in line for line in press.lines if "│" in line)
            await press("s")
            assert not any("− old text" in line and "+ new text" in line for line in press.lines)
            assert "− old text" in press.text
            assert "+ new text" in press.text
            await press("s")
            assert pane.is_attached

    async def test_a_filter_by_place(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (app, press):
            await press("slash")
            await press.type("retries")
            assert places(app) == ["[/failed_features/0]", "/failed_features/0/retries"]
            await press("enter")
            assert app.focused is table(app)
            await press("escape")
            assert len(places(app)) == 11
            assert len(app.screen_stack) == 2
            await press("escape")
            assert app.screen_stack == [app.main]

    async def test_a_click_picks_opens_and_chooses(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (app, press):
            line = next(y for y, text in enumerate(press.lines) if "/current_index" in text)
            await press.pilot.click(offset=(0, line))
            await press.settle()
            assert table(app).cursor_key == "replace /current_index "
            assert "1 picked" in press.lines[0]

    @pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60), (30, 8)], ids=str)
    async def test_any_size(self, size: tuple[int, int]) -> None:
        async with comparing(compared(*batch(), "batch"), size=size) as (app, press):
            await press("down", "down", "s", "n", "space", "end")
            assert app.is_running
            assert all(len(line) <= size[0] for line in press.lines)


class TestPicking:
    """What an action is about."""

    async def test_a_change_a_group_all_none(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (app, press):
            await press("space")
            assert "1 picked" in press.lines[0]
            await go(press, "[/completed_features]")
            await press("space")
            assert "6 picked" in press.lines[0]
            assert "in /completed_features" in table(app).marked
            await press("space")
            assert "1 picked" in press.lines[0]
            await press("a")
            assert "13 picked" in press.lines[0]
            await press("A")
            assert "picked" not in press.lines[0]

    async def test_a_group_of_which_a_part_is_picked_is_not_marked(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (app, press):
            await go(press, "/failed_features/0/retries")
            await press("space")
            assert "in /failed_features/0" not in table(app).marked
            await press("up", "space")
            assert "in /failed_features/0" in table(app).marked

    async def test_what_is_no_longer_listed_is_no_longer_picked(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (_, press):
            await press("a", "slash")
            await press.type("status")
            assert "1 picked" in press.lines[0]

    async def test_what_is_in_a_closed_group_stays_picked(self) -> None:
        async with comparing(compared(*batch(), "batch")) as (_, press):
            await press("a", "minus")
            assert "13 picked" in press.lines[0]


class TestCopying:
    """`y` and `Y`."""

    async def test_what_is_picked_as_a_patch_that_applies(self) -> None:
        before, after = batch()
        async with comparing(compared(before, after, "batch")) as (app, press):
            await press("y")
            assert apply_patch(before, json.loads(app.clipboard)).document == after
            assert "Copied all as JSON Patch: 15 operations." in press.told
            await press("space", "y")
            assert json.loads(app.clipboard) == [{"op": "replace", "path": "/status", "value": "paused"}]

    async def test_what_is_too_much_for_a_clipboard_is_said(self) -> None:
        async with comparing(compared({"a": 1}, {"a": "x" * 600_000})) as (app, press):
            await press("y")
            assert app.clipboard == ""
            assert "too much for the clipboard" in press.told[-1]

    async def test_the_command_that_shows_or_restores_it(self) -> None:
        before = Side("@x", lambda: {"a": 1}, address="/p/s.json@x")
        comparison = Comparison("/p/s.json", "s.json", "plain", before, Side("now", lambda: {"a": 2}, is_now=True))
        async with comparing(comparison) as (app, press):
            await press("Y")
            assert app.clipboard == "statewatch diff /p/s.json@x /p/s.json"
            await press("space", "Y")
            assert app.clipboard == "statewatch restore /p/s.json@x --only /a"

    async def test_where_no_command_can_say_it(self) -> None:
        async with comparing(compared({"a": 1}, {"a": 2})) as (app, press):
            await press("Y")
            assert app.clipboard == ""
            assert "No command can say this" in press.told[-1]


class TestRestoring:
    """`R`, in a real file."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return write(tmp_path / "state.json", batch()[1])

    @staticmethod
    def of(file: Path) -> Comparison:
        """Return the comparison of a past moment with what is in the file."""
        before = Side("@before-deploy", lambda: batch()[0], NOW - 7_200, f"{file}@before-deploy")
        return Comparison(str(file), "state.json", "batch", before, Side("now", lambda: load(file), is_now=True))

    @staticmethod
    async def asked(app: StatewatchApp, press: Keys) -> None:
        await press.pilot.press("R")
        await press.until(lambda: isinstance(app.screen, ConfirmScreen), "the question")
        await press.settle()

    @staticmethod
    async def done(app: StatewatchApp, press: Keys) -> None:
        told = len(press.told)
        await press.pilot.press("y")
        await press.until(lambda: len(press.told) > told and isinstance(app.screen, DiffScreen), "what became of it")
        await press.settle()

    async def test_it_shows_what_is_written_where_and_what_is_kept_first_and_cancel_has_the_focus(
        self, file: Path
    ) -> None:
        before = file.read_bytes()
        async with comparing(self.of(file)) as (app, press):
            await press("space", "down", "space")
            await self.asked(app, press)
            assert press.answer == "Cancel"
            for part in (
                "restore @before-deploy, /status",
                '/status  "paused" → "in_progress"',
                "17 → 12",
                "checkpoint",
            ):
                assert part in press.text
            await press("escape")
            assert isinstance(app.screen, DiffScreen)
            assert "2 picked" in press.lines[0]
            assert file.read_bytes() == before

    async def test_it_is_done_the_diff_follows_and_undo_takes_it_back(self, file: Path) -> None:
        before = file.read_bytes()
        async with comparing(self.of(file)) as (app, press):
            await go(press, "[/completed_features]")
            await press("space")
            await self.asked(app, press)
            await self.done(app, press)
            assert load(file)["completed_features"] == list(range(12))
            assert load(file)["current_index"] == 17
            assert "[/completed_features]" not in places(app)
            assert "picked" not in press.lines[0]
            assert [entry.note for entry in open_store(file).checkpoints()] == ["before the restore of @before-deploy"]
            assert "u undoes it" in press.told[-1]
            app.picture = replace(app.picture, sources=(replace(many(), key=str(file)),))
            await press.pilot.press("u")
            await press.until(lambda: isinstance(app.screen, ConfirmScreen), "the question")
            await press.settle()
            await self.done(app, press)
            assert file.read_bytes() == before

    async def test_where_nothing_is_picked_it_is_about_what_is_under_the_cursor(self, file: Path) -> None:
        async with comparing(self.of(file)) as (app, press):
            await self.asked(app, press)
            assert "restore @before-deploy, /status?" in press.text

    async def test_where_the_file_changed_since_the_preview_is_redone(self, file: Path) -> None:
        async with comparing(self.of(file)) as (app, press):
            await press("space")
            await self.asked(app, press)
            first = app.screen
            write(file, {**batch()[1], "more": 1})
            await press.pilot.press("y")
            await press.until(lambda: isinstance(app.screen, ConfirmScreen) and app.screen is not first, "it anew")
            await press.settle()
            assert load(file)["status"] == "paused"
            await self.done(app, press)
            stamped = load(file)["updated_at"]  # a change of ours, too
            assert load(file) == {**batch()[1], "status": "in_progress", "more": 1, "updated_at": stamped}

    async def test_where_the_same_place_changed_again_it_is_refused_with_the_reason(self, file: Path) -> None:
        async with comparing(self.of(file)) as (app, press):
            write(file, {**batch()[1], "status": "failed"})
            await self.asked(app, press)
            assert "these places have changed again since: /status" in press.prose
            assert press.answer == "Close"

    async def test_a_read_only_dashboard_refuses_with_the_reason(self, file: Path) -> None:
        before = file.read_bytes()
        async with comparing(self.of(file), read_only=True) as (app, press):
            assert "restore" not in press.lines[-1]
            await press("space", "R")
            await press.until(lambda: press.told, "the refusal")
            assert "--read-only" in press.told[-1]
            assert isinstance(app.screen, DiffScreen)
            assert file.read_bytes() == before

    async def test_a_read_only_file_refuses_with_the_reason(self, file: Path) -> None:
        file.chmod(0o444)
        async with comparing(self.of(file)) as (app, press):
            await self.asked(app, press)
            assert "is read-only" in press.prose

    async def test_a_large_diff_is_shown_without_holding_up_the_keys(self) -> None:
        before: JSON = {"hooks": {f"h{n}": {"a": 1, "b": 1} for n in range(10_000)}}
        after: JSON = {"hooks": {f"h{n}": {"a": 2, "b": 2} for n in range(10_000)}}
        async with comparing(compared(before, after, "hooks")) as (app, press):
            await press("end")
            assert table(app).cursor == 9_999
            await asyncio.wait_for(press("a", "slash"), 20)
            await press.type("h9999/a")
            assert places(app) == ["[/hooks/h9999]", "/hooks/h9999/a"]

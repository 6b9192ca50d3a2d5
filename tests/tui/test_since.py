"""What changed since somebody looked last, on the Overview and in Changes."""

from pathlib import Path

import pytest

from statewatch.kinds.base import Sentence
from statewatch.tui.archive import Archive
from statewatch.tui.models import since
from statewatch.tui.screens.diff import DiffScreen
from statewatch.watch.history.store import History
from tests.tui.dash import HOSTILE, NOW, batch_of, changed, circuits, pictured, source, words
from tests.tui.recorded import Recorded, demo_recorded
from tests.tui.test_travelling import travelling

pytestmark = pytest.mark.usefixtures("short_waits")

TITLE = "SINCE YOU LAST LOOKED"


@pytest.fixture
def away(tmp_path: Path) -> Recorded:
    """Return a project that somebody looked at 30 s ago."""
    recorded = demo_recorded(tmp_path, seconds=40)
    with recorded.history() as history:
        history.looked(recorded.scope.base, recorded.now - 30)
    return recorded


class TestSum:
    """The sentences."""

    def test_many_changes_of_one_source_come_to_a_few(self) -> None:
        before, after = batch_of(40, done=3), batch_of(40, done=20)
        lines = since.summed_up(pictured(source(after, kind="batch")), lambda _source: ("old", before))
        assert "completed 17 items" in " ".join(line.sentence.text for line in lines)
        assert len(lines) <= 4

    def test_what_has_not_changed_is_left_out(self) -> None:
        assert since.summed_up(pictured(source(circuits(audit="open"))), lambda _source: None) == ()

    def test_a_circuit_that_opened_is_told_with_both_states(self) -> None:
        lines = since.summed_up(
            pictured(source(circuits(audit="open"))), lambda _source: ("old", circuits(audit="closed"))
        )
        assert [(line.sentence.subject, line.sentence.text[:13]) for line in lines] == [("audit", "closed → open")]

    def test_names_from_files_are_harmless(self) -> None:
        lines = since.summed_up(
            pictured(source({"hooks": {HOSTILE: {"state": "open"}}})),
            lambda _source: ("old", {"hooks": {HOSTILE: {"state": "closed"}}}),
        )
        assert lines
        assert all(line.sentence.subject.isprintable() and line.sentence.text.isprintable() for line in lines)

    def test_lines_from_before_the_start_have_numbers_of_their_own(self) -> None:
        lines = since.renumbered([changed(3, "c"), changed(2, "b"), changed(1, "a")])
        assert [line.sentence.text for line in lines] == ["c", "b", "a"]
        assert all(line.number < 0 for line in lines)
        assert lines[0].number > lines[1].number > lines[2].number

    def test_the_title_says_how_long_ago(self) -> None:
        found = since.Since(NOW - 3 * 3600, (changed(1, "x"),))
        assert since.spec(found, NOW).columns[0].title == f"{TITLE}, 3 h ago"
        assert words(since.spec(found, NOW).columns[0].cell(since.rows(found)[0], NOW)) == "hook  x"

    def test_the_picture_tells_of_what_was_before_too(self) -> None:
        found = since.Since(NOW, (), (changed(-5, "before"),))
        told = found.added_to(pictured(changes=[changed(1, "live")]))
        assert [line.sentence for line in told.changes] == [Sentence("hook", "live"), Sentence("hook", "before")]


class TestOverview:
    """The panel."""

    async def test_it_says_what_changed_and_escape_closes_it(self, away: Recorded) -> None:
        async with travelling(away, size=(120, 40)) as (_, press):
            await press.reads(f"{TITLE}, 30 s ago")
            assert "completed" in press.text
            await press("escape")
            await press.until(lambda: TITLE not in press.text)
            assert press.table("needs").has_focus

    async def test_enter_leads_to_all_the_changes_from_then_on(self, away: Recorded) -> None:
        async with travelling(away, "tab", "tab", size=(120, 40)) as (app, press):
            table = press.table("since")
            assert app.focused is table
            live = len(app.picture.changes)
            await press("enter")
            assert app.main.view.NAME == "changes"
            assert len(press.table("changes").rows) > live

    async def test_d_compares_the_last_look_with_now(self, away: Recorded) -> None:
        async with travelling(away, "tab", "tab", "d", size=(120, 40)) as (app, press):
            assert isinstance(app.screen, DiffScreen)
            await press.reads("@last look")

    async def test_a_change_from_before_the_start_opens_in_changes(self, away: Recorded) -> None:
        async with travelling(away, "7", "end", "d", size=(120, 40)) as (app, press):
            assert isinstance(app.screen, DiffScreen)
            assert "no longer kept" not in press.text

    async def test_leaving_is_remembered_and_the_next_start_shows_nothing(self, away: Recorded) -> None:
        async with travelling(away):
            pass
        with away.history() as history:
            assert history.last_look(away.scope.base) == away.now
        async with travelling(away) as (_, press):
            assert TITLE not in press.text

    async def test_who_looks_for_the_first_time_sees_nothing_of_it(self, tmp_path: Path) -> None:
        async with travelling(demo_recorded(tmp_path, seconds=5)) as (_, press):
            assert TITLE not in press.text

    async def test_without_a_history_nothing_of_it_is_said(self, away: Recorded, tmp_path: Path) -> None:
        nowhere = Archive(lambda: History.open(tmp_path / "none.db", create=False), away.scope)
        async with travelling(away, app=away.app(archive=nowhere)) as (app, press):
            assert TITLE not in press.text
            assert press.told == []
            assert app.screen is app.main

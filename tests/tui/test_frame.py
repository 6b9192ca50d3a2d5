"""The frame around the views: always true, never wider than the terminal, the answer first."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from statewatch.tui.models.frame import Frame, frame, timeline, too_small, top_line
from statewatch.watch.picture import Picture, Watching
from tests.tui.dash import NOW, changed, circuits, record, source, words

FRAMES = st.builds(
    Frame,
    sources=st.integers(0, 9_999),
    needs=st.integers(0, 9_999),
    polling=st.booleans(),
    reason=st.sampled_from(["", "no inotify", "the limit of watches was reached: " + "x" * 60]),
    stale=st.booleans(),
)


class TestTopLine:
    """The line that is always true."""

    @given(FRAMES, st.integers(1, 200), st.booleans(), st.sampled_from(["", "~/p", "~/a/very/long/path" * 4, "目录"]))
    def test_never_wider_than_the_terminal_and_what_counts_comes_first(
        self, seen: Frame, width: int, read_only: bool, title: str
    ) -> None:
        text = words(top_line(seen, title, NOW, width, read_only=read_only))
        assert cell_len(text) <= width
        needs = seen.verdict[0]
        if width >= len(needs) + 1:
            assert needs in text
        if width >= 60:
            mode = "not up to date" if seen.stale else "polling" if seen.polling else "live"
            assert mode in text
            assert ("read-only" in text) == read_only

    def test_at_eighty_everything_has_its_place(self) -> None:
        text = words(top_line(Frame(14, 2), "~/proj", NOW, 80, read_only=False))
        assert text.startswith(" statewatch  ~/proj ")
        assert text.endswith("● live   14 sources   2 need you   14:23:00 ")

    def test_polling_says_why(self) -> None:
        text = words(top_line(Frame(polling=True, reason="no inotify"), "p", NOW, 120, read_only=True))
        assert "◌ polling (no inotify)   read-only" in text

    def test_a_view_that_could_not_be_made_is_not_called_live(self) -> None:
        assert "live" not in words(top_line(Frame(stale=True), "p", NOW, 120, read_only=False))

    def test_before_the_first_look_nobody_says_that_all_is_well(self) -> None:
        text = words(top_line(Frame(starting=True), "p", NOW, 80, read_only=False))
        assert "starting" in text
        assert "live" not in text
        assert "well" not in text

    def test_all_well(self) -> None:
        assert "all well" in words(top_line(Frame(3), "p", NOW, 80, read_only=False))


class TestTooSmall:
    """Below the smallest size."""

    @pytest.mark.parametrize("needs", [0, 3])
    def test_what_needs_somebody_still_comes_first(self, needs: int) -> None:
        text = words(too_small(Frame(2, needs), (20, 5)))
        assert text.startswith(" 3 need you" if needs else " all well")
        assert "20×5 is small, use 60×20" in text


class TestTimeline:
    """When something happened."""

    @given(st.lists(st.floats(0, 2_000), max_size=50), st.integers(1, 200))
    def test_never_wider_than_the_terminal(self, ages: list[float], width: int) -> None:
        cell = timeline(Frame(activity=tuple((NOW - age, 1) for age in ages)), NOW, width)
        assert cell_len(words(cell)) <= width

    def test_the_present_is_at_the_right_and_what_is_older_has_left(self) -> None:
        text = words(timeline(Frame(activity=((NOW, 3), (NOW - 601, 5))), NOW, 60))
        assert text.startswith(" 14:13 ▁")
        assert text.endswith("█│ now")
        assert text.count("█") == 1

    def test_a_clock_that_was_set_back_breaks_nothing(self) -> None:
        assert words(timeline(Frame(activity=((NOW + 900, 1),)), NOW, 60)).endswith("█│ now")


def test_the_frame_of_a_picture() -> None:
    off = source(circuits(off=record("open", 3)))
    watching = Watching("polling", "\x1b[31mno inotify", ("~/p",))
    seen = frame(Picture(NOW, (off,), (changed(1, "closed → open"),), watching=watching, activity=((NOW, 1),)), NOW)
    assert (seen.sources, seen.needs, seen.polling) == (1, 1, True)
    assert seen.reason == "no inotify"
    assert seen.activity == ((NOW, 1),)
    assert replace(seen, stale=True).stale

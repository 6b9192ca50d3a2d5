"""Where one stands in the past, and what the frame says of it: pure values."""

from dataclasses import replace

import pytest

from statewatch.kinds.base import Sentence
from statewatch.tui import travel
from statewatch.tui.models import travel as told
from statewatch.tui.travel import Journey
from statewatch.watch.history.model import Entry
from statewatch.watch.picture import ChangeLine, Picture
from tests.tui.dash import HOSTILE, NOW, words

BATCH, HOOKS = "/p/batch_state.json", "/p/hook_state.json"


def entry(number: int, before_now: float, source: str = BATCH, **fields: object) -> Entry:
    at = NOW - before_now
    return replace(Entry(number, source, at, at, 100, f"digest {number}", None), **fields)  # type: ignore[arg-type]


def journey(*entries: Entry) -> Journey:
    found = travel.begun(entries, NOW)
    assert found is not None
    return found


def three() -> Journey:
    """Return a journey through three changes: of a batch, of hooks, of the batch again."""
    return journey(entry(1, 300), entry(2, 200, HOOKS), entry(3, 100))


def ages(*places: Journey) -> list[float]:
    return [NOW - here.at for here in places]


class TestSteps:
    """← and → and their kin."""

    def test_it_begins_now_with_the_clock_stopped(self) -> None:
        assert ages(three()) == [0]
        assert not three().playing

    def test_without_anything_recorded_there_is_no_past(self) -> None:
        assert travel.begun((), NOW) is None

    def test_a_step_back_takes_one_change_away_and_a_step_on_brings_it_again(self) -> None:
        here = three()
        once = travel.stepped(here, -1)
        twice = travel.stepped(once, -1)
        assert ages(once, twice, travel.stepped(twice, -1)) == [200, 300, 300]
        assert ages(travel.stepped(twice, 1), travel.stepped(once, 1)) == [200, 100]

    def test_from_between_two_changes_a_step_goes_to_the_one_before_the_last_or_to_the_next(self) -> None:
        here = travel.moved_to(three(), NOW - 150)
        assert ages(travel.stepped(here, -1), travel.stepped(here, 1)) == [300, 100]

    def test_at_the_newest_change_there_is_no_step_on(self) -> None:
        newest = travel.moved_to(three(), NOW - 100)
        assert travel.stepped(newest, 1) == newest
        assert travel.stepped(three(), 1) == three()

    def test_steps_of_one_source_pass_over_all_others(self) -> None:
        here = three()
        back = travel.stepped(here, -1, BATCH)
        assert ages(back, travel.stepped(back, 1, BATCH)) == [300, 100]
        assert travel.stepped(here, -1, HOOKS) == here
        assert travel.stepped(here, -1, "/nowhere") == here

    def test_a_minute_back_stays_within_what_is_known(self) -> None:
        here = three()
        assert ages(travel.shifted(here, -60), travel.shifted(here, -900), travel.shifted(here, 60)) == [60, 300, 0]

    def test_what_was_seen_at_one_instant_is_one_step(self) -> None:
        here = journey(entry(1, 300), entry(2, 300, HOOKS), entry(3, 100))
        assert ages(travel.stepped(here, -1)) == [300]
        assert len(here.log.seen_at(NOW - 300)) == 2

    def test_one_look_at_many_files_is_one_step_but_two_changes_of_one_file_never_are(self) -> None:
        look = [entry(number, 300 - number / 100, f"/p/{number}.json") for number in range(40)]
        here = journey(*look, entry(50, 299.55, "/p/39.json"), entry(51, 100))
        assert len(here.log.instants) == 3
        first = travel.at_the_beginning(here)
        assert len(here.log.seen_at(first.at)) == 40
        assert travel.stepped(first, -1) == first
        following = travel.stepped(first, 1, "/p/39.json")
        assert [each.number for each in here.log.seen_at(following.at)] == [50]

    def test_the_revision_of_a_source_at_a_moment(self) -> None:
        log = three().log
        found = [log.revision(BATCH, NOW - ago) for ago in (301, 300, 150, 0)]
        assert [each and each.number for each in found] == [None, 1, 1, 3]
        assert log.revision(HOOKS, NOW - 250) is None

    def test_bookmarks_are_places_to_go_to(self) -> None:
        here = journey(entry(1, 300, bookmark="before deploy"), entry(2, 200), entry(3, 100, bookmark="after"))
        last = travel.to_bookmark(here, -1)
        first = travel.to_bookmark(last, -1)
        assert ages(last, first, travel.to_bookmark(first, -1)) == [100, 300, 300]
        assert ages(travel.to_bookmark(first, 1), travel.to_bookmark(here, 1)) == [100, 0]


class TestPlaying:
    """space, + and −."""

    def test_from_the_present_it_plays_from_the_beginning(self) -> None:
        here = travel.started(three())
        assert here.playing
        assert ages(here) == [300]

    def test_seconds_pass_as_fast_as_was_chosen(self) -> None:
        here = travel.started(travel.moved_to(three(), NOW - 203))
        slow = travel.faster(here, -9)
        assert ages(travel.played(here, 0.25), travel.played(slow, 0.25)) == [201, 202.75]
        assert travel.faster(here, 9).speed == 64

    def test_the_rest_of_a_long_silence_is_passed_over(self) -> None:
        here = travel.started(three())
        assert ages(travel.played(here, 0.1)) == [208]

    def test_it_ends_with_the_newest_change(self) -> None:
        here = travel.started(travel.moved_to(three(), NOW - 101))
        end = travel.played(here, 1.0)
        assert ages(end) == [100]
        assert not end.playing
        assert travel.played(end, 1.0) == end

    def test_any_step_stops_it(self) -> None:
        assert not travel.stepped(travel.started(three()), 1).playing

    def test_pressed_again_it_stands_still(self) -> None:
        here = travel.started(travel.moved_to(three(), NOW - 210))
        assert travel.started(here) == replace(here, playing=False)


class TestScrubber:
    """The line in place of the timeline."""

    @pytest.mark.parametrize("width", [60, 80, 120, 200])
    def test_it_is_as_wide_as_the_screen(self, width: int) -> None:
        assert len(words(told.scrubber(three(), width))) == width

    def test_where_there_is_no_room_it_is_left_out(self) -> None:
        assert told.scrubber(three(), 20) == ()
        assert told.pointed(three(), 10, 20) is None

    @pytest.mark.parametrize("width", [60, 80, 120])
    @pytest.mark.parametrize("ago", [0.0, 17.0, 100.0, 299.0, 300.0])
    def test_pointing_at_the_mark_goes_to_where_one_is(self, width: int, ago: float) -> None:
        here = travel.moved_to(three(), NOW - ago)
        at = told.pointed(here, words(told.scrubber(here, width)).index("┃"), width)
        assert at is not None
        assert here.at <= at + 1e-6
        assert at - here.at < here.width / (width - 20)

    def test_every_column_leads_to_a_moment_at_which_the_mark_is_there(self) -> None:
        here = three()
        for x in range(80):
            at = told.pointed(here, x, 80)
            if at is not None and here.oldest <= at <= here.now:
                assert words(told.scrubber(replace(here, at=at), 80)).index("┃") == x

    def test_it_shows_when_something_changed_and_the_bookmarks(self) -> None:
        here = journey(entry(1, 500, bookmark="x"), entry(2, 200), entry(3, 100))
        line = words(told.scrubber(here, 80))
        assert line.startswith(" 14:14 ")
        assert " now " in line
        assert line.count("█") == 2
        assert line.index("◆") < line.index("█") < line.index("┃")

    def test_of_a_long_history_it_shows_the_part_around_the_place(self) -> None:
        here = journey(entry(1, 90_000), entry(2, 50_000), entry(3, 100))
        assert here.width == 600
        back = travel.stepped(here, -1)
        assert back.start < back.at < back.start + 600
        assert "now" not in words(told.scrubber(back, 80))
        assert words(told.scrubber(back, 80)).startswith(" 00:24 ")

    def test_it_can_show_more_until_it_shows_everything(self) -> None:
        here = journey(entry(1, 90_000), entry(2, 50_000), entry(3, 100))
        widths = []
        for _ in range(6):
            widths.append(here.width)
            assert here.start < here.at <= here.start + here.width + 1e-6
            here = travel.widened(here)
        assert widths == [600, 3_600, 21_600, 86_400, 90_001, 600]
        assert words(told.scrubber(travel.widened(replace(here, span=86_400.0)), 80)).startswith(" 11-15 13:2")


class TestBanner:
    """The line above the view."""

    @staticmethod
    def line(at: float, text: str, subject: str = "audit") -> ChangeLine:
        return ChangeLine(1, at, HOOKS, "hook_state.json", "hooks", Sentence(subject, text, "bad"), "a", "b")

    def test_it_says_what_happened_at_this_moment(self) -> None:
        here = travel.stepped(three(), -1)
        picture = Picture(here.at, changes=(self.line(here.at, "closed → open"), self.line(NOW - 300, "long ago")))
        said = words(told.banner(here, picture))
        assert "THE PAST" in said
        assert "change 2 of 3" in said
        assert "audit: closed → open" in said
        assert "long ago" not in said

    def test_between_two_changes_it_says_since_when_it_was_so(self) -> None:
        here = travel.moved_to(three(), NOW - 150)
        assert "as it was since 14:19:40" in words(told.banner(here, Picture(here.at)))

    def test_of_many_changes_at_once_it_says_how_many_more(self) -> None:
        here = travel.stepped(three(), -1)
        lines = tuple(self.line(here.at, f"change {index}") for index in range(9))
        assert "and 6 more" in words(told.banner(here, Picture(here.at, changes=lines)))

    def test_what_was_thinned_is_said(self) -> None:
        here = journey(entry(1, 300), entry(2, 100, dropped=7))
        at_it = travel.moved_to(here, NOW - 100)
        assert "7 revisions before this one no longer kept" in words(told.banner(at_it, Picture(at_it.at)))
        between = travel.moved_to(here, NOW - 200)
        assert "7 revisions until 14:21:20 no longer kept" in words(told.banner(between, Picture(between.at)))
        first = travel.moved_to(here, NOW - 300)
        assert "no longer kept" not in words(told.banner(first, Picture(first.at)))

    def test_names_of_bookmarks_are_harmless(self) -> None:
        here = travel.moved_to(journey(entry(1, 300, bookmark=HOSTILE), entry(2, 100)), NOW - 300)
        said = words(told.banner(here, Picture(here.at)))
        assert said.isprintable()
        assert len(said) < 300

    def test_the_top_line_says_which_moment_and_how_long_ago(self) -> None:
        assert told.viewing(travel.moved_to(three(), NOW - 300), NOW) == "viewing 14:18:00, 5 min ago"
        old = journey(entry(1, 200_000), entry(2, 1))
        assert told.viewing(travel.at_the_beginning(old), NOW) == "viewing 11-14 06:49:40, 2 d ago"


def test_what_was_recorded_meanwhile_is_taken_up_and_the_place_stays() -> None:
    here = travel.stepped(three(), -1)
    later = travel.brought_up(here, (*here.log.entries, entry(4, -30)), NOW + 60)
    assert later.at == here.at
    assert later.place() == 2
    assert len(later.log.instants) == 4
    assert travel.brought_up(here, (), NOW + 60) == here

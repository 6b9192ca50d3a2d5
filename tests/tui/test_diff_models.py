"""The models of the diff screen: what is listed and how it is grouped, both sides of it, the title, what is copied."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from statewatch.core.address import parse
from statewatch.core.errors import NotFoundError
from statewatch.documents.diff import Change, diff
from statewatch.documents.merge import ABSENT, Maybe
from statewatch.documents.patch import apply_patch
from statewatch.documents.values import JSON
from statewatch.tui.models import diff_copy, diff_detail, diff_rows, diff_text, diffs
from statewatch.tui.models.comparison import Comparison, Side, revisions_of
from statewatch.tui.models.diff_loading import load
from statewatch.tui.models.diff_rows import DiffModel, GroupRow, Listed, Wish
from statewatch.tui.models.diff_title import title
from statewatch.tui.widgets.table_model import Cell
from statewatch.tui.widgets.versus import inline, side_by_side
from statewatch.watch.picture import Picture
from tests.tui.dash import HOSTILE, NOW, changed, many, pictured, words
from tests.tui.diffing import batch, compared

FAILURE = "~   error_message …iled: 3 of 17… → …iled: 1 of 17…"


@pytest.fixture
def model() -> DiffModel:
    """Return what happened to a batch."""
    return load(compared(*batch(), kind="batch"))


def told(model: DiffModel, wish: Wish | None = None) -> list[str]:
    """Return what is listed, a text a row."""
    rows = diff_rows.listed(model, wish or Wish())
    return [" ".join(words(column.cell(row, NOW)) for column in diff_rows.SPEC.columns).rstrip() for row in rows]


def side(cell: Cell | None) -> str | None:
    """Return the text of a line on one side; None where there is none."""
    return None if cell is None else words(cell)


def row(model: DiffModel, key: str, wish: Wish | None = None) -> Listed:
    """Return the row with that key."""
    return next(each for each in diff_rows.listed(model, wish or Wish()) if each.key.strip() == key)


class TestListing:
    """Changes by the record that they are in."""

    def test_changes_stand_under_their_record_with_counts_and_what_people_call_it(self, model: DiffModel) -> None:
        assert told(model) == [
            '~ /status "in_progress" → "paused"',
            "~ /current_index 12 → 17",
            '− /notes "first line\\nsecond line"',
            "▸ /completed_features +5  12, 13, 14, 15, 16",
            "▾ /failed_features/0  Add the thing number 3 +1 ~1",
            FAILURE,
            "+   retries 2",
            "⇄ /failed_features/0 from /failed_features/1  an object of 3",
            "▾ /git_operations/3  Add the thing number 3 +1 ~1",
            '~   commit/sha "abc" → "def"',
            "+   push an object of 1",
        ]

    def test_noise_is_left_out_and_counted_until_it_is_wished_for(self, model: DiffModel) -> None:
        assert model.noise == 2
        assert "updated_at" not in "".join(told(model))
        shown = told(model, Wish(noise=True))
        assert shown[3].startswith("~ /updated_at ")  # behind the news of where it is
        assert any(line.startswith("~   timestamp ") for line in shown)

    def test_hooks_are_grouped_by_hook(self) -> None:
        before: JSON = {"hooks": {"a": {"state": "closed", "n": 1}, "b": {"n": 1}}, "global_stats": {}}
        after: JSON = {"hooks": {"a": {"state": "open", "n": 2}, "b": {"n": 2}}, "global_stats": {}}
        assert told(load(compared(before, after, "hooks"))) == [
            "▾ /hooks/a ~2",
            '~   state "closed" → "open"',
            "~   n 1 → 2",
            "~ /hooks/b/n 1 → 2",
        ]

    def test_records_are_found_below_a_wrapper(self) -> None:
        before: JSON = {"data": {"runs": {"a": {"x": 1, "y": 1}}, "n": 1}}
        after: JSON = {"data": {"runs": {"a": {"x": 2, "y": 2}}, "n": 2}}
        assert told(load(compared(before, after)))[0] == "▾ /data/runs/a ~2"

    def test_keys_of_a_namespace_are_grouped_by_key(self) -> None:
        before: JSON = {"run": {"steps": {"a": 1}, "n": 1}, "other": 1}
        after: JSON = {"run": {"steps": {"a": 2}, "n": 2}, "other": 1}
        assert told(load(compared(before, after, "namespace")))[0] == "▾ /run ~2"

    def test_a_group_is_opened_and_closed(self, model: DiffModel) -> None:
        shown = told(model, Wish().with_toggled(["in /completed_features", "in /failed_features/0"]))
        assert "+   12 12" in shown
        assert "▸ /failed_features/0  Add the thing number 3 +1 ~1  error_message, retries" in shown
        again = Wish().with_toggled(["in /completed_features"]).with_toggled(["in /completed_features"])
        assert told(model, again) == told(model)

    def test_very_many_changes_are_closed_groups_at_first(self) -> None:
        before: JSON = {"hooks": {f"h{n}": {"a": 1, "b": 1} for n in range(200)}, "x": 1}
        after: JSON = {"hooks": {f"h{n}": {"a": 2, "b": 2} for n in range(200)}, "x": 2}
        rows = diff_rows.listed(load(compared(before, after)), Wish())
        assert len(rows) == 201
        assert not any(isinstance(each, GroupRow) and each.is_open for each in rows)

    @pytest.mark.parametrize(
        ("filter_", "places"),
        [("retries", ["/failed_features/0/retries"]), ("op:removed", ["/notes"]), ("!features !git op:changed", None)],
    )
    def test_a_filter_by_place_and_operation(self, model: DiffModel, filter_: str, places: list[str] | None) -> None:
        rows = diff_rows.listed(model, Wish(filter=filter_))
        found = [each.change.pointer for each in rows if not isinstance(each, GroupRow)]
        assert found == (places or ["/status", "/current_index"])

    def test_every_row_has_a_key_of_its_own(self, model: DiffModel) -> None:
        keys = [each.key for each in diff_rows.listed(model, Wish(noise=True))]
        assert len(set(keys)) == len(keys)

    def test_what_cannot_be_had_says_why(self) -> None:
        def gone() -> JSON:
            raise NotFoundError("this revision is no longer kept")

        side = Side("now", lambda: 1)
        assert "no longer kept" in load(Comparison("/p", "p", "plain", Side("@x", gone), side)).missing


class TestValues:
    """What a change did, in few words."""

    @pytest.mark.parametrize(
        ("before", "after", "said"),
        [
            ("a", "b", '"a" → "b"'),
            (
                "the same beginning, one",
                "the same beginning, other end",
                '"the same beginning, one" → "the same beginning, other end"',
            ),
            (
                "the same beginning and then one",
                "the same beginning and then two words",
                '… then one" → … then two words"',
            ),
            (
                "first and what follows is rather long",
                "other and what follows is rather long",
                '"first and w… → "other and w…',
            ),
            ("x" * 100, "y" * 100, f'"{"x" * 58}… → "{"y" * 58}…'),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", '…aaaaaa" → …aaaaaaaaa"'),
            (True, 1, "true → 1"),
        ],
    )
    def test_what_long_texts_share_is_left_out(self, before: JSON, after: JSON, said: str) -> None:
        assert words(diffs.values(Change("replace", ("a",), before, after))) == said


class TestSides:
    """Both sides of what is under the cursor."""

    @staticmethod
    def lines(before: Any, after: Any, **options: Any) -> list[tuple[str | None, str | None]]:
        found = diff_text.pairs(before, after, **options)
        return [(side(pair.before), side(pair.after)) for pair in found]

    def test_words_that_differ_are_marked(self) -> None:
        (pair,) = diff_text.pairs("Tests failed: 3 of 17", "Tests failed: 1 of 17")
        assert pair.before == (("Tests failed: ", ""), ("3", "removed"), (" of 17", ""))
        assert pair.after == (("Tests failed: ", ""), ("1", "added"), (" of 17", ""))

    def test_texts_with_nothing_in_common_are_not_marked_to_pieces(self) -> None:
        (pair,) = diff_text.pairs("one two three", "a-b-c d-e-f")
        assert pair.before == (("one two three", "bad"),)
        assert pair.after == (("a-b-c d-e-f", "good"),)

    def test_lines_of_a_text_stand_beside_what_they_became(self) -> None:
        assert self.lines("a\nb\nc", "a\nx\ny\nc") == [("a", "a"), ("b", "x"), (None, "y"), ("c", "c")]

    def test_objects_are_compared_member_by_member_in_whatever_order(self) -> None:
        found = diff_text.pairs({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 2})
        assert [words(pair.after or ()) for pair in found if pair.differs] == ['  "a": 2']

    def test_a_last_member_more_leaves_the_one_before_it_alone(self) -> None:
        found = diff_text.pairs({"a": 1}, {"a": 1, "b": 2})
        assert [words(pair.after or ()) for pair in found if pair.differs] == ['  "b": 2']

    def test_a_scalar_is_told_with_its_name(self, model: DiffModel) -> None:
        (pair,) = diff_detail.detail(model, row(model, "replace /current_index"))
        assert words(pair.before or ()) == '"current_index": 12'

    def test_long_runs_of_the_same_are_folded(self) -> None:
        before = {"n": 1, **{f"k{number}": number for number in range(100)}}
        shown = self.lines(before, {**before, "k50": 0})
        assert ("⋯ 49 lines are the same",) * 2 in shown
        assert len(shown) == 9
        assert len(self.lines(before, {**before, "k50": 0}, folded=False)) == 103

    def test_a_long_line_is_folded_around_what_differs(self) -> None:
        text = "word " * 500
        ((before, after),) = self.lines(text + "old" + text, text + "new" + text)
        assert before is not None
        assert after is not None
        assert "old" in before
        assert "new" in after
        assert len(before) < 200
        ((whole, _),) = self.lines(text + "old" + text, text + "new" + text, folded=False)
        assert whole == text + "old" + text

    def test_a_group_shows_its_record_with_what_is_listed_of_it_changed(self, model: DiffModel) -> None:
        found = diff_detail.detail(model, row(model, "in /failed_features/0"))
        assert [words(pair.after or ()).strip()[:9] for pair in found if pair.differs] == ['"error_me', '"retries"']
        found = diff_detail.detail(model, row(model, "in /failed_features/0", Wish(noise=True)))
        assert sum(pair.differs for pair in found) == 3

    def test_a_list_too_long_to_show_shows_what_changed_in_it(self) -> None:
        before, after = {"n": 0, "done": list(range(5_000))}, {"n": 0, "done": list(range(5_010))}
        model = load(compared(before, after))  # type: ignore[arg-type]
        lines = diff_detail.detail(model, row(model, "in /done"))
        assert [words(pair.after or ()) for pair in lines][:4] == ["/5000", "5000", "/5001", "5001"]

    def test_what_came_and_went_and_moved(self, model: DiffModel) -> None:
        (came,) = diff_detail.detail(model, row(model, "add /failed_features/0/retries"))
        assert (words(came.before or ()), words(came.after or ())) == ("nothing here before", '"retries": 2')
        went = diff_detail.detail(model, row(model, "remove /notes"))
        assert [words(pair.before or ()) for pair in went] == ["first line", "second line"]
        assert words(went[0].after or ()) == "nothing here now"
        moved = diff_detail.detail(model, row(model, "move /failed_features/0 ('failed_features', 1)"))
        assert words(moved[0].before or ()) == "at /failed_features/1"

    @pytest.mark.parametrize("value", [list(range(100_000)), "x" * 3_000_000, {"a": "\n" * 100_000}])
    def test_a_value_of_any_size_is_shown_bounded_and_at_once(self, value: JSON) -> None:
        begun = time.process_time()
        others: list[Maybe] = [ABSENT, None, [], "y"]
        for other in others:
            assert len(diff_text.pairs(value, other)) <= diff_text.MOST_LINES + 2
        assert time.process_time() - begun < 5  # it takes a tenth of a second

    def test_very_many_words_that_differ_are_not_all_looked_at(self) -> None:
        before, after = ([{"a": f"{word} " * 200 + str(number)} for number in range(600)] for word in "xy")
        begun = time.process_time()
        diff_text.pairs(before, after)  # type: ignore[arg-type]
        assert time.process_time() - begun < 5  # all of them would take fifteen seconds

    def test_a_very_deep_value_is_shown(self) -> None:
        deep: JSON = []
        for _ in range(5_000):
            deep = [deep]
        assert diff_text.pairs(deep, [deep], folded=False)

    @pytest.mark.parametrize("width", [8, 20, 60, 200])
    @pytest.mark.parametrize("layout", [side_by_side, inline])
    def test_no_line_is_wider_than_the_room(self, layout: Callable[..., Any], width: int) -> None:
        found = diff_text.pairs({"a": HOSTILE, "漢字" * 30: 1}, {"a": "漢字" * 40, "b": HOSTILE})
        if layout is side_by_side and width < 20:
            return
        assert all(len(words(line)) <= width for line in layout(found, width))

    def test_inline_first_what_was_there_of_a_run_and_then_what_is(self) -> None:
        found = diff_text.pairs("a\nb\nc\nd", "a\nx\ny\nd")
        assert [words(line) for line in inline(found, 40)] == ["  a", "− b", "− c", "+ x", "+ y", "  d"]


class TestTitle:
    """The line above."""

    @pytest.mark.parametrize(
        ("width", "text"),
        [
            (
                140,
                " .claude/state.json  @before-deploy (2h ago) → now  +7  −1  ~4  ⇄1  noise hidden: 2  3 picked  2 of 3",
            ),
            (80, " .claude/state.json  @before-deploy → now  +7  −1  ~4  ⇄1  noise 2  3 picked"),
            (60, " .claude/state.json  +7  −1  ~4  ⇄1  noise 2  3 picked"),
            (30, " …  +7  −1  ~4  ⇄1  3 picked"),
        ],
    )
    def test_what_matters_least_gives_way_first(self, model: DiffModel, width: int, text: str) -> None:
        line = words(title(model, NOW, width, noise=False, picked=3, position=(2, 3)))
        assert " ".join(line.split()) == " ".join(text.split())
        assert len(line) <= width

    def test_with_noise_it_counts_noise_too(self, model: DiffModel) -> None:
        line = words(title(model, NOW, 140, noise=True, picked=0, position=(1, 1)))
        assert "~6" in line
        assert "noise shown: 2" in line


class TestCopying:
    """`y` and `Y`."""

    def test_all_of_it_as_a_patch_that_makes_the_one_of_the_other(self, model: DiffModel) -> None:
        patch = json.loads(json.dumps(diff_copy.patch(model, ())))
        assert apply_patch(model.before, patch).document == model.after

    def test_what_is_picked_as_a_patch_that_applies(self, model: DiffModel) -> None:
        picked = {
            number for each in diff_rows.listed(model, Wish(filter="completed status")) for number in each.indexes
        }
        picked |= set(row(model, "in /completed_features").indexes[2:4])
        patch = json.loads(json.dumps(diff_copy.patch(model, picked)))
        done: Any = apply_patch(model.before, patch).document
        assert done["completed_features"] == [*range(12), 14, 15]

    def test_the_command_that_shows_it(self) -> None:
        one, other = Side("@x", lambda: 1, address="/p/a b@x"), Side("now", lambda: 2, is_now=True)
        assert diff_copy.show_command(Comparison("/p/a b", "a", "plain", one, other)) == (
            "statewatch diff '/p/a b@x' '/p/a b'"
        )
        nameless = Side("before", lambda: 1)
        assert diff_copy.show_command(Comparison("/p/a b", "a", "plain", nameless, other)) is None

    def test_the_command_that_restores_what_is_picked(self) -> None:
        before, after = {"a": {"b": 1}, "c": [1], "d": 1}, {"a": {"b": 2}, "c": [1, 2], "d": 2}
        sides = Side("@x", lambda: before, address="/p/s@x"), Side("now", lambda: after, is_now=True)  # type: ignore[arg-type, return-value]
        model = load(Comparison("/p/s", "s", "plain", *sides))
        pointers = [change.pointer for change in model.changes]
        command = diff_copy.restore_command(model, [pointers.index("/d"), pointers.index("/a/b")])
        assert command == "statewatch restore /p/s@x --only /a/b --only /d"
        assert diff_copy.restore_command(model, [pointers.index("/c/1")]) is None


class TestRevisions:
    """From the lines of change of a picture to comparisons."""

    @pytest.fixture
    def picture(self) -> Picture:
        return pictured(many(), changes=[changed(3, "x"), changed(2, "y", subject="other"), changed(1, "z")])

    def test_each_is_compared_with_the_one_before(self, picture: Picture) -> None:
        kept: dict[str, JSON] = {f"d{number}": {"n": number} for number in range(4)}
        found = revisions_of(picture, "/p/state.json", lambda line: line.number == 2, kept.get)
        assert (found.start, found.exact) == (1, True)
        labels = [(each.before.label, each.after.label) for each in found.comparisons]
        assert labels == [("before", "@14:21:21"), ("@14:21:21", "@14:21:22"), ("@14:21:22", "@14:21:23")]
        assert load(found.comparisons[1]).changes == tuple(diff({"n": 1}, {"n": 2}))

    def test_moments_have_addresses(self, picture: Picture) -> None:
        found = revisions_of(picture, "/p/state.json", lambda _: True, lambda _: None)
        assert found.comparisons[1].after.address == "/p/state.json@2026-11-16T14:21:22.000000"
        assert parse(found.comparisons[1].after.address, lambda _: False).when == "2026-11-16T14:21:22.000000"

    def test_where_what_is_asked_for_did_not_change_it_is_the_last_one(self, picture: Picture) -> None:
        found = revisions_of(picture, "/p/state.json", lambda _: False, lambda _: None)
        assert (found.start, found.exact) == (2, False)
        assert revisions_of(picture, "/p/other.json", lambda _: True, lambda _: None).comparisons == ()


class TestLinesBeforeAnAction:
    """Changes in the question before an action."""

    def test_changes_at_one_place_stand_under_its_name(self) -> None:
        before: JSON = {"hooks": {"h": {"state": "open", "n": 3}}, "x": 1}
        after: JSON = {"hooks": {"h": {"state": "closed", "n": 0}}, "x": 2}
        assert [words(line) for line in diffs.change_lines(tuple(diff(before, after)))] == [
            "/hooks/h",
            '  ~ state  "open" → "closed"',
            "  ~ n  3 → 0",
            "~ /x  1 → 2",
        ]

    def test_an_item_that_moved_says_from_where(self) -> None:
        before: JSON = [{"id": 1}, {"id": 2}, {"id": 3}]
        after: JSON = [{"id": 3}, {"id": 1}, {"id": 2}]
        (line,) = diffs.change_lines(tuple(diff(before, after)))
        assert words(line) == "⇄ /0  from /2  an object of 1"

    def test_the_whole_document_may_be_replaced(self) -> None:
        (line,) = diffs.change_lines(tuple(diff([1], {"a": 1})))
        assert words(line).startswith("~ /  ")

    def test_very_many_are_counted(self) -> None:
        lines = diffs.change_lines(tuple(Change("replace", (f"k{number}",), 1, 2) for number in range(5_000)))
        assert words(lines[-1]) == "… and 4,000 more changes"
        assert len(lines) == 1_001

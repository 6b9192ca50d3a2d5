"""Patterns for places, the noise they mark, what history suggests, and word marks within a text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.codec import decode
from statewatch.documents.diff import Change, diff
from statewatch.documents.noise import Noise, marked, suggest_noise
from statewatch.documents.patterns import pattern
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON, Path
from statewatch.documents.words import word_changes
from tests.documents.strategies import laws
from tests.support import timeline


@pytest.mark.parametrize(
    ("text", "path", "matches"),
    [
        ("", (), True),
        ("/a", ("a",), True),
        ("/a", ("a", "b"), False),
        ("/*", ("a",), True),
        ("/*", (3,), True),
        ("/*/updated_at", (17, "updated_at"), True),
        ("/hooks/*/last_*", ("hooks", "x", "last_error"), True),
        ("/hooks/*/last_*", ("hooks", "x", "first_failure"), False),
        ("/**/updated_at", ("updated_at",), True),
        ("/**/updated_at", ("a", 1, "b", "updated_at"), True),
        ("/**/updated_at", ("updated_at", "a"), False),
        ("/**", (), True),
        ("/a/**/**/z", ("a", "z"), True),
        ("/a~1b/*~0*", ("a/b", "x~y"), True),
        ("/*a*b*", ("xxaxxbxx",), True),
        ("/*a*b", ("ab-a",), False),
        ("/aa*aa", ("aaa",), False),
    ],
)
def test_a_pattern_matches_places(text: str, path: Path, *, matches: bool) -> None:
    assert pattern(text).matches(path) is matches


def test_a_pattern_covers_what_is_inside_of_the_places_it_matches() -> None:
    assert pattern("/stats/*").matches(("stats", "a", "b", 1), within=True)
    assert not pattern("/stats/*").matches(("stats",), within=True)


def test_a_pattern_with_many_wildcards_meets_a_hostile_key_in_no_time() -> None:
    assert not pattern("/" + "*a" * 200 + "b").matches(("a" * 20_000,))
    assert not pattern("/**" * 50 + "/b").matches(("a",) * 500)


def test_a_pattern_that_is_no_pointer_is_refused() -> None:
    with pytest.raises(PointerError):
        Noise(("updated_at",)).covers(Change("replace", ("a",), 1, 2))


def change(before: JSON, after: JSON, *path: str | int) -> Change:
    return Change("replace", path or ("x",), before, after)


T1, T2 = "2026-11-20T10:00:00.123456+00:00", "2026-11-20T10:00:05Z"


@pytest.mark.parametrize(
    ("found", "noise"),
    [
        (change(T1, T2), True),
        (change("2026-11-20 10:00", "2026-11-20 10:01"), True),
        (change("20261120-100000", "20261120-100500"), True),
        (change(1_763_600_000, 1_763_600_005.5, "updated_at"), True),
        (change(1_763_600_000_000, 1_763_600_005_000, "job", "ts_ms"), True),
        (change(1_763_600_000, 1_763_600_005, "tokens"), False),
        (change(1, 2, "updated_at"), False),
        (change(None, T1), False),
        (change(T1, None), False),
        (change(T1, "yesterday"), False),
        (change(T1 + " " * 100_000, T1), False),
        (Change("add", ("x",), None, T1), False),
        (Change("replace", (), T1, T2), True),
    ],
)
def test_times_that_move_on_are_noise_and_those_that_come_and_go_are_news(found: Change, *, noise: bool) -> None:
    assert marked([found], Noise(timestamps=True))[0].noise is noise
    assert not marked([found], Noise())[0].noise


@pytest.mark.parametrize(
    ("found", "noise"),
    [(change(1, 2), True), (change(2, 1), False), (change(True, 2), False), (change(1.0, 2.0), False)],
)
def test_counters_that_go_up_are_noise_where_one_says_so(found: Change, *, noise: bool) -> None:
    assert Noise(counters=True).covers(found) is noise
    assert not Noise(timestamps=True).covers(found)


def test_noise_is_marked_and_never_dropped() -> None:
    before: list[JSON] = [{"id": number, "updated_at": T1, "ok": True} for number in range(50)]
    after: list[JSON] = [{"id": number, "updated_at": T2, "ok": number != 7} for number in range(50)]
    changes = diff(before, after)
    again = marked(changes, Noise(("/*/updated_at",)))
    assert [one._replace(noise=False) for one in again] == changes
    assert [one.pointer for one in again if not one.noise] == ["/7/ok"]


def test_a_move_is_noise_only_when_it_stays_within_the_noise() -> None:
    out = Change("move", ("b", 0), 1, 1, ("a", 0))
    assert not Noise(("/a",)).covers(out)
    assert Noise(("/a", "/b")).covers(out) is False
    assert Noise(("/*",)).covers(out)


def revisions(count: int) -> list[list[Change]]:
    versions: list[JSON] = [
        {
            "updated_at": f"2026-11-20T10:00:{step:02}Z",
            "status": "done" if step == count - 1 else "running",
            "jobs": {f"job-{n}": {"beats": step // 3 + (n <= step % 3), "state": "ok"} for n in range(3)},
        }
        for step in range(count)
    ]
    return [diff(one, other) for one, other in pairwise(versions)]


def test_noise_is_suggested_where_nearly_every_revision_changes_something() -> None:
    found = suggest_noise(revisions(20))
    assert [each.pattern for each in found] == ["/updated_at", "/jobs/*/beats"]
    assert (found[0].revisions, found[0].of) == (19, 19)


def test_nothing_is_suggested_from_a_short_history_or_one_without_noise() -> None:
    assert suggest_noise(revisions(5)) == []
    assert suggest_noise([]) == []
    assert suggest_noise([[Change("add", ("a", n), None, T1)] for n in range(20)]) == []


def test_a_real_hook_file_suggests_its_last_update() -> None:
    versions = [decode(data) for data in timeline("hook_state")]
    found = suggest_noise(diff(one, other) for one, other in pairwise(versions))
    assert "/global_stats/last_updated" in [each.pattern for each in found]
    assert not any("state" in each.pattern.split("/") for each in found)


def test_word_marks_show_the_words_that_changed() -> None:
    assert [tuple(span) for span in word_changes("Tests failed in step 3", "Tests passed in step 4")] == [
        ("same", "Tests "),
        ("removed", "failed"),
        ("added", "passed"),
        ("same", " in step "),
        ("removed", "3"),
        ("added", "4"),
    ]


def test_words_are_not_cut() -> None:
    assert [span.text for span in word_changes("validate", "validated")] == ["validate", "validated"]
    assert [span.text for span in word_changes("xstep", "step")] == ["xstep", "step"]


@laws
@given(
    st.lists(st.sampled_from(["a", "bb", " ", "\n", "é", ".", "\x1b", "_"])), st.lists(st.sampled_from(["a", " ", "."]))
)
def test_the_pieces_make_both_texts(before: list[str], after: list[str]) -> None:
    one, other = "".join(before), "".join([*before[:3], *after, *before[5:]])
    spans = word_changes(one, other)
    assert "".join(span.text for span in spans if span.what != "added") == one
    assert "".join(span.text for span in spans if span.what != "removed") == other
    assert (one == other) == all(span.what == "same" for span in spans)


def test_very_long_texts_are_marked_too() -> None:
    text = "word " * 400_000
    assert [span.what for span in word_changes(text + "a" + text, text + "b" + text)] == [
        "same",
        "removed",
        "added",
        "same",
    ]
    assert len(word_changes("a b " * 20_000, "c d " * 20_000)) <= 3


def test_records_in_a_list_share_one_suggestion() -> None:
    history = [
        [change(step, step + 1, "runs", step % 4, "beats"), change("a", "b", "runs", step % 4, "note")]
        for step in range(12)
    ]
    assert [each.pattern for each in suggest_noise(history)] == ["/runs/*/beats"]
    assert suggest_noise([[change(step, step + 1, *("deep",) * 40, str(step))] for step in range(12)]) == []


@pytest.mark.parametrize(
    ("text", "path", "value", "wanted"),
    [
        ("/hooks/*/state", ("hooks", "a", "state"), "open", True),
        ("/hooks/*/state", ("hooks", "a", "state", "inner"), 1, True),
        ("/hooks/*/state", ("hooks", "a"), {"state": "open"}, True),
        ("/hooks/*/state", ("hooks",), {"a": {"n": 1}, "b": {"state": 1}}, True),
        ("/hooks/*/state", ("hooks", "a"), {"n": 1}, False),
        ("/hooks/*/state", ("hooks", "a"), "state", False),
        ("/hooks/*/state", ("other",), {"a": {"state": 1}}, False),
        ("/runs/1/n", ("runs",), [{"n": 1}, {"n": 2}], True),
        ("/runs/1/n", ("runs",), [{"n": 1}], False),
        ("/**/n", (), {"a": [{"b": {"n": 1}}]}, True),
        ("/**/n", (), {"a": [{"b": {"m": 1}}]}, False),
        ("", (), 1, True),
    ],
)
def test_a_pattern_reaches_into_what_stands_at_a_place(text: str, path: Path, value: JSON, wanted: bool) -> None:
    assert pattern(text).reaches(path, value) is wanted

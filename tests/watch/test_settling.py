"""A failure is believed only when it lasts: the story of a writer that works in place."""

from hypothesis import given
from hypothesis import strategies as st

from statewatch.watch.settling import BELIEVED_AFTER, LONGEST_DOUBT, Doubt, doubt


def read_on(contents: list[str], start: float = 100.0) -> list[Doubt]:
    """Read a file whose content is each of *contents* in turn, always when the doubt says so."""
    found: list[Doubt] = []
    tick = start
    for content in contents:
        found.append(doubt(found[-1] if found else None, content, tick))
        tick = found[-1].next_try
    return found


def test_the_file_is_read_again_soon_and_then_less_often() -> None:
    waits = [round((each.next_try - each.tried_at) * 1000) for each in read_on(["a", "b", "c", "d", "e"])]
    assert waits == [20, 40, 80, 80, 80]


def test_the_same_failure_is_believed_after_a_while() -> None:
    doubts = read_on(["half"] * 6)
    believed = [each.is_believed for each in doubts]
    assert believed.index(True) == 4
    assert doubts[4].tried_at - 100.0 <= BELIEVED_AFTER + 0.001


def test_what_nobody_has_touched_for_long_enough_is_believed_at_once() -> None:
    assert not doubt(None, "half", 100.0, untouched=BELIEVED_AFTER / 2).is_believed
    assert doubt(None, "half", 100.0, untouched=BELIEVED_AFTER).is_believed


def test_that_it_was_not_touched_before_says_nothing_of_what_is_written_now() -> None:
    first = doubt(None, "half", 100.0)
    assert not doubt(first, "other half", 100.1, untouched=60.0).is_believed


def test_a_file_that_grows_is_not_believed_to_be_broken_until_it_takes_too_long() -> None:
    doubts = read_on([str(number) for number in range(60)])
    first = next(each for each in doubts if each.is_believed)
    assert LONGEST_DOUBT <= first.tried_at - 100.0 + 1e-6 <= LONGEST_DOUBT + 0.1


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=80))
def test_nothing_is_believed_before_it_lasted_and_everything_is_in_the_end(contents: list[str]) -> None:
    begun: dict[str, float] = {}
    before = ""
    for each, content in zip(read_on(contents), contents, strict=True):
        if content != before:
            begun[content] = each.tried_at
        before = content
        lasted = each.tried_at - begun[content]
        assert each.next_try > each.tried_at or each.is_believed
        if each.is_believed:
            assert lasted >= BELIEVED_AFTER - 1e-3 or each.tried_at - each.since >= LONGEST_DOUBT - 1e-3
            return
    assert read_on(contents)[-1].tried_at - 100.0 <= LONGEST_DOUBT

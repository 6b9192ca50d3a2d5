"""Notification that is silent is found out by comparing it with the sweep."""

from statewatch.watch.hearing import DEAF_FOR, Hearing


def test_changes_that_are_never_rung_for_make_the_alarm_deaf_for_a_while() -> None:
    hearing = Hearing()
    for tick in range(5):
        hearing.found({"/a"}, float(tick))
    assert hearing.is_deaf(5.0)
    assert not hearing.is_deaf(5.0 + DEAF_FOR)


def test_a_sweep_that_was_only_quicker_proves_nothing() -> None:
    hearing = Hearing()
    for tick in range(20):
        hearing.found({"/a"}, float(tick))
        hearing.heard({"/a"})
    assert not hearing.is_deaf(20.0)


def test_a_miss_now_and_then_proves_nothing() -> None:
    hearing = Hearing()
    for tick in range(0, 40, 2):
        hearing.found({"/missed"}, float(tick))
        hearing.found({"/heard"}, float(tick + 1))
        hearing.heard({"/heard"})
    assert not hearing.is_deaf(40.0)


def test_what_happened_while_the_alarm_was_set_anew_does_not_count() -> None:
    hearing = Hearing()
    for tick in range(20):
        hearing.found({"/a"}, float(tick))
        hearing.begin()
    assert not hearing.is_deaf(20.0)

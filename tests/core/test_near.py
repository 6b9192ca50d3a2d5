"""Which of many names somebody may have meant."""

import time

import pytest

from statewatch.core.near import near

MANY = [f"item-{number:06}-result" for number in range(100_000)]


@pytest.mark.parametrize(
    "name", ["item-050000-resutl", "itm-050000-result", "item-050000-result-", "iten-050000-result"]
)
def test_among_very_many_names_a_slip_at_either_end_finds_the_right_one(name: str) -> None:
    assert "item-050000-result" in near(name, [*MANY[50_000:], *MANY[:50_000]])


def test_among_very_many_names_it_takes_no_longer_than_a_few_comparisons() -> None:
    def cost(names: list[str]) -> float:
        begun = time.process_time()
        near("item-050000-resutl", names)
        return time.process_time() - begun

    few = min(cost(MANY[:400]) for _ in range(3))
    assert min(cost(MANY) for _ in range(3)) < 40 * few  # all of them would take 250 times as long


def test_few_names_are_all_compared() -> None:
    assert near("phas", ["other", "phase", "phases"]) == ["phase", "phases"]
    assert near("x", []) == []


def test_endless_names_are_not_compared() -> None:
    assert near("x" * 100_000, ["x" * 99_999]) == []
    assert near("phase", ["phase" * 1_000]) == []

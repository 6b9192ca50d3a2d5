"""Revisions that can be recalled, within bounds."""

import random

from statewatch.watch.memory import Memory


def noise(seed: int, size: int = 10_000) -> bytes:
    return b'"' + random.Random(seed).randbytes(size // 2).hex().encode() + b'"'


def test_a_revision_is_recalled_as_it_was() -> None:
    memory = Memory()
    memory.store("a", "d1", b'{"a": [1]}')
    assert memory.recall_bytes("d1") == b'{"a": [1]}'
    assert memory.recall("d1") == {"a": [1]}
    assert memory.recall_bytes("d2") is None
    assert memory.recall("d2") is None


def test_the_oldest_go_first_and_what_is_shown_now_last() -> None:
    memory = Memory(max_bytes=60_000)
    memory.store("quiet", "q", noise(0))
    for number in range(50):
        memory.store("busy", f"b{number}", noise(number + 1))
    assert memory.size <= 60_000
    assert memory.recall("q") is not None
    assert memory.recall("b0") is None
    assert memory.recall("b49") is not None
    assert memory.recall("b48") is not None


def test_the_revision_before_a_change_is_kept_with_it_however_old() -> None:
    memory = Memory(max_bytes=60_000)
    memory.store("quiet", "before", noise(0))
    for number in range(5):
        memory.store("busy", f"b{number}", noise(number + 1))
    memory.store("quiet", "after", noise(99))
    memory.store("busy", "last", noise(100))
    assert memory.recall("before") is not None
    assert memory.recall("after") is not None


def test_the_bound_holds_even_for_what_is_shown() -> None:
    memory = Memory(max_bytes=30_000)
    for number in range(20):
        memory.store(str(number), f"d{number}", noise(number))
    assert memory.size <= 30_000
    memory.store("huge", "huge", noise(1, 200_000))
    assert memory.size <= 30_000
    assert memory.recall_bytes("huge") is None


def test_what_is_large_can_be_recalled_before_there_was_time_to_compress_it() -> None:
    memory = Memory(max_bytes=1_000_000)
    memory.store("a", "first", b'"' + b"x" * 100_000 + b'"')
    assert memory.recall("first") == "x" * 100_000
    memory.store("a", "second", b'"' + b"y" * 100_000 + b'"')
    memory.pack()
    assert memory.size < 10_000
    assert [memory.recall("first"), memory.recall("second")] == ["x" * 100_000, "y" * 100_000]


def test_the_number_is_bounded_too() -> None:
    memory = Memory(max_count=10)
    for number in range(100):
        memory.store("a", f"d{number}", b"1")
    assert len(memory) == 10
    assert memory.recall("d99") == 1


def test_a_source_that_is_gone_is_not_held_on_to() -> None:
    memory = Memory(max_bytes=30_000)
    memory.store("gone", "g", noise(1))
    memory.forget("gone")
    for number in range(10):
        memory.store("busy", f"b{number}", noise(number + 2))
    assert memory.recall("g") is None

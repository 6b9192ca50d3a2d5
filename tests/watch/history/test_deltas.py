"""Versions as deltas: any of them is a few steps away, and little of one is enough for the next."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.watch.history.deltas import KEYFRAMES, DeltaError, base_of, chain_of, packed, unpacked


@given(st.integers(0, 10**9))
def test_any_version_is_at_most_ten_steps_from_a_keyframe(position: int) -> None:
    chain = chain_of(position)
    assert chain[-1] == position
    assert chain[0] % KEYFRAMES == 0
    assert len(chain) <= 11
    assert chain == sorted(set(chain))
    assert [base_of(each) for each in chain] == [None, *chain[:-1]]


@given(st.integers(1, 10**6), st.integers(0, 9))
def test_what_thinning_keeps_leans_on_nothing_that_it_drops(position: int, power: int) -> None:
    kept = position << power
    assert all(each % (1 << power) == 0 for each in chain_of(kept))


@given(st.integers(0, 10**6))
def test_the_next_version_leans_on_what_the_newest_one_leans_on_or_on_itself(position: int) -> None:
    """So nothing else has to be kept for those to come."""
    base = base_of(position + 1)
    assert base is None or base in chain_of(position)


@given(st.binary(max_size=2_000), st.one_of(st.none(), st.binary(max_size=2_000)))
def test_what_is_packed_comes_back(data: bytes, base: bytes | None) -> None:
    assert unpacked(packed(data, base), base, len(data)) == data


@pytest.mark.parametrize("size", [20_000, 500_000, 3_000_000])
def test_a_version_of_any_size_costs_what_has_changed(size: int) -> None:
    """Random bytes cannot be compressed, so finding them in the version before is the only way."""
    before = random.Random(1).randbytes(size)
    after = before[: size // 3] + b"what is new" + before[size // 3 + 5 :]
    assert len(packed(after, before)) < size / 100


def test_damage_is_noticed() -> None:
    base, data = b"one version " * 50, b"one version " * 49 + b"another"
    payload = packed(data, base)
    with pytest.raises(DeltaError):
        unpacked(payload[:-3], base, len(data))
    with pytest.raises(DeltaError):
        unpacked(payload, b"some other base that is as long as it " * 20, len(data))
    with pytest.raises(DeltaError):
        unpacked(payload, base, len(data) + 1)
    with pytest.raises(DeltaError):
        unpacked(b"no delta at all", base, 10)

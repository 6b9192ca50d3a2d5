"""A large hook state is looked at again for little, and what is seen is the same as from scratch."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.values import JSON, cloned
from statewatch.kinds import hooks
from statewatch.kinds.hooks_recent import Recent
from tests.documents.strategies import values

NAMES = [f"hook-{number}" for number in range(hooks._LARGE)]


def state(records: dict[str, Any]) -> Any:
    return {"hooks": records, "global_stats": {"hooks_disabled": 0}}


@given(
    st.lists(st.tuples(st.sampled_from([*NAMES[:3], NAMES[-1], "new", "another one"]), st.none() | values), max_size=8)
)
def test_a_view_that_takes_over_what_stayed_is_the_view_from_scratch(steps: list[tuple[str, Any]]) -> None:
    records: dict[str, Any] = {name: {"state": "closed", "consecutive_failures": 0} for name in NAMES}
    hooks.view(state(records))
    for name, record in steps:
        records = {key: value for key, value in records.items() if record is not None or key != name}
        if record is not None:
            records = {**records, name: record}
        document = state(records)
        assert hooks.view(document) == hooks.view(cloned(document))


def test_only_records_that_are_other_objects_are_looked_at() -> None:
    recent = Recent[int]()
    looked: list[str] = []

    def make(name: str, record: Any) -> int:
        looked.append(name)
        return int(record["n"])

    first: dict[str, JSON] = {name: {"n": 1} for name in NAMES}
    recent.made(first, make)
    looked.clear()
    second: dict[str, JSON] = {**first, "hook-7": {"n": 2}, "new": {"n": 3}}
    assert sum(recent.made(second, make).values()) == len(NAMES) + 1 + 3
    assert looked == ["hook-7", "new"]
    recent.made(second, make)
    assert looked == ["hook-7", "new"]


def test_files_that_share_nothing_do_not_push_each_other_out_at_once() -> None:
    recent = Recent[str]()
    looked: list[str] = []

    def make(name: str, _record: Any) -> str:
        looked.append(name)
        return name

    files: list[dict[str, JSON]] = [{name: {"file": number} for name in NAMES} for number in range(3)]
    for _ in range(2):
        for file in files:
            recent.made(file, make)
    assert len(looked) == 3 * len(NAMES)

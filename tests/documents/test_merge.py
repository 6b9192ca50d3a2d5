"""Three-way merge: what only one changed is taken, what both changed is a conflict with a name."""

import pytest
from hypothesis import given

from statewatch.documents.codec import encode
from statewatch.documents.merge import ABSENT, Conflict, Strategy, merge
from statewatch.documents.values import JSON, same
from tests.documents.strategies import histories, laws

BASE: JSON = {
    "status": "running",
    "current_index": 3,
    "updated_at": "2026-11-20T10:00:00Z",
    "hooks": {"a": {"state": "closed"}, "b": {"state": "open"}},
    "runs": [{"id": 1, "ok": None}, {"id": 2, "ok": None}, {"id": 3, "ok": None}],
    "done": [0, 1, 2],
}


def version(**changed: JSON) -> JSON:
    assert isinstance(BASE, dict)
    return {**BASE, **changed}


def test_changes_at_different_places_come_together() -> None:
    ours = version(status="paused", hooks={"a": {"state": "open"}, "b": {"state": "open"}})
    theirs = version(current_index=4, hooks={"a": {"state": "closed"}, "b": {"state": "open"}, "c": {}})
    merged = merge(BASE, ours, theirs)
    assert merged.settled
    assert merged.conflicts == ()
    hooks: JSON = {"a": {"state": "open"}, "b": {"state": "open"}, "c": {}}
    assert merged.document == version(status="paused", current_index=4, hooks=hooks)


STRATEGIES: list[tuple[Strategy, str]] = [
    ("first_write_wins", "paused"),
    ("last_write_wins", "failed"),
    ("merge", "failed"),
    ("manual", "paused"),
]


@pytest.mark.parametrize(("strategy", "status"), STRATEGIES)
def test_what_both_changed_is_a_conflict_that_the_strategy_decides(strategy: Strategy, status: str) -> None:
    merged = merge(BASE, version(status="paused"), version(status="failed", current_index=9), strategy)
    assert merged.document == version(status=status, current_index=9)
    assert merged.conflicts == (Conflict(("status",), "running", "paused", "failed", status),)
    assert merged.conflicts[0].pointer == "/status"
    assert merged.settled is (strategy != "manual")


@pytest.mark.parametrize(
    ("strategy", "kept"), [("first_write_wins", False), ("last_write_wins", True), ("merge", True)]
)
def test_a_removal_against_a_change(strategy: Strategy, *, kept: bool) -> None:
    theirs = version(hooks={"a": {"state": "open"}, "b": {"state": "open"}})
    merged = merge(BASE, version(hooks={"b": {"state": "open"}}), theirs, strategy)
    assert isinstance(merged.document, dict)
    assert merged.document["hooks"] == {"b": {"state": "open"}, **({"a": {"state": "open"}} if kept else {})}
    (conflict,) = merged.conflicts
    assert (conflict.pointer, conflict.ours) == ("/hooks/a", ABSENT)


def test_of_two_times_a_merge_keeps_the_later() -> None:
    ours, theirs = version(updated_at="2026-11-20T10:09:00Z"), version(updated_at="2026-11-20T10:05:00Z")
    assert merge(BASE, ours, theirs, "merge").document == ours
    assert merge(BASE, ours, theirs, "last_write_wins").document == theirs


def test_records_are_merged_by_what_identifies_them() -> None:
    ours = version(runs=[{"id": 0, "ok": True}, {"id": 1, "ok": True}, {"id": 2, "ok": None}, {"id": 3, "ok": None}])
    theirs = version(runs=[{"id": 3, "ok": False}, {"id": 1, "ok": None}, {"id": 4, "ok": None}])
    merged = merge(BASE, ours, theirs)
    assert merged.conflicts == ()
    assert isinstance(merged.document, dict)
    assert merged.document["runs"] == [
        {"id": 0, "ok": True},
        {"id": 3, "ok": False},
        {"id": 1, "ok": True},
        {"id": 4, "ok": None},
    ]


def test_a_record_that_both_added_is_one() -> None:
    added: list[JSON] = [{"id": 9, "ok": None, "by": "us"}, {"id": 9, "ok": None, "at": 5}]
    assert isinstance(BASE, dict)
    assert isinstance(BASE["runs"], list)
    merged = merge(BASE, version(runs=[*BASE["runs"], added[0]]), version(runs=[added[1], *BASE["runs"]]))
    assert isinstance(merged.document, dict)
    assert merged.document["runs"] == [*BASE["runs"], {"id": 9, "ok": None, "by": "us", "at": 5}]
    assert merged.settled


def test_a_record_that_one_removed_and_the_other_changed_is_named() -> None:
    ours = version(runs=[{"id": 1, "ok": None}, {"id": 3, "ok": None}])
    theirs = version(runs=[{"id": 1, "ok": None}, {"id": 2, "ok": True}, {"id": 3, "ok": None}])
    assert merge(BASE, ours, theirs).document == ours
    assert merge(BASE, ours, theirs, "merge").document == theirs
    assert [each.pointer for each in merge(BASE, ours, theirs).conflicts] == ["/runs/1"]


@pytest.mark.parametrize(
    ("strategy", "done"),
    [
        ("merge", [0, 1, 2, 3, 4, 5]),
        ("first_write_wins", [0, 1, 2, 3, 4]),
        ("last_write_wins", [0, 1, 2, 3, 5]),
        ("manual", [0, 1, 2, 3, 4]),
    ],
)
def test_what_both_appended_to_a_plain_list(strategy: Strategy, done: JSON) -> None:
    merged = merge(BASE, version(done=[0, 1, 2, 3, 4]), version(done=[0, 1, 2, 3, 5]), strategy)
    assert merged.document == version(done=done)
    assert merged.conflicts == (Conflict(("done",), [], [3, 4], [3, 5], merged.conflicts[0].result),)


def test_an_order_that_one_changed_is_taken_and_one_that_both_changed_is_a_conflict() -> None:
    assert merge([1, 2, 3], [3, 1, 2], [1, 2, 3, 4]).document == [3, 1, 2, 4]
    assert merge([1, 2, 3], [1, 2, 3, 4], [3, 1, 2]).document == [3, 1, 2, 4]
    merged = merge([1, 2, 3], [3, 1, 2], [2, 1, 3], "last_write_wins")
    assert merged.document == [2, 1, 3]
    assert [each.pointer for each in merged.conflicts] == [""]
    assert merge([1, 2, 3], [3, 1, 2], [2, 1, 3]).document == [3, 1, 2]


def test_types_count() -> None:
    merged = merge({"a": 1}, {"a": True}, {"a": 1.0})
    assert [each.pointer for each in merged.conflicts] == ["/a"]
    assert merge({"a": 1}, {"a": True}, {"a": 1}).document == {"a": True}


def test_a_list_against_an_object_is_a_conflict_as_a_whole() -> None:
    merged = merge({"a": 1}, {"a": [1]}, {"a": {"b": 1}}, "last_write_wins")
    assert merged.document == {"a": {"b": 1}}
    assert [each.pointer for each in merged.conflicts] == ["/a"]


@laws
@given(histories(3))
def test_who_changed_nothing_has_no_say(versions: list[JSON]) -> None:
    base, one, other = versions
    strategies: list[Strategy] = [strategy for strategy, _ in STRATEGIES]
    for strategy in strategies:
        assert same(merge(base, one, base, strategy).document, one)
        assert same(merge(base, base, other, strategy).document, other)
        assert same(merge(base, one, one, strategy).document, one)
        encode(merge(base, one, other, strategy).document)


@laws
@given(histories(3))
def test_without_conflict_the_strategy_does_not_matter(versions: list[JSON]) -> None:
    base, one, other = versions
    manual = merge(base, one, other)
    if not manual.conflicts:
        assert same(merge(base, one, other, "last_write_wins").document, manual.document)
    assert manual.settled is (not manual.conflicts)

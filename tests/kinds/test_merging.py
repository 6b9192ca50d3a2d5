"""Two writers of one known document: what only follows from the rest does not keep their work apart."""

from typing import Any

from statewatch.documents.values import JSON
from statewatch.kinds.merging import merged


def state(executions: int, at: str, **hooks: Any) -> JSON:
    return {"hooks": hooks, "global_stats": {"total_executions": executions, "last_updated": f"2026-11-15T{at}:00Z"}}


def hook(state: str, failures: int = 0, last: str | None = None) -> JSON:
    return {"state": state, "consecutive_failures": failures, "last_error": None, "last_success": last}


def failure(index: int) -> JSON:
    return {"feature_index": index, "error_message": "e", "timestamp": "t"}


def test_statistics_and_times_are_no_conflict() -> None:
    base = state(1, "10:00", a=hook("closed"), b=hook("closed"))
    ours = state(5, "11:00", a=hook("open", 3), b=hook("closed"))
    theirs = state(3, "12:00", a=hook("closed"), b=hook("half_open"))
    result, noise = merged(base, ours, theirs)
    assert result.document == state(5, "12:00", a=hook("open", 3), b=hook("half_open"))
    assert (result.conflicts, result.settled, noise) == ((), True, 2)


def test_what_both_changed_is_a_conflict_and_ours_is_there_meanwhile() -> None:
    base, ours, theirs = (state(1, "10:00", a=hook(word)) for word in ("closed", "open", "half_open"))
    result, noise = merged(base, ours, theirs)
    assert [conflict.pointer for conflict in result.conflicts] == ["/hooks/a/state"]
    assert (result.document, result.settled, noise) == (ours, False, 0)


def test_a_strategy_settles_everything_by_itself() -> None:
    base, ours, theirs = (state(n, "10:00", a=hook(word)) for n, word in ((1, "closed"), (9, "open"), (3, "half_open")))
    result, noise = merged(base, ours, theirs, "last_write_wins")
    assert (result.document, result.settled, noise) == (theirs, True, 0)
    assert len(result.conflicts) == 2


def test_a_time_that_is_set_on_one_side_only_stays_a_conflict() -> None:
    base: JSON = {"at": "2026-11-15T10:00:00Z"}
    result, noise = merged(base, {"at": None}, {"at": "2026-11-15T11:00:00Z"})
    assert ([conflict.pointer for conflict in result.conflicts], noise) == (["/at"], 0)


def test_failures_of_a_batch_that_both_recorded_are_kept() -> None:
    def batch(*failures: JSON) -> JSON:
        return {"batch_id": "b", "features": ["x"] * 9, "current_index": 0, "failed_features": list(failures)}

    one, two, three = (failure(n) for n in (1, 2, 3))
    result, _ = merged(batch(one), batch(one, two), batch(one, three))
    assert (result.document, result.conflicts) == (batch(one, two, three), ())

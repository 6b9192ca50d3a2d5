"""Pairs of documents to compare, as large as those that worry operators, with the number of changes that is ideal."""

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from statewatch.documents.values import JSON


@dataclass(frozen=True)
class Scenario:
    """Two documents: what happened between them, and in how few operations that can be said."""

    name: str
    what: str
    before: JSON
    after: JSON
    ideal: int
    bar: float | None
    """How much of the plain walk's time is allowed."""
    noise: str = ""
    without_noise: int | None = None


def scenarios() -> list[Callable[[], Scenario]]:
    """Return what makes each of the pairs, so that no two need be in memory at a time."""
    return [
        lambda: _hooks("a1", 1_000, 10, 44, 0.5),
        lambda: _hooks("a2", 10_000, 93, 376, 0.5),
        _batch,
        _nested,
        lambda: _records("d", edited=0, removed=0, moved=0, ideal=20, bar=1.0),
        lambda: _records("d2", edited=50, removed=10, moved=10, ideal=140, bar=1.4),
        _touched,
    ]


def _stamp(second: int) -> str:
    return f"2026-11-20T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.123456+00:00"


def _fresh(value: Any) -> Any:
    """Return a document as it is read from a file: with nothing in common with the one that was written."""
    return json.loads(json.dumps(value))


def _hooks(name: str, count: int, executed: int, ideal: int, bar: float) -> Scenario:
    chance = random.Random(1)
    hooks: dict[str, Any] = {
        f"validate-{number}": {
            "state": "closed",
            "failure_count": chance.randrange(3),
            "consecutive_failures": 0,
            "consecutive_successes": chance.randrange(900),
            "first_failure": None,
            "last_failure": _stamp(number) if number % 3 else None,
            "last_success": _stamp(number),
            "last_error": None if number % 5 else f"Tests failed in step {number}\nsee the log for what they said",
            "disabled_at": None,
            "retry_after": None,
        }
        for number in range(count)
    }
    stats = {"total_executions": 90_000, "total_failures": 800, "hooks_disabled": 0, "last_updated": _stamp(9)}
    before = {"hooks": hooks, "global_stats": stats}
    after = copy.deepcopy(before)
    for key in chance.sample(list(hooks), executed):
        after["hooks"][key] |= {
            "failure_count": hooks[key]["failure_count"] + 1,
            "consecutive_failures": 1,
            "last_failure": _stamp(80_000),
            "consecutive_successes": hooks[key]["consecutive_successes"] + 1,
        }
    after["global_stats"] = {
        "total_executions": 90_000 + executed,
        "total_failures": 800 + executed,
        "hooks_disabled": 1,
        "last_updated": _stamp(80_000),
    }
    return Scenario(name, f"{count:,} hooks, {executed} executed", _fresh(before), _fresh(after), ideal, bar)


def _batch() -> Scenario:
    total = 5_000
    before: dict[str, Any] = {
        "batch_id": "batch-20261120-100000-000001",
        "total_features": total,
        "features": [f"Add the thing number {number} to the part that needs it most" for number in range(total)],
        "current_index": 2_600,
        "completed_features": list(range(2_500)),
        "failed_features": [
            {"feature_index": number, "error_message": f"Tests failed: {number}", "timestamp": _stamp(number)}
            for number in range(2_500, 2_600)
        ],
        "status": "in_progress",
        "context_token_estimate": 120_000,
        "updated_at": _stamp(1),
        "retry_attempts": {str(number): 1 for number in range(0, 2_500, 5)},
        "git_operations": {
            str(number): {
                "commit": {"success": True, "timestamp": _stamp(number), "sha": f"{number:040x}", "branch": "main"},
                "push": {"success": True, "timestamp": _stamp(number + 1), "branch": "main", "remote": "origin"},
            }
            for number in range(2_500)
        },
    }
    after = copy.deepcopy(before)
    after["completed_features"] += list(range(2_600, 2_650))
    after["failed_features"] += [
        {"feature_index": number, "error_message": f"Tests failed: {number}", "timestamp": _stamp(number)}
        for number in range(2_650, 2_660)
    ]
    after |= {"current_index": 2_660, "context_token_estimate": 150_000, "updated_at": _stamp(60)}
    return Scenario("b", "batch of 5,000, 50 completed, 10 failed", _fresh(before), _fresh(after), 63, 0.5)


def _nested() -> Scenario:
    def value(number: int) -> JSON:
        return (number, number / 8, f"value of {number}", number % 2 == 0, None)[number % 5]

    def level(depth: int, start: int) -> Any:
        if depth == 4:
            return {f"leaf{number}": value(start + number) for number in range(10)}
        children = [level(depth + 1, start + number * 10 ** (4 - depth)) for number in range(10)]
        return children if depth == 2 else {f"part{number}": child for number, child in enumerate(children)}

    before = level(0, 0)
    after = copy.deepcopy(before)
    for number in random.Random(2).sample(range(100_000), 100):
        path = [number // 10**power % 10 for power in (4, 3, 2, 1)]
        leaf = after[f"part{path[0]}"][f"part{path[1]}"][path[2]][f"part{path[3]}"]
        leaf[f"leaf{number % 10}"] = f"edited {number}"
    return Scenario("c", "100,000 nested leaves, 100 edited", _fresh(before), _fresh(after), 100, 0.7)


def _record(number: int) -> dict[str, Any]:
    return {
        "id": f"run-{number:05}",
        "title": f"Run number {number} of the nightly batch",
        "status": ("queued", "running", "done")[number % 3],
        "attempts": number % 4,
        "score": number / 16,
        "owner": f"agent-{number % 17}",
        "created_at": _stamp(number),
        "updated_at": _stamp(number + 7),
        "tags": [f"tag{number % 9}", "nightly"],
        "result": {"files": number % 30, "ok": number % 7 > 0},
    }


def _records(name: str, *, edited: int, removed: int, moved: int, ideal: int, bar: float | None) -> Scenario:
    before = [_record(number) for number in range(5_000)]
    after = copy.deepcopy(before)
    chosen = random.Random(3).sample(range(5_000), edited + removed + moved)
    for number in chosen[:edited]:
        after[number] |= {"status": "edited", "updated_at": _stamp(86_000)}
    gone = {after[number]["id"] for number in chosen[edited : edited + removed]}
    moving = [after[number] for number in chosen[edited + removed :]]
    away = gone | {record["id"] for record in moving}
    after = [record for record in after if record["id"] not in away]
    for step, record in enumerate(moving):
        after.insert(450 * step + 200, record)
    after = [_record(number) for number in range(9_000, 9_020)] + after
    what = f"5,000 records, 20 in front, {edited} edited, {removed} removed, {moved} moved"
    return Scenario(name, what, _fresh(before), _fresh(after), ideal, bar)


def _touched() -> Scenario:
    base = _records("d3", edited=0, removed=0, moved=0, ideal=5_020, bar=None)
    assert isinstance(base.after, list)
    for record in base.after[20:]:
        assert isinstance(record, dict)
        record["updated_at"] = _stamp(86_000)
    what = "5,000 records, 20 in front, updated_at of all"
    return Scenario("d3", what, base.before, base.after, 5_020, None, "/*/updated_at", 20)

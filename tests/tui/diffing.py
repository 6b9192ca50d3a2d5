"""Comparisons for the tests of the diff screen."""

import copy
from typing import Any

from statewatch.documents.values import JSON
from statewatch.tui.models.comparison import Comparison, Side
from tests.tui.dash import NOW

FAILED = "Tests failed: 3 of 17 in test_parser.py"


def compared(before: JSON, after: JSON, kind: str = "plain", **fields: Any) -> Comparison:
    """Return a comparison of two documents."""
    sides = Side("@before-deploy", lambda: before, NOW - 7_200), Side("now", lambda: after, is_now=True)
    return Comparison(fields.pop("key", "/p/.claude/state.json"), ".claude/state.json", kind, *sides, **fields)


def batch() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a batch before a while of work and after it: every sort of change is in it."""
    before: dict[str, Any] = {
        "batch_id": "batch-20261116",
        "status": "in_progress",
        "current_index": 12,
        "features": [f"Add the thing number {number}" for number in range(40)],
        "completed_features": list(range(12)),
        "failed_features": [
            {"feature_index": 3, "error_message": FAILED, "timestamp": "2026-11-16T14:20:00Z"},
            {"feature_index": 7, "error_message": "boom", "timestamp": "2026-11-16T14:20:00Z"},
        ],
        "updated_at": "2026-11-16T14:20:00Z",
        "git_operations": {"3": {"commit": {"sha": "abc", "success": True}}},
        "notes": "first line\nsecond line",
    }
    after = copy.deepcopy(before)
    after |= {"current_index": 17, "status": "paused", "updated_at": "2026-11-16T14:22:00Z"}
    after["completed_features"] += range(12, 17)
    after["failed_features"][0] |= {"error_message": FAILED.replace("3 of", "1 of"), "retries": 2}
    after["failed_features"][0]["timestamp"] = "2026-11-16T14:22:00Z"
    after["failed_features"].reverse()
    after["git_operations"]["3"] = {"commit": {"sha": "def", "success": True}, "push": {"success": False}}
    del after["notes"]
    return before, after

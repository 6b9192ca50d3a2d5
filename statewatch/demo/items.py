"""The items of a batch: how a batch document begins, which item is next, and what the end of one leaves in it."""

from random import Random
from typing import Any, Final, Literal, TypeAlias

from statewatch.demo.data import FEATURE_ERRORS, PUSH_ERROR, SKIP_REASONS
from statewatch.demo.script import Document, utc_time, zulu_time

Fate: TypeAlias = Literal["done", "retried", "fails once", "fails for good", "skipped"]
"""How an item ends: at once, after a second try within its turn, only when it is its turn again, never, not begun."""

_TURN_AGAIN: Final = 4
"""How many items further the tool has to be before it tries a failed one again."""


def new_batch(titles: list[str], builds_on: dict[str, list[int]], issue: int, now: float) -> Document:
    """Give the document that a batch starts with."""
    day = utc_time(now).replace("-", "").replace(":", "")
    return {
        "batch_id": f"batch-{day[:8]}-{day[9:15]}-{int(now % 1 * 1e6):06d}",
        "features_file": "",
        "total_features": len(titles),
        "features": titles,
        "current_index": 0,
        "completed_features": [],
        "failed_features": [],
        "context_token_estimate": 0,
        "auto_clear_count": 0,
        "auto_clear_events": [],
        "created_at": zulu_time(now),
        "updated_at": zulu_time(now),
        "status": "in_progress",
        "issue_numbers": list(range(issue, issue + len(titles))),
        "source_type": "issues",
        "state_file": "",
        "context_tokens_before_clear": None,
        "paused_at_feature_index": None,
        "retry_attempts": {},
        "git_operations": {},
        "feature_order": list(range(len(titles))),
        "feature_dependencies": builds_on,
        "analysis_metadata": {
            "stats": {"total": len(titles), "with_dependencies": len(builds_on)},
            "analysis_time_ms": round(11 + 0.9 * len(titles), 1),
            "method": "keyword",
        },
        "workflow_mode": "auto-implement",
        "workflow_reminder": "Take the features one by one, and test each before the next.",
        "skipped_features": [],
        "quality_metrics": {},
        "feature_modes": {},
        "last_checkpoint_at": None,
        "checkpoint_count": 0,
    }


def smooth(count: int) -> list[Fate]:
    """Give the fates of items that all go well."""
    return ["done"] * count


def deal(rng: Random, total: int) -> list[Fate]:
    """Give each item its fate: dealt like cards, so that every ten items hold some of everything."""
    fates: list[Fate] = []
    while len(fates) < total:
        odd: Fate = "skipped" if len(fates) % 20 else "fails for good"
        hand: list[Fate] = ["fails once", "retried", odd, *smooth(7)]
        rng.shuffle(hand)
        fates += hand
    return [*fates[: total - 1], "done"]


def failed(document: Document) -> list[int]:
    """Give the index of every recorded failure that no success followed; one may occur several times."""
    completed = set(document["completed_features"])
    indices = [record["feature_index"] for record in document["failed_features"]]
    return [index for index in indices if index not in completed]


def due_again(document: Document) -> int | None:
    """Choose a failure that gets its second try now; nothing gets a third."""
    failures = failed(document)
    behind = document["current_index"] - _TURN_AGAIN
    return next((index for index in failures if index <= behind and failures.count(index) == 1), None)


def first_left(document: Document) -> int | None:
    """Choose the first item from the current one on that was not dealt with yet."""
    settled = {
        *document["completed_features"],
        *(record["feature_index"] for record in document["failed_features"]),
        *(record["feature_index"] for record in document["skipped_features"]),
    }
    left = range(document["current_index"], document["total_features"])
    return next((index for index in left if index not in settled), None)


def end(document: Document, index: int, fate: Fate, now: float, rng: Random) -> Document:
    """End an item the way its fate says, unless what it builds on has failed."""
    missing = [needed for needed in document["feature_dependencies"].get(str(index), []) if needed in failed(document)]
    last = index == document["total_features"] - 1
    if missing and not last:
        title = document["features"][missing[0]]
        return _skip(document, index, "dependency", f"Builds on item {missing[0]} ({title}), which failed", now)
    if fate == "skipped" and not last:
        category, reason = rng.choice(SKIP_REASONS)
        return _skip(document, index, category, reason, now)
    again = index in failed(document)
    fails = fate == "fails for good" or (fate == "fails once" and not again)
    return _processed(_fail(document, index, now, rng) if fails else _complete(document, index), index, now, rng)


def git_operations(issue: int, now: float, rng: Random) -> Document:
    """Give what committing and publishing an item leaves behind; now and then the push fails."""
    branch = f"feat/issue-{issue}"
    commit = {
        "success": True,
        "timestamp": zulu_time(now - 0.6),
        "sha": f"{rng.getrandbits(160):040x}",
        "branch": branch,
    }
    push: Document = {"success": True, "timestamp": zulu_time(now - 0.4), "branch": branch, "remote": "origin"}
    if rng.random() < 0.06:
        return {"commit": commit, "push": push | {"success": False, "error": PUSH_ERROR}}
    number = issue + 231
    request = {
        "success": True,
        "timestamp": zulu_time(now - 0.1),
        "number": number,
        "url": f"https://git.example.org/harbour/desk/pulls/{number}",
    }
    return {"commit": commit, "push": push, "pr": request}


def quality(tries: int, rng: Random) -> Document:
    """Give the measured quality of an item."""
    return {
        "tests_passed": rng.randint(86, 240),
        "tests_failed": 0,
        "coverage": round(rng.uniform(72, 93), 1),
        "attempts": tries + 1,
    }


def _complete(document: Document, index: int) -> Document:
    return {**document, "completed_features": [*document["completed_features"], index]}


def _fail(document: Document, index: int, now: float, rng: Random) -> Document:
    record: dict[str, Any] = {
        "feature_index": index,
        "error_message": rng.choice(FEATURE_ERRORS),
        "timestamp": zulu_time(now),
    }
    tries = document["retry_attempts"].get(str(index), 0)
    if tries:
        record["retry_count"] = tries
    return {**document, "failed_features": [*document["failed_features"], record]}


def _skip(document: Document, index: int, category: str, reason: str, now: float) -> Document:
    """Record that an item is left out. As in the field, this does not move the current index."""
    record = {
        "feature_index": index,
        "feature_name": document["features"][index],
        "reason": reason,
        "category": category,
        "timestamp": zulu_time(now),
    }
    skipped = [*document["skipped_features"], record]
    return {**document, "skipped_features": skipped, "updated_at": zulu_time(now)}


def _processed(document: Document, index: int, now: float, rng: Random) -> Document:
    """Move on behind an item; the batch counts as completed as soon as its end is reached, whatever failed."""
    current = max(document["current_index"], index + 1)
    return {
        **document,
        "current_index": current,
        "context_token_estimate": document["context_token_estimate"] + rng.randint(9_000, 25_000),
        "updated_at": zulu_time(now),
        "status": "completed" if current >= document["total_features"] else document["status"],
    }

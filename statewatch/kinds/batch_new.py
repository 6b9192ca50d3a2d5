"""A new batch, in the layout of the tool that owns batch states, with no field that an older version does not know."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from statewatch.documents.values import JSON
from statewatch.kinds.batch_rules import is_batch_id
from statewatch.kinds.times import stamp
from statewatch.kinds.words import RefusedError

_STYLE: Final = "2026-01-01T00:00:00.000000Z"
_LONGEST: Final = 100_000


def new_batch(
    features: Sequence[str],
    now: float,
    batch_id: str | None = None,
    *,
    features_file: str = "",
    issue_numbers: Sequence[int | None] | None = None,
    source_type: str = "file",
    state_file: str = "",
    feature_order: Sequence[int] = (),
    feature_dependencies: Mapping[int, Sequence[int]] | None = None,
) -> dict[str, JSON]:
    """Return the document of a new batch. Raises RefusedError for what cannot be one."""
    _check(features, batch_id, issue_numbers)
    at = stamp(now, _STYLE)
    issues: list[JSON] | None = None if issue_numbers is None else list(issue_numbers)
    document: dict[str, JSON] = {
        "batch_id": batch_id or new_id(now),
        "features_file": features_file,
        "total_features": len(features),
        "features": list(features),
        "current_index": 0,
        "completed_features": [],
        "failed_features": [],
        "context_token_estimate": 0,
        "auto_clear_count": 0,
        "auto_clear_events": [],
        "created_at": at,
        "updated_at": at,
        "status": "in_progress",
        "issue_numbers": issues,
        "source_type": source_type,
        "state_file": state_file,
        "context_tokens_before_clear": None,
        "paused_at_feature_index": None,
        "retry_attempts": {},
        "git_operations": {},
    }
    if feature_order:
        document["feature_order"] = _order(feature_order, len(features))
    if feature_dependencies:
        document["feature_dependencies"] = _dependencies(feature_dependencies, len(features))
    return document


def new_id(now: float) -> str:
    """Return an id for a batch that begins at an instant: the time in UTC, to the microsecond."""
    return datetime.fromtimestamp(now, UTC).strftime("batch-%Y%m%d-%H%M%S-%f")


def _check(features: Sequence[str], batch_id: str | None, issue_numbers: Sequence[int | None] | None) -> None:
    if isinstance(features, str):
        raise RefusedError("a batch is made from a list of items, not from one text")
    if not features:
        raise RefusedError("a batch needs at least one item")
    for position, feature in enumerate(features):
        if not isinstance(feature, str):
            raise RefusedError(f"item {position} is of the type {type(feature).__name__}; items are texts")
        if len(feature) > _LONGEST:
            raise RefusedError(f"item {position} has {len(feature)} characters; an item may have {_LONGEST}")
    if batch_id is not None and not is_batch_id(batch_id):
        raise RefusedError(
            f"{batch_id!r:.140} cannot be the id of a batch: it becomes part of the name of a file, so it has up "
            "to 128 letters, digits, '.', '_' and '-', without '..'"
        )
    if issue_numbers is not None and len(issue_numbers) != len(features):
        raise RefusedError(f"there are {len(issue_numbers)} issue numbers for {len(features)} items")


def _order(wanted: Sequence[int], total: int) -> list[JSON]:
    if sorted(wanted) != list(range(total)):
        raise RefusedError(f"the order must name each item from 0 to {total - 1} once")
    return list(wanted)


def _dependencies(wanted: Mapping[int, Sequence[int]], total: int) -> dict[str, JSON]:
    for index, others in wanted.items():
        for each in (index, *others):
            if not 0 <= each < total:
                raise RefusedError(
                    f"item {index} builds on {list(others)}, and there are only the items 0 to {total - 1}"
                )
    waiting = {index: set(others) for index, others in wanted.items()}
    while free := [index for index, others in waiting.items() if not others & waiting.keys()]:
        for index in free:
            del waiting[index]
    if waiting:
        raise RefusedError(f"the items {sorted(waiting)} wait for each other in a circle, so none could ever begin")
    return {str(index): list(others) for index, others in wanted.items()}

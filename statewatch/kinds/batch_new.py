"""A new batch, in the layout of the tool that owns batch states, with no field that an older version does not know."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from statewatch.documents.values import JSON
from statewatch.kinds.batch_rules import is_batch_id
from statewatch.kinds.times import stamp
from statewatch.kinds.words import RefusedError

_STYLE: Final = "2026-01-01T00:00:00.000000Z"
_LONGEST: Final = 100_000


def new_batch(
    features: Iterable[str],
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
    listed = _listed(features)
    _check(batch_id, {"features_file": features_file, "source_type": source_type, "state_file": state_file})
    at = stamp(now, _STYLE)
    issues = None if issue_numbers is None else _issues(issue_numbers, len(listed))
    document: dict[str, JSON] = {
        "batch_id": batch_id or new_id(now),
        "features_file": features_file,
        "total_features": len(listed),
        "features": listed,
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
        document["feature_order"] = _order(feature_order, len(listed))
    if feature_dependencies:
        document["feature_dependencies"] = _dependencies(feature_dependencies, len(listed))
    return document


def new_id(now: float) -> str:
    """Return an id for a batch that begins at an instant: the time in UTC, to the microsecond."""
    return datetime.fromtimestamp(now, UTC).strftime("batch-%Y%m%d-%H%M%S-%f")


def _listed(features: Iterable[str] | None) -> list[JSON]:
    if isinstance(features, str):
        raise RefusedError("a batch is made from a list of items, not from one text")
    if features is not None and not isinstance(features, Iterable):
        raise RefusedError(f"a batch is made from a list of items, not from {type(features).__name__}")
    listed: list[JSON] = list(features or ())
    if not listed:
        raise RefusedError("a batch needs at least one item")
    for position, feature in enumerate(listed):
        if not isinstance(feature, str):
            raise RefusedError(f"item {position} is of the type {type(feature).__name__}; items are texts")
        if len(feature) > _LONGEST:
            raise RefusedError(f"item {position} has {len(feature)} characters; an item may have {_LONGEST}")
    return listed


def _check(batch_id: object, texts: Mapping[str, object]) -> None:
    for name, value in texts.items():
        if not isinstance(value, str):
            raise RefusedError(f"{name} is a text, not {type(value).__name__}")
    if batch_id is not None and not (isinstance(batch_id, str) and is_batch_id(batch_id)):
        raise RefusedError(
            f"{batch_id!r:.140} cannot be the id of a batch: it becomes part of the name of a file, so it has up "
            "to 128 letters, digits, '.', '_' and '-', without '..'"
        )


def _issues(numbers: Sequence[int | None], total: int) -> list[JSON]:
    issues: list[JSON] = list(numbers)
    if len(issues) != total:
        raise RefusedError(f"there are {len(issues)} issue numbers for {total} items")
    if odd := [each for each in issues if not (each is None or _is_whole(each))]:
        raise RefusedError(f"{odd[0]!r:.80} is not the number of an issue")
    return issues


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _order(wanted: Sequence[int], total: int) -> list[JSON]:
    if not all(map(_is_whole, wanted)) or sorted(wanted) != list(range(total)):
        raise RefusedError(f"the order must name each item from 0 to {total - 1} once")
    return list(wanted)


def _dependencies(wanted: Mapping[int, Sequence[int]], total: int) -> dict[str, JSON]:
    for index, others in wanted.items():
        for each in (index, *others):
            if not _is_whole(each) or not 0 <= each < total:
                raise RefusedError(
                    f"item {index!r:.80} builds on {list(others)!r:.200}, and there are only the items 0 to {total - 1}"
                )
    waiting = {index: set(others) for index, others in wanted.items()}
    while free := [index for index, others in waiting.items() if not others & waiting.keys()]:
        for index in free:
            del waiting[index]
    if waiting:
        raise RefusedError(f"the items {sorted(waiting)} wait for each other in a circle, so none could ever begin")
    return {str(index): list(others) for index, others in wanted.items()}

"""Functions on batch state files, under the names that programs use: thin, and all through the locked core.

A *state_file* is a path; a relative one is below the root of the project. Every function raises BatchStateError, which
says what is wrong, where, and what to do: InvalidBatchError, a ValueError, where a file is no batch state.
"""

import copy
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from statewatch.core.batch_places import default_file, root_of
from statewatch.core.batch_work import BatchWork
from statewatch.core.errors import NotFoundError, RefusedError
from statewatch.documents.values import JSON, NotJSONError, private
from statewatch.kinds import batch_marks, batch_merge
from statewatch.kinds.base import Fault
from statewatch.kinds.batch import TOKEN_LIMIT, view
from statewatch.kinds.batch_new import new_batch
from statewatch.kinds.batch_order import next_item
from statewatch.kinds.batch_rules import faults
from statewatch.kinds.batch_summary import BatchCompletionSummary, resuming, summary_of
from statewatch.kinds.words import RefusedError as Refusal
from statewatch.kinds.words import mapping, number
from statewatch.managers.batch_records import BatchState, InvalidBatchError

Place = Path | str

_SHOWN = 5
_AT_HAND = 16
_works: "OrderedDict[Path, BatchWork]" = OrderedDict()


def create_batch_state(
    features_file_or_features: str | Sequence[str] | None = None,
    features_or_none: Sequence[str] | None = None,
    issue_numbers: Sequence[int] | None = None,
    source_type: str = "file",
    state_file: str | None = None,
    *,
    features: Sequence[str] | None = None,
    features_file: str | None = None,
    batch_id: str | None = None,
) -> BatchState:
    """Return a new batch, which is not saved: see `save_batch_state`.

    The items are *features*, or the first argument, or the second where the first is the path of the file they are
    from. Raises BatchStateError where there is none, and for an id that cannot be one.
    """
    chosen: Any = features
    if chosen is None:
        chosen = features_or_none if isinstance(features_file_or_features, str) else features_file_or_features
        if features_file is None and isinstance(features_file_or_features, str):
            features_file = features_file_or_features
    if chosen is None:
        raise RefusedError("a batch is made from a list of items: create_batch_state(features=[...])")
    try:
        document = new_batch(
            chosen,
            time.time(),
            batch_id,
            features_file=features_file or "",
            issue_numbers=issue_numbers,
            source_type=source_type,
            state_file=state_file or "",
        )
    except Refusal as error:
        raise RefusedError(str(error)) from None
    state = BatchState.from_dict(document)
    state.base = {}
    return state


def load_batch_state(state_file: Place) -> BatchState:
    """Return the batch in a file. Raises InvalidBatchError, naming the places that are wrong."""
    work = working_on(placed(state_file))
    return BatchState.from_dict(copy.deepcopy(valid(work, work.document())))


def save_batch_state(state_file: Place, state: BatchState) -> None:
    """Save a batch: a new file, or what *state* has changed since it was loaded, over what others have changed since.

    Raises BatchStateError where the file holds another batch, and for a state that could not be loaded again.
    """
    path = placed(state_file)
    work = working_on(path)
    mine = _as_json(path, state)
    if not path.exists():
        if wrong := faults(mine):
            raise RefusedError(f"{path}: {_unsavable(wrong)}")
        work.file.create_batch({**mine, "updated_at": batch_marks.stamped(mine, time.time())})
    else:

        def change(document: JSON, now: float) -> JSON:
            there = mapping(document)
            if there.get("batch_id") != state.batch_id:
                raise Refusal(
                    f"it holds the batch {there.get('batch_id')!r:.100}, so {state.batch_id!r:.100} was not saved there"
                )
            saved = batch_merge.merged(state.base or there, mine, there, now)
            if (wrong := faults(saved)) and not faults(document):
                raise Refusal(_unsavable(wrong))
            return batch_marks.touched(dict(mapping(saved)), now)

        work.apply(change, "save a batch")
    saved = BatchState.from_dict(copy.deepcopy(mapping(work.document())))
    for name in state.__dataclass_fields__:
        setattr(state, name, getattr(saved, name))


def update_batch_progress(
    state_file: Place,
    feature_index: int,
    status: str,
    context_token_delta: int = 0,
    error_message: str | None = None,
    token_delta: int | None = None,
) -> None:
    """Record that an item is `completed` or has `failed`, and count the tokens of context that it took.

    As the format says, `current_index` is then beyond that item. Raises ValueError for any other status.
    """
    more = context_token_delta if token_delta is None else token_delta
    change = _outcome(feature_index, status, error_message, None)

    def progressed(document: JSON, now: float) -> JSON:
        after = dict(mapping(change(document, now)))
        after["current_index"] = max(number(after.get("current_index")) or 0, feature_index + 1)
        return batch_marks.with_tokens(after, more, now) if more else after

    _apply(state_file, progressed, "record the progress of a batch", [feature_index])


def mark_feature_status(
    state_file: Place,
    feature_index: int,
    status: str,
    error_message: str | None = None,
    retry_count: int | None = None,
) -> None:
    """Record that an item is `completed` or has `failed`. Raises ValueError for any other status."""
    change = _outcome(feature_index, status, error_message, retry_count)
    _apply(state_file, change, f"mark an item as {status}", [feature_index])


def mark_feature_skipped(state_file: Place, feature_index: int, reason: str, category: str = "manual") -> None:
    """Record that an item is left out, and why; *category* is `manual`, `quality_gate`, `dependency` or any other."""
    _apply(
        state_file,
        lambda document, now: batch_marks.skipped(document, feature_index, reason, now, category),
        "skip an item",
        [feature_index],
    )


def record_auto_clear_event(state_file: Place, feature_index: int, context_tokens_before_clear: int) -> None:
    """Record that the context was cleared at an item; the count of tokens begins anew."""
    _apply(
        state_file,
        lambda document, now: batch_marks.context_cleared(document, feature_index, context_tokens_before_clear, now),
        "record that the context was cleared",
    )


def should_auto_clear(state: BatchState, threshold: int = TOKEN_LIMIT) -> bool:
    """Tell whether the context holds so many tokens that it is to be cleared."""
    return state.context_token_estimate >= threshold


def get_next_pending_feature(state: BatchState) -> str | None:
    """Return the next item: not completed, failed or skipped, in its order, and all that it builds on done."""
    index = next_item(state.to_dict()).item
    return None if index is None else state.features[index]


def record_git_operation(
    state: BatchState,
    feature_index: int,
    operation: str,
    success: bool,
    commit_sha: str | None = None,
    branch: str | None = None,
    remote: str | None = None,
    pr_number: int | None = None,
    pr_url: str | None = None,
    error_message: str | None = None,
    **more: Any,
) -> BatchState:
    """Record in *state*, which is returned, what git did for an item: `commit`, `push`, `pr` or `issue_close`.

    It is not saved: see `save_batch_state`. Raises ValueError for any other operation and for an item there is not.
    """
    told = {"sha": commit_sha, "branch": branch, "remote": remote, "number": pr_number, "url": pr_url}
    record = {name: value for name, value in {**told, "error": error_message}.items() if value is not None}
    document = batch_marks.git_recorded(
        state.to_dict(), feature_index, operation, {"success": success, **more, **record}, time.time()
    )
    changed = BatchState.from_dict(document)
    state.git_operations, state.updated_at = changed.git_operations, changed.updated_at
    return state


def get_feature_git_status(state: BatchState, feature_index: int) -> dict[str, Any] | None:
    """Return what git did for an item, by operation; None where nothing is recorded."""
    return state.git_operations.get(feature_index)


def increment_retry_count(state_file: Place, feature_index: int) -> None:
    """Count another try of an item."""
    _apply(state_file, lambda document, now: batch_marks.retried(document, feature_index, now), "count a retry")


def get_retry_count(state: BatchState, feature_index: int) -> int:
    """Return how often an item was tried again."""
    return state.retry_attempts.get(feature_index, 0)


def generate_completion_summary(
    state: BatchState, worktree_branch: str | None = None, target_branch: str = "master"
) -> BatchCompletionSummary:
    """Return what came of a batch. With a branch the steps that are next include merging it into *target_branch*."""
    seen = view(state.to_dict())
    summary = summary_of(seen, resuming(seen))
    if worktree_branch and summary.completed_count:
        summary.next_steps.append(f"merge {worktree_branch} into {target_branch}")
    return summary


def cleanup_batch_state(state_file: Place) -> None:
    """Delete the file of a batch, where there is one; a safety copy of it is kept."""
    path = placed(state_file)
    working_on(path).file.remove()
    _works.pop(path, None)


# --- what the class shares


def placed(state_file: Place) -> Path:
    """Return where a state file is; a relative one is below the root of the project."""
    if "\0" in str(state_file):
        raise RefusedError(f"{str(state_file)!r:.200}: this cannot be a path")
    path = Path(state_file).expanduser()
    return path if path.is_absolute() else root_of() / path


def get_default_state_file() -> Path:
    """Return where the batch state of this project is: `.claude/batch_state.json` below its root."""
    return default_file()


def working_on(path: Path) -> BatchWork:
    """Return the work on a file; it is kept at hand, so that calls in a row do not read it again and again."""
    found = _works.pop(path, None) or BatchWork(path)
    _works[path] = found
    if len(_works) > _AT_HAND:
        _works.popitem(last=False)
    return found


def valid(work: BatchWork, document: JSON) -> dict[str, JSON]:
    """Return *document*. Raises InvalidBatchError, naming the places that are wrong, where it is no batch state."""
    wrong = [] if document is work.sound else faults(document)
    if wrong:
        raise InvalidBatchError(work.file.path, f"it is no valid batch state: {_places(wrong)}. It was left as it is")
    assert isinstance(document, dict)
    work.sound = document
    return document


def _apply(state_file: Place, change: Callable[[JSON, float], JSON], operation: str, ended: Sequence[int] = ()) -> None:
    path = placed(state_file)
    work = working_on(path)
    if not path.exists():
        raise NotFoundError(f"{path}: there is no batch state. Create one with create_batch_state and save_batch_state")
    work.sound = work.apply(lambda document, now: change(valid(work, document), now), operation, ended)


def _as_json(path: Path, state: BatchState) -> dict[str, JSON]:
    """Return what is to be saved. Raises RefusedError for what JSON cannot hold."""
    try:
        return dict(mapping(private(state.to_dict())))
    except NotJSONError as error:
        raise RefusedError(f"{path}: {error}. Nothing was saved") from None


def _unsavable(wrong: Sequence[Fault]) -> str:
    return f"what is to be saved is no valid batch state: {_places(wrong)}. Nothing was saved"


def _places(wrong: Sequence[Fault]) -> str:
    told = "; ".join(f"{fault.pointer or 'the document'}: {fault.message}" for fault in wrong[:_SHOWN])
    return told + (f"; and {len(wrong) - _SHOWN} more places" if len(wrong) > _SHOWN else "")


def _outcome(index: int, status: str, error: str | None, retries: int | None) -> Callable[[JSON, float], JSON]:
    if status not in ("completed", "failed"):
        raise ValueError(f"the status of an item is 'completed' or 'failed', not {status!r:.100}")

    def change(document: JSON, now: float) -> JSON:
        if status == "completed":
            return batch_marks.completed(document, index, now)
        return batch_marks.failed(document, index, error or "Unknown error", now, retries)

    return change

"""What happens to a batch, as pure functions from document to document, in the layout of its owner.

No field is added that the owner does not know, and what it does not know stays. Times are instants; they are written in
the style of the file. An item is named by its index. Every function raises RefusedError for what cannot be done.
"""

from collections.abc import Mapping
from typing import Final

from statewatch.documents.values import JSON, NotJSONError, private
from statewatch.kinds.batch_order import Standing, standing
from statewatch.kinds.batch_reading import COMPLETED, FAILED, RUNNING, is_batch, snaked
from statewatch.kinds.times import restamp
from statewatch.kinds.words import RefusedError, items, mapping, number, text, word

_STYLE: Final = "2026-01-01T00:00:00.000000Z"
_PLACES: Final = {"completed_features", "failed_features", "skipped_features"}
GIT_STEPS: Final = ("commit", "push", "pr", "issue_close")


def usual(document: JSON) -> dict[str, JSON]:
    """Return the fields of a batch in the layout that can be written. Raises RefusedError for any other."""
    fields = mapping(document)
    if not is_batch(document):
        raise RefusedError("this is no batch state, so nothing in it can be marked")
    if not isinstance(fields.get("features"), list) or snaked(fields) is not fields:
        raise RefusedError("this batch is laid out as another tool does it: it can be shown, but not changed")
    if any(isinstance(each, dict) and "status" in each for each in items(fields["features"])):
        raise RefusedError("the items of this batch say themselves how they ended: it can be shown, but not changed")
    for name in _PLACES & fields.keys():
        if not isinstance(fields[name], list):
            raise RefusedError(f"/{name} is no list, so nothing can be recorded there. Mend the file first")
    if any(isinstance(fields.get(name), list) for name in ("completed", "processed")):
        raise RefusedError("this batch names its items in place of numbering them: it can be shown, but not changed")
    return dict(fields)


def checked(document: JSON, index: object) -> int:
    """Return *index*. Raises RefusedError where there is no such item."""
    total = len(items(mapping(document).get("features")))
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < total:
        there = f"they are numbered 0 to {total - 1}" if total else "it has none"
        raise RefusedError(f"there is no item {index!r:.80} in this batch; {there}")
    return index


def whole(value: object, name: str) -> int:
    """Return a number that is to be recorded. Raises RefusedError for what is none that the owner could read."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise RefusedError(f"{name} is a whole number, not {value!r:.80}")
    return value


def plain(value: object, name: str) -> JSON:
    """Return a copy of what is to be recorded. Raises RefusedError for what JSON cannot hold."""
    try:
        return private(value)
    except NotJSONError as error:
        raise RefusedError(f"{name} cannot be recorded: {error}") from None


def completed(document: JSON, index: int, now: float) -> dict[str, JSON]:
    """Record that an item is done: failures and a skip of it are forgotten."""
    fields = usual(document)
    checked(fields, index)
    done = items(fields.get("completed_features"))
    if index not in done:
        fields["completed_features"] = [*done, index]
    _forget(fields, "failed_features", index)
    _forget(fields, "skipped_features", index)
    return advanced(fields, now)


def failed(document: JSON, index: int, error: str, now: float, retry_count: int | None = None) -> dict[str, JSON]:
    """Record that an item failed, in place of earlier failures of it."""
    fields = usual(document)
    checked(fields, index)
    _forget(fields, "completed_features", index)
    _forget(fields, "skipped_features", index)
    _forget(fields, "failed_features", index)
    record: dict[str, JSON] = {"feature_index": index, "error_message": plain(error, "the error") or "Unknown error"}
    record["timestamp"] = stamped(fields, now)
    if retry_count is not None:
        record["retry_count"] = whole(retry_count, "how often it was tried again")
    fields["failed_features"] = [*items(fields.get("failed_features")), record]
    return advanced(fields, now)


def skipped(document: JSON, index: int, reason: str, now: float, category: str = "manual") -> dict[str, JSON]:
    """Record that an item is left out. Raises RefusedError where it is done already."""
    fields = usual(document)
    checked(fields, index)
    if index in standing(fields).done:
        raise RefusedError(f"item {index} is done, so it cannot be skipped")
    _forget(fields, "skipped_features", index)
    record: dict[str, JSON] = {
        "feature_index": index,
        "feature_name": fields["features"][index],  # type: ignore[index]
        "reason": plain(reason, "the reason"),
        "category": plain(category, "the category"),
        "timestamp": stamped(fields, now),
    }
    fields["skipped_features"] = [*items(fields.get("skipped_features")), record]
    return advanced(fields, now)


def unskipped(document: JSON, index: int, now: float) -> dict[str, JSON]:
    """Take a skip back. Raises RefusedError where the item is not skipped."""
    fields = usual(document)
    if checked(fields, index) not in standing(fields).skipped:
        raise RefusedError(f"item {index} is not skipped")
    _forget(fields, "skipped_features", index)
    return _again(fields, now)


def cleared(document: JSON, index: int, now: float) -> dict[str, JSON]:
    """Forget the failures of an item, so that it is done again. Raises RefusedError where it has not failed."""
    fields = usual(document)
    if checked(fields, index) not in standing(fields).failed:
        raise RefusedError(f"item {index} has not failed")
    _forget(fields, "failed_features", index)
    return _again(fields, now)


def retried(document: JSON, index: int, now: float) -> dict[str, JSON]:
    """Count another try of an item."""
    fields = usual(document)
    tries = mapping(fields.get("retry_attempts"))
    key = str(checked(fields, index))
    fields["retry_attempts"] = {**tries, key: (number(tries.get(key)) or 0) + 1}
    return touched(fields, now)


def without_tries(document: JSON, index: int, now: float) -> dict[str, JSON]:
    """Forget how often an item was tried again."""
    fields = usual(document)
    tries = dict(mapping(fields.get("retry_attempts")))
    if tries.pop(str(checked(fields, index)), None) is None:
        return fields
    fields["retry_attempts"] = tries
    return touched(fields, now)


def with_status(document: JSON, status: str, now: float) -> dict[str, JSON]:
    """Give the batch a status."""
    fields = usual(document)
    fields["status"] = status
    return touched(fields, now)


def paused(document: JSON, now: float) -> dict[str, JSON]:
    """Pause a batch. Raises RefusedError where there is nothing left to do."""
    fields = usual(document)
    if not standing(fields).left and fields["features"]:
        raise RefusedError("nothing is left to do in this batch, so there is nothing to pause")
    return fields if word(fields.get("status")) == "paused" else with_status(fields, "paused", now)


def resumed(document: JSON, now: float) -> dict[str, JSON]:
    """Let a batch go on that is paused, or that ended with items left. Raises RefusedError where none are."""
    fields = usual(document)
    if word(fields.get("status")) in RUNNING:
        return fields
    if not standing(fields).left:
        raise RefusedError("nothing is left to do in this batch. Retry what failed, or take a skip back, first")
    return with_status(fields, RUNNING[0], now)


def with_tokens(document: JSON, more: int, now: float) -> dict[str, JSON]:
    """Count tokens of context."""
    fields = usual(document)
    more = whole(more, "a count of tokens")
    fields["context_token_estimate"] = max(0, (number(fields.get("context_token_estimate")) or 0) + more)
    return touched(fields, now)


def context_cleared(document: JSON, index: int, tokens: int, now: float) -> dict[str, JSON]:
    """Record that the context was cleared at an item, holding so many tokens: the count begins anew."""
    fields = usual(document)
    event: JSON = {
        "feature_index": whole(index, "the index of an item"),
        "context_tokens_before_clear": whole(tokens, "a count of tokens"),
        "timestamp": stamped(fields, now),
    }
    fields["auto_clear_events"] = [*items(fields.get("auto_clear_events")), event]
    fields["auto_clear_count"] = (number(fields.get("auto_clear_count")) or 0) + 1
    fields["context_token_estimate"] = 0
    return touched(fields, now)


def git_recorded(document: JSON, index: int, step: str, record: Mapping[str, JSON], now: float) -> dict[str, JSON]:
    """Record what git did for an item; *record* says `success` and what else there is to say."""
    fields = usual(document)
    if step not in GIT_STEPS:
        raise RefusedError(f"{step!r} is no step of git; the steps are {', '.join(GIT_STEPS)}")
    known = mapping(fields.get("git_operations"))
    key = str(checked(fields, index))
    given = mapping(plain(dict(record), "what git did"))
    told = {"success": given.get("success"), "timestamp": stamped(fields, now), **given}
    fields["git_operations"] = {**known, key: {**mapping(known.get(key)), step: told}}
    return touched(fields, now)


def advanced(fields: dict[str, JSON], now: float) -> dict[str, JSON]:
    """Bring the index and the status up to date, which follow from the items, and stamp the change."""
    found = standing(fields)
    at = max(0, number(fields.get("current_index")) or 0)
    while at < found.total and found.has_ended(at):
        at += 1
    fields["current_index"] = at
    fields["status"] = status_of(found, text(fields.get("status")) or RUNNING[0])
    return touched(fields, now)


def status_of(found: Standing, status: str) -> str:
    """Return the status that follows from the items: `completed` only when every item is done or left out on purpose.

    One that ended with failures is `failed`; one that has not ended keeps the *status* it has, if that says so.
    """
    if len(found.done) + len(found.skipped) == found.total:
        return COMPLETED
    if len(found.done) + len(found.skipped) + len(found.failed) == found.total:
        return FAILED
    return RUNNING[0] if word(status) in (COMPLETED, FAILED) else status


def touched(fields: dict[str, JSON], now: float) -> dict[str, JSON]:
    """Stamp the change, where the file has such a stamp."""
    if "updated_at" in fields:
        fields["updated_at"] = restamp(now, fields["updated_at"] or _STYLE)
    return fields


def stamped(fields: Mapping[str, JSON], now: float) -> JSON:
    """Return the time of a record, in the style of the file."""
    return restamp(now, fields.get("updated_at") or fields.get("created_at") or _STYLE)


def _again(fields: dict[str, JSON], now: float) -> dict[str, JSON]:
    """Go back to the first item that is left, which the owner of the file would pass over otherwise."""
    found = standing(fields)
    at = number(fields.get("current_index")) or 0
    first = next((index for index in range(found.total) if not found.has_ended(index)), None)
    if first is not None:
        fields["current_index"] = min(at, first)
    fields["status"] = status_of(found, text(fields.get("status")) or RUNNING[0])
    return touched(fields, now)


def _forget(fields: dict[str, JSON], name: str, index: int) -> None:
    entries = items(fields.get(name))
    kept = [entry for entry in entries if not _is_of(entry, index)]
    if len(kept) != len(entries):
        fields[name] = kept


def _is_of(entry: JSON, index: int) -> bool:
    if type(entry) is int:
        return entry == index
    return number(entry.get("feature_index") if isinstance(entry, dict) else entry) == index

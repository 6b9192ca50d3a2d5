"""What an operator may do to a batch: changes of a document, with what would show that they were put back."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from statewatch.documents.values import JSON, Path
from statewatch.kinds import batch_marks
from statewatch.kinds.base import Change, RefusedError
from statewatch.kinds.batch_order import Standing, standing
from statewatch.kinds.batch_reading import INTERRUPTED, title_of
from statewatch.kinds.words import items, mapping, text, word

Mark: TypeAlias = Callable[[JSON, int, float], JSON]

MANUAL_ERROR: Final = "Marked as failed by an operator"
_LONG: Final = 60


def done(document: JSON, indices: Sequence[int], now: float) -> Change:
    """Mark items as done."""
    return _each("done", document, indices, now, batch_marks.completed, "completed_features")


def fail(document: JSON, indices: Sequence[int], now: float, error: str = "") -> Change:
    """Mark items as failed."""

    def mark(each: JSON, index: int, at: float) -> JSON:
        return batch_marks.failed(each, index, error or MANUAL_ERROR, at)

    return _each("fail", document, indices, now, mark, "failed_features")


def skip(document: JSON, indices: Sequence[int], now: float, reason: str = "", category: str = "manual") -> Change:
    """Leave items out."""

    def mark(each: JSON, index: int, at: float) -> JSON:
        return batch_marks.skipped(each, index, reason, at, category)

    return _each("skip", document, indices, now, mark, "skipped_features")


def unskip(document: JSON, indices: Sequence[int], now: float) -> Change:
    """Take skips back."""
    return _each("unskip", document, indices, now, batch_marks.unskipped, "skipped_features")


def retry(document: JSON, indices: Sequence[int], now: float) -> Change:
    """Let items be done again that failed; their failures are forgotten."""
    return _each("retry", document, indices, now, batch_marks.cleared, "failed_features")


def reset_retries(document: JSON, indices: Sequence[int], now: float) -> Change:
    """Forget how often items were tried again."""
    return _each("reset retries", document, indices, now, batch_marks.without_tries, "retry_attempts")


def pause(document: JSON, now: float) -> Change:
    """Pause the batch: who works through it takes no further item."""
    return _whole("pause", document, batch_marks.paused(document, now))


def resume(document: JSON, now: float) -> Change:
    """Let the batch go on."""
    return _whole("resume", document, batch_marks.resumed(document, now))


def find(document: JSON, name: str) -> tuple[int, ...]:
    """Return the items that a name means: a number, or the title of one or more; `#7` and `=TITLE` leave no doubt.

    Raises RefusedError where there is none, and where it is the number of one and the title of another.
    """
    listed = items(batch_marks.usual(document)["features"])
    number = name.removeprefix("#")
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    if is_number and name.startswith("#"):
        return (batch_marks.checked(document, int(number)),)
    title = name.removeprefix("=")
    named = tuple(index for index, each in enumerate(listed) if title_of(each, index) in {title, name})
    if is_number and (not named or named == (int(number),)):
        return (batch_marks.checked(document, int(number)),)
    if is_number and int(number) < len(listed):
        raise RefusedError(f"{name} is the number of one item and the title of another; write '#{name}' or '={name}'")
    if not named:
        raise RefusedError(f"there is no item {name[:200]!r} in this batch; name one by its number or its whole title")
    return named


def failed_items(document: JSON, *, interrupted_only: bool = False) -> tuple[int, ...]:
    """Return the items that failed; only those that were interrupted, where that is asked for."""
    found = standing(document).failed
    if not interrupted_only:
        return tuple(sorted(found))
    records = [mapping(each) for each in items(mapping(document).get("failed_features"))]
    errors = {each.get("feature_index"): text(each.get("error_message")) or "" for each in records}
    return tuple(index for index in sorted(found) if errors.get(index, "").startswith(INTERRUPTED))


def _each(name: str, document: JSON, indices: Sequence[int], now: float, mark: Mark, field: str) -> Change:
    after: JSON = document
    notes: list[str] = []
    before = standing(document)
    for index in dict.fromkeys(indices):
        after = mark(after, index, now)
        notes += _worth_knowing(name, document, index, before)
    listed = items(mapping(document).get("features"))
    targets = tuple(f"{index} {_short(title_of(listed[index], index))}" for index in dict.fromkeys(indices))
    path: Path = (field,)
    return Change(name, targets, after, ((path,),), tuple(notes))


def _worth_knowing(name: str, document: JSON, index: int, before: Standing) -> list[str]:
    if name == "fail" and index in before.done:
        return [f"item {index} was done"]
    if name == "done" and (index in before.failed or index in before.skipped):
        return [f"item {index} had {'failed' if index in before.failed else 'been skipped'}"]
    if word(mapping(document).get("status")) == "paused" and name == "retry":
        return ["the batch is paused, and stays so"]
    return []


def _whole(name: str, document: JSON, after: JSON) -> Change:
    batch = mapping(document).get("batch_id")
    return Change(name, (str(batch),), after, ((("status",),),))


def _short(title: str) -> str:
    return title if len(title) <= _LONG else f"{title[: _LONG - 1]}…"

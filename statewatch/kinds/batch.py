"""Batch states: the progress of a list of items, as `batch_state.json` and its relatives hold it.

Everything shown is derived from sets of items, not from list lengths, and not from a status word that may lie: the
tool that owns the format writes `completed` over failed items, lists one failed item several times, and never goes
back to a hole. What had to be assumed is said in `notes`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Final, NamedTuple

from statewatch.documents.values import JSON
from statewatch.kinds.base import Need, items, mapping, number, text, word
from statewatch.kinds.batch_reading import (
    COMPLETED,
    FAILED,
    INTERRUPTED,
    NOTHING,
    PENDING,
    RUNNING,
    SKIPPED,
    STATUSES,
    Reading,
    name_of,
    read,
    snaked,
)
from statewatch.kinds.batch_recent import LARGE, Recent
from statewatch.kinds.times import instant, span

__all__ = [
    "COMPLETED",
    "FAILED",
    "PENDING",
    "RUNNING",
    "SKIPPED",
    "STALLED_AFTER",
    "STATUSES",
    "TOKEN_LIMIT",
    "BatchView",
    "GitStep",
    "Item",
    "needs",
    "view",
]

STALLED_AFTER = 600.0
"""Seconds without a change after which a running batch is said to be stalled, where its own pace is not known."""
TOKEN_LIMIT = 150_000
"""Tokens of context from which on it is to be cleared, where nobody says otherwise."""

_LONGEST = 1e9


class GitStep(NamedTuple):
    """What git was asked to do for an item, and whether it went well; `what` is a commit, a branch or an error."""

    name: str
    well: bool
    what: str = ""


class Item(NamedTuple):
    """One item of a batch. `at` is when its outcome was recorded, where the file says so.

    `needs` are the indices of the items that it builds on. A tuple, since large batches have many.
    """

    index: int  # type: ignore[assignment]  # nobody asks an item where it holds what
    title: str
    outcome: str
    tries: int | None = None
    error: str | None = None
    at: float | None = None
    issue: int | None = None
    commit: str | None = None
    duration: float | None = None
    category: str | None = None
    needs: tuple[int, ...] = ()
    operations: JSON = None
    """What the file says of git, as it stands there: `git` reads it."""

    @property
    def git(self) -> tuple[GitStep, ...]:
        """Return what git was asked to do for it."""
        return tuple(_step(name, mapping(each)) for name, each in mapping(self.operations).items())

    @property
    def git_verdicts(self) -> list[tuple[str, bool]]:
        """Return the steps of git with whether each went well, as `git` does: for whoever only counts."""
        steps = mapping(self.operations).items()
        return [(name, mapping(outcome).get("success") is not False) for name, outcome in steps]

    @property
    def interrupted(self) -> bool:
        """Tell whether its run ended while it was at work: it may have been done or not."""
        return self.outcome == FAILED and (self.error or "").startswith(INTERRUPTED)


@dataclass(frozen=True)
class BatchView:
    """A batch as an operator sees it. Counts are of distinct items; times are instants; tokens as the file says."""

    batch_id: str
    status: str
    known_status: bool
    items: tuple[Item, ...]
    current_index: int | None
    created_at: float | None
    updated_at: float | None
    tokens: int | None
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Return how many items there are."""
        return len(self.items)

    @cached_property
    def _counts(self) -> Mapping[str, int]:
        return Counter(map(attrgetter("outcome"), self.items))

    def count(self, outcome: str) -> int:
        """Return how many items have that outcome."""
        return self._counts.get(outcome, 0)

    @property
    def processed(self) -> int:
        """Return how many items are done with, whatever the outcome."""
        return self.total - self.count(PENDING)

    @property
    def is_running(self) -> bool:
        """Tell whether the batch says that it runs."""
        return self.status in RUNNING

    @cached_property
    def current(self) -> Item | None:
        """Return the item that is next: the first pending one from `current_index` on, or None."""
        start = max(0, self.current_index or 0)
        return next((item for item in self.items[start:] if item.outcome == PENDING), None)

    @property
    def interrupted(self) -> tuple[Item, ...]:
        """Return the items whose run ended while they were at work."""
        return tuple(item for item in self.items if item.outcome == FAILED and item.interrupted)

    @cached_property
    def holes(self) -> tuple[Item, ...]:
        """Return the pending items before `current_index`: the tool never comes back to them."""
        return tuple(item for item in self.items[: max(0, self.current_index or 0)] if item.outcome == PENDING)


def view(document: JSON) -> BatchView:
    """Return the typed view of a batch, whatever its faults."""
    found, seen = _seen(document)
    fields = found.fields
    notes: list[str] = []
    raw_status = fields.get("status")
    status = word(raw_status)
    if not status and raw_status is None and (found.own_words or "batch_id" not in fields):
        status = _status_of_items(seen, notes)
    if status == COMPLETED:
        _doubt(seen, raw_status, notes)
    created = fields.get("created_at") or fields.get("started_at") or fields.get("timestamp")
    return BatchView(
        batch_id=name_of(fields.get("batch_id")),
        status=status if status in STATUSES else text(raw_status) or "unknown",
        known_status=status in STATUSES,
        items=seen,
        current_index=number(fields.get("current_index")),
        created_at=instant(created),
        updated_at=instant(fields.get("updated_at") or fields.get("last_updated")),
        tokens=number(fields.get("context_token_estimate")),
        notes=(*notes, *found.notes),
    )


def needs(seen: BatchView, changed_at: float, now: float, stalled_after: float = STALLED_AFTER) -> list[Need]:
    """Return what is the matter with a batch: at most one need, with every reason in it. Times are instants."""
    reasons = []
    idle = now - changed_at
    progress = f"at {seen.processed}/{seen.total}"
    if seen.status == "failed":
        reasons.append(f"failed {progress}")
    elif seen.is_running and seen.processed < seen.total and idle > stalled_after:
        reasons.append(f"stalled {span(idle)} {progress}")
    elif not seen.known_status:
        reasons.append(f"status {seen.status!r} is not one batches have")
    if failed := seen.count(FAILED):
        reasons.append(f"{failed} failed")
    if holes := len(seen.holes):
        reasons.append(f"{holes} passed over")
    if not reasons:
        return []
    worst = next((item for item in seen.items if item.outcome == FAILED), None)
    return [Need(seen.batch_id, ", ".join(reasons) + (f': "{worst.title}"' if worst else ""), changed_at)]


_recent: Recent[Item] = Recent()


def _seen(document: JSON) -> tuple[Reading, tuple[Item, ...]]:
    """Return how a batch is read, and its items; of large ones what was found the last time is used again."""
    known = _recent.known(document)
    if known is not None:
        return known.reading, known.items
    found = read(document, _recent.reading(document))
    extra = _Extra(found)

    def make(index: int) -> Item:
        return _item(index, found.titles[index], found, extra)

    if len(found.titles) < LARGE:
        return found, tuple(map(make, range(len(found.titles))))
    return found, _recent.items(document, found, make)


class _Extra:
    """What the file says beside the outcomes, by item."""

    def __init__(self, found: Reading) -> None:
        fields = found.fields
        self.retries = mapping(fields.get("retry_attempts"))
        self.git = mapping(fields.get("git_operations"))
        self.needs = mapping(fields.get("feature_dependencies"))
        self.issues = items(fields.get("issue_numbers"))
        self._features = found.listed
        self.has_objects = found.has_objects

    def commit(self, key: str) -> tuple[JSON, str | None, float | None]:
        """Return what git did for an item, its commit, and when that was made."""
        operations = self.git[key]
        commit = operations.get("commit") if isinstance(operations, dict) else None
        if not isinstance(commit, dict):
            return operations, None, None
        return operations, text(commit.get("sha")), instant(commit.get("timestamp"))

    def issue(self, index: int) -> int | None:
        """Return the issue number of an item."""
        if index < len(self.issues):
            return number(self.issues[index])
        feature = self._feature(index) if self.has_objects else None
        return number(feature.get("issue_number")) if feature else None

    def duration(self, index: int) -> float | None:
        """Return how many seconds an item took, where the file says so."""
        feature = self._feature(index)
        seconds = feature.get("duration_seconds") if feature else None
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            return None
        return float(seconds) if 0 <= seconds < _LONGEST else None

    def builds_on(self, key: str) -> tuple[int, ...]:
        """Return the indices of the items that an item builds on."""
        named = (number(each) for each in items(self.needs.get(key)))
        return tuple(each for each in named if each is not None)

    def _feature(self, index: int) -> Mapping[str, JSON]:
        feature = self._features[index] if index < len(self._features) else None
        return snaked(feature) if isinstance(feature, dict) else {}


_NO_GIT: Final = (None, None, None)


def _step(name: str, outcome: Mapping[str, JSON]) -> GitStep:
    told = (outcome.get(each) for each in ("error", "sha", "url", "number", "branch"))
    what = next((str(each) for each in told if isinstance(each, str | int) and each), "")
    return GitStep(name, outcome.get("success") is not False, what)


def _item(index: int, title: str, found: Reading, extra: _Extra) -> Item:
    """Put one item together. Done outweighs skipped, skipped outweighs failed: an item counts once."""
    record, outcome = NOTHING, PENDING
    if index in found.done:
        outcome, record = COMPLETED, found.done[index]
    elif index in found.skipped:
        outcome, record = SKIPPED, found.skipped[index]
    elif index in found.failed:
        outcome, record = FAILED, found.failed[index]
    key = str(index)
    retries = number(extra.retries[key]) if key in extra.retries else None
    operations, commit, committed_at = extra.commit(key) if key in extra.git else _NO_GIT
    return Item(
        index,
        title,
        outcome,
        retries if retries is not None else record.retries,
        None if outcome == COMPLETED else record.error,
        (None if record.timestamp is None else instant(record.timestamp)) or committed_at,
        extra.issue(index),
        commit,
        extra.duration(index) if extra.has_objects else None,
        record.category,
        extra.builds_on(key) if extra.needs else (),
        operations,
    )


def _status_of_items(seen: tuple[Item, ...], notes: list[str]) -> str:
    notes.append("the file has no status; it follows from its items")
    return RUNNING[0] if any(item.outcome == PENDING for item in seen) else COMPLETED


def _doubt(seen: tuple[Item, ...], said: JSON, notes: list[str]) -> None:
    counts = Counter(item.outcome for item in seen)
    but = [f"{counts[each]} {called}" for each, called in ((FAILED, "failed"), (PENDING, "left")) if counts[each]]
    if but and said is not None:
        notes.append(f"the status says completed, with {' and '.join(but)}")

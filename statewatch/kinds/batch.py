"""Batch states: the progress of a list of items, as `batch_state.json` holds it.

Everything shown is derived from sets of items, not from list lengths, and not from a status word that may lie: the
tool that owns the format writes `completed` over failed items, lists one failed item several times, and never goes
back to a hole. What had to be assumed is said in `notes`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.values import JSON
from statewatch.kinds.base import Need, items, mapping, number, text, word
from statewatch.kinds.times import instant, span

COMPLETED, FAILED, SKIPPED, PENDING = "completed", "failed", "skipped", "pending"
RUNNING = ("in_progress", "running")
STATUSES = (*RUNNING, "paused", "completed", "failed")
STALLED_AFTER = 600.0
"""Seconds without a change after which a running batch is said to be stalled, where its own pace is not known."""

_LONGEST = 1e9


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a batch. `at` is when its outcome was recorded, where the file says so."""

    index: int
    title: str
    outcome: str
    tries: int | None = None
    error: str | None = None
    at: float | None = None
    issue: int | None = None
    commit: str | None = None
    duration: float | None = None


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
        return Counter(item.outcome for item in self.items)

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

    @cached_property
    def holes(self) -> tuple[Item, ...]:
        """Return the pending items before `current_index`: the tool never comes back to them."""
        return tuple(item for item in self.items[: max(0, self.current_index or 0)] if item.outcome == PENDING)


def view(document: JSON) -> BatchView:
    """Return the typed view of a batch, whatever its faults."""
    fields = mapping(document)
    notes: list[str] = []
    titles = _titles(fields, notes)
    reader = _Outcomes(titles, notes)
    done, failed, skipped = reader.read(fields)
    extra = _Extra(fields)
    raw_status = fields.get("status")
    status = word(raw_status)
    if (
        not status
        and items(fields.get("features"))
        and any(isinstance(each, dict) for each in items(fields["features"]))
    ):
        status = _status_of_log(done, failed, len(titles), notes)
    return BatchView(
        batch_id=_name(fields.get("batch_id")),
        status=status if status in STATUSES else text(raw_status) or "unknown",
        known_status=status in STATUSES,
        items=tuple(_item(index, title, done, failed, skipped, extra) for index, title in enumerate(titles)),
        current_index=number(fields.get("current_index")),
        created_at=instant(fields.get("created_at") or fields.get("started_at") or fields.get("timestamp")),
        updated_at=instant(fields.get("updated_at")),
        tokens=number(fields.get("context_token_estimate")),
        notes=tuple(notes),
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


def _name(batch_id: JSON) -> str:
    if isinstance(batch_id, str | int | float) and batch_id != "":
        return str(batch_id)
    return "unnamed"


def _titles(fields: Mapping[str, JSON], notes: list[str]) -> list[str]:
    listed = fields.get("features")
    titles = [_title(feature, position) for position, feature in enumerate(items(listed))]
    total = number(fields.get("total_features"))
    if not isinstance(listed, list):
        titles = [f"item {index}" for index in range(min(total or 0, 100_000))]
        notes.append("the file has no list of features; items are numbered")
    elif total is not None and total != len(titles):
        notes.append(f"total_features says {total}, the list has {len(titles)}; the list counts")
    return titles


def _title(feature: JSON, position: int) -> str:
    if isinstance(feature, str):
        return feature
    name = mapping(feature).get("name") or mapping(feature).get("title")
    return text(name) or f"item {position}"


@dataclass(frozen=True, slots=True)
class _Record:
    error: str | None = None
    at: float | None = None
    retries: int | None = None


class _Outcomes:
    """Reads which items are done, failed and skipped, however the file names them."""

    def __init__(self, titles: list[str], notes: list[str]) -> None:
        self._count = len(titles)
        self._by_title = {title: index for index, title in reversed(list(enumerate(titles)))}
        self._notes = notes

    def read(self, fields: Mapping[str, JSON]) -> tuple[set[int], dict[int, _Record], dict[int, _Record]]:
        """Return the indices done, and the records of the failed and of the skipped by index."""
        done = set(self._records(fields, "completed_features", "completed"))
        failed = self._records(fields, "failed_features", "failed")
        skipped = self._records(fields, "skipped_features", "skipped")
        for position, feature in enumerate(items(fields.get("features"))):
            state = word(mapping(feature).get("status"))
            if state == COMPLETED:
                done.add(position)
            elif state in {FAILED, SKIPPED}:
                (failed if state == FAILED else skipped)[position] = _record(feature)
        return done, failed, skipped

    def _records(self, fields: Mapping[str, JSON], *names: str) -> dict[int, _Record]:
        found: dict[int, _Record] = {}
        outside: list[str] = []
        for name in names:
            for entry in items(fields.get(name)):
                index = self._index(entry)
                if index is None:
                    outside.append(str(mapping(entry).get("feature_index", entry))[:40])
                else:
                    found[index] = _record(entry)
        if outside:
            self._notes.append(f"{names[0]} names what is not in the list: {', '.join(outside[:5])}")
        return found

    def _index(self, entry: JSON) -> int | None:
        fields = mapping(entry)
        key = fields.get("feature_index", fields.get("feature", entry)) if fields else entry
        if isinstance(key, str) and key in self._by_title:
            return self._by_title[key]
        index = number(key)
        return index if index is not None and 0 <= index < self._count else None


def _record(entry: JSON) -> _Record:
    fields = mapping(entry)
    error = fields.get("error_message") or fields.get("error") or fields.get("reason")
    return _Record(text(error), instant(fields.get("timestamp")), number(fields.get("retry_count")))


class _Extra:
    """What the file says beside the outcomes, by item."""

    def __init__(self, fields: Mapping[str, JSON]) -> None:
        self.retries = mapping(fields.get("retry_attempts"))
        self.git = mapping(fields.get("git_operations"))
        self.issues = items(fields.get("issue_numbers"))
        self.features = items(fields.get("features"))

    def commit(self, index: int) -> tuple[str | None, float | None]:
        """Return the commit of an item and when it was made."""
        commit = mapping(mapping(self.git.get(str(index))).get("commit"))
        return text(commit.get("sha")), instant(commit.get("timestamp"))

    def issue(self, index: int) -> int | None:
        """Return the issue number of an item."""
        return number(self.issues[index]) if index < len(self.issues) else None

    def duration(self, index: int) -> float | None:
        """Return how many seconds an item took, where the file says so."""
        feature = mapping(self.features[index]) if index < len(self.features) else {}
        seconds = feature.get("duration_seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            return None
        return float(seconds) if 0 <= seconds < _LONGEST else None


def _item(
    index: int,
    title: str,
    done: set[int],
    failed: dict[int, _Record],
    skipped: dict[int, _Record],
    extra: _Extra,
) -> Item:
    """Put one item together. Done outweighs skipped, skipped outweighs failed: an item counts once."""
    record = _Record()
    outcome = PENDING
    if index in done:
        outcome = COMPLETED
    elif index in skipped:
        outcome, record = SKIPPED, skipped[index]
    elif index in failed:
        outcome, record = FAILED, failed[index]
    retries = number(extra.retries.get(str(index)))
    commit, committed_at = extra.commit(index)
    return Item(
        index=index,
        title=title,
        outcome=outcome,
        tries=retries if retries is not None else record.retries,
        error=record.error,
        at=record.at or committed_at,
        issue=extra.issue(index),
        commit=commit,
        duration=extra.duration(index),
    )


def _status_of_log(done: set[int], failed: dict[int, _Record], total: int, notes: list[str]) -> str:
    notes.append("the file has no status; it follows from its items")
    if len(done | set(failed)) < total:
        return RUNNING[0]
    return COMPLETED

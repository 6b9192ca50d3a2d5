"""Which items of a batch are at work, and by whom: a document kept beside the batch, whose owner knows no such thing.

What is in it matters only for items that have not ended, and only while it is of the same batch.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from statewatch.documents.values import JSON
from statewatch.kinds import batch_marks
from statewatch.kinds.batch_order import standing
from statewatch.kinds.batch_reading import INTERRUPTED
from statewatch.kinds.times import instant, stamp
from statewatch.kinds.words import items, mapping, number, text

_FLIGHT: Final = "in_flight"


class Worker(NamedTuple):
    """Who works on an item: a thread of a process of a host, since an instant."""

    pid: int
    thread: int
    host: str
    since: float

    def is_same(self, other: "Worker") -> bool:
        """Tell whether that is the same thread of the same process."""
        return (self.pid, self.thread, self.host) == (other.pid, other.thread, other.host)


def in_flight(flight: JSON, document: JSON) -> dict[int, Worker]:
    """Return the items of the batch that are at work, and by whom."""
    fields, batch = mapping(flight), mapping(document)
    if not fields or fields.get("batch_id") != batch.get("batch_id"):
        return {}
    found, total = {}, len(items(batch.get("features")))
    for key, entry in mapping(fields.get(_FLIGHT)).items():
        index, worker = number(key), mapping(entry)
        pid, since = number(worker.get("pid")), instant(worker.get("since"))
        if index is not None and 0 <= index < total and pid is not None and since is not None:
            thread = number(worker.get("thread")) or 0
            found[index] = Worker(pid, thread, text(worker.get("host")) or "", since)
    return found


def flight_of(document: JSON, workers: dict[int, Worker]) -> JSON:
    """Return the document that says who is at work on which item."""
    if not workers:
        return {}
    told: dict[str, JSON] = {
        str(index): {"pid": each.pid, "thread": each.thread, "host": each.host, "since": stamp(each.since)}
        for index, each in workers.items()
    }
    return {"batch_id": mapping(document).get("batch_id"), _FLIGHT: told}


def recovered(
    document: JSON, workers: dict[int, Worker], lives: Callable[[Worker], bool], now: float
) -> tuple[JSON, dict[int, Worker], list[int]]:
    """Mark items as interrupted whose worker is gone; return the batch, who is still at work, and those items."""
    found = standing(document)
    interrupted = []
    alive: dict[int, Worker] = {}
    for index, worker in workers.items():
        if found.has_ended(index):
            continue
        if lives(worker):
            alive[index] = worker
            continue
        error = (
            f"{INTERRUPTED}process {worker.pid} on {worker.host} ended while it was at work on this item, which may "
            "have been done or not"
        )
        document = batch_marks.failed(document, index, error, now)
        interrupted.append(index)
    return document, alive, interrupted


def without(workers: dict[int, Worker], gone: Iterable[int]) -> dict[int, Worker]:
    """Return who is at work, but for the items *gone*."""
    left = set(gone)
    return {index: worker for index, worker in workers.items() if index not in left}

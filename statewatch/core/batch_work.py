"""Working through a batch: taking its items, recording how they ended, and finding what a killed run left.

It decides nothing itself: `kinds` does, and this carries it out under the lock of the file, so that any number of
threads and processes share one batch: each item is taken by one of them, and none is taken again that has ended.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from statewatch.core.batch_file import BatchFile, Done, lives
from statewatch.core.lock import TIMEOUT, host
from statewatch.documents.values import JSON
from statewatch.kinds import batch_marks
from statewatch.kinds.batch_flight import Worker, recovered, without
from statewatch.kinds.batch_order import next_item, standing
from statewatch.kinds.batch_reading import title_of
from statewatch.kinds.words import RefusedError as Refusal
from statewatch.kinds.words import items, mapping, word


class Ended(NamedTuple):
    """How the work on an item ended: well, or with an error; where *again* it was not the last try.

    With the *title* that was worked on it is refused where another item has that number by then.
    """

    index: int  # type: ignore[assignment]  # it is no sequence to anybody
    error: str | None = None
    again: bool = False
    title: str | None = None


class Taken(NamedTuple):
    """What may be begun, what a killed run had left, and why nothing may be begun where that is so.

    `elsewhere` are at work with others, `waiting` are held up by what they build on, `left` have not ended.
    """

    items: tuple[int, ...]
    interrupted: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()
    left: int = 0
    paused: bool = False


class BatchWork:
    """The work on one batch in a file, which must be there. *batch_id* is that of the only one to be worked on.

    Every method raises SourceError where the file cannot be read, ConflictError where it holds another batch,
    RefusedError for what cannot be done or written, and LockedError.
    """

    def __init__(
        self,
        path: Path,
        batch_id: str | None = None,
        clock: Callable[[], float] = time.time,
        timeout: float = TIMEOUT,
    ) -> None:
        self.file = BatchFile(path, timeout)
        self.batch_id = batch_id
        self.sound: JSON = None
        """The document that was found to be valid last: it need not be looked at again."""
        self._clock = clock

    def document(self) -> JSON:
        """Return the batch as it is now; it is shared, and must not be changed."""
        return self.file.peek()

    def apply(self, change: Callable[[JSON, float], JSON], operation: str, ended: Sequence[int] = ()) -> JSON:
        """Write what *change* makes of the batch at an instant, and return that; *ended* are no longer at work."""

        def plan(document: JSON, workers: dict[int, Worker]) -> Done[JSON]:
            after = change(document, self._clock())
            return Done(after, without(workers, ended), after)

        return self.file.call(plan, operation, self.batch_id)

    def next_for_me(self) -> int | None:
        """Return the item that this thread is at work on, else take the next one; None where there is none to take.

        Of a paused batch none is taken.
        """
        now = self._clock()
        me = _me()

        def plan(document: JSON, workers: dict[int, Worker]) -> Done[int | None]:
            batch_marks.usual(document)
            after, alive, _ = recovered(document, workers, lives, now)
            mine = next((index for index, worker in alive.items() if worker.is_same(me)), None)
            if mine is not None:
                return Done(after, alive, mine)
            found = None if _is_paused(after) else next_item(after, alive).item
            return Done(after, alive if found is None else {**alive, found: me}, found)

        return self.file.call(plan, "take the next item of a batch", self.batch_id)

    def step(self, ended: Sequence[Ended], wanted: int) -> Taken:
        """Record how items ended, and take up to so many others, in one go; nothing is taken from a paused batch.

        What a killed run left at work is marked as interrupted first.
        """
        now = self._clock()
        me = _me()

        def plan(document: JSON, workers: dict[int, Worker]) -> Done[Taken]:
            after = document
            for each in ended:
                after = _recorded(after, each, now)
            mine = without(workers, [each.index for each in ended if not each.again])
            after, alive, interrupted = recovered(after, mine, lives, now)
            taken: list[int] = []
            waiting: tuple[int, ...] = ()
            paused = _is_paused(after)
            found = standing(after)
            while len(taken) < wanted and not paused:
                index, waiting = next_item(after, alive, found)
                if index is None:
                    break
                alive = {**alive, index: me}
                taken.append(index)
            elsewhere = tuple(index for index, worker in alive.items() if not worker.is_same(me))
            left = found.total - len(found.done) - len(found.failed) - len(found.skipped)
            told = Taken(tuple(taken), tuple(interrupted), waiting, elsewhere, left, paused)
            return Done(after, alive, told)

        return self.file.call(plan, "work through a batch", self.batch_id)

    def give_back(self, indices: Sequence[int]) -> None:
        """Say that items are not at work any more, though they have not ended."""
        self.apply(lambda document, _now: document, "give items of a batch back", indices)

    def titles(self) -> list[JSON]:
        """Return the items as the file lists them."""
        return items(mapping(self.document()).get("features"))


def _me() -> Worker:
    """Return this thread; since when is asked of the system's clock, as when processes began is."""
    return Worker(os.getpid(), threading.get_ident() % 2**31, host(), time.time())


def _is_paused(document: JSON) -> bool:
    return word(mapping(document).get("status")) == "paused"


def _refuse_other(document: JSON, ended: Ended) -> None:
    """Raise RefusedError where another item has the number of the one that was worked on."""
    listed = items(mapping(document).get("features"))
    if ended.title is None or not 0 <= ended.index < len(listed):
        return
    if (now := title_of(listed[ended.index], ended.index)) != ended.title:
        raise Refusal(
            f"item {ended.index} is another one now, {now!r:.80} in place of {ended.title!r:.80}, so nothing was "
            "recorded. Somebody has put other items in the place of these."
        )


def _recorded(document: JSON, ended: Ended, now: float) -> JSON:
    """Record how an item ended, unless somebody has said meanwhile what became of it."""
    _refuse_other(document, ended)
    if ended.again:
        return batch_marks.retried(document, ended.index, now)
    if standing(document).has_ended(ended.index):
        return document
    if ended.error is None:
        return batch_marks.completed(document, ended.index, now)
    return batch_marks.failed(document, ended.index, ended.error, now)

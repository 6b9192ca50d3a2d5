"""A tool that works through batches of features, one file a batch.

The tool decides by what it finds in the file: which item is next, what failed and is worth another try, whether an
operator paused it. Only how an item ends is written in the script, so that a run can be repeated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from statewatch.demo import items
from statewatch.demo.data import AREAS, DOC_TITLES, RELEASE_TITLES
from statewatch.demo.script import Clock, Document, Event, dice, epoch_of, merged, zulu_time

MAIN_FILE: Final = "project/.claude/batch_state.json"
DOCS_FILE: Final = "project/.claude/batch_state_docs.json"
RELEASE_FILE: Final = "project/.claude/batch_state_release.json"

_TOKEN_LIMIT: Final = 150_000
_REST: Final = 20.0
"""Seconds between the end of a batch and the next one in the same file."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a batch before it starts; `pace` is how long an item took before the demo."""

    path: str
    began: float
    pace: float
    issue: int
    titles: tuple[str, ...] = ()
    fates: tuple[items.Fate, ...] = ()
    paused: float | None = None
    renewed: bool = False


RUNS: Final = (
    Run(MAIN_FILE, -2400.0, 165.0, issue=412, renewed=True),
    Run(
        DOCS_FILE,
        -93_000.0,
        840.0,
        issue=371,
        titles=DOC_TITLES,
        fates=("done", "done", "done", "fails for good", "retried", "done"),
    ),
    Run(
        RELEASE_FILE,
        -15_300.0,
        1260.0,
        issue=388,
        titles=RELEASE_TITLES,
        fates=("done", "retried", "done", "fails once", *items.smooth(8)),
        paused=-8000.0,
    ),
)


@dataclass(frozen=True, slots=True)
class Tool:
    """The tool at work on one file. Its methods are the changes it makes, each from a document to the next."""

    seed: int
    clock: Clock
    plan: Run

    def create(self, _old: Document | None, *, now: float, issue: int) -> Document:
        """Write the file of a new batch, in place of an older one if there is one."""
        titles, builds_on = self._features(issue)
        return items.new_batch(titles, builds_on, issue, now)

    def begin(self, document: Document, *, now: float) -> Document:
        """Take up the next item: that shows only when it is tried again."""
        index = self._next(document)
        if index is None or not self._tries_again(document, index):
            return document
        tries = document["retry_attempts"]
        counted = {**tries, str(index): tries.get(str(index), 0) + 1}
        return {**document, "retry_attempts": counted, "updated_at": zulu_time(now)}

    def finish(self, document: Document, *, now: float) -> Document:
        """End the item at work, or begin a new batch when the old one has been over for a while."""
        if self.plan.renewed and self._over(document, now):
            return self.create(document, now=now, issue=max(document["issue_numbers"]) + 1)
        if not _running(document):
            return document
        index = self._next(document)
        if index is None:
            return {**document, "status": "completed", "updated_at": zulu_time(now)}
        return items.end(document, index, self._fate(document, index), now, self._dice(document, index, "end"))

    def publish(self, document: Document, *, now: float) -> Document:
        """Commit and push what was completed last."""
        index = _last(document["completed_features"])
        if index is None or str(index) in document["git_operations"]:
            return document
        done = items.git_operations(document["issue_numbers"][index], now, self._dice(document, index, "git"))
        known = {**document["git_operations"], str(index): done}
        return {**document, "git_operations": known, "updated_at": zulu_time(now)}

    def measure(self, document: Document, *, now: float) -> Document:
        """Note the quality of what was completed last, and that the run can be resumed from here."""
        index = _last(document["completed_features"])
        if index is None or str(index) in document["quality_metrics"]:
            return document
        tries = document["retry_attempts"].get(str(index), 0)
        measured = items.quality(tries, self._dice(document, index, "quality"))
        return {
            **document,
            "updated_at": zulu_time(now),
            "quality_metrics": {**document["quality_metrics"], str(index): measured},
            "last_checkpoint_at": zulu_time(now),
            "checkpoint_count": document["checkpoint_count"] + 1,
        }

    def clear(self, document: Document, *, now: float) -> Document:
        """Empty the context when it has grown too long."""
        tokens = document["context_token_estimate"]
        if tokens < _TOKEN_LIMIT or not _running(document):
            return document
        event = {
            "feature_index": document["current_index"] - 1,
            "context_tokens_before_clear": tokens,
            "timestamp": zulu_time(now),
        }
        return {
            **document,
            "context_token_estimate": 0,
            "auto_clear_count": document["auto_clear_count"] + 1,
            "auto_clear_events": [*document["auto_clear_events"], event],
            "updated_at": zulu_time(now),
        }

    def pause(self, document: Document, *, now: float) -> Document:
        """Stop where we are, as an operator asked for it."""
        return {**document, "status": "paused", "updated_at": zulu_time(now)}

    def _features(self, issue: int) -> tuple[list[str], dict[str, list[int]]]:
        """Choose what a batch consists of: features by area, some of which build on the one before."""
        if self.plan.titles:
            return list(self.plan.titles), {}
        rng = dice(self.seed, "features", issue)
        areas = [AREAS[name] for name in rng.sample(list(AREAS), 8)]
        titles = [title for area in areas for title in area]
        starts = {sum(map(len, areas[:number])) for number in range(len(areas))}
        bound = [index for index in range(len(titles)) if index not in starts and rng.random() < 0.35]
        return titles, {str(index): [index - 1] for index in bound}

    def _next(self, document: Document) -> int | None:
        """Choose what to work on: a failure that is due for another try, else the first item that is left."""
        if not _running(document):
            return None
        again = items.due_again(document)
        return items.first_left(document) if again is None else again

    def _tries_again(self, document: Document, index: int) -> bool:
        if index in items.failed(document):
            return True
        return self._fate(document, index) == "retried" and str(index) not in document["retry_attempts"]

    def _fate(self, document: Document, index: int) -> items.Fate:
        fates = self.plan.fates or items.deal(
            dice(self.seed, "fates", min(document["issue_numbers"])), document["total_features"]
        )
        return fates[index]

    def _dice(self, document: Document, index: int, purpose: str) -> Random:
        return dice(self.seed, document["issue_numbers"][index], purpose, document["retry_attempts"].get(str(index)))

    def _over(self, document: Document, now: float) -> bool:
        rested = now - epoch_of(document["updated_at"]) >= _REST / self.clock.speed
        return bool(document["status"] == "completed" and rested)


def events(seed: int, clock: Clock) -> Iterator[Event]:
    """Give everything that happens to the batches, from when they were created and without an end."""
    return merged(*(_work(Tool(seed, clock, plan)) for plan in RUNS))


def _work(tool: Tool) -> Iterator[Event]:
    """Give the events of one file. What they do, if anything, is decided when they meet the document."""
    plan = tool.plan
    rng = dice(tool.seed, "pace", plan.path)

    def event(at: float, change: Callable[..., Document]) -> Event:
        return Event(at, plan.path, partial(_if_there, change, now=tool.clock.at(at)))

    yield Event(plan.began, plan.path, partial(tool.create, now=tool.clock.at(plan.began), issue=plan.issue))
    paused = False
    at = plan.began
    while True:
        length = plan.pace * rng.uniform(0.75, 1.25) if at < 0 else rng.uniform(5, 9)
        if at < 0 < at + length:
            length = rng.uniform(3.0, 3.6) - at
        if plan.paused is not None and not paused and at > plan.paused:
            yield event(at + 3, tool.pause)
            paused = True
        at += length
        yield event(at - min(length / 3, 3.0), tool.begin)
        yield event(at, tool.finish)
        yield event(at + 0.8, tool.publish)
        yield event(at + 1.5, tool.measure)
        yield event(at + 1.9, tool.clear)


def _if_there(change: Callable[..., Document], document: Document | None, *, now: float) -> Document | None:
    """Leave a file alone that someone deleted: that ends the batch."""
    return None if document is None else change(document, now=now)


def _running(document: Document) -> bool:
    return document["status"] in ("in_progress", "running")


def _last(indices: list[int]) -> int | None:
    return indices[-1] if indices else None

"""Running a command for every item of a batch: so many at once, with tries, timeouts and pauses between tries.

What happens is in the file of the batch at once, where the dashboard and others see it. A run that was killed leaves
items that are said to be at work; whoever goes on marks those as interrupted, and does none of the others twice.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from signal import Signals
from typing import TYPE_CHECKING, Final, Protocol

from statewatch.core.batch_work import BatchWork, Ended, Taken
from statewatch.core.reading import Signature, signature
from statewatch.kinds.batch_reading import INTERRUPTED, title_of
from statewatch.managers.batch_jobs import Event, Job, Jobs

if TYPE_CHECKING:
    from statewatch.documents.values import JSON

_GLANCE: Final = 0.25
"""Seconds between two looks at a batch that is paused, or that waits for another run."""
_LONGEST_PAUSE: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How a batch is run: so many commands at once; *retries* more tries of one that fails; seconds for each.

    The pause before another try is *backoff* seconds, twice as long each time.
    """

    parallel: int = 1
    retries: int = 0
    timeout: float | None = None
    backoff: float = 1.0


class Reporter(Protocol):
    """Who is told what happens."""

    def began(self, index: int, title: str) -> None:
        """Hear that a command was started for an item."""

    def ended(self, index: int, title: str, error: str | None) -> None:
        """Hear that an item has ended, well or with an error."""

    def again(self, index: int, title: str, error: str, pause: float) -> None:
        """Hear that an item failed and is tried again after so many seconds."""

    def interrupted(self, index: int, title: str) -> None:
        """Hear that a run which is gone was at work on an item."""

    def wrote(self, event: Event) -> None:
        """Hear what a command wrote."""

    def stands(self, taken: Taken, running: int) -> None:
        """Hear how the batch stands."""

    def tick(self) -> float | None:
        """Be called from time to time; return after how many seconds at the latest again, None for no matter when."""


@dataclass
class Result:
    """What came of a run; `stopped_by` is the signal that ended it."""

    done: int = 0
    failed: int = 0
    interrupted: list[int] = field(default_factory=list)
    last: Taken = field(default_factory=lambda: Taken(()))
    stopped_by: int | None = None


class BatchRun:
    """One run of a command over the items of a batch."""

    def __init__(
        self, work: BatchWork, words: Sequence[str], manner: Manner, reporter: Reporter, *, take_output: bool = False
    ) -> None:
        self._work = work
        self._words = list(words)
        self._manner = manner
        self._reporter = reporter
        self._take_output = take_output
        self._titles: list[JSON] = []
        self._begun: dict[int, str] = {}
        """The titles of items as they were when their command was started."""
        self._tries: dict[int, int] = {}
        self._resting: dict[int, float] = {}
        """Items that failed and are tried again, and when."""
        self._ended: list[Ended] = []
        self._dry = False
        self._looked_at: Signature | None = None
        self._result = Result()

    def run(self) -> Result:
        """Run to the end, or until a signal says stop. Raises StatewatchError; nothing is at work any more then.

        The items must stay what they were: what was done for one is not recorded of another that took its number.
        """
        self._titles = self._work.titles()
        with Jobs(self._take_output) as jobs:
            try:
                while jobs.stopped_by is None and self._go_on(jobs):
                    for job in jobs.wait(self._patience(jobs), self._reporter.wrote):
                        self._has_ended(job)
            finally:
                cut_off = jobs.stop(self._reporter.wrote)
            if jobs.stopped_by is not None:
                self._wind_up(jobs.stopped_by, cut_off)
        return self._result

    def _go_on(self, jobs: Jobs) -> bool:
        """Write what has ended, and begin what can be begun; tell whether there is anything to wait for."""
        now = time.monotonic()
        held = self._result.last.paused
        due = [index for index, moment in self._resting.items() if moment <= now and not held]
        for index in due[: self._manner.parallel - len(jobs.running)]:
            del self._resting[index]
            self._begin(jobs, index)
        free = self._manner.parallel - len(jobs.running)
        if self._ended or (free > 0 and not self._dry) or self._has_moved():
            self._step(jobs, free)
        held_up = self._result.last.paused or (self._result.last.waiting and self._result.last.elsewhere)
        return bool(jobs.running or self._resting or self._ended or (held_up and self._result.last.left))

    def _step(self, jobs: Jobs, free: int) -> None:
        recorded, self._ended = self._ended, []
        taken = self._work.step(recorded, free)
        self._looked_at = signature(self._work.file.path)
        self._result.last = taken
        for index in taken.interrupted:
            self._result.interrupted.append(index)
            self._reporter.interrupted(index, self._title(index))
        self._dry = len(taken.items) < free
        self._titles = self._work.titles()  # somebody may have added some
        for index in taken.items:
            self._begin(jobs, index)
        self._reporter.stands(taken, len(jobs.running))

    def _has_moved(self) -> bool:
        """Tell whether somebody else has written the batch while it was held up."""
        last = self._result.last
        return bool((last.paused or last.elsewhere) and signature(self._work.file.path) != self._looked_at)

    def _patience(self, jobs: Jobs) -> float | None:
        if self._ended:
            return 0.0
        now = time.monotonic()
        last = self._result.last
        waits = [self._reporter.tick()]
        if not last.paused:
            waits += [moment - now for moment in self._resting.values()]
        if last.paused or (not jobs.running and last.elsewhere):
            waits.append(_GLANCE)
        return min((each for each in waits if each is not None), default=None)

    def _begin(self, jobs: Jobs, index: int) -> None:
        title = self._begun[index] = self._title(index)
        words = [self._filled(word, index, title) for word in self._words]
        failure = jobs.start(index, words, self._environment(index, title), self._manner.timeout)
        if failure is None:
            self._reporter.began(index, title)
        else:
            self._fail(index, title, failure, is_final=True)

    def _has_ended(self, job: Job) -> None:
        title, error = self._begun[job.index], job.error(self._manner.timeout)
        if error is None:
            self._ended.append(Ended(job.index, title=title))
            self._result.done += 1
            self._reporter.ended(job.index, title, None)
        else:
            self._fail(job.index, title, error)

    def _fail(self, index: int, title: str, error: str, *, is_final: bool = False) -> None:
        tried = self._tries[index] = self._tries.get(index, 0) + 1
        if tried <= self._manner.retries and not is_final:
            pause = min(self._manner.backoff * 2 ** min(tried - 1, 30), _LONGEST_PAUSE)
            self._resting[index] = time.monotonic() + pause
            self._ended.append(Ended(index, error, again=True, title=title))
            self._reporter.again(index, title, error, pause)
            return
        self._ended.append(Ended(index, error, title=title))
        self._result.failed += 1
        self._reporter.ended(index, title, error)

    def _wind_up(self, number: int, cut_off: list[Job]) -> None:
        """Record what was cut off as interrupted, and give back what was to be tried again."""
        self._result.stopped_by = number
        for job in cut_off:
            title = self._begun[job.index]
            if job.status is not None and job.code == 0:
                self._ended.append(Ended(job.index, title=title))
                self._result.done += 1
                self._reporter.ended(job.index, title, None)
                continue
            name = Signals(number).name
            error = f"{INTERRUPTED}the run was ended by {name} while it was at work on this item"
            self._ended.append(Ended(job.index, error, title=title))
            self._result.interrupted.append(job.index)
            self._reporter.interrupted(job.index, title)
        final = [each for each in self._ended if not each.again]
        if final:
            self._result.last = self._work.step(final, 0)
        if self._resting:
            self._work.give_back(list(self._resting))

    def _title(self, index: int) -> str:
        return title_of(self._titles[index], index) if index < len(self._titles) else f"item {index}"

    def _filled(self, word: str, index: int, title: str) -> str:
        return word.replace("{index}", str(index)).replace("{item}", title)

    def _environment(self, index: int, title: str) -> Mapping[str, str]:
        told = {"STATEWATCH_ITEM_INDEX": str(index), "STATEWATCH_TRY": str(self._tries.get(index, 0) + 1)}
        if "\0" not in title and len(title) < 100_000:
            told["STATEWATCH_ITEM"] = title
        if self._work.batch_id is not None:
            told["STATEWATCH_BATCH"] = self._work.batch_id
        return {**os.environ, **told}

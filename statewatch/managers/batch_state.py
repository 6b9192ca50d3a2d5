"""BatchStateManager: a list of items worked through by any number of processes, and safe from a crash of each."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from statewatch.core.batch_places import file_for, file_of
from statewatch.core.batch_work import BatchWork
from statewatch.core.errors import ConflictError, NotFoundError, RefusedError
from statewatch.core.lock import TIMEOUT
from statewatch.documents.values import JSON
from statewatch.kinds import batch_marks
from statewatch.kinds.batch import TOKEN_LIMIT, view
from statewatch.kinds.batch_flight import Worker
from statewatch.kinds.batch_new import new_batch
from statewatch.kinds.batch_order import standing
from statewatch.kinds.batch_reading import title_of
from statewatch.kinds.batch_summary import BatchCompletionSummary, resuming, summary_of
from statewatch.kinds.words import RefusedError as Refusal
from statewatch.kinds.words import items, mapping, number, text
from statewatch.managers import batch_functions
from statewatch.managers.batch_by_file import ByFile
from statewatch.managers.batch_records import BatchState

_TRIES = 5


class BatchStateManager(ByFile):
    """The batch in a file: what is done, what is next, what failed, in the format of `batch_state.json`.

    Made with `create` or `load`; *state_file* is by default `.claude/batch_state.json` of the project. What is marked
    is written at once, under the lock of the file: nobody's mark is lost, whoever else writes through statewatch. Items
    are named by their text or their index; of items of the same text the first that has not ended is meant.

    Methods raise BatchStateError, which says what is wrong, where, and what to do: InvalidBatchError, a ValueError,
    where the file is no batch state, and a NotFoundError where there is none.
    """

    def __init__(
        self,
        state_file: Path | str | None = None,
        *,
        token_limit: int = TOKEN_LIMIT,
        clock: Callable[[], float] = time.time,
        timeout: float = TIMEOUT,
        batch_id: str | None = None,
    ) -> None:
        chosen = batch_functions.get_default_state_file() if state_file is None else state_file
        self.state_file = batch_functions.placed(chosen)
        self.token_limit = token_limit
        self._clock = clock
        self._work = BatchWork(self.state_file, batch_id, clock, timeout)

    @classmethod
    def create(
        cls,
        features: Iterable[str],
        batch_id: str | None = None,
        state_file: Path | str | None = None,
        *,
        features_file: str = "",
        issue_numbers: Sequence[int | None] | None = None,
        feature_order: Sequence[int] = (),
        feature_dependencies: Mapping[int, Sequence[int]] | None = None,
        token_limit: int = TOKEN_LIMIT,
        clock: Callable[[], float] = time.time,
        timeout: float = TIMEOUT,
    ) -> Self:
        """Write a new batch of these items; it is kept in `.claude/batch_state_ID.json` where no file is named.

        *feature_dependencies* are, by index, the items that an item builds on. Raises BatchStateError for what cannot
        be a batch, and where there is a file already.
        """
        listed = list(features) if isinstance(features, Iterator) else features
        for _ in range(_TRIES):
            try:
                document = new_batch(
                    listed,
                    clock(),
                    batch_id,
                    features_file=features_file,
                    issue_numbers=issue_numbers,
                    feature_order=feature_order,
                    feature_dependencies=feature_dependencies,
                )
            except Refusal as error:
                raise RefusedError(str(error)) from None
            name = str(document["batch_id"])
            place = file_for(name) if state_file is None else state_file
            manager = cls(place, token_limit=token_limit, clock=clock, timeout=timeout, batch_id=name)
            try:
                manager._work.file.create_batch(document)
            except ConflictError:
                if batch_id is None and state_file is None:
                    continue  # two were made in the same microsecond
                raise
            return manager
        raise ConflictError("no id was found that no other batch has. Name one.")

    @classmethod
    def load(
        cls,
        batch_id: Path | str,
        *,
        token_limit: int = TOKEN_LIMIT,
        clock: Callable[[], float] = time.time,
        timeout: float = TIMEOUT,
    ) -> Self:
        """Return the batch of that id in this project, or in the file of that path."""
        if not isinstance(batch_id, str | Path):
            raise RefusedError(f"a batch is named by its id or its path, not by {type(batch_id).__name__}")
        is_path = isinstance(batch_id, Path) or "/" in batch_id or batch_id.endswith(".json")
        place = batch_functions.placed(batch_id) if is_path else file_of(str(batch_id))
        manager = cls(place, token_limit=token_limit, clock=clock, timeout=timeout)
        manager._work.batch_id = str(manager._fields()["batch_id"])
        return manager

    # --- what there is

    @property
    def batch_id(self) -> str:
        """Return the id of the batch."""
        return str(self._fields()["batch_id"])

    @property
    def features(self) -> list[str]:
        """Return the texts of all items."""
        return [title_of(each, position) for position, each in enumerate(items(self._fields()["features"]))]

    @property
    def current_index(self) -> int:
        """Return the index of the first item, from where the batch has come to, that has not ended."""
        return number(self._fields()["current_index"]) or 0

    @property
    def status(self) -> str:
        """Return the status: `completed` only when every item is done, or left out on purpose."""
        return str(self._fields()["status"])

    @property
    def completed(self) -> list[str]:
        """Return the texts of the items that are done, in the order of the list."""
        return self._titles(standing(self._fields()).done)

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Return what failed: `feature`, `index`, `error`, `timestamp` and `retries` of each item, once."""
        return self._told("failed")

    @property
    def skipped(self) -> list[dict[str, Any]]:
        """Return what was left out: `feature`, `index`, `error` (the reason), `timestamp` and `retries` of each."""
        return self._told("skipped")

    @property
    def pending(self) -> list[str]:
        """Return the texts of the items that have not ended."""
        return self._titles(standing(self._fields()).left)

    @property
    def created_at(self) -> str:
        """Return when the batch was made, as the file says it."""
        return text(self._fields().get("created_at")) or ""

    @property
    def last_updated(self) -> str:
        """Return when the batch changed last, as the file says it."""
        return text(self._fields().get("updated_at")) or ""

    @property
    def context_tokens(self) -> int:
        """Return how many tokens the context is thought to hold."""
        return number(self._fields().get("context_token_estimate")) or 0

    @property
    def is_complete(self) -> bool:
        """Tell whether no item is left, failed ones included."""
        found = standing(self._fields())
        return len(found.done) + len(found.skipped) == found.total

    def at_work(self) -> dict[int, Worker]:
        """Return the items that somebody is at work on, and who that is."""
        return self._work.file.at_work()

    # --- working through it

    def get_next_feature(self) -> str | None:
        """Return the next item, which this thread is at work on from now until it is marked; None where there is none.

        Done, failed and skipped items are passed over, and those that others are at work on; order and dependencies are
        honoured, and none is taken while the batch is paused (see `status`). Asked again before the item is marked, the
        same thread gets the same. What a process was at work on that has ended since is marked as failed, with an error
        that begins with "Interrupted".
        """
        self._fields()
        index = self._work.next_for_me()
        return None if index is None else title_of(items(self._fields()["features"])[index], index)

    def mark_completed(self, feature: str | int, tokens: int = 0) -> None:
        """Record that an item is done, and count the tokens of context that it took."""
        self._mark(feature, batch_marks.completed, tokens)

    def mark_failed(self, feature: str | int, error: str | Exception | None = "", tokens: int = 0) -> None:
        """Record that an item failed, and why."""
        why = "" if error is None else str(error)
        self._mark(feature, lambda document, index, now: batch_marks.failed(document, index, why, now), tokens)

    def mark_skipped(self, feature: str | int, reason: str = "", category: str = "manual") -> None:
        """Record that an item is left out, and why."""
        self._mark(feature, lambda document, index, now: batch_marks.skipped(document, index, reason, now, category))

    def retry(self, feature: str | int) -> None:
        """Let an item that failed, or was skipped, be done again; the try is counted."""

        def change(document: JSON, index: int, now: float) -> JSON:
            again = batch_marks.unskipped if index in standing(document).skipped else batch_marks.cleared
            return batch_marks.retried(again(document, index, now), index, now)

        self._mark(feature, change, ended=True)

    def pause(self) -> None:
        """Pause the batch: who works through it takes no further item."""
        self._change(batch_marks.paused, "pause a batch")

    def resume(self) -> None:
        """Let a paused batch go on."""
        self._change(batch_marks.resumed, "resume a batch")

    def add_tokens(self, tokens: int) -> None:
        """Count tokens of context."""
        self._change(lambda document, now: batch_marks.with_tokens(document, tokens, now), "count tokens")

    def should_clear_context(self, limit: int | None = None) -> bool:
        """Tell whether the context holds as many tokens as the limit says, by default that of the manager."""
        return self.context_tokens >= (self.token_limit if limit is None else limit)

    def record_context_clear(self, tokens: int | None = None) -> None:
        """Record that the context was cleared, holding *tokens* or what was counted; the count begins anew."""

        def change(document: JSON, now: float) -> JSON:
            fields = mapping(document)
            held = (number(fields.get("context_token_estimate")) or 0) if tokens is None else tokens
            return batch_marks.context_cleared(document, number(fields.get("current_index")) or 0, held, now)

        self._change(change, "record that the context was cleared")

    def record_git(self, feature: str | int, step: str, success: bool, **more: Any) -> None:
        """Record what git did for an item: `commit`, `push`, `pr` or `issue_close`, with what else there is to say."""
        self._mark(
            feature,
            lambda document, index, now: batch_marks.git_recorded(
                document, index, step, {"success": success, **more}, now
            ),
            ends=False,
            ended=True,
        )

    def save(self) -> None:
        """Make sure that the batch is on disk, as it always is: every mark is written at once."""
        self._fields()

    def summary(self) -> BatchCompletionSummary:
        """Return what came of the batch so far."""
        seen = view(self._fields())
        return summary_of(seen, resuming(seen))

    # --- inside

    def _fields(self) -> dict[str, JSON]:
        fields = batch_functions.valid(self._work, self._work.document())
        wanted = self._work.batch_id
        if wanted is not None and fields["batch_id"] != wanted:
            raise ConflictError(
                f"{self.state_file}: it holds the batch {fields['batch_id']!r:.100} now, not {wanted!r:.100}. Somebody "
                "has put another batch in its place."
            )
        return fields

    def _change(self, change: Callable[[JSON, float], JSON], operation: str, ended: Sequence[int] = ()) -> None:
        def checked(document: JSON, now: float) -> JSON:
            return change(batch_functions.valid(self._work, document), now)

        self._work.sound = self._work.apply(checked, operation, ended)

    def _mark(
        self,
        feature: str | int,
        change: Callable[[JSON, int, float], JSON],
        tokens: int = 0,
        *,
        ends: bool = True,
        ended: bool = False,
    ) -> None:
        index = self._index(feature, ended=ended)

        def marked(document: JSON, now: float) -> JSON:
            after = change(document, index, now)
            return batch_marks.with_tokens(after, tokens, now) if tokens else after

        self._change(marked, f"mark item {index} of a batch", [index] if ends else [])

    def _index(self, feature: str | int, *, ended: bool) -> int:
        """Return the item that is meant: of the same text one at work, else one that has (not) ended, or any."""
        if not isinstance(feature, str):
            return feature
        fields = self._fields()
        listed = items(fields["features"])
        named = [index for index, each in enumerate(listed) if each == feature or title_of(each, index) == feature]
        if not named:
            raise NotFoundError(f"{self.state_file}: there is no item {feature!r:.200} in this batch")
        found = standing(fields)
        own = [] if len(named) == 1 else [index for index in self.at_work() if index in named]
        fitting = [index for index in named if found.has_ended(index) == ended]
        return (own or fitting or named)[0]

    def _titles(self, indices: Sequence[int] | frozenset[int]) -> list[str]:
        titles = self.features
        return [titles[index] for index in sorted(indices)]

    def _told(self, outcome: str) -> list[dict[str, Any]]:
        return [
            {
                "feature": item.title,
                "index": item.index,
                "error": item.error or "",
                "timestamp": item.at,
                "retries": item.tries or 0,
            }
            for item in view(self._fields()).items
            if item.outcome == outcome
        ]


__all__ = ["BatchState", "BatchStateManager"]

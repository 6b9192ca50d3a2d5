"""A batch state in a file: what is read stays at hand, and what changes is written into the text.

Its owner has no place for who is at work on which item. That is kept beside it, in `.NAME.statewatch-batch.json`, under
the same lock, and is written after the batch: a program that is killed in between is remembered as being at work on an
item that has ended, which means nothing.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from statewatch.core import copies
from statewatch.core.errors import ConflictError, RefusedError, SourceError
from statewatch.core.lock import TIMEOUT, host
from statewatch.core.members import Members
from statewatch.core.processes import still_runs
from statewatch.core.reading import Snapshot, signature
from statewatch.core.rewriting import NOWHERE, Rewritten, present, rewrite
from statewatch.core.side_file import SideFile
from statewatch.core.stores.drafts import Displaced, Draft
from statewatch.core.stores.file import FileStore
from statewatch.documents import codec
from statewatch.documents.values import JSON
from statewatch.kinds.batch_flight import Worker, flight_of, in_flight
from statewatch.kinds.words import RefusedError as Refusal
from statewatch.kinds.words import mapping

if TYPE_CHECKING:
    from statewatch.documents.parts import Parts

T = TypeVar("T")

_BESIDE: Final = ".statewatch-batch.json"
_LARGE: Final = 64 * 1024
"""Bytes from which on the text of a batch is kept, so that the next one costs as much as what has changed."""


class Done(NamedTuple, Generic[T]):
    """What is to become of a batch and of who is at work on it, and what comes of that."""

    document: JSON
    workers: dict[int, Worker]
    result: T


class BatchFile(FileStore):
    """The file of a batch, and who is at work on its items."""

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        super().__init__(path, timeout)
        self._text: Members | None = None
        self._parts: Parts | None = None
        self._beside: tuple[Path, FlightFile] | None = None

    def peek(self) -> JSON:
        """Return the document, which is shared. Raises SourceError, also where there is no file."""
        if signature(self.path) is None:
            raise SourceError(self.path, "there is no such file", missing=True)
        return self._current()

    def at_work(self) -> dict[int, Worker]:
        """Return the items that are at work, and by whom. Raises SourceError."""
        return in_flight(self._flight_file(self._real()).held(), self.peek())

    def call(
        self, plan: Callable[[JSON, dict[int, Worker]], Done[T]], operation: str, batch_id: str | None = None
    ) -> T:
        """Carry out what *plan* makes of the batch and of who is at work on it; it may be asked more than once.

        Raises SourceError where there is no file or it cannot be read, ConflictError where it holds another batch than
        *batch_id*, and RefusedError and LockedError as all writing does.
        """

        def work(real: Path) -> T:
            beside = self._flight_file(real)
            flight = beside.held()

            def draft(snapshot: Snapshot) -> Draft[Done[T]]:
                if snapshot.signature == NOWHERE:
                    raise SourceError(self.path, "there is no such file", missing=True)
                raw = self._raw(snapshot)
                self._refuse_another(raw, batch_id)
                done = plan(raw, in_flight(flight, raw))
                if done.document is raw:
                    return Draft(snapshot, snapshot.data, False, raw, done)
                return Draft(snapshot, self._told(snapshot, raw, done.document), True, done.document, done)

            try:
                written: Rewritten[Draft[Done[T]]] = rewrite(real, draft, Displaced(lambda: self.source), self._known)
            except Refusal as error:
                raise RefusedError(f"{self.source}: {error}") from None
            self._remember(real, written)
            done = written.plan.result
            if done.workers != in_flight(flight, done.document) or (flight and not done.workers):
                beside.put(flight_of(done.document, done.workers))
            return done.result

        return self._exclusively(operation, work)

    def create_batch(self, document: JSON) -> None:
        """Write a new batch. Raises ConflictError where there is a file already."""

        def draft(snapshot: Snapshot) -> Draft[None]:
            if snapshot.signature != NOWHERE:
                raise ConflictError(f"{self.path}: there is a file already, so no batch was created. Name another one.")
            return Draft(snapshot, codec.encode(document, known=True), True, document, None)

        self._exclusively("create a batch", lambda real: rewrite(real, draft, Displaced(lambda: self.source)))

    def remove(self) -> bool:
        """Delete the file, and what is kept beside it; tell whether there was one. A safety copy of it is kept."""

        def work(real: Path) -> bool:
            gone = False
            if (there := present(real)).signature != NOWHERE:
                copies.keep(self.source, self._version(there), time.time())
            for path in (real, self._flight_file(real).path):
                try:
                    os.unlink(path)  # noqa: PTH108
                    gone = gone or path == real
                except FileNotFoundError:
                    continue
            return gone

        return self._exclusively("delete the batch", work)

    def _refuse_another(self, raw: JSON, batch_id: str | None) -> None:
        there = mapping(raw).get("batch_id")
        if batch_id is not None and there != batch_id:
            raise ConflictError(
                f"{self.path}: it holds the batch {there!r:.100} now, not {batch_id!r:.100}, so nothing was written. "
                "Somebody has put another batch in its place."
            )

    def _told(self, base: Snapshot, raw: JSON, document: JSON) -> bytes:
        """Return the changed document as text: what stayed is not written anew where the layout is known."""
        text, self._text = self._text, None
        if text is None or text.data is not base.data:
            text = self._taken_apart(base, raw)
        if text is None or not isinstance(document, dict):
            return self._encoded(base, raw, document)
        self._text = text.changed(document)
        self._parts = self._text.parts if len(self._text.data) >= _LARGE else None
        return self._text.data

    def _taken_apart(self, base: Snapshot, raw: JSON) -> Members | None:
        if self._parts is not None and self._parts.document is raw:
            return Members.taken(self._parts, base.data, self._style(base))
        return Members.of(raw, base.data, self._style(base))

    def _decoded(self, snapshot: Snapshot) -> JSON:
        """Return the document in the file; of a large one what stayed is not read anew. Raises SourceError."""
        if len(snapshot.data) < _LARGE:
            self._parts = None
            return super()._decoded(snapshot)
        from statewatch.documents.parts import parts_of  # noqa: PLC0415 - 10 ms that few files are worth

        self._parts = parts_of(snapshot.data, self._parts)
        return super()._decoded(snapshot) if self._parts is None else self._parts.document

    def _flight_file(self, real: Path) -> "FlightFile":
        if self._beside is None or self._beside[0] != real:
            self._beside = real, FlightFile(flight_file(real), self._timeout)
        return self._beside[1]


class FlightFile(SideFile):
    """Who is at work on the items of a batch; written under the lock of that, and empty while missing."""

    def held(self) -> JSON:
        """Return the document. What cannot be read is nothing: whoever is at work says so again."""
        try:
            return {} if signature(self.path) is None else self._current()
        except SourceError:
            return {}


def flight_file(real: Path) -> Path:
    """Return the file beside a batch, which is no link, that says who is at work."""
    return real.with_name(f".{real.name}{_BESIDE}")


def lives(worker: Worker) -> bool:
    """Tell whether a worker is still there; of another host that is not known, so it counts as there."""
    return worker.host != host() or still_runs(worker.pid, worker.since)

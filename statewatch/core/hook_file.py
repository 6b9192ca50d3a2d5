"""A hook state in a file: what is read stays at hand, and what is recorded is spliced into the text.

What its owner does not know is kept beside it, under the same lock: the extras of its circuits in
`.NAME.statewatch-circuits.json`, and their history in `.NAME.statewatch-circuits.jsonl`, which is only appended to.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import orjson

from statewatch.core import rotating
from statewatch.core.beside import extras_file, history_file
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.extras_file import ExtrasFile
from statewatch.core.reading import Snapshot
from statewatch.core.rewriting import NOWHERE, Rewritten, rewrite
from statewatch.core.splicing import Text, as_written
from statewatch.core.stores.drafts import Displaced, Draft
from statewatch.core.stores.file import FileStore
from statewatch.documents import codec
from statewatch.documents.values import JSON
from statewatch.kinds import breaker
from statewatch.kinds.circuit_calls import Called, Event

T = TypeVar("T")


class HookFile(FileStore):
    """A hook state file, and what is kept beside it."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__(path, timeout)
        self._text: Text | None = None
        self._counted: tuple[JSON, int] | None = None
        self._beside: tuple[Path, ExtrasFile] | None = None
        self._log_end = -1

    # --- reading: what is returned is shared, and must not be changed

    def peek(self) -> JSON:
        """Return the document as it is now, an empty object where there is no file. Raises SourceError."""
        return self._current()

    def extras(self) -> JSON:
        """Return what is kept beside the circuits. Raises SourceError when that cannot be read."""
        return self._extras_file(self._real()).held()

    def events(self) -> Iterator[Event]:
        """Yield the history, newest first, without lines that are damaged. Raises SourceError."""
        for line in rotating.lines_from_the_end(history_file(self._real())):
            with contextlib.suppress(ValueError, RecursionError):
                told = json.loads(line)
                if isinstance(told, dict):
                    yield told

    # --- writing

    def call(self, plan: Callable[[JSON, JSON, int | None], Called[T]], operation: str, *, strict: bool) -> T:
        """Carry out what *plan* makes of the document, of what is kept beside it, and of the count of open circuits.

        *plan* may be asked more than once. The document is written first. Where the extras cannot be written then,
        that is raised when *strict*, else it is passed over: what was counted must not be counted again.
        """

        def work(real: Path) -> T:
            beside = self._extras_file(real)
            extras = beside.held()

            def draft(snapshot: Snapshot) -> Draft[Called[T]]:
                raw = self._raw(snapshot)
                called = plan(raw, extras, self._count(raw))
                if called.document is raw:
                    return Draft(snapshot, snapshot.data, False, raw, called)
                return Draft(snapshot, self._told(snapshot, raw, called), True, called.document, called)

            done: Rewritten[Draft[Called[T]]] = rewrite(real, draft, Displaced(lambda: self.source), self._known)
            called = done.plan.result
            self._remember(real, done)
            if called.opened is not None:
                self._counted = called.document, called.opened
            if called.extras is not extras:
                self._keep_extras(beside, called.extras, strict=strict)
            if called.events:
                self._log(real, called.events)
            return called.result

        return self._exclusively(operation, work)

    def create_state(self, blank: JSON) -> None:
        """Write *blank* where there is no file, and make its directory. Raises RefusedError where that cannot be."""
        if os.path.lexists(self.path):
            return

        def draft(snapshot: Snapshot) -> Draft[None]:
            missing = snapshot.signature == NOWHERE
            raw = blank if missing else None
            return Draft(snapshot, codec.encode(blank) if missing else snapshot.data, missing, raw, None)

        self._exclusively("create the hook state", lambda real: rewrite(real, draft, Displaced(lambda: self.source)))

    def _told(self, base: Snapshot, raw: JSON, called: Called[T]) -> bytes:
        """Return the changed document as text: spliced, or where it is not as we write it, what changed anew."""
        document = called.document
        assert isinstance(document, dict)
        text, self._text = self._text, None
        if text is not None and text.data is base.data:
            hooks = breaker.hooks_in(document)
            changed = {name: hooks[name] for name in called.hooks}
            text = text.spliced("hooks", changed, breaker.hooks_in(raw), "global_stats", document["global_stats"])
            if text is not None:
                self._text = text
                self._plain = text.data
                return text.data
        data = self._encoded(base, raw, document)
        self._text = as_written(data, self._style(base)) if data is self._plain else None
        return data

    def _count(self, raw: JSON) -> int | None:
        return self._counted[1] if self._counted is not None and self._counted[0] is raw else None

    def _keep_extras(self, beside: ExtrasFile, extras: JSON, *, strict: bool) -> None:
        try:
            beside.put(extras)
        except (RefusedError, SourceError):
            if strict:
                raise

    def _log(self, real: Path, events: tuple[Event, ...]) -> None:
        lines = b"\n".join(map(_line, events))
        try:
            self._log_end = rotating.add_alone(history_file(real), lines, self._log_end)
        except OSError:  # what happened is counted; a full disk must not undo that
            self._log_end = -1

    def _extras_file(self, real: Path) -> ExtrasFile:
        if self._beside is None or self._beside[0] != real:
            self._beside = real, ExtrasFile(extras_file(real), self._timeout)
        return self._beside[1]


def _line(event: Event) -> bytes:
    try:
        return orjson.dumps(event)
    except orjson.JSONEncodeError:  # half a surrogate pair
        return json.dumps(event).encode()

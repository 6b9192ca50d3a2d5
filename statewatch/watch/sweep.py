"""Reading what changed: one pass over all files that are known, or over those that somebody named.

Holds no thread and never waits; who drives it decides when the next pass is. One file that cannot be made sense of,
however it manages that, never stops the rest.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from statewatch.core import reading
from statewatch.core.errors import SourceError
from statewatch.core.policy import SETTINGS
from statewatch.core.reading import Signature, Snapshot
from statewatch.watch import board as boards
from statewatch.watch.board import Board, Observation
from statewatch.watch.contents import Reader
from statewatch.watch.discovery import Candidate, Expectation, expectation
from statewatch.watch.memory import Memory
from statewatch.watch.picture import Picture, Revision, Watching
from statewatch.watch.policies import Policies
from statewatch.watch.scope import Scope
from statewatch.watch.settling import Doubt, doubt
from statewatch.watch.tree import Identity, Tree

Record: TypeAlias = Callable[[str, bytes, float, float], None]
"""Takes a revision for the history: its source, its bytes, when it was written and when it was seen."""

COARSE, FINE = 2.0, 0.01
"""Seconds within which two writes may leave a file with the same times, by the file system's resolution."""

_COSTLY = 0.02
_SHARE = 10  # a file that costs more than 20 ms to read is read for at most a tenth of the time


@dataclass(slots=True)
class _File:
    """What is remembered of a file between passes.

    `digest` is that of the last document, `failure` what is being reported instead of it: a digest or a reason.
    `rest_until` is a tick of the monotonic clock, in seconds; `costly` counts the latest reads that took long.
    """

    candidate: Candidate
    stamp: Signature | None = None
    digest: str | None = None
    failure: str | None = None
    doubt: Doubt | None = None
    rest_until: float = 0.0
    costly: int = 0
    reader: Reader = field(default_factory=Reader)
    is_new: bool = True
    is_gone: bool = False


class Sweep:
    """All that is known of the files of a scope, and the board that follows from it.

    `unheard` names the files that the latest pass over everything found changed: whoever listens for notifications
    should have heard of them.
    """

    def __init__(
        self,
        scope: Scope,
        memory: Memory | None = None,
        clock: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.monotonic,
        record: Record | None = None,
    ) -> None:
        self.board = Board()
        self.unheard: set[str] = set()
        self._scope = scope
        self._memory = memory
        self._record = record
        self._clock = clock
        self._tick = tick
        self._tree = Tree(scope.roots)
        self._policies = Policies(scope.environment)
        self._files: dict[str, _File] = {}
        self._labels: set[str] = set()
        self._due: dict[str, float] = {}
        self._links: dict[str, str] = {}
        self._passed = clock()
        self._begun = False
        for path in scope.files:
            self._add(path, expectation(path), explicit=True)
        for path in scope.hook_states:
            if path not in self._files:
                self._add(path, Expectation("hooks", plainly=True))

    def everything(self) -> None:
        """Look at every directory and every file; read those that differ from what is known."""
        self._tree.check()
        self._take_up()
        self.unheard.clear()
        for path, file in list(self._files.items()):
            if file.doubt is not None:
                continue  # it is read again in a moment anyway
            if file.is_new:
                self._read(file)
            elif reading.signature(path) != file.stamp or self._is_no_link_any_more(path):
                if path not in self._links and path not in self._due:
                    self.unheard.add(path)
                self._read(file)
        self._refresh_policies()
        now = self._clock()
        self.board = boards.pass_time(self.board, self._passed, now)
        self._passed = now
        self._let_go()
        self._begun = True

    def at(self, paths: Iterable[str]) -> bool:
        """Look where something happened; tell whether a directory had to be listed again."""
        listed = False
        for path in paths:
            known = self._files.get(path) or self._linked_to(path)
            if known is not None:
                self._read(known)
            elif path.endswith(SETTINGS):
                self._refresh_policies()
            elif self._tree.touch(path):
                listed = True
        if listed:
            self._take_up()
            for file in [each for each in self._files.values() if each.is_new]:
                self._read(file)
        return listed

    def again(self) -> None:
        """Read again the files for which it is time: doubts, and files that were given a rest."""
        now = self._tick()
        for path in [path for path, due in self._due.items() if due <= now]:
            del self._due[path]
            self._read(self._files[path])

    @property
    def next_due(self) -> float | None:
        """Return the tick at which `again` has something to do, or None."""
        return min(self._due.values(), default=None)

    @property
    def in_doubt(self) -> bool:
        """Tell whether a file has failed and it is not settled yet whether to believe it."""
        return any(file.doubt is not None for file in self._files.values())

    @property
    def is_cut_short(self) -> bool:
        """Tell whether there is more in the directories than is looked at."""
        return self._tree.is_cut_short

    @property
    def directories(self) -> dict[str, Identity]:
        """Return the directories in which changes are of interest, those that exist."""
        found = self._tree.directories
        wanted = (*self._scope.files, *self._scope.hook_states, *self._links.values())
        for path in {os.path.dirname(path) for path in wanted} - found.keys():  # noqa: PTH120
            try:
                status = os.stat(path)  # noqa: PTH116
            except (OSError, ValueError):
                continue
            found[path] = (status.st_dev, status.st_ino)
        return found

    def picture(self, watching: Watching) -> Picture:
        """Return the picture of now."""
        return self.board.picture(self._clock(), watching)

    def _take_up(self) -> None:
        for path, expected in self._tree.candidates.items():
            if path not in self._files:
                self._add(path, expected)

    def _add(self, path: str, expected: Expectation | None, *, explicit: bool = False) -> None:
        label = self._scope.label(path)
        if label in self._labels:  # two names may look the same once they are harmless
            label = f"{label} ({len(self._labels)})"
        self._labels.add(label)
        self._files[path] = _File(Candidate(path, label, expected, explicit, at_start=not self._begun))

    def _let_go(self) -> None:
        """Forget files that are gone, shown no longer and listed nowhere."""
        for path, file in list(self._files.items()):
            optional = not file.candidate.explicit and path not in self._scope.hook_states
            if file.is_gone and optional and path not in self._tree.candidates and path not in self.board.tracked:
                del self._files[path]
                self._labels.discard(file.candidate.label)
                self._links.pop(path, None)
                self._due.pop(path, None)
                if self._memory is not None:
                    self._memory.forget(path)

    def _linked_to(self, path: str) -> _File | None:
        return next((self._files[link] for link, real in self._links.items() if real == path), None)

    def _refresh_policies(self) -> None:
        if self._policies.refresh():
            self.board = boards.with_policies(self.board, self._policies.of)

    def _read(self, file: _File) -> None:
        """Read a file and take what it holds to the board."""
        path = file.candidate.path
        now = self._tick()
        if now < file.rest_until:
            self._due[path] = file.rest_until
            return
        self._due.pop(path, None)
        file.is_new = False
        file.stamp = reading.signature(path)
        begun = time.thread_time()
        try:
            self._note_link(file)
            self._take(file, reading.read(Path(path)))
        except SourceError as error:
            content = f"{error.reason}, by a link" if path in self._links else error.reason
            self._doubt(file, content, error.reason, missing=error.missing)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever is in one file, the others go on
            self._doubt(file, repr(error), f"statewatch cannot make sense of it ({type(error).__name__}: {error})")
        cost = time.thread_time() - begun
        file.costly = file.costly + 1 if cost > _COSTLY else 0
        if file.costly > 1:  # once may have been the garbage collector
            file.rest_until = now + cost * _SHARE

    def _take(self, file: _File, snapshot: Snapshot) -> None:
        path, digest = file.candidate.path, snapshot.digest
        if file.failure is None and digest == file.digest:
            file.doubt = None  # touched, or rewritten with the same bytes: no change
        elif file.failure == digest:
            file.doubt = None
        else:
            self._decode(file, snapshot)
        if path not in self._due and (wait := _doubtful_for(snapshot)):
            self._due[path] = self._tick() + wait

    def _decode(self, file: _File, snapshot: Snapshot) -> None:
        try:
            document, flaw = file.reader.document(file.candidate, snapshot)
        except SourceError as error:
            self._doubt(file, snapshot.digest, error.reason)
            if file.failure == snapshot.digest:
                self._keep(file, snapshot)
            return
        now = self._clock()
        revision = Revision(snapshot.digest, now, snapshot.modified_at, len(snapshot.data), document, flaw)
        seen = Observation(file.candidate, now, revision, linked=file.candidate.path in self._links)
        self.board = boards.advance(self.board, seen, self._policies.of)
        file.digest, file.failure, file.doubt, file.is_gone = snapshot.digest, None, None, False
        if self._memory is not None and file.candidate.path in self.board.tracked:
            self._memory.store(file.candidate.path, snapshot.digest, snapshot.data)
        self._keep(file, snapshot)

    def _keep(self, file: _File, snapshot: Snapshot) -> None:
        """Have a revision of something that is shown recorded, also one that is no JSON."""
        path = file.candidate.path
        if self._record is not None and path in self.board.tracked:
            self._record(path, snapshot.data, snapshot.modified_at, self._clock())

    def _doubt(self, file: _File, content: str, reason: str, *, missing: bool = False) -> None:
        """Take note of a failure, and report it once it has lasted without the file being touched."""
        if missing and not file.candidate.explicit:
            file.candidate = replace(file.candidate, at_start=False)
        if content == file.failure:
            file.doubt = None
            return
        file.doubt = doubt(file.doubt, f"{content} {file.stamp}", self._tick(), self._untouched(file.candidate.path))
        if not file.doubt.is_believed:
            self._due[file.candidate.path] = max(file.doubt.next_try, file.rest_until)
            return
        file.doubt, file.failure, file.is_gone = None, content, missing
        linked = file.candidate.path in self._links
        seen = Observation(file.candidate, self._clock(), reason=reason, gone=missing, linked=linked)
        self.board = boards.advance(self.board, seen, self._policies.of)

    def _untouched(self, path: str) -> float:
        """Return for how many seconds at least nobody has written a file, or removed it where it is missing."""
        if path in self._links:  # which may have been turned elsewhere meanwhile
            return 0.0
        there = reading.signature(path) or reading.signature(os.path.dirname(path))  # noqa: PTH120
        return 0.0 if there is None else max(0.0, self._clock() - max(there.mtime_ns, there.ctime_ns) / 1e9 - COARSE)

    def _is_no_link_any_more(self, path: str) -> bool:
        """Tell whether a link has gone: one that led nowhere looks the same before and after."""
        return path in self._links and not os.path.islink(path)  # noqa: PTH114

    def _note_link(self, file: _File) -> None:
        path, was = file.candidate.path, file.candidate.path in self._links
        if os.path.islink(path):  # noqa: PTH114
            self._links[path] = os.path.realpath(path)
        else:
            self._links.pop(path, None)
        if was != (path in self._links):
            file.digest = file.failure = None  # the same content may mean something else now


def _doubtful_for(snapshot: Snapshot) -> float:
    """Return in how many seconds to read again because a second write might not show in the file's times; 0 if not."""
    age = time.time() - snapshot.modified_at
    coarse = snapshot.signature.mtime_ns % 1_000_000_000 == 0
    if not 0 <= age < (COARSE if coarse else FINE):
        return 0.0
    return COARSE if coarse else 5 * FINE

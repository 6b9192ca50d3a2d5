"""A state file of an agent's tool: changed as a whole under its lock, made where it is missing, deleted with a copy.

Its owners refuse symbolic links, so no link is followed here either, neither the file nor a directory of its project.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from statewatch.core import copies
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.reading import Snapshot, kind_of_file, signature
from statewatch.core.rewriting import NOWHERE, Rewritten, present, rewrite
from statewatch.core.stores.drafts import Displaced, Draft
from statewatch.core.stores.file import FileStore
from statewatch.documents import codec
from statewatch.documents.values import JSON, NotJSONError, private
from statewatch.kinds.words import RefusedError as Refusal

MARKS: Final = (".git", ".claude")
"""What the root of a project has, one of them at least."""

Plan: TypeAlias = Callable[[JSON], JSON]
"""From a document, None where there is no file, to what the file shall hold: the same object for no change."""


class AgentFile(FileStore):
    """A state file of an agent's tool. *within* is the directory below which no symbolic link may be on the way."""

    def __init__(self, path: Path, within: Path | None = None) -> None:
        refuse_odd_path(path)
        super().__init__(path)
        self._within = None if within is None else within.absolute()

    def held(self) -> JSON:
        """Return the document, None where there is no file; it is shared. Raises SourceError and RefusedError."""
        self.refuse_links()
        return None if signature(self.path) is None else self._current()

    def change(self, plan: Plan, operation: str, *, repairs: bool = False) -> JSON:
        """Make the file hold what *plan* makes of it, and return that; *plan* may be asked more than once.

        One that *repairs* is asked as if there were no file where it cannot be read; a safety copy is kept of that.
        Raises SourceError, RefusedError and LockedError.
        """

        def draft(snapshot: Snapshot) -> Draft[JSON]:
            before = self._before(snapshot, repairs=repairs)
            try:
                after = plan(before)
                if after is before and snapshot.signature != NOWHERE:
                    return Draft(snapshot, snapshot.data, False, before, before)
                after = private(after)
            except (Refusal, NotJSONError) as error:
                raise RefusedError(f"{self.path}: {error}. Nothing was written.") from None
            data = codec.encode(after) if before is None else self._encoded(snapshot, before, after)
            return Draft(snapshot, data, data != snapshot.data, after, after)

        def work(real: Path) -> JSON:
            written: Rewritten[Draft[JSON]] = rewrite(real, draft, Displaced(lambda: self.source), self._known)
            self._remember(real, written)
            return written.plan.result

        self.refuse_links()
        return self._exclusively(operation, work)

    def keep(self) -> None:
        """Keep a safety copy of the file as it is, whatever it holds. Raises RefusedError when it cannot be kept."""
        there = present(self.path)
        if there.signature != NOWHERE:
            copies.keep(self.source, there, time.time())

    def remove(self, operation: str) -> bool:
        """Delete the file, and keep a safety copy of it; tell whether there was one."""

        def work(real: Path) -> bool:
            self.keep()
            try:
                real.unlink()
            except FileNotFoundError:
                return False
            except OSError as error:
                raise RefusedError(f"{real}: it cannot be deleted ({os.strerror(error.errno or 0)})") from None
            return True

        self.refuse_links()
        return signature(self.path) is not None and self._exclusively(operation, work)

    def refuse_links(self) -> None:
        """Raise RefusedError where a symbolic link is on the way, or anything but a file is at the end of it."""
        below = [self.path]
        if self._within is not None and self.path.is_relative_to(self._within):
            below += [each for each in self.path.parents if each != self._within and each.is_relative_to(self._within)]
        link = next((each for each in below if os.path.islink(each)), None)  # noqa: PTH114 - never raise
        if link is not None:
            raise RefusedError(f"{link}: it is a symbolic link, and state files are not reached through one")

    def _before(self, snapshot: Snapshot, *, repairs: bool) -> JSON:
        if snapshot.signature == NOWHERE:
            return None
        try:
            return self._raw(snapshot)
        except SourceError:
            if not repairs:
                raise
            copies.keep(self.source, snapshot, time.time())
            return None


def refuse_odd_path(path: Path) -> None:
    """Raise RefusedError for a path that leads out of where it begins, or cannot be one."""
    text = os.fspath(path)
    if ".." in path.parts:
        raise RefusedError(f"{text!r:.200}: a path with '..' in it is not followed")
    if "\0" in text or len(os.fsencode(text)) > 4_000:
        raise RefusedError(f"{text!r:.200}: this cannot be a path")


def project_root(directory: Path | None = None) -> Path | None:
    """Return the root of the project that a directory is in (the current one by default), None where it is in none.

    It is the nearest directory with `.git` or `.claude`. The home is one only for who stands in it.
    """
    try:
        start = (Path.cwd() if directory is None else directory).absolute()
    except OSError:  # it was deleted under us
        return None
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - never raise
    for each in (start, *start.parents):
        if each == home and each != start:
            return None
        if any(kind_of_file_or_none(each / mark) is not None for mark in MARKS):
            return each
    return None


def kind_of_file_or_none(path: Path) -> int | None:
    """Return what is at *path* itself, None when nothing is or that cannot be told."""
    try:
        return kind_of_file(path)
    except SourceError:
        return None

"""Taking a whole file away: a run that is over, a marker that is stale. What it held is kept, and can be put back."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from statewatch.core.actions import Action
from statewatch.core.audit import Record
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.reading import Signature, Snapshot, read
from statewatch.core.standing import UNDO
from statewatch.core.stores.base import Keeper, P, Version
from statewatch.core.stores.file import FileStore
from statewatch.core.swap import lasting, move, temporary_name
from statewatch.documents.values import JSON
from statewatch.kinds import base
from statewatch.kinds.base import Change
from statewatch.kinds.times import span

REMOVE: Final = "remove"
"""The name of the action, in the audit log too."""

NOTHING: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The digest of what holds nothing: of an empty file, and of one that is not there."""

_ATTEMPTS: Final = 10
_AT_WORK: Final = 60.0
"""Seconds within which a file that was written probably has a writer who will write it again."""
_EVERYWHERE = (((),),)


def remove_action(path: Path, *, why: str = "", via: str = "library", group: str | None = None) -> Action:
    """Return the action that takes the file at *path* away: any file that can be read, JSON or not."""
    return _leaving(path, REMOVE, why, via, group, None)


def taking_back(record: Record, name: str, *, why: str = "", via: str = "library", group: str | None) -> Action | None:
    """Return the action *name* that takes *record* back where that is about a whole file; None where it is not.

    What was removed is put back, and a file that was not there before is removed, if it is still as it was made. The
    record of an empty file has the same digest before and after; what undid its removal has put it back.
    """
    path = Path(record.source)
    if not path.is_absolute():  # a namespace of a store
        return None
    if record.after == NOTHING and not (record.before == NOTHING and record.action.startswith(UNDO)):
        return _putting_back(record, path, name, why, via, group)
    if record.before == NOTHING and not record.copy and _digest(path) == record.after:  # an empty file has a copy
        return _leaving(path, name, why, via, group, record.id)
    return None


def _putting_back(record: Record, path: Path, name: str, why: str, via: str, group: str | None) -> Action:
    kept = _kept(record)

    def transform(document: JSON, now: float) -> Change:  # noqa: ARG001 - what was, was
        if kept is None:
            where = f"the copy {record.copy} cannot be read" if record.copy else "nothing was kept"
            raise base.RefusedError(f"{record.id} cannot be taken back: {where}")
        if document != {}:
            raise base.RefusedError(f"it is there again, and may hold news; what was removed is in {record.copy}")
        return Change(name, tuple(record.targets), kept.document(), ())

    store = FileStore(path).made_anew()
    return Action(store, transform, name, why, via, record.id, exact=True, like=kept, group=group)


class _Whole(Snapshot):
    """A version of any file: what is no JSON is a text, of which no more is known."""

    def document(self) -> JSON:
        try:
            return super().document()
        except SourceError:
            return self.data.decode("latin-1")


class _Leaving(FileStore):
    """A file as an action sees it that takes it away."""

    def version(self) -> Version:
        return _seen(self.path)

    def rendered(self, base: Version, document: JSON, now: float) -> bytes:  # noqa: ARG002 - nothing is left
        return b""

    def rewrite(self, planner: Callable[[Version], P], keeper: Keeper[P], operation: str) -> P:
        """Take the file away, as it was planned on; see `Store.rewrite`."""
        self.refuse_read_only(operation)
        self.version()  # what is not there needs no lock, and no directory for one

        def work(real: Path) -> P:
            for _ in range(_ATTEMPTS):
                found = _seen(real)
                plan = planner(found)
                keeper.before(plan)
                if _gone(real, found.signature):
                    return plan
            raise RefusedError(f"{real}: another program writes it so fast that no gap was found. Try again.")

        return self._exclusively(operation, work)


def _leaving(path: Path, name: str, why: str, via: str, group: str | None, undoes: str | None) -> Action:
    def transform(document: JSON, now: float) -> Change:  # noqa: ARG001 - whatever it holds
        return Change(name, (path.name,), None, _EVERYWHERE, _notes(path, now))

    return Action(_Leaving(path), transform, name, why, via, undoes, exact=True, group=group, removes=True)


def _seen(path: Path) -> _Whole:
    """Read a file that is to go. Raises SourceError, and RefusedError for a link: what it leads to is not meant."""
    if path.is_symlink():
        raise RefusedError(
            f"{path}: it is a symbolic link to {os.path.realpath(path)}. Name that file, or delete the link yourself."
        )
    found = read(path)
    return _Whole(found.path, found.data, found.signature)


def _gone(real: Path, expected: Signature) -> bool:
    """Take the file away if it is the *expected* version; tell whether it was. Raises RefusedError."""
    aside = Path(temporary_name(real))
    try:
        with lasting(real):
            move(real, aside)
            if Signature.of(aside.lstat()).content == expected.content:
                aside.unlink()
                return True
            move(aside, real)
    except FileNotFoundError:
        return False
    except FileExistsError:  # another was put there meanwhile: what is aside is older, and is kept by the next action
        return False
    except OSError as error:
        raise RefusedError(f"{real}: cannot be removed ({os.strerror(error.errno or 0)}).") from None
    return False


def _digest(path: Path) -> str | None:
    try:
        return read(path).digest
    except SourceError:
        return None


def _kept(record: Record) -> _Whole | None:
    if not record.copy:
        return None
    try:
        found = read(Path(record.copy))
    except SourceError:
        return None
    return _Whole(found.path, found.data, found.signature)


def _notes(path: Path, now: float) -> tuple[str, ...]:
    try:
        age = now - path.stat().st_mtime
    except OSError:
        return ()
    if not 0 <= age < _AT_WORK:
        return ()
    return (f"it was written {span(age)} ago: whoever is at work on it will miss it, or write it again",)

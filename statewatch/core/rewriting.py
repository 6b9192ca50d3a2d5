"""Rewriting a file that others may be writing too: compare, exchange, and look at what was displaced.

The caller holds the lock, which keeps out every writer of statewatch. Others take no lock, so they may come in at any
point; then the change is planned anew on what is there now, and what they had written is carried forward or kept.
"""

import contextlib
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from statewatch.core import copies
from statewatch.core.errors import RefusedError, SourceError, StatewatchError, UnknownOutcomeError
from statewatch.core.reading import Signature, Snapshot, kind_of_file, read
from statewatch.core.swap import Replacement, create, leftovers, swap

_CAREFUL: Final = 10
"""How often the file may change under our hands before we go ahead and deal with what we displace."""
_ATTEMPTS: Final = 20

NOWHERE: Final = Signature(0, 0, -1, 0, 0)
"""The signature of a file that is not there."""


class Plan(Protocol):
    """What a planner makes of a version of the file."""

    @property
    def base(self) -> Snapshot:
        """Return the version it was made for."""
        ...

    @property
    def data(self) -> bytes:
        """Return the file as it shall be."""
        ...

    @property
    def changed(self) -> bool:
        """Tell whether that is anything new."""
        ...


P = TypeVar("P", bound=Plan)
P_contra = TypeVar("P_contra", bound=Plan, contravariant=True)


class Keeper(Protocol[P_contra]):
    """What is kept on the way."""

    def before(self, plan: P_contra) -> None:
        """Keep what *plan* is about to change. Raises RefusedError when it must not be done then."""
        ...

    def displaced(self, snapshot: Snapshot) -> None:
        """Keep a version of another writer whose place ours has taken."""
        ...


class Rewritten(NamedTuple, Generic[P]):
    """What became of it: the plan that was carried out last, and the file's signature then, None if nothing was."""

    plan: P
    signature: Signature | None = None


def present(path: Path) -> Snapshot:
    """Read the file at *path*; an empty snapshot when there is none. Raises SourceError as `read` does."""
    try:
        return read(path)
    except SourceError as error:
        if error.missing:
            return Snapshot(path, b"", NOWHERE)
        raise


def rewrite(
    real: Path, planner: Callable[[Snapshot], P], keeper: Keeper[P], look: Callable[[Path], Snapshot] = present
) -> Rewritten[P]:
    """Put what *planner* makes of the file in its place; it is asked again for each version that comes in between.

    *look* reads the file. Raises what *planner*, *keeper* and *look* raise (nothing was changed then, or what we had
    displaced was put back) and RefusedError when it cannot be written.
    """
    done: Rewritten[P] | None = None  # what we have written so far, over a version that we had not seen
    left: tuple[Signature, Snapshot] | None = None  # our version then, and theirs, which is to be carried forward
    file = os.fspath(real)
    with contextlib.ExitStack() as displaced:
        for attempt in range(_ATTEMPTS):
            try:
                base, on_disk = _next(real, look, left)
                plan = planner(base)
                if not plan.changed and is_same_file(base.signature, on_disk):
                    return done or Rewritten(plan)
                written = _write(file, plan, on_disk, keeper, displaced, forced=attempt >= _CAREFUL)
            except SourceError:  # what another wrote meanwhile cannot be read
                if done is None:
                    raise
                return done
            if isinstance(written, Signature):
                return Rewritten(plan if plan.changed or not done else done.plan, written)
            if written is not None:
                done, left = Rewritten(plan, written[0]), written
    if done is None:
        raise RefusedError(f"{real}: another program writes or deletes it so fast that no gap was found. Try again.")
    return done


def _next(
    real: Path, look: Callable[[Path], Snapshot], left: tuple[Signature, Snapshot] | None
) -> tuple[Snapshot, Signature]:
    """Return the version to plan on, and what is on disk.

    Where somebody wrote between our look and the exchange theirs is the newer truth: the change is made once more on
    top of it, or on top of what they have written since. Raises SourceError when there is nothing that can be read.
    """
    if left is None:
        base = look(real)
        return base, base.signature
    ours, theirs = left
    if _is_there(os.fspath(real), ours):
        return theirs, ours
    current = read(real)
    return theirs if is_same_file(current.signature, ours) else current, current.signature


def is_same_file(left: Signature, right: Signature) -> bool:
    """Tell whether two signatures are of the same content, for all that can be seen without reading it."""
    return left.content == right.content


def _write(
    real: str, plan: P, expected: Signature, keeper: Keeper[P], displaced: contextlib.ExitStack, *, forced: bool
) -> Signature | tuple[Signature, Snapshot] | None:
    """Put what is planned in place of the *expected* version; None, and nothing done, when that is no longer there.

    When *forced* it is put in place of whatever is there. Returns the signature of ours, and the version of another
    that it displaced where that is not the expected one: it stays beside the file until *displaced* is left, and is put
    back if that fails.
    """
    with Replacement(real, plan.data) as new:
        ours = new.signature
        keeper.before(plan)
        if not (forced or _is_there(real, expected)):
            return None
        if expected == NOWHERE:
            return ours if create(new.file, real) else None
        try:
            exchanged = swap(new.file, real, or_replace=not forced)
        except FileNotFoundError:  # deleted at the last moment
            return None
        if not exchanged or _is_there(new.file, expected):
            return ours
        new.hand_over(displaced)
    beside = Path(new.file)
    displaced.push(lambda failure, *_: _give_back(real, ours, beside) if failure else None)
    theirs = _version_of_another(real, beside)
    if is_same_file(theirs.signature, expected):  # only the look at it had failed
        return ours
    with contextlib.suppress(RefusedError):  # no room for a copy: it is carried forward, or given back
        keeper.displaced(theirs)
    return ours, theirs


def _version_of_another(real: str, beside: Path) -> Snapshot:
    """Read what was displaced. Raises RefusedError for what is no version that could be carried forward."""
    try:
        if kind_of_file(beside) != stat.S_IFLNK:
            return read(beside)
        reason = "it is a symbolic link"
    except SourceError as error:
        reason = error.reason
    raise RefusedError(f"{real}: another program has just put something else there ({reason}). Nothing was changed.")


def _is_there(file: str, version: Signature) -> bool:
    """Tell whether *version* is at *file* itself: a link is no version of a file."""
    try:
        return Signature.of(os.lstat(file)).content == version.content
    except OSError:
        return version == NOWHERE


def _give_back(real: str, ours: Signature, beside: Path) -> None:
    """Put back the version of another writer that ours displaced, unless somebody has written since.

    Raises UnknownOutcomeError when that is not possible.
    """
    if not _is_there(real, ours):
        return
    try:
        swap(str(beside), real)
    except OSError as error:
        raise UnknownOutcomeError(
            f"{real}: another program wrote it meanwhile, and its version could not be put back in place of ours "
            f"({os.strerror(error.errno or 0)}). Look at both: the safety copies of the file hold it."
        ) from None


def clear_leftovers(real: Path) -> None:
    """Clear away what killed processes left, but keep it: it may be a version that they displaced."""
    for temporary in leftovers(real.parent, real.name):
        try:
            if kind_of_file(temporary) == stat.S_IFREG:  # anything else is not from us
                _keep_whole(real, read(temporary))
                temporary.unlink()
        except (OSError, StatewatchError):  # it may be looked at again
            continue


def _keep_whole(real: Path, snapshot: Snapshot) -> None:
    """Keep a version unless it was never finished. Raises RefusedError when it cannot be kept."""
    try:
        snapshot.document()
    except SourceError:
        return
    copies.keep(real, snapshot, time.time())

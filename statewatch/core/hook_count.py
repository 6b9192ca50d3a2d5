"""Counting in a hook state file that a run of a hook changed no state: the other half of `hook_glance`.

It goes through the same lock, the same exchange and the same pure functions as `recording`, so that the file comes out
the same, whichever does it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from statewatch.core.hook_glance import T, extras_of, told
from statewatch.core.lock import TIMEOUT, locked
from statewatch.core.premises import refuse_read_only
from statewatch.core.rewriting import NOWHERE, clear_leftovers, rewrite
from statewatch.core.stores.drafts import Displaced
from statewatch.documents import codec
from statewatch.kinds import circuit_calls
from statewatch.kinds.words import mapping

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from statewatch.core.reading import Snapshot
    from statewatch.documents.values import JSON
    from statewatch.kinds.circuit_calls import Called, Run
    from statewatch.kinds.policy import Policy

_LARGEST: Final = 1024 * 1024
"""Bytes of a hook state up to which it is quicker to write it here than to load what is quick with large ones."""


def counted(path: Path, run: Run, policy: Policy, clock: Callable[[], float], timeout: float = TIMEOUT) -> bool:
    """Count a run of a hook, where that changes no state; tell whether that was so, else nothing was done.

    Raises SourceError, RefusedError and LockedError as `recording` does; nothing was counted then.
    """
    if run.error is not None or os.path.islink(path) or not os.path.exists(path):  # noqa: PTH110, PTH114
        return False
    operation = "record how hooks ran"
    refuse_read_only(path, operation)
    with locked(path, operation, timeout):
        clear_leftovers(path)
        extras = extras_of(path)

        def planner(snapshot: Snapshot) -> _Plan:
            document: JSON = {} if snapshot.signature == NOWHERE else snapshot.document()
            called = told(path, lambda: circuit_calls.record(document, extras, (run,), clock(), policy))
            data = None if called.events or called.extras is not extras else _spliced(snapshot.data, document, called)
            if data is None:
                raise _MoreThanThatError
            return _Plan(snapshot, data, True)

        try:
            rewrite(path, planner, Displaced(lambda: os.path.realpath(path)))
        except _MoreThanThatError:
            return False
    return True


class _MoreThanThatError(Exception):
    """What is to be done is not for here."""


class _Plan(NamedTuple):
    base: Snapshot
    data: bytes
    changed: bool


def _spliced(data: bytes, before: JSON, called: Called[T]) -> bytes | None:
    """Return the text of the file with the records that changed in place of the old ones; None where that is not sure.

    Every other byte stays as it is.
    """
    if len(data) > _LARGEST:
        return None
    style = codec.Style(ascii_only=data.isascii())
    for place in (*(("hooks", hook) for hook in called.hooks), ("global_stats",)):
        old, new = _member(before, place, style), _member(called.document, place, style)
        if not old or data.count(old) != 1:
            return None
        data = data.replace(old, new)
    # Where the layout is another one, a text that looks the same may have stood elsewhere.
    return data if codec.decode(data) == called.document else None


def _member(document: JSON, place: tuple[str, ...], style: codec.Style) -> bytes:
    """Return the text of a member of an object, as it stands at that depth, name included; nothing without one."""
    owner = document
    for name in place[:-1]:
        owner = mapping(owner).get(name)
    if place[-1] not in mapping(owner):
        return b""
    text = codec.encode({place[-1]: mapping(owner)[place[-1]]}, style)
    return text[1:-2].replace(b"\n", b"\n" + b"  " * (len(place) - 1))

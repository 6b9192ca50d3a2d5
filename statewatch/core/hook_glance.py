"""A hook state file at one glance: whether a hook may run, for a caller that has only just started.

With `hook_count` it does what nearly every run of a hook is: a closed circuit lets it run, and it goes well. That takes
few modules, and hooks pay for each one at each start. Anything more is left to `recording`; the pure functions are the
same.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from statewatch.core.beside import extras_file
from statewatch.core.errors import SourceError
from statewatch.core.reading import read
from statewatch.kinds import circuit_calls
from statewatch.kinds.words import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from statewatch.documents.values import JSON
    from statewatch.kinds.circuit_calls import Called
    from statewatch.kinds.circuit_extras import Decision
    from statewatch.kinds.policy import Policy

T = TypeVar("T")


def decided(path: Path, hook: str, policy: Policy, now: float) -> Decision | None:
    """Return whether *hook* may run, where asking changes nothing; None where `recording` has to be asked.

    Raises SourceError when the file cannot be read, or is no hook state.
    """
    if os.path.islink(path):  # noqa: PTH114 - what is beside it is beside what it leads to
        return None
    document, extras = _document(path), extras_of(path)
    asked = told(path, lambda: circuit_calls.ask(document, extras, hook, now, policy, ""))
    return asked.result if asked.document is document and asked.extras is extras else None


def extras_of(path: Path) -> JSON:
    """Return what is kept beside the records of a hook state that is no link. Raises SourceError."""
    beside = extras_file(path)
    return read(beside).document() if os.path.lexists(beside) else {}


def told(path: Path, call: Callable[[], Called[T]]) -> Called[T]:
    """Return what *call* makes of the file. Raises SourceError where that is no hook state."""
    try:
        return call()
    except RefusedError as error:
        raise SourceError(path, str(error)) from None


def _document(path: Path) -> JSON:
    try:
        return read(path).document()
    except SourceError as error:
        if error.missing:
            return {}
        raise

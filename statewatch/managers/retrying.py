"""Trying again what may pass: a store that is busy, or out of reach for a moment."""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from statewatch.core.errors import LockedError, UnavailableError

T = TypeVar("T")

FIRST_PAUSE: Final = 0.1
"""Seconds before the second try; each further pause is twice as long, and up to half of it is left to chance."""


def retrying(call: Callable[[], T], attempts: int, pause: Callable[[float], None] = time.sleep) -> T:
    """Return what *call* returns, trying at most *attempts* times.

    Only what can pass is tried again: LockedError and UnavailableError, both of which mean that nothing was changed.
    Everything else is raised at once, an unknown outcome above all: a second try could do it twice.
    """
    seconds = FIRST_PAUSE
    for _ in range(attempts - 1):
        try:
            return call()
        except (LockedError, UnavailableError):
            pause(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - spreads those who wait, decides nothing
            seconds *= 2
    return call()

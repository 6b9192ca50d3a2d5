"""What the diff screen compares: two moments of one source."""

from collections.abc import Callable
from dataclasses import dataclass

from statewatch.documents.values import JSON


@dataclass(frozen=True, slots=True)
class Side:
    """One moment: what people call it (`@before-deploy`, `now`), when it was (an instant), how to get its document.

    `load` is called in a thread; it raises StatewatchError where the document cannot be had. `address` names the moment
    on the command line, and is None where it cannot be named there. `is_now` tells the live source from its past.
    """

    label: str
    load: Callable[[], JSON]
    at: float | None = None
    address: str | None = None
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two moments of the source *key* (an absolute path), which people see as *label*."""

    key: str
    label: str
    kind: str
    before: Side
    after: Side

"""What the diff screen compares: two moments of one source."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from statewatch.core.address import Address
from statewatch.core.errors import NotFoundError, StatewatchError
from statewatch.documents.values import JSON
from statewatch.kinds import times
from statewatch.watch.picture import ChangeLine, Picture

if TYPE_CHECKING:
    from statewatch.core.stores.base import Store


@dataclass(frozen=True, slots=True)
class Side:
    """One moment: what people call it (`@before-deploy`, `now`), when it was (an instant), how to get its document.

    `load` is called in a thread; it raises StatewatchError where the document cannot be had. `address` names source and
    moment on the command line (`FILE@before-deploy`), and is None where it cannot be named there. `is_now` tells the
    live source from its past.
    """

    label: str
    load: Callable[[], JSON]
    at: float | None = None
    address: str | None = None
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two moments of the source *key* (an absolute path), which people see as *label*.

    `opened` gives the store that the documents are of, where that is not the file itself.
    """

    key: str
    label: str
    kind: str
    before: Side
    after: Side
    opened: "Callable[[], Store] | None" = None


class Revisions(NamedTuple):
    """The revisions of a source that were seen, in the order of time, and which of them was asked for.

    `exact` says that there was one as was asked for; else it is the last one.
    """

    comparisons: tuple[Comparison, ...]
    start: int
    exact: bool


def revisions_of(
    picture: Picture, key: str, means: Callable[[ChangeLine], bool], recall: Callable[[str], JSON]
) -> Revisions:
    """Return a comparison for each revision of the source *key* that a picture tells of.

    The newest change line that *means* accepts says which one is asked for; *recall* gives the document of a digest, or
    None for what is no longer kept.
    """
    found: dict[tuple[str, str, float], ChangeLine] = {}
    for line in reversed(picture.changes):
        if line.source == key and line.before is not None and line.after is not None:
            found.setdefault((line.before, line.after, line.at), line)
    lines = tuple(found.values())
    source = picture.source(key)
    now = source.revision.digest if source is not None and source.revision is not None else None
    comparisons = []
    for before, line in zip((None, *lines), lines, strict=False):
        sides = (
            _side(key, line.before or "", None if before is None else before.at, recall, picture.at),
            _side(key, line.after or "", line.at, recall, picture.at, is_now=line is lines[-1] and line.after == now),
        )
        comparisons.append(Comparison(key, line.label, line.kind, *sides))
    chosen = next((line for line in picture.changes if means(line)), None)
    start = next((at for at, line in enumerate(lines) if chosen and line.after == chosen.after), len(lines) - 1)
    return Revisions(tuple(comparisons), start, chosen is not None)


def _side(
    key: str, digest: str, at: float | None, recall: Callable[[str], JSON], now: float, *, is_now: bool = False
) -> Side:
    if is_now:
        return Side("now", partial(_present, key, digest, recall), at, str(Address(key)), is_now=True)
    if at is None:
        return Side("before", partial(_recalled, digest, recall))
    when = datetime.fromtimestamp(at).isoformat(timespec="microseconds")
    return Side(f"@{times.clock(at, now)}", partial(_recalled, digest, recall), at, str(Address(key, when)))


def _present(key: str, digest: str, recall: Callable[[str], JSON]) -> JSON:
    """Return what is there now, even if that is no longer what it was when the comparison was made."""
    from statewatch.core.stores.urls import open_store  # noqa: PLC0415 - only where one compares

    try:
        return open_store(Path(key)).version().document()
    except StatewatchError:
        return _recalled(digest, recall)


def _recalled(digest: str, recall: Callable[[str], JSON]) -> JSON:
    document = recall(digest)
    if document is None:
        raise NotFoundError("this revision is no longer kept: only the latest ones are")
    return document

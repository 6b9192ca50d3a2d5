"""What is kept of the sources that are shown: checkpoints, backups of other tools, safety copies, and how each differs.

Looking is bounded: at each look only so much is read as takes a moment, and what is still to come is said.
"""

import contextlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from statewatch.core.errors import SourceError, StatewatchError
from statewatch.core.reading import Signature, signature, tells
from statewatch.core.stores.base import Store
from statewatch.documents.values import JSON
from statewatch.kinds.base import Sentence
from statewatch.kinds.registry import changes, sentences
from statewatch.watch.kept import Check, Counts, Kept, Reasons, Shelf, listing, store_of
from statewatch.watch.picture import Source

_BUDGET: Final = 0.05
"""Seconds that one look may take, before it leaves the rest to the next one: other views wait for the same thread."""
_FRESH, _FRESH_BESIDE = 1.5, 6.0
"""Seconds for which a list is taken for true: that of the source looked at, and those of the others."""
_COMPARED: Final = 120
"""Entries nearest to the chosen one that are compared with now: more than a wall screen shows."""
_MOST_BYTES: Final = 48_000_000
"""Bytes of text of all documents that are kept parsed."""
_MOST_COUNTS: Final = 20_000
_MOST_SAID: Final = 200


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look has found: shelves by source, None where nobody has come to look yet.

    `key` is the source that was looked at closely, and `said` what happened since its chosen entry, in words; None
    where that is not known. `now` says why there is no present version to compare with. `unfinished` when there is more
    to find, so that one should look again.
    """

    shelves: Mapping[str, Shelf | None] = field(default_factory=dict)
    key: str | None = None
    said: tuple[Sentence, ...] | None = None
    now: str = ""
    unfinished: bool = False


class _Now(NamedTuple):
    """The present version of a source, or why there is none."""

    signature: Signature | None
    digest: str
    document: JSON
    problem: str = ""


class Shelves:
    """The shelves of sources, looked at again as time passes. Looking is for one thread, the rest for any."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._listed: dict[str, tuple[float, Shelf]] = {}
        self._stores: dict[str, Store] = {}
        self._asked_anew = False
        self._now: dict[str, _Now] = {}
        self._documents = _Documents()
        self._counts: OrderedDict[tuple[object, ...], tuple[str, Counts | str]] = OrderedDict()
        self._checks: dict[tuple[object, ...], Check] = {}
        self._said: tuple[tuple[object, ...], tuple[Sentence, ...]] = ((), ())
        self._reasons = Reasons()

    def ask_anew(self) -> None:
        """Have everything listed anew at the next look, since something was done."""
        self._asked_anew = True

    def note(self, source: Source, kept: Kept, check: Check) -> None:
        """Remember what verifying has found."""
        self._checks[source.key, *kept.identity] = check

    def look(self, sources: Sequence[Source], key: str | None, chosen: str | None) -> Looked:
        """Look at what is kept of *sources*.

        It is looked closely at the source *key*, most of all at the entry named *chosen*, else the newest.
        """
        if self._asked_anew:
            self._asked_anew = False
            self._listed = {key: (-math.inf, shelf) for key, (_, shelf) in self._listed.items()}
        turn = _Turn(self._monotonic)
        close = next((source for source in sources if source.key == key), None)
        shelves: dict[str, Shelf | None] = {}
        unfinished = False
        for source in sorted(sources, key=lambda source: source is not close):
            shelf, is_true = self._shelf(source, turn, close=source is close)
            shelves[source.key] = shelf
            unfinished = unfinished or not is_true
        if close is None:
            return Looked(shelves, unfinished=unfinished)
        now = self._present(close)
        shelf = shelves[close.key] or Shelf()
        compared, all_done = self._compared(close, shelf, chosen, now, turn)
        shelves[close.key] = replace(shelf, kept=compared)
        said = self._told(close, compared[_place(compared, chosen)], now) if compared else None
        return Looked(shelves, close.key, said, now.problem, unfinished or not all_done)

    def _shelf(self, source: Source, turn: "_Turn", *, close: bool) -> tuple[Shelf | None, bool]:
        """Return the shelf of a source, and whether it is as of now."""
        at, shelf = self._listed.get(source.key, (None, None))
        if at is not None and turn.began - at < (_FRESH if close else _FRESH_BESIDE):
            return shelf, True
        if not close and not turn.allows("list"):
            return shelf, False
        shelf = listing(self._store(source), self._reasons)
        self._listed[source.key] = turn.began, shelf
        return shelf, True

    def _store(self, source: Source) -> Store:
        name = f"{source.kind} {source.key}"
        if name not in self._stores:
            self._stores[name] = store_of(source)
        return self._stores[name]

    def _present(self, source: Source) -> _Now:
        there = signature(source.key)
        known = self._now.get(source.key)
        if known is not None and there is not None and known.signature == there and tells(there):
            return known
        try:
            version = self._store(source).version()
            found = _Now(there, version.digest, version.document())
        except SourceError as error:
            found = _Now(there, "", None, "there is no file now" if error.missing else error.reason)
        except StatewatchError as error:
            found = _Now(there, "", None, str(error))
        self._now = {source.key: found}  # one is enough: nothing is compared but what is looked at
        return found

    def _compared(
        self, source: Source, shelf: Shelf, chosen: str | None, now: _Now, turn: "_Turn"
    ) -> tuple[tuple[Kept, ...], bool]:
        """Return the entries with what differs from now, and whether all that should be compared has been."""
        place = _place(shelf.kept, chosen)
        found = list(shelf.kept)
        done = True
        for distance, index in enumerate(sorted(range(len(found)), key=lambda index: abs(index - place))):
            each = found[index]
            if distance < _COMPARED and not now.problem and not each.is_large:
                counted = self._counted(source, each, now, turn)
                done = done and (not counted.old and (counted.since is not None or bool(counted.problem)))
                each = counted
            found[index] = replace(each, check=self._checks.get((source.key, *each.identity)))
        return tuple(found), done

    def _counted(self, source: Source, kept: Kept, now: _Now, turn: "_Turn") -> Kept:
        name = source.key, *kept.identity
        known = self._counts.get(name)
        if (known is None or known[0] != now.digest) and turn.allows("count"):
            known = now.digest, self._count(source, kept, now)
            self._counts[name] = known
            if len(self._counts) > _MOST_COUNTS:
                self._counts.popitem(last=False)
        if known is None:
            return kept
        counts = known[1]
        return (
            replace(kept, problem=counts)
            if isinstance(counts, str)
            else replace(kept, since=counts, old=known[0] != now.digest)
        )

    def _count(self, source: Source, kept: Kept, now: _Now) -> Counts | str:
        try:
            before = self._documents.of(source, kept, self._store(source))
        except SourceError as error:
            return error.reason
        except StatewatchError as error:
            return str(error)
        operations: list[str] = [change.op for change in changes(before, now.document)]
        return Counts(*map(operations.count, ("add", "remove", "replace", "move")))

    def _told(self, source: Source, kept: Kept, now: _Now) -> tuple[Sentence, ...] | None:
        """Say what has happened since an entry; None where that is not known."""
        if kept.since is None or kept.old:
            return None
        name = source.key, *kept.identity, now.digest
        if self._said[0] != name:
            with contextlib.suppress(StatewatchError):
                before = self._documents.of(source, kept, self._store(source))
                self._said = name, tuple(sentences(before, now.document)[:_MOST_SAID])
        return self._said[1] if self._said[0] == name else None


class _Turn:
    """The time that one look has; of each sort of work something is done all the same, so that looks come to an end."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.began = monotonic()
        self._monotonic = monotonic
        self._done: set[str] = set()

    def allows(self, work: str) -> bool:
        """Tell whether more work of a sort may be begun."""
        if work not in self._done:
            self._done.add(work)
            return True
        return self._monotonic() < self.began + _BUDGET


class _Documents:
    """What entries hold, parsed: the latest ones, bounded by the size of their text."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], tuple[int, JSON]] = OrderedDict()
        self._bytes = 0

    def of(self, source: Source, kept: Kept, store: Store) -> JSON:
        """Return what *kept* holds. Raises StatewatchError."""
        name = source.key, *kept.identity
        if name in self._known:
            self._known.move_to_end(name)
            return self._known[name][1]
        document = kept.document(store)
        self._known[name] = kept.size or 0, document
        self._bytes += kept.size or 0
        while self._bytes > _MOST_BYTES and len(self._known) > 1:
            self._bytes -= self._known.popitem(last=False)[1][0]
        return document


def _place(kept: Sequence[Kept], name: str | None) -> int:
    """Return where the entry of that name is; the newest one where there is none."""
    return next((index for index, each in enumerate(kept) if each.name == name), 0)

"""What was seen of large batches last, so that a look at the next revision costs as much as what has changed.

Documents are never changed in place, so what was seen of one stays true.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Final, Generic, NamedTuple, TypeVar

from statewatch.documents.values import JSON
from statewatch.kinds.batch_reading import Reading
from statewatch.kinds.words import items, mapping, number

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

LARGE: Final = 1_000
"""Items from which on it is worth while."""
_BATCHES, _REVISIONS = 4, 2
_BY_INDEX: Final = ("retry_attempts", "git_operations", "feature_dependencies")
_MISSING: Final = object()


class Seen(NamedTuple, Generic[T]):
    """A revision, how it was read, and what each item was found to be."""

    document: JSON
    reading: Reading
    items: tuple[T, ...]


class Recent(Generic[T]):
    """The latest revisions of the batches that were looked at last. To be used by any thread: at worst it forgets."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Hashable, tuple[Seen[T], ...]] = OrderedDict()

    def known(self, document: JSON) -> Seen[T] | None:
        """Return what was seen of just this document."""
        return next((each for each in self._seen.get(_key(document), ()) if each.document is document), None)

    def reading(self, document: JSON) -> Reading | None:
        """Return how the latest revision of the same batch was read."""
        return next((each.reading for each in self._seen.get(_key(document), ())), None)

    def items(self, document: JSON, found: Reading, make: Callable[[int], T]) -> tuple[T, ...]:
        """Return all items: those of a revision seen before, and what *make* makes of those that have changed since."""
        key = _key(document)
        before = self._seen.pop(key, ())
        result = next((made for each in before if (made := _renewed(each, found, make)) is not None), None)
        if result is None:
            result = tuple(make(index) for index in range(len(found.titles)))
        self._seen[key] = (Seen(document, found, result), *before)[:_REVISIONS]
        while len(self._seen) > _BATCHES:
            self._seen.popitem(last=False)
        return result


def _key(document: JSON) -> Hashable:
    fields = mapping(document)
    identity = fields.get("batch_id")
    return (identity if isinstance(identity, str) else None), len(items(fields.get("features")))


def _renewed(before: Seen[T], found: Reading, make: Callable[[int], T]) -> tuple[T, ...] | None:
    old = before.reading
    if old.titles is not found.titles and (old.titles != found.titles or old.listed != found.listed):
        return None
    if old.fields.get("issue_numbers") != found.fields.get("issue_numbers"):
        return None
    changed: set[int] = set()
    for was, now in ((old.done, found.done), (old.failed, found.failed), (old.skipped, found.skipped)):
        changed |= _differing(was, now)
    for name in _BY_INDEX:
        named = _differing(mapping(old.fields.get(name)), mapping(found.fields.get(name)))
        changed.update(index for index in map(number, named) if index is not None)
    renewed = list(before.items)
    for index in changed:
        if 0 <= index < len(renewed):
            renewed[index] = make(index)
    return tuple(renewed)


def _differing(was: Mapping[K, object], now: Mapping[K, object]) -> set[K]:
    """Return the keys under which the two hold something else; most values are the very same in both."""
    if was is now:
        return set()
    found = {key for key, value in now.items() if (old := was.get(key, _MISSING)) is not value and old != value}
    is_some_gone = len(was) + sum(key not in was for key in found) > len(now)
    return found | (was.keys() - now.keys()) if is_some_gone else found

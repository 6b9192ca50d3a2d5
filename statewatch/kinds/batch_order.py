"""Which item of a batch is next: in the order of the file, and not before what it builds on is done."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from statewatch.documents.values import JSON
from statewatch.kinds.words import items, mapping, number


@dataclass(frozen=True, slots=True)
class Standing:
    """How the items of a batch stand: sets of indices. Skipped outweighs failed, done outweighs both."""

    total: int
    done: frozenset[int]
    failed: frozenset[int]
    skipped: frozenset[int]

    def has_ended(self, index: int) -> bool:
        """Tell whether an item is done with, whatever the outcome."""
        return index in self.done or index in self.failed or index in self.skipped

    @property
    def left(self) -> list[int]:
        """Return the items that nothing is recorded of."""
        ended = self.done | self.failed | self.skipped
        return [index for index in range(self.total) if index not in ended]


class Next(NamedTuple):
    """The item that is next, None where there is none; `waiting` are those held up by what they build on."""

    item: int | None
    waiting: tuple[int, ...] = ()


def standing(document: JSON) -> Standing:
    """Return how the items of a batch in the usual layout stand; indices outside its list count nowhere."""
    fields = mapping(document)
    total = len(items(fields.get("features")))

    def known(name: str) -> frozenset[int]:
        found = []
        for entry in items(fields.get(name)):
            index = entry if type(entry) is int else number(_index_in(entry))
            if index is not None and 0 <= index < total:
                found.append(index)
        return frozenset(found)

    done, skipped = known("completed_features"), known("skipped_features")
    return Standing(total, done, known("failed_features") - skipped - done, skipped - done)


def _index_in(entry: JSON) -> JSON:
    return entry.get("feature_index") if isinstance(entry, dict) else entry


def order(document: JSON) -> list[int]:
    """Return the indices of all items in the order in which they are to be done; those without a place come last."""
    fields = mapping(document)
    total = len(items(fields.get("features")))
    named = (number(each) for each in items(fields.get("feature_order")))
    placed = dict.fromkeys(index for index in named if index is not None and 0 <= index < total)
    return list(range(total)) if not placed else [*placed, *(index for index in range(total) if index not in placed)]


def next_item(document: JSON, taken: Collection[int] = (), found: Standing | None = None) -> Next:
    """Return the next item that may be begun: not ended, not *taken* by somebody, and all that it builds on is done."""
    now = standing(document) if found is None else found
    needs = mapping(mapping(document).get("feature_dependencies"))
    waiting: list[int] = []
    for index in order(document):
        if now.has_ended(index) or index in taken:
            continue
        if unmet(needs, index, now):
            waiting.append(index)
        else:
            return Next(index, tuple(waiting))
    return Next(None, tuple(waiting))


def unmet(needs: Mapping[str, JSON], index: int, now: Standing) -> tuple[int, ...]:
    """Return the items that an item builds on and that are not done; what is not in the list holds up nothing."""
    if not needs:
        return ()
    named = (number(each) for each in items(needs.get(str(index))))
    return tuple(
        each for each in named if each is not None and each != index and 0 <= each < now.total and each not in now.done
    )

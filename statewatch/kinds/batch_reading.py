"""How the files of batches are read: their usual fields, and the shapes of relatives that people and tools write.

Items are texts or objects, in `features`, `tasks` or `items`, or only named by what became of them; outcomes are
indices, names or objects that say which; keys are in snake or in camel case. What had to be assumed is said in notes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from statewatch.documents.values import JSON
from statewatch.kinds.words import items, mapping, number, text, type_name, word

COMPLETED, FAILED, SKIPPED, PENDING = "completed", "failed", "skipped", "pending"
RUNNING: Final = ("in_progress", "running")
STATUSES: Final = (*RUNNING, "paused", "completed", "failed")
INTERRUPTED: Final = "Interrupted: "
"""What the error of an item begins with that was at work when its run ended."""

_LISTS: Final = ("features", "tasks", "items")
_OUTCOMES: Final = {
    COMPLETED: ("completed_features", "completed", "processed"),
    FAILED: ("failed_features", "failed"),
    SKIPPED: ("skipped_features", "skipped"),
}
_TIMES: Final = ("created_at", "started_at", "timestamp", "updated_at", "last_updated")
_WORDS: Final = {
    COMPLETED: ("completed", "complete", "done", "success", "succeeded", "passed", "pass", "merged", "closed"),
    FAILED: ("failed", "fail", "failure", "error"),
    SKIPPED: ("skipped", "skip"),
    PENDING: ("pending", "todo", "open", "queued", "new", "ready", "blocked", "paused", *RUNNING, ""),
}
_OUTCOME_OF: Final = {each: outcome for outcome, words in _WORDS.items() for each in words}
_NAMES: Final = ("name", "title", "feature", "description", "task_id", "id")
_MOST: Final = 100_000
_SHOWN: Final = 5
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])[A-Z]")


class Record(NamedTuple):
    """What a file says about how an item ended."""

    error: str | None = None
    timestamp: JSON = None
    retries: int | None = None
    category: str | None = None


NOTHING: Final = Record()


@dataclass(frozen=True)
class Reading:
    """What a file says, in its usual form: outcomes by index, and what had to be assumed."""

    fields: Mapping[str, JSON]
    titles: list[str]
    listed: list[JSON]
    done: dict[int, Record]
    failed: dict[int, Record]
    skipped: dict[int, Record]
    notes: list[str] = field(default_factory=list)
    own_words: bool = False
    """Whether items say themselves how they ended."""
    has_objects: bool = False
    """Whether any item is more than its title."""


def read(document: JSON, before: Reading | None = None) -> Reading:
    """Return what *document* says about its batch, whatever its faults.

    Items that are the very same list as *before* are not looked at again.
    """
    notes: list[str] = []
    fields = _usual_names(mapping(document), notes)
    listed, titles = _items(fields, notes, before)
    by_name = _Names(titles)
    found = {outcome: _records(fields, names, by_name, notes) for outcome, names in _OUTCOMES.items()}
    has_objects = dict in set(map(type, listed))
    own_words = has_objects and _own(listed, found, notes)
    _times(fields, notes)
    return Reading(
        fields, titles, listed, found[COMPLETED], found[FAILED], found[SKIPPED], notes, own_words, has_objects
    )


def is_batch(document: JSON) -> bool:
    """Tell whether a document is a batch, as its content says: an id and items, or what became of some by name."""
    fields = mapping(document)
    if "batch_id" in fields:
        return "features" in fields or "current_index" in fields
    if "batchId" in fields:
        return any(name in fields for name in ("tasks", "features", "items", "currentIndex"))
    if "hooks" in fields or not ("processed" in fields or fields.keys() == {"completed"}):
        return False
    return all(isinstance(fields.get(name, []), list) for name in ("processed", "completed", "failed", "skipped"))


def snaked(fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Return an object with names in snake case in place of their twins in camel case."""
    if all(name.islower() or not _CAMEL.search(name) for name in fields):
        return fields
    usual = {name: value for name, value in fields.items() if not _CAMEL.search(name)}
    for name, value in fields.items():
        usual.setdefault(_CAMEL.sub(lambda found: "_" + found[0], name).lower(), value)
    return usual


def name_of(batch_id: JSON) -> str:
    """Return what a batch is called by its id; one without an id is unnamed."""
    if isinstance(batch_id, str | int | float) and batch_id != "":
        return str(batch_id)
    return "unnamed"


def title_of(feature: JSON, position: int) -> str:
    """Return the title of an item: a text, or what an object calls it."""
    if isinstance(feature, str):
        return feature
    fields = snaked(mapping(feature))
    for name in _NAMES:
        value = fields.get(name)
        if (isinstance(value, str) and value) or (number(value) is not None and name in {"task_id", "id"}):
            return str(value)
    return f"item {position}"


def _usual_names(fields: Mapping[str, JSON], notes: list[str]) -> Mapping[str, JSON]:
    usual = snaked(fields)
    if usual is not fields:
        notes.append("its names are in camelCase; they are read as their usual twins")
    return usual


def _items(fields: Mapping[str, JSON], notes: list[str], before: Reading | None) -> tuple[list[JSON], list[str]]:
    name = next((each for each in _LISTS if isinstance(fields.get(each), list)), None)
    total = number(fields.get("total_features"))
    if name is None:
        return [], _unlisted(fields, total, notes)
    listed = items(fields[name])
    if before is not None and before.listed is listed:
        titles = before.titles
    else:
        titles = [title_of(feature, position) for position, feature in enumerate(listed)]
    if name != "features":
        notes.append(f"its items are those of {name!r}")
    if total is not None and total != len(titles):
        notes.append(f"total_features says {total}, the list has {len(titles)}; the list counts")
    return listed, titles


def _unlisted(fields: Mapping[str, JSON], total: int | None, notes: list[str]) -> list[str]:
    if total is None:
        ended = [_named(entry) for names in _OUTCOMES.values() for name in names for entry in items(fields.get(name))]
        named = [name for name in dict.fromkeys(ended) if name is not None]
        if named:
            notes.append("the file has no list of features; those it names are all that is known of")
            return named[:_MOST]
    notes.append("the file has no list of features; items are numbered")
    return [f"item {index}" for index in range(max(0, min(total or 0, _MOST)))]


def _named(entry: JSON) -> str | None:
    if isinstance(entry, str):
        return entry
    fields = snaked(mapping(entry))
    return next((value for name in _NAMES if isinstance(value := fields.get(name), str) and value), None)


class _Names:
    """Finds items by index or by name."""

    def __init__(self, titles: list[str]) -> None:
        self.count = len(titles)
        self._titles = titles
        self._by_title: dict[str, int] | None = None

    def index(self, entry: JSON) -> int | None:
        """Return the index that an entry of a list of outcomes means, None where there is no such item."""
        key = entry
        if isinstance(entry, dict):
            fields = snaked(entry)
            named = (fields[name] for name in ("feature_index", "index", *_NAMES) if fields.get(name) is not None)
            key = next(named, None)
        if isinstance(key, str):
            if self._by_title is None:
                self._by_title = {title: index for index, title in reversed(list(enumerate(self._titles)))}
            if key in self._by_title:
                return self._by_title[key]
        index = number(key)
        return index if index is not None and 0 <= index < self.count else None


def _records(fields: Mapping[str, JSON], names: Iterable[str], known: _Names, notes: list[str]) -> dict[int, Record]:
    found: dict[int, Record] = {}
    outside: list[str] = []
    said = ""
    for name in names:
        listed = fields.get(name)
        if listed is not None and not isinstance(listed, list) and name.endswith("_features"):
            notes.append(f"{name} is {type_name(listed)} and no list; it counts for nothing")
        for entry in items(listed):
            if type(entry) is int and 0 <= entry < known.count:  # what nearly all are
                found[entry] = NOTHING
            elif (index := known.index(entry)) is not None:
                found[index] = record_of(entry)
            else:
                outside.append(str(snaked(mapping(entry)).get("feature_index", entry))[:40])
                said = said or name
    if outside:
        more = f" and {len(outside) - _SHOWN} more" if len(outside) > _SHOWN else ""
        notes.append(f"{said} names what is not in the list: {', '.join(outside[:_SHOWN])}{more}")
    return found


def record_of(entry: JSON) -> Record:
    """Return what an entry of a list of outcomes says besides which item it is."""
    if not isinstance(entry, dict):
        return NOTHING
    fields = snaked(entry)
    error = fields.get("error_message") or fields.get("error") or fields.get("reason")
    at = fields.get("timestamp") or fields.get("completed_at") or fields.get("updated_at")
    return Record(text(error), at, number(fields.get("retry_count")), text(fields.get("category")))


def _own(listed: list[JSON], found: dict[str, dict[int, Record]], notes: list[str]) -> bool:
    """Take what items that are objects say about themselves; tell whether any does."""
    unknown: list[str] = []
    own_words = False
    for position, feature in enumerate(listed):
        if not isinstance(feature, dict) or "status" not in feature:
            continue
        own_words = True
        outcome = _OUTCOME_OF.get(word(feature["status"]))
        if outcome is None:
            unknown.append(f"{str(feature['status'])[:40]!r} of item {position}")
        elif outcome != PENDING:
            found[outcome][position] = record_of(feature)
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        notes.append(f"a status that items do not have counts as pending: {', '.join(unknown[:_SHOWN])}{more}")
    return own_words


def _times(fields: Mapping[str, JSON], notes: list[str]) -> None:
    naive = [name for name in _TIMES if isinstance(value := fields.get(name), str) and _is_naive(value)]
    if naive:
        notes.append(f"{', '.join(naive)} without a time zone; read as UTC")


def _is_naive(stamp: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", stamp.strip(), re.ASCII) is not None

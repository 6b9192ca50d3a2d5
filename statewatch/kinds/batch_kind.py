"""Batches as a kind: how one is recognised, what is wrong with it, and its changes in words."""

from collections.abc import Callable
from itertools import zip_longest

from statewatch.documents.diff import Identities
from statewatch.documents.values import JSON, Path
from statewatch.kinds import batch
from statewatch.kinds.base import Fault, Sentence, Tone, mapping, text, type_name
from statewatch.kinds.batch import STATUSES, BatchView, Item
from statewatch.kinds.batch_reading import is_batch
from statewatch.kinds.details import details
from statewatch.kinds.hooks import first_line
from statewatch.kinds.times import restamp

_NAMED = 3  # so many items get a line each; more are counted
_STEPS = {
    "commit": ("committed", "commit failed for"),
    "push": ("pushed", "push failed for"),
    "pr": ("opened a pull request for", "pull request failed for"),
    "issue_close": ("closed the issue of", "closing the issue failed for"),
}
_IDENTITIES: Identities = {
    "/failed_features": "feature_index",
    "/skipped_features": "feature_index",
    "/auto_clear_events": ("feature_index", "timestamp"),
    "/tasks": "taskId",
}


class BatchKind:
    """Batches of items (`batch_state.json`)."""

    name = "batch"

    def matches(self, document: JSON) -> bool:
        """Tell whether there is a batch id, and features or a current index; or what relatives of batches have."""
        return is_batch(document)

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:  # noqa: ARG002
        """Return what the tool that owns the file would stumble over."""
        fields = mapping(document)
        found = []
        for field, kind in (("batch_id", str), ("features", list), ("total_features", int), ("current_index", int)):
            value = fields.get(field)
            if not isinstance(value, kind) or isinstance(value, bool):
                wanted = {str: "a text", list: "a list", int: "a whole number"}[kind]
                found.append(Fault(f"/{field}", f"expected {wanted}, found {type_name(value)}"))
        if fields.get("status") not in STATUSES:
            found.append(Fault("/status", f"expected one of {', '.join(STATUSES)}"))
        return found

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Say what happened to the batch: items done, failed, skipped or taken back, and to the whole."""
        old, new = batch.view(before), batch.view(after)
        if old.batch_id != new.batch_id:
            return [Sentence(new.batch_id, f"new batch of {new.total} in place of {old.batch_id}")]
        said = _outcomes(old, new)
        if old.status != new.status:
            tone: Tone = "bad" if new.status == "failed" else "good" if new.status == "completed" else "warn"
            said.append(Sentence(new.batch_id, f"{old.status} → {new.status}", tone))
        said += _git(new, before, after)
        clears = _count(after, "auto_clear_events") - _count(before, "auto_clear_events")
        if clears > 0:
            said.append(Sentence(new.batch_id, "context cleared"))
        if old.total != new.total:
            said.append(Sentence(new.batch_id, f"items {old.total} → {new.total}"))
        if not said and old.current_index != new.current_index:
            said.append(Sentence(new.batch_id, f"now at item {new.current_index}"))
        return said or details(new.batch_id, before, after, _IDENTITIES, routine=True)

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return the time of the last change."""
        return (("updated_at",),)

    @property
    def identities(self) -> Identities:
        """Tell what became of items apart by their index, and items that are objects by what they are called."""
        return _IDENTITIES

    def refresh(self, document: JSON, now: float) -> JSON:
        """Stamp the batch with the time of the change, where it has such a stamp."""
        fields = mapping(document)
        if "updated_at" not in fields:
            return document
        return {**fields, "updated_at": restamp(now, fields["updated_at"])}


KIND = BatchKind()


def _outcomes(old: BatchView, new: BatchView) -> list[Sentence]:
    moved = [(was, item) for was, item in zip_longest(old.items, new.items) if was is not item and item is not None]

    def gone_to(outcome: str) -> list[Item]:
        return [item for was, item in moved if item.outcome == outcome and (was is None or was.outcome != outcome)]

    def plain(item: Item) -> str:
        return f'completed {item.index} "{item.title}"'

    def failed(item: Item) -> str:
        error = first_line(item.error)
        return f'failed {item.index} "{item.title}"' + (f": {error}" if error else "")

    def skipped(item: Item) -> str:
        return f'skipped {item.index} "{item.title}"' + (f": {item.error}" if item.error else "")

    def again(item: Item) -> str:
        return f'to be done again: {item.index} "{item.title}"'

    name = new.batch_id
    said = _lines(name, "completed", gone_to(batch.COMPLETED), plain, "good")
    said += _lines(name, "failed", gone_to(batch.FAILED), failed, "bad")
    said += _lines(name, "skipped", gone_to(batch.SKIPPED), skipped, "warn")
    back = [item for item in gone_to(batch.PENDING) if item.index < old.total]
    said += _lines(name, "to be done again:", back, again, "warn")
    retried = [
        item
        for was, item in moved
        if was is not None and (item.tries or 0) > (was.tries or 0) and item.outcome == was.outcome
    ]
    said += _lines(name, "retried", retried, lambda item: f'retry {item.tries} of {item.index} "{item.title}"', "warn")
    return said


def _lines(name: str, verb: str, chosen: list[Item], line: Callable[[Item], str], tone: Tone) -> list[Sentence]:
    if len(chosen) <= _NAMED:
        return [Sentence(name, line(item), tone) for item in chosen]
    return [Sentence(name, f"{verb} {len(chosen)} items, {chosen[0].index} to {chosen[-1].index}", tone)]


def _git(new: BatchView, before: JSON, after: JSON) -> list[Sentence]:
    old_git, new_git = (mapping(mapping(each).get("git_operations")) for each in (before, after))
    said: list[Sentence] = []
    if new_git is old_git:
        return said
    for index, steps in new_git.items():
        if (there := old_git.get(index)) is steps:
            continue
        was = mapping(there)
        for step, outcome in mapping(steps).items():
            if outcome == was.get(step):
                continue
            well = mapping(outcome).get("success") is not False
            error = "" if well else first_line(text(mapping(outcome).get("error")))
            made, failed = _STEPS.get(step, (f"{step} made for", f"{step} failed for"))
            told = f"{made if well else failed} {_item(new, index)}" + (f": {error}" if error else "")
            said.append(Sentence(new.batch_id, told, "info" if well else "bad"))
    return said[:_NAMED]


def _item(seen: BatchView, index: str) -> str:
    """Return an item as people know it, by its number and its title."""
    number = int(index) if index.isascii() and index.isdigit() and len(index) < 10 else len(seen.items)
    return f'{index} "{seen.items[number].title}"' if number < len(seen.items) else index


def _count(document: JSON, field: str) -> int:
    value = mapping(document).get(field)
    return len(value) if isinstance(value, list) else 0

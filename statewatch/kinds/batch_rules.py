"""What a batch state must be for a program to work on it: stricter than what can be shown."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from statewatch.documents.values import JSON
from statewatch.kinds.base import Fault, type_name
from statewatch.kinds.batch_reading import STATUSES
from statewatch.kinds.words import items, mapping, number, word

_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_COUNTED: Final = ("context_token_estimate", "auto_clear_count", "checkpoint_count")
_OBJECTS: Final = ("retry_attempts", "git_operations", "feature_dependencies", "quality_metrics", "feature_modes")
_NAMES: Final = ("name", "title", "description")


@dataclass(frozen=True, slots=True)
class _Rule:
    expected: str
    holds: Callable[[JSON], bool]


def _is_count(value: JSON) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_feature(value: JSON) -> bool:
    if isinstance(value, str):
        return True
    return isinstance(value, dict) and any(isinstance(value.get(name), str) for name in _NAMES)


_REQUIRED: Final = {
    "batch_id": _Rule("a text", lambda value: isinstance(value, str) and value != ""),
    "features_file": _Rule("a text", lambda value: isinstance(value, str)),
    "total_features": _Rule("a whole number", _is_count),
    "features": _Rule("a list", lambda value: isinstance(value, list)),
    "current_index": _Rule("a whole number", _is_count),
    "status": _Rule(f"one of {', '.join(STATUSES)}", lambda value: word(value) in STATUSES),
}


def faults(document: JSON) -> list[Fault]:
    """Return what keeps a program from working on a batch state: where it is, and what was expected there."""
    if not isinstance(document, dict):
        return [Fault("", f"expected an object, found {type_name(document)}")]
    found = [fault for name, rule in _REQUIRED.items() if (fault := _checked(document, name, rule)) is not None]
    if not found:
        total = len(items(document["features"]))
        found += _features(document, total)
        found += _indices(document, total)
        found += _others(document)
    return found


def is_batch_id(name: str) -> bool:
    """Tell whether a name can be the id of a new batch: it becomes part of the name of a file."""
    return _ID.fullmatch(name) is not None and ".." not in name


def _checked(fields: Mapping[str, JSON], name: str, rule: _Rule) -> Fault | None:
    if name not in fields:
        return Fault(f"/{name}", f"expected {rule.expected}, found nothing")
    value = fields[name]
    if rule.holds(value):
        return None
    shown = repr(value)[:60] if isinstance(value, str | int | float) else type_name(value)
    return Fault(f"/{name}", f"expected {rule.expected}, found {shown}")


def _features(fields: Mapping[str, JSON], total: int) -> Iterator[Fault]:
    if fields["total_features"] != total:
        yield Fault(
            "/total_features", f"expected {total}, as many as there are features, found {fields['total_features']}"
        )
    for position, feature in enumerate(items(fields["features"])):
        if not _is_feature(feature):
            yield Fault(
                f"/features/{position}", f"expected a text or an object with a name, found {type_name(feature)}"
            )


def _indices(fields: Mapping[str, JSON], total: int) -> Iterator[Fault]:
    for name in ("completed_features", "failed_features", "skipped_features"):
        listed = fields.get(name, [])
        if not isinstance(listed, list):
            yield Fault(f"/{name}", f"expected a list, found {type_name(listed)}")
            continue
        for position, entry in enumerate(listed):
            place, index = f"/{name}/{position}", entry
            if name != "completed_features":
                if not isinstance(entry, dict):
                    yield Fault(place, f"expected an object with a feature_index, found {type_name(entry)}")
                    continue
                place, index = f"{place}/feature_index", entry.get("feature_index")
            if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < total:
                shown = index if isinstance(index, int) else type_name(index)
                yield Fault(place, f"expected an index from 0 to {total - 1}, found {shown}")


def _others(fields: Mapping[str, JSON]) -> Iterator[Fault]:
    for name in _COUNTED:
        if not _is_count(fields.get(name, 0)):
            yield Fault(f"/{name}", f"expected a whole number, found {type_name(fields[name])}")
    for name in _OBJECTS:
        value = fields.get(name, {})
        if value is not None and not isinstance(value, dict):
            yield Fault(f"/{name}", f"expected an object, found {type_name(value)}")
    for name in ("retry_attempts", "git_operations"):
        for key in mapping(fields.get(name)):
            if number(key) is None:
                yield Fault(f"/{name}/{key[:60]}", "expected the index of a feature as the key")

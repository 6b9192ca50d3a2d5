"""Saving a whole batch that others have changed meanwhile: what each has changed is in the result."""

from collections.abc import Hashable, Mapping
from typing import Final

from statewatch.documents.values import JSON, same
from statewatch.kinds.batch_marks import advanced
from statewatch.kinds.words import items, mapping, number

_LISTS: Final = {"completed_features", "failed_features", "skipped_features", "auto_clear_events"}
_SUMS: Final = {"context_token_estimate", "auto_clear_count"}
_FOLLOWS: Final = {"current_index", "status", "updated_at"}


def merged(base: Mapping[str, JSON], mine: Mapping[str, JSON], theirs: Mapping[str, JSON], now: float) -> JSON:
    """Return *theirs* with what *mine* has changed since *base*.

    Of lists of outcomes both sides' entries count, of counters both sides' additions; of any other field that both have
    changed mine does. Index and status follow from the items where both sides have changed them.
    """
    result = dict(theirs)
    both = False
    for name, value in mine.items():
        was, there = base.get(name), theirs.get(name)
        if name in base and same(value, was):
            continue
        if name not in theirs or same(there, was):
            result[name] = value
        elif name in _FOLLOWS:
            both = True
        elif name in _LISTS:
            result[name] = _lists(items(was), items(value), items(there))
            both = True
        elif name in _SUMS and (gained := _gained(was, value)) is not None:
            result[name] = (number(there) or 0) + gained
        elif isinstance(value, dict):
            changed = {key: each for key, each in value.items() if not same(each, mapping(was).get(key))}
            result[name] = {**mapping(there), **changed}
        else:
            result[name] = value
    return advanced(result, now) if both else result


def _gained(was: JSON, value: JSON) -> int | None:
    before, after = number(was), number(value)
    return None if before is None or after is None else after - before


def _lists(was: list[JSON], mine: list[JSON], theirs: list[JSON]) -> list[JSON]:
    before, after = {_key(each) for each in was}, {_key(each) for each in mine}
    there = {_key(each) for each in theirs}
    kept = [each for each in theirs if not (_key(each) in before and _key(each) not in after)]
    return [*kept, *(each for each in mine if _key(each) not in before and _key(each) not in there)]


def _key(entry: JSON) -> Hashable:
    if not isinstance(entry, dict):
        return repr(entry)
    return repr(entry.get("feature_index")), repr(entry.get("timestamp"))

"""What operators do to single keys of a namespace, as actions: set one, delete one.

Either can be done to a key whose value is damaged, and beside others that are: these stay as they are.
"""

from statewatch.core.actions import Action
from statewatch.core.names import check_key
from statewatch.core.stores.base import Store
from statewatch.core.undo import evidence
from statewatch.documents.diff import diff
from statewatch.documents.values import JSON
from statewatch.kinds.base import Change, RefusedError


def save_action(store: Store, key: str, value: JSON, *, why: str = "", via: str = "library") -> Action:
    """Return the action that sets *key* to *value*. A new key is refused, with RefusedError, when it cannot be one."""

    def transform(document: JSON, now: float) -> Change:  # noqa: ARG001 - a value has no time
        values = _keyed(document)
        if key not in values:
            check_key(key)
        return _changed("save", key, values, {**values, key: value})

    return Action(store.around(key), transform, "save", why, via)


def delete_action(store: Store, key: str, *, why: str = "", via: str = "library") -> Action:
    """Return the action that removes *key*; it is refused when the key is gone by then."""

    def transform(document: JSON, now: float) -> Change:  # noqa: ARG001
        values = _keyed(document)
        if key not in values:
            raise RefusedError(f"there is no key {key!r}")
        return _changed("delete", key, values, {name: value for name, value in values.items() if name != key})

    return Action(store.around(key), transform, "delete", why, via)


def _keyed(document: JSON) -> dict[str, JSON]:
    if not isinstance(document, dict):
        raise RefusedError("it holds a single value, which has no keys")
    return document


def _changed(name: str, key: str, before: dict[str, JSON], after: dict[str, JSON]) -> Change:
    return Change(name, (key,), after, evidence(diff(before, after)))

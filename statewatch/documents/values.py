"""What a document is made of, and when two values are the same."""

import json
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
"""Any JSON value, as the standard library's `json` represents it."""

Path: TypeAlias = tuple[str | int, ...]
"""A place inside a document: object keys as `str`, list positions as `int`."""


def same(left: JSON, right: JSON) -> bool:
    """Tell whether two values are equal, types included.

    Python says `True == 1 == 1.0` and `0.0 == -0.0`; documents that differ in that differ. Equality in C comes first
    because it settles most cases; the serialised texts settle the rest.
    """
    if left is right:
        return True
    return left == right and json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def depth(value: JSON) -> int:
    """Count the levels of nesting of *value*: 0 for a scalar, 1 for `[]`. Needs no recursion."""
    levels = 0
    containers: list[JSON] = [value] if isinstance(value, dict | list) else []
    while containers:
        levels += 1
        containers = [
            child
            for container in containers
            for child in (container.values() if isinstance(container, dict) else _items(container))
            if isinstance(child, dict | list)
        ]
    return levels


def _items(value: JSON) -> list[JSON]:
    assert isinstance(value, list)
    return value

"""What a document is made of, when two values are the same, and how a value becomes nobody else's."""

import json
import math
import sys
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
"""Any JSON value, as the standard library's `json` represents it."""

Path: TypeAlias = tuple[str | int, ...]
"""A place inside a document: object keys as `str`, list positions as `int`."""

MAX_DEPTH: Final = 500
"""Levels of nesting: far more than any state file has, and safe for every recursive function here."""


class NotJSONError(ValueError):
    """A value that JSON cannot hold; the message says which part and why."""


def same(left: JSON, right: JSON) -> bool:
    """Tell whether two values are equal, types included.

    Python says `True == 1 == 1.0` and `0.0 == -0.0`; documents that differ in that differ. Equality in C comes first
    because it settles most cases; the serialised texts settle the rest.
    """
    if left is right:
        return True
    try:
        return left == right and json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    except RecursionError:
        return all(one == other for one, other in zip_longest(pieces(left), pieces(right)))


def pieces(value: JSON) -> Iterator[str]:
    """Yield the text of *value*, its keys sorted, piece by piece: the same for the same values only, however deep."""
    todo: list[tuple[str, JSON]] = [("", value)]
    while todo:
        before, item = todo.pop()
        yield before
        if isinstance(item, dict):
            yield f"{{{len(item)}"
            todo += [(json.dumps(key), item[key]) for key in sorted(item, reverse=True)]
        elif isinstance(item, list | tuple):
            yield f"[{len(item)}"
            todo += [("", child) for child in reversed(item)]
        else:
            yield json.dumps(item)


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


def digest(value: JSON) -> str:
    """Return the SHA-256, in hexadecimal, of *value* written with sorted keys: equal for the same values only."""
    import hashlib  # noqa: PLC0415 - 4 ms, and hooks load this module at each start

    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def private(value: object, deepest: int = MAX_DEPTH) -> JSON:
    """Return a copy of *value* that shares nothing mutable with it; tuples become lists.

    Raises NotJSONError for what JSON cannot hold (NaN, infinities, keys that are not text, other types, a value inside
    itself) and for what no reader is sure to take (nesting beyond *deepest* levels, integers of thousands of digits).
    """
    if not isinstance(value, dict | list | tuple):
        return _scalar(value, ())
    return _copied_fast(value, deepest) if isinstance(value, dict | list) and value else _copied(value, deepest)


def cloned(value: JSON) -> JSON:
    """Return a copy of *value*, which is known to be JSON already: as `private`, but without looking at it."""
    if not isinstance(value, dict | list):
        return value
    import orjson  # noqa: PLC0415 - see below

    try:
        copy: JSON = orjson.loads(orjson.dumps(value))
    except (orjson.JSONEncodeError, orjson.JSONDecodeError):  # 400-digit integers, lone surrogates, deep nesting
        return _copied(value, sys.maxsize)
    return copy


def _copied_fast(value: object, deepest: int) -> JSON:
    """Let C code do it where that is the same: it takes more types and makes NaN null, so the result is compared."""
    import orjson  # noqa: PLC0415 - 10 ms that a program which saves nothing should not pay

    try:
        copy: JSON = orjson.loads(orjson.dumps(value))
    except (orjson.JSONEncodeError, orjson.JSONDecodeError):
        return _copied(value, deepest)
    return copy if copy == value and depth(copy) <= deepest else _copied(value, deepest)


def _copied(value: object, deepest: int) -> JSON:
    """Copy value by value, depth first, without recursion: whoever calls may be deep in the stack already."""
    result: list[JSON] = [None]
    todo: list[tuple[list[JSON] | dict[str, JSON], int | str, object, Path]] = [(result, 0, value, ())]
    while todo:
        target, slot, item, path = todo.pop()
        if isinstance(item, list | tuple):
            copy: list[JSON] | dict[str, JSON] = [None] * len(item)
            children = list(enumerate(item))
        elif isinstance(item, dict):
            _refuse_odd_keys(item, path)
            copy = dict.fromkeys(map(str.__str__, item))
            children = list(item.items())
        else:
            target[slot] = _scalar(item, path)  # type: ignore[index]
            continue
        if len(path) >= deepest:
            raise NotJSONError(f"it is nested deeper than {deepest} levels, or contains itself")
        target[slot] = copy  # type: ignore[index]
        todo += [(copy, key, child, (*path, key)) for key, child in reversed(children)]
    return result[0]


def _refuse_odd_keys(item: dict[object, object], path: Path) -> None:
    for key in item:
        if not isinstance(key, str):
            raise NotJSONError(f"{_place(path)} has the key {key!r}; keys of JSON objects are text")


def _scalar(value: object, path: Path) -> JSON:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # the text itself, where a subclass shows another
    if isinstance(value, int):
        if value.bit_length() > sys.get_int_max_str_digits() * 3:  # a decimal digit is 3.3 bits
            raise NotJSONError(f"{_place(path)} is an integer with too many digits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotJSONError(f"{_place(path)} is {value!r}, which is not a JSON number")
        return float(value)
    raise NotJSONError(f"{_place(path)} is of the type {type(value).__name__}, which JSON does not have")


def _place(path: Path) -> str:
    return "it" if not path else "what is at " + "".join(f"/{token}" for token in path)

"""What values from files mean, read as tolerantly as people write them. It loads fast: every hook pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statewatch.documents.values import JSON


class RefusedError(ValueError):
    """A change that cannot be made to this document; the message says why and what to do instead."""


def number(value: JSON) -> int | None:
    """Read a counter as tolerantly as people write them: an int, a whole float or a text of digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 16:
        return int(value)
    return None


def text(value: JSON) -> str | None:
    """Return a text as it is, None for anything else."""
    return value if isinstance(value, str) else None


def mapping(value: JSON) -> Mapping[str, JSON]:
    """Return an object as it is, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: JSON) -> list[JSON]:
    """Return a list as it is, an empty one for anything else."""
    return value if isinstance(value, list) else []


def word(value: JSON) -> str:
    """Return a vocabulary word in the form in which words are compared: lower case, `-` and blanks as `_`."""
    return value.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(value, str) else ""


def type_name(value: JSON) -> str:
    """Name the JSON type of *value* for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names: dict[type, str] = {int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names[type(value)]

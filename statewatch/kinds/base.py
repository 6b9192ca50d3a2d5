"""What every kind of document can do, and the words kinds share."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from statewatch.documents import pointer
from statewatch.documents.values import JSON, Path

Tone = Literal["good", "bad", "warn", "info"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a document that is not what its format says: where, and what was expected there."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One change in words a person reads: who (`validate-file`) did what (`closed → open after 3 failures: …`)."""

    subject: str
    text: str
    tone: Tone = "info"
    routine: bool = False
    """Whether it is what happens all the time: a list of what just changed is better without it."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs the operator: the subject, and what is the matter with it."""

    subject: str
    what: str
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A named pure function from document to document, as an operator asks for it.

    `evidence` holds groups of paths: when every value of a group is again what it was before, another writer has put
    the old content back over the change.
    """

    name: str
    targets: tuple[str, ...]
    document: JSON
    evidence: tuple[tuple[Path, ...], ...]
    notes: tuple[str, ...] = ()
    """What whoever asks for the change should know before it is made."""


def put_back(change: Change, before: JSON, now: JSON) -> bool:
    """Tell whether *now* shows the state *before* a change again: another writer wrote what it had read earlier."""
    return any(group and all(_found(now, path) == _found(before, path) for path in group) for group in change.evidence)


def _found(document: JSON, path: Path) -> str | None:
    """Return the value at a place so that it can be compared, types included; None where there is no such place."""
    try:
        return json.dumps(pointer.get(document, path), sort_keys=True)
    except pointer.PointerError:
        return None


class RefusedError(ValueError):
    """A change that cannot be made to this document; the message says why and what to do instead."""


class Kind(Protocol):
    """What a kind of document means. Every method is a pure function of the document."""

    @property
    def name(self) -> str:
        """Return the short name used in tables and JSON output: `hooks`, `batch` …"""

    def matches(self, document: JSON) -> bool:
        """Tell by content whether the document is of this kind."""

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:
        """Return what is wrong with it; an empty list for a document its own tool would accept.

        Parts that are the very same objects in *other* may be left out: who compares two documents that share most of
        their parts need not look at those twice.
        """

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Put the change from one revision to the next into words."""

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return the places that only follow from the rest: an undo is not refused for what moved there."""

    def refresh(self, document: JSON, now: float) -> JSON:
        """Bring what is derived up to date after a change, in the style of the file. *now* is an instant."""


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

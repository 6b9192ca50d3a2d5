"""What every kind of document can do, and the words kinds share."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from statewatch.documents import pointer
from statewatch.documents.values import JSON, Path
from statewatch.kinds.words import RefusedError, items, mapping, number, text, type_name, word

if TYPE_CHECKING:
    from statewatch.documents.diff import Identities

__all__ = [
    "Change",
    "Fault",
    "Kind",
    "Need",
    "RefusedError",
    "Sentence",
    "Tone",
    "items",
    "mapping",
    "number",
    "put_back",
    "text",
    "type_name",
    "word",
]

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

    @property
    def identities(self) -> "Identities":
        """Return which keys tell the objects in its lists apart, by the place of the list; see `documents.diff`."""

    def refresh(self, document: JSON, now: float) -> JSON:
        """Bring what is derived up to date after a change, in the style of the file. *now* is an instant."""

"""What stores deal in: revisions, checkpoints, and what an action plans and keeps."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, Self, TypeVar

from statewatch.documents import codec
from statewatch.documents.values import JSON, digest


@dataclass(frozen=True, slots=True)
class Revision:
    """A document at a moment, `at` in seconds since the epoch. Equal digests mean equal documents, types included."""

    document: JSON
    digest: str
    at: float | None = None

    @classmethod
    def of(cls, document: JSON, at: float | None = None) -> Self:
        """Return the revision that *document* makes."""
        return cls(document, digest(document), at)


class Version(Protocol):
    """A revision as the engine keeps it; `data` is what a safety copy holds, `digest` names it in the audit log."""

    @property
    def data(self) -> bytes:
        """Return it as text: the bytes of a file, JSON for the rest."""
        ...

    @property
    def digest(self) -> str:
        """Return a SHA-256 in hexadecimal that is equal for equal versions only."""
        ...

    def document(self) -> JSON:
        """Return what it means. Raises SourceError when it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The version of a namespace that no file holds."""

    revision: Revision

    @property
    def data(self) -> bytes:
        """Return the document as indented JSON."""
        return codec.encode(self.revision.document)

    @property
    def digest(self) -> str:
        """Return the digest of the document."""
        return self.revision.digest

    def document(self) -> JSON:
        """Return the document."""
        return self.revision.document


class Plan(Protocol):
    """What an action wants written: the document *after*, as *data* where the engine keeps text, in place of *base*."""

    @property
    def base(self) -> Version: ...
    @property
    def after(self) -> JSON: ...
    @property
    def data(self) -> bytes: ...
    @property
    def changed(self) -> bool: ...


P = TypeVar("P", bound=Plan)
P_contra = TypeVar("P_contra", bound=Plan, contravariant=True)


class Keeper(Protocol[P_contra]):
    """What an action keeps on the way."""

    def before(self, plan: P_contra) -> None:
        """Keep what *plan* is about to change. Raises RefusedError when it must not be done then."""
        ...

    def displaced(self, version: Version) -> None:
        """Keep a version of another writer whose place ours has taken."""
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A named revision, kept until someone deletes it.

    `created_at` is in seconds since the epoch, `size` in bytes as kept, `digest` that of the document when it was made
    (empty where whoever made it left none). `foreign` ones are other tools' backups: they can be read and restored, but
    never changed.
    """

    name: str
    created_at: float
    note: str = ""
    by: str = ""
    pinned: bool = False
    digest: str = ""
    size: int | None = None
    foreign: bool = False


def automatic_name(now: float, existing: Iterable[str]) -> str:
    """Return the name of a checkpoint that nobody named: `auto_YYYYmmdd_HHMMSS` in UTC, counted up within a second."""
    taken = set(existing)
    name = base = datetime.fromtimestamp(now, UTC).strftime("auto_%Y%m%d_%H%M%S")
    number = 2
    while name in taken:
        name = f"{base}_{number}"
        number += 1
    return name

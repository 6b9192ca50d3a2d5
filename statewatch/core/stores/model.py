"""What stores deal in: revisions, checkpoints, and what an action plans and keeps."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, Protocol, Self, TypeVar

from statewatch.core.stores.transaction import Held, Raise, Unreadable, sound
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
    """The version of a namespace that no file holds, or of a *part* of one: of some keys only."""

    revision: Revision
    part: bool = False

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


_COMPACT: Final = codec.Style(indent=None)
_HEADING: Final = b"# Values as they were kept, by key, among them what could not be read.\n"


@dataclass(frozen=True, slots=True)
class Damaged:
    """The version of a namespace some values of which cannot be read.

    For an action that is *about* some keys only, what these hold counts as a text, and others that are damaged are left
    out of the document: they stay as they are. It may be a *part* of a namespace, as `Kept` may.
    """

    suffix: ClassVar[str] = ".txt"
    held: Mapping[str, Held]
    about: Collection[str] | None = None
    part: bool = False

    @property
    def data(self) -> bytes:
        """Return all values, the damaged ones byte for byte; as a whole this is no JSON, whatever they hold."""
        return _HEADING + b"".join(
            json.dumps(key).encode() + b": " + _kept_bytes(value) + b"\n"
            for key, value in self.held.items()
            if not isinstance(value, Raise)
        )

    @property
    def digest(self) -> str:
        """Return the digest of that text."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def left_alone(self) -> list[str]:
        """Return the damaged keys that the action is not about."""
        damaged = [key for key, value in self.held.items() if isinstance(value, Unreadable)]
        return [] if self.about is None else [key for key in damaged if key not in self.about]

    def document(self) -> JSON:
        """Return what can be said of it. Raises SourceError, which names a damaged key, unless it is about some."""
        if self.about is None:
            return dict(sound(self.held))
        told = {
            key: value for key, value in self.held.items() if key in self.about or not isinstance(value, Unreadable)
        }
        return {
            key: value.raw.decode(errors="replace") if isinstance(value, Unreadable) else value
            for key, value in told.items()
            if not isinstance(value, Raise)
        }


def _kept_bytes(value: Held) -> bytes:
    if isinstance(value, Unreadable):
        return value.raw
    return b"" if isinstance(value, Raise) else codec.encode(value, _COMPACT)


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

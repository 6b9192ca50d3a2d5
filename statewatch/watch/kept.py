"""What is kept of one source to come back to: checkpoints, backups of other tools, and safety copies."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from statewatch.core import audit
from statewatch.core.copies import copies_of
from statewatch.core.errors import RefusedError, SourceError, StatewatchError
from statewatch.core.reading import Signature, read, signature
from statewatch.core.stores.base import Checkpoint, Store
from statewatch.core.stores.urls import open_store, path_url
from statewatch.documents.values import JSON
from statewatch.watch.discovery import KEYED
from statewatch.watch.picture import Source

What: TypeAlias = Literal["checkpoint", "backup", "copy"]

_LARGEST: Final = 8_000_000
"""Bytes beyond which nothing is compared unasked: one such diff takes a second."""
_MOST_RECORDS: Final = 2_000


class Counts(NamedTuple):
    """How many places differ: there now and not then, there then and not now, another value, another position."""

    added: int = 0
    removed: int = 0
    replaced: int = 0
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing to come back to. `name` is what the core calls it: for a safety copy that is the name of its `path`.

    `at` is an instant, `size` in bytes; `digest` names the content where whoever made it noted that. `said` is the note
    of a checkpoint, else what is known of why it is there. `since` counts what differs from now: None while that is not
    known, `old` when it was counted against a version that is not the present one any more; `problem` says why it
    cannot be known. `check` is what verifying it has found.
    """

    what: What
    name: str
    at: float
    size: int | None = None
    by: str = ""
    said: str = ""
    pinned: bool = False
    digest: str = ""
    path: Path | None = None
    since: Counts | None = None
    old: bool = False
    problem: str = ""
    check: "Check | None" = None

    @property
    def identity(self) -> tuple[object, ...]:
        """Return what tells it from others, and from another one that has taken its name."""
        return self.what, self.name, self.at, self.size, self.digest

    @property
    def is_large(self) -> bool:
        """Tell whether it is compared only when somebody asks for that."""
        return self.size is not None and self.size > _LARGEST

    def document(self, store: Store) -> JSON:
        """Return what it holds, as *store* reads it. Raises StatewatchError."""
        if self.path is not None:
            return store.version_in(read(self.path)).document()
        return store.kept(self.name).document()

    def is_as_made(self, store: Store) -> bool:
        """Tell whether it still holds what it held when it was made. Raises SourceError when it cannot be read."""
        if self.path is None:
            return store.verify_checkpoint(self.name)
        version = store.version_in(read(self.path))
        version.document()
        return version.digest.startswith(self.digest)


class Check(NamedTuple):
    """What verifying has found, at an instant: `good`, `readable` (nobody noted what it should be) or `damaged`."""

    at: float
    result: Literal["good", "readable", "damaged"]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is kept of one source, newest first; `problem` says why that cannot be told, wholly or in part."""

    kept: tuple[Kept, ...] = ()
    problem: str = ""

    def count(self, what: What) -> int:
        """Return how many of that sort there are."""
        return sum(each.what == what for each in self.kept)


def store_of(source: Source) -> Store:
    """Return the store that a source is: a namespace in the key/value layout by its address, else the file."""
    path = Path(source.key)
    if source.kind == KEYED:
        with contextlib.suppress(RefusedError):  # a directory whose name no namespace may have is a file like any other
            return open_store(path_url("json", path.parent.parent, path.parent.name))
    return open_store(path)


class Reasons:
    """Why safety copies are there, from the audit log: read on only as far as it has grown."""

    def __init__(self) -> None:
        self._seen: Signature | None = None
        self._known: dict[str, audit.Record] = {}
        self._by_copy: dict[str, audit.Record] = {}

    def of(self, copy: Path) -> audit.Record | None:
        """Return the record of the action before which a copy was made."""
        return self._by_copy.get(str(copy))

    def read_on(self) -> None:
        """Take notice of what was written down since."""
        there = signature(audit.log_file())
        if there is None or there == self._seen:
            return
        self._seen = there
        with contextlib.suppress(SourceError):
            for record in islice(audit.records(), _MOST_RECORDS):
                if record.id in self._known:
                    break
                self._known[record.id] = record
                self._by_copy.setdefault(record.copy, record)


def listing(store: Store, reasons: Reasons) -> Shelf:
    """Return what is kept of what is in *store*; *reasons* tells why safety copies are there."""
    kept: list[Kept] = []
    problems: list[str] = []
    try:
        kept += map(_of_checkpoint, store.checkpoints())
    except StatewatchError as error:
        problems.append(str(error))
    try:
        found = copies_of(store.source)
        if found:
            reasons.read_on()
        kept += _of_copies(found, reasons)
    except StatewatchError as error:
        problems.append(str(error))
    kept.sort(key=lambda each: (each.at, each.name), reverse=True)
    return Shelf(tuple(kept), "; ".join(problems))


def _of_checkpoint(found: Checkpoint) -> Kept:
    what: What = "backup" if found.foreign else "checkpoint"
    return Kept(what, found.name, found.created_at, found.size, found.by, found.note, found.pinned, found.digest)


def _of_copies(paths: Sequence[Path], reasons: Reasons) -> Iterator[Kept]:
    for path in paths:
        stamp, _, rest = path.name.partition("Z-")
        try:
            at = datetime.strptime(stamp, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC).timestamp()
            size = path.stat().st_size
        except (ValueError, OSError):  # none of ours, or gone a moment ago
            continue
        record = reasons.of(path)
        said, by = "", ""
        if record is not None:
            targets = ", ".join(record.targets[:3]) + (" …" if len(record.targets) > 3 else "")
            said = f"before {record.action} {targets}".strip() + (f": {record.why}" if record.why else "")
            by = record.user
        yield Kept("copy", path.name, at, size, by, said, digest=rest.partition(".")[0], path=path)

"""A namespace in a JSON file: somebody else's document as it is, or the key/value layout below a directory."""

import contextlib
import copy
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, NamedTuple, Self, TypeVar

from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.layouts import KEYED, PLAIN, Layout, laid_out
from statewatch.core.lock import TIMEOUT, Holder, holder, locked
from statewatch.core.names import check_namespace
from statewatch.core.premises import made_ready, new_owner, refuse_read_only, refuse_sealed
from statewatch.core.reading import Signature, Snapshot, read, signature, tells
from statewatch.core.rewriting import NOWHERE, Rewritten, clear_leftovers, is_same_file, present, rewrite
from statewatch.core.settle import after_a_write
from statewatch.core.stores.base import Checkpoint, Keeper, P, Revision, Store, Version
from statewatch.core.stores.drafts import Displaced, Draft
from statewatch.core.stores.file_version import FileVersion, meaning
from statewatch.core.stores.shelf import Shelf, shelf_for
from statewatch.core.stores.spaces import refuse_look_alike_beside
from statewatch.core.stores.transaction import RAISE, Found, Raise, Transaction, overlaid
from statewatch.core.stores.urls import path_url
from statewatch.documents import codec
from statewatch.documents.respelling import respelt
from statewatch.documents.values import JSON, cloned, digest

R = TypeVar("R")
T = TypeVar("T")

STATE_FILE: Final = "state.json"
_GLANCE, _LONGEST_GLANCE = 0.001, 0.02
"""Seconds between two looks at a file that is waited for: a look costs 2 µs."""


class _Seen(NamedTuple):
    """A version that was read or written, the document in it, and how it is laid out."""

    snapshot: Snapshot
    raw: JSON
    style: codec.Style


class FileStore(Store):
    """A JSON file: its top-level keys, untouched in layout.

    Other programs may write the file too, without our lock: what they write is seen, carried forward, and kept where
    ours takes its place. Reading takes no lock; a document that was read once is not parsed again while the file stays
    as it is.
    """

    namespace = ""

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self.path = path.absolute()
        self.url = str(self.path)
        self._layout: Layout = PLAIN
        self._timeout = timeout
        self._seen: _Seen | None = None
        self._plain = b""  # what was written last as its style alone says
        self._swept = False
        self._makes = False  # whether an action may make the file of somebody else
        self._inside = threading.local()

    @classmethod
    def keyed(cls, place: Path, namespace: str, timeout: float = TIMEOUT) -> Self:
        """Return the namespace in the key/value layout: `PLACE/NAMESPACE/state.json`, or the file *place* itself.

        Raises RefusedError for a name that cannot be one.
        """
        check_namespace(namespace)
        is_file = place.suffix == ".json" and not place.is_dir()
        store = cls(place if is_file else place / namespace / STATE_FILE, timeout)
        store.namespace = namespace
        store.url = path_url("json", place.absolute(), None if is_file else namespace)
        store._layout = KEYED
        return store

    # --- keys

    def _load(self, key: str) -> Found:
        raw = self._current()
        if isinstance(raw, dict) and key not in raw:
            return RAISE
        return cloned(self._values(raw)[key]) if self._layout is PLAIN else cloned(self._value(raw, key))

    def _value(self, raw: JSON, key: str) -> JSON:
        """Return one value, without a look at the other entries."""
        entry = raw.get(key) if isinstance(raw, dict) else None
        return entry["value"] if isinstance(entry, dict) and "value" in entry else self._values(raw)[key]

    def keys(self) -> list[str]:
        """Return the keys in the order of the file."""
        return list(self._values(self._current()))

    def snapshot(self) -> Revision:
        """Return the document of the namespace; any JSON value where the file is somebody else's."""
        raw = self._current()
        seen = self._seen
        at = seen.snapshot.modified_at if seen and seen.raw is raw and seen.snapshot.data else None
        document = cloned(meaning(self.path, self._layout, raw))
        return Revision(document, digest(document), at)

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        """Run *body*; see `Store.transact`."""

        def planner(snapshot: Snapshot) -> Draft[T]:
            raw = self._raw(snapshot)
            transaction = Transaction(_Stored(self._values(raw)))
            result = body(transaction)
            if not transaction.writes:
                return Draft(snapshot, snapshot.data, False, raw, result)
            refuse_sealed(self.url, raw)
            after = self._written(raw, transaction)
            return Draft(snapshot, self._encoded(snapshot, raw, after), True, after, result)

        def work(real: Path) -> T:
            done: Rewritten[Draft[T]] = rewrite(real, planner, Displaced(lambda: self.source), self._known)
            self._remember(real, done)
            return done.plan.result

        return self._exclusively(operation, work)

    def _written(self, raw: JSON, transaction: Transaction) -> JSON:
        old = raw if isinstance(raw, dict) else {}
        now = time.time()
        entries = {
            key: value if isinstance(value, Raise) else self._layout.entry(value, old.get(key), old, now)
            for key, value in transaction.writes.items()
        }
        return overlaid(old, entries)

    def wait(self, since: str, timeout: float) -> bool:
        """Wait until the file holds something else; see `Store.wait`."""
        deadline = time.monotonic() + timeout
        pause = _GLANCE
        looked_at: Signature | None = None
        while True:
            there = signature(self.path)
            if there != looked_at or there is None:
                with contextlib.suppress(SourceError):  # half written: the next look sees it whole
                    if self.snapshot().digest != since:
                        return True
                    looked_at = there
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(pause * 1.1, _LONGEST_GLANCE)

    def await_other(self, version: Version | None, timeout: float) -> None:
        """Wait until the file is another one; see `Store.await_other`."""
        known = version.signature if isinstance(version, Snapshot) else None
        deadline = time.monotonic() + timeout
        pause = _GLANCE
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            if known is None or signature(self.path) != known:
                return
            pause = min(pause * 1.1, _LONGEST_GLANCE)

    # --- actions

    @property
    def source(self) -> str:
        """Return the path, links followed; the URL where that alone does not tell the layout."""
        return self.url if self._layout is KEYED else os.path.realpath(self.path)

    def version(self) -> Version:
        """Return what is there now. Raises SourceError when it cannot be read, or somebody else's file is missing."""
        return self._version(self._look(self._real()))

    def version_in(self, kept: Snapshot) -> Version:
        """Return the version of the file that a safety copy of it is."""
        return self._version(kept)

    def rendered(self, base: Version, document: JSON, now: float) -> bytes:
        """Return *document* as the file would hold it in place of *base*, in the style of that."""
        assert isinstance(base, FileVersion)
        try:
            raw = self._raw(base)
        except SourceError:  # what is being repaired has nothing that could be kept
            return codec.encode(laid_out(self._layout, {}, document, now), self._style(base), known=True)
        return self._encoded(base, raw, laid_out(self._layout, raw, document, now))

    def refuse_read_only(self, operation: str) -> None:
        """Respect a mode that says read-only, also where the system would let us through: root, or a replacement."""
        refuse_read_only(self._real(), operation)

    def notes(self) -> tuple[str, ...]:
        """Tell whose file it becomes, where that is another user than before."""
        return tuple(filter(None, [new_owner(self._real())]))

    def create(self) -> None:
        """Make the file, an empty object, where there is none."""

        def planner(snapshot: Snapshot) -> Draft[None]:
            missing = snapshot.signature == NOWHERE
            raw = self._raw(snapshot)
            self._values(raw)  # what has no keys is no namespace
            return Draft(snapshot, codec.encode({}) if missing else snapshot.data, missing, raw, None)

        self._exclusively("create", lambda real: rewrite(real, planner, Displaced(lambda: self.source)))

    def holders(self) -> list[Holder]:
        """Return who holds the lock of the file."""
        found = holder(self._guarded_by(self._real()))
        return [] if found is None else [found]

    def rewrite(self, planner: Callable[[Version], P], keeper: Keeper[P], operation: str) -> P:
        """Carry out an action; see `Store.rewrite`. A writer at work is waited for, a little while."""

        def draft(snapshot: Snapshot) -> Draft[P]:
            plan = planner(self._version(snapshot))
            return Draft(snapshot, plan.data, plan.changed, None, plan)

        self.refuse_read_only(operation)  # before a copy or a record is made, also for what no mode says
        return self._exclusively(
            operation, lambda real: rewrite(real, draft, _Kept(self, keeper), self._patient_look).plan.result
        )

    def made_anew(self) -> Self:
        """Return this store, for which a file that is missing holds nothing, also where it is somebody else's."""
        other = copy.copy(self)
        other._makes = True  # noqa: SLF001 - one of our own
        return other

    def _look(self, real: Path) -> Snapshot:
        return present(real) if self._makes or self._layout is KEYED else read(real)

    def _patient_look(self, real: Path) -> Snapshot:
        return after_a_write(real, self._look)

    # --- checkpoints

    def checkpoints(self) -> list[Checkpoint]:
        """Return all checkpoints and the backups that other tools left, oldest first."""
        return self._shelf().entries()

    def _checkpoint_names(self) -> list[str]:
        return self._shelf().names()

    def read_checkpoint(self, name: str) -> Revision:
        """Return what a checkpoint or a backup holds."""
        document = self.kept(name).document()
        return Revision(document, digest(document))

    def kept(self, name: str) -> Version:
        """Return the file as a checkpoint or a backup holds it."""
        return self._version(self._shelf().read(name))

    def verify_checkpoint(self, name: str) -> bool:
        """Tell whether a checkpoint is, to the byte, as it was made."""
        kept = self.kept(name)
        kept.document()
        return self._shelf().is_as_made(name, kept.digest)

    def _write_checkpoint(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool) -> Checkpoint:
        def work(real: Path) -> Checkpoint:
            if document is None:
                now = present(real)
                self._raw(now)  # what cannot be read is no checkpoint to come back to
                data = now.data or codec.encode({})
            else:
                data = codec.encode(laid_out(self._layout, {}, document, checkpoint.created_at))
            return self._shelf().write(checkpoint, data, replacing=replacing)

        return self._exclusively(f"checkpoint {checkpoint.name}", work)

    def _edit_checkpoint(self, name: str, edited: Checkpoint) -> None:
        self._exclusively(f"edit checkpoint {name}", lambda _real: self._shelf().edit(name, edited))

    def _delete_checkpoint(self, name: str) -> None:
        self._exclusively(f"delete checkpoint {name}", lambda _real: self._shelf().delete(name))

    def _shelf(self) -> Shelf:
        return shelf_for(self._real(), self.url, keyed=self._layout is KEYED)

    # --- the file

    def _real(self) -> Path:
        """Follow a symbolic link: the file it leads to is written, the link stays. Those of directories do no harm."""
        return Path(os.path.realpath(self.path)) if os.path.islink(self.path) else self.path  # noqa: PTH114

    def _exclusively(self, operation: str, work: Callable[[Path], R]) -> R:
        """Return what *work* makes of the file that is written, under its lock."""
        if getattr(self._inside, "held", False):
            raise RefusedError(f"{self.url}: cannot {operation} inside a transaction on it; do it there, or after it")
        if self._layout is KEYED and not self._swept:
            refuse_look_alike_beside(self.path)
        real = made_ready(self.path, operation)
        with locked(self._guarded_by(real), operation, self._timeout):
            self._inside.held = True
            try:
                if not self._swept:
                    clear_leftovers(real)
                    self._swept = True
                return work(real)
            finally:
                self._inside.held = False

    def _guarded_by(self, real: Path) -> Path:
        """Return the file whose lock is for *real* too: itself, where nothing else is written together with it."""
        return real

    def _version(self, snapshot: Snapshot) -> FileVersion:
        return FileVersion(snapshot, self._layout, self._decoded)

    def _current(self) -> JSON:
        """Return the document of the file as it is now, parsed anew only when the file is another one."""
        seen = self._seen
        if seen is not None and signature(self.path) == seen.snapshot.signature and tells(seen.snapshot.signature):
            return seen.raw
        snapshot = present(self.path)
        raw = self._decoded(snapshot)
        self._seen = _Seen(snapshot, raw, _style_of(snapshot))
        return raw

    def _known(self, real: Path) -> Snapshot:
        """Return the file as it is, read only when it is not the version that was seen last."""
        seen = self._seen
        if seen is not None and signature(real) == seen.snapshot.signature and tells(seen.snapshot.signature):
            return seen.snapshot
        return present(real)

    def _raw(self, snapshot: Snapshot) -> JSON:
        seen = self._seen
        if seen is not None and (seen.snapshot is snapshot or seen.snapshot.data == snapshot.data):
            return seen.raw
        return snapshot.raw if isinstance(snapshot, FileVersion) else self._decoded(snapshot)

    def _decoded(self, snapshot: Snapshot) -> JSON:
        return Snapshot.document(snapshot) if snapshot.signature != NOWHERE else {}

    def _remember(self, real: Path, done: "Rewritten[Draft[T]]") -> None:
        """Know what we have just written without reading it, if it is still there."""
        there = signature(real)
        if done.signature is not None and there is not None and is_same_file(there, done.signature):
            written = Snapshot(self.path, done.plan.data, there)
            self._seen = _Seen(written, done.plan.raw, self._style(done.plan.base))

    def _values(self, raw: JSON) -> dict[str, JSON]:
        document = meaning(self.path, self._layout, raw)
        if not isinstance(document, dict):
            raise SourceError(self.path, f"it holds {_name_of(document)}, which has no keys")
        return document

    def _encoded(self, base: Snapshot, before: JSON, after: JSON) -> bytes:
        """Return *after* as the file would hold it: what did not change is spelt as it was."""
        style = self._style(base)
        if base.data and base.data is not self._plain and not codec.is_plain(base.data, before, style):
            return respelt(base.data, before, after, style)
        self._plain = codec.encode(after, style, known=True)
        return self._plain

    def _style(self, base: Snapshot) -> codec.Style:
        seen = self._seen
        return seen.style if seen is not None and seen.snapshot is base else _style_of(base)


class _Stored:
    """What a transaction reads: the values of one version."""

    def __init__(self, values: dict[str, JSON]) -> None:
        self._values = values

    def load(self, key: str) -> Found:
        return self._values.get(key, RAISE)

    def keys(self) -> list[str]:
        return list(self._values)

    def document(self) -> dict[str, JSON]:
        return self._values


class _Kept(Generic[P]):
    """What an action keeps, in terms of the namespace."""

    def __init__(self, store: FileStore, keeper: Keeper[P]) -> None:
        self._store, self._keeper = store, keeper

    def before(self, draft: Draft[P]) -> None:
        self._keeper.before(draft.result)

    def displaced(self, snapshot: Snapshot) -> None:
        self._keeper.displaced(snapshot)


def _style_of(snapshot: Snapshot) -> codec.Style:
    return codec.style_of(snapshot.data) if snapshot.data.strip() else codec.Style()


def _name_of(value: JSON) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")

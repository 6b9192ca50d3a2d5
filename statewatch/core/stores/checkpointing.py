"""The checkpoints of a store: what can be said of them whatever the engine, in terms of the few methods that it has."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from statewatch.core.errors import MissingCheckpointError, RefusedError
from statewatch.core.lock import user
from statewatch.core.names import check_checkpoint, clash
from statewatch.core.stores.model import Checkpoint, Kept, Revision, Version, automatic_name
from statewatch.documents.values import JSON, NotJSONError, private


class Checkpoints(ABC):
    """What a store does with its checkpoints; all that changes one is written down in the audit log."""

    url: str

    @property
    @abstractmethod
    def source(self) -> str:
        """Return what the audit log calls the store."""

    def checkpoint(
        self,
        name: str | None = None,
        *,
        note: str = "",
        by: str | None = None,
        pinned: bool = False,
        replacing: bool = False,
        why: str = "",
        via: str = "library",
    ) -> Checkpoint:
        """Keep the namespace as it is now under *name*, by default `auto_YYYYmmdd_HHMMSS` (UTC).

        What is done to checkpoints is in the audit log, with *why* and through what (*via*). Raises RefusedError for a
        name that cannot be one, that another checkpoint has (unless *replacing*), or that could be confused with
        another's.
        """
        while True:
            now = time.time()
            existing = self._checkpoint_names()
            if name is not None:
                self._check_new_name(name, existing, replacing=replacing)
            made = Checkpoint(name or automatic_name(now, existing), now, note, user() if by is None else by, pinned)
            try:
                return self._written_down(made, None, replacing=replacing, why=why, via=via)
            except RefusedError:  # perhaps another had the same automatic name in mind
                if name is not None or all(made.name != checkpoint.name for checkpoint in self.checkpoints()):
                    raise

    def _checkpoint_names(self) -> list[str]:
        """Return the names of all checkpoints; an engine that can does it without a look at the rest."""
        return [checkpoint.name for checkpoint in self.checkpoints()]

    def put_checkpoint(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool = True) -> Checkpoint:
        """Write a checkpoint that was made elsewhere, as it is.

        One of that name is replaced, or when not *replacing* it is refused, with RefusedError.
        """
        check_checkpoint(checkpoint.name)
        if not isinstance(document, dict):
            raise RefusedError(f"{self.url}: a checkpoint of a namespace is an object of keys and values")
        try:
            kept = private(document)
        except NotJSONError as error:
            raise RefusedError(f"{self.url}: the checkpoint {checkpoint.name!r} cannot be kept: {error}.") from None
        own = replace(checkpoint, foreign=False)
        return self._written_down(own, kept, replacing=replacing, why=f"made elsewhere: {own.by}".strip(" :"))

    def _written_down(
        self, made: Checkpoint, document: JSON, *, replacing: bool, why: str, via: str = "library"
    ) -> Checkpoint:
        from statewatch.core.keeping import written_down  # noqa: PLC0415 - hooks load this module and keep nothing

        old = next((each for each in self.checkpoints() if each.name == made.name), None) if replacing else None
        return written_down(
            self,
            "create checkpoint" if old is None else "replace checkpoint",
            [made.name],
            lambda: self._write_checkpoint(made, document, replacing=replacing),
            why=why,
            via=via,
            old=old,
            losing=old is not None,
        )

    def find_checkpoint(self, name: str) -> Checkpoint:
        """Return the checkpoint of that name. Raises MissingCheckpointError, with the near ones named."""
        existing = self.checkpoints()
        found = next((checkpoint for checkpoint in existing if checkpoint.name == name), None)
        if found is None:
            raise MissingCheckpointError(self.url, name, [checkpoint.name for checkpoint in existing])
        return found

    def edit_checkpoint(
        self,
        name: str,
        *,
        new_name: str | None = None,
        note: str | None = None,
        pinned: bool | None = None,
        why: str = "",
        via: str = "library",
    ) -> Checkpoint:
        """Rename, annotate, pin or unpin a checkpoint. Raises RefusedError for one that another tool left."""
        from statewatch.core.keeping import edit_name, written_down  # noqa: PLC0415 - as above

        there = self._own_checkpoint(name)
        if new_name is not None and new_name != name:
            others = [checkpoint.name for checkpoint in self.checkpoints() if checkpoint.name != name]
            self._check_new_name(new_name, others, replacing=False)

        def change(old: Checkpoint) -> Checkpoint:
            return replace(
                old,
                name=old.name if new_name is None else new_name,
                note=old.note if note is None else note,
                pinned=old.pinned if pinned is None else pinned,
            )

        if change(there) == there:
            return self._change_checkpoint(name, change)
        names = [name] if new_name is None else [name, new_name]
        doing = edit_name(there, change(there))
        return written_down(
            self, doing, names, lambda: self._change_checkpoint(name, change), why=why, via=via, old=there
        )

    def _change_checkpoint(self, name: str, change: Callable[[Checkpoint], Checkpoint]) -> Checkpoint:
        """Make of a checkpoint what *change* does; an engine that can lets no other edit come in between."""
        old = self._own_checkpoint(name)
        edited = change(old)
        if edited != old:
            self._edit_checkpoint(name, edited)
        return edited

    def delete_checkpoint(self, name: str, *, why: str = "", via: str = "library") -> None:
        """Delete a checkpoint; what it holds is kept as a safety copy.

        Raises RefusedError for a pinned one, and for one that another tool left.
        """
        from statewatch.core.keeping import written_down  # noqa: PLC0415 - as above

        self.refuse_deletion(name)
        old = self.find_checkpoint(name)
        doing = partial(self._delete_checkpoint, name)
        written_down(self, "delete checkpoint", [name], doing, why=why, via=via, old=old, losing=True)

    def refuse_deletion(self, name: str) -> None:
        """Raise what `delete_checkpoint` would raise for a checkpoint; nothing is deleted."""
        if self._own_checkpoint(name).pinned:
            raise RefusedError(f"{self.url}: the checkpoint {name!r} is pinned. Unpin it first, then delete it.")

    def verify_checkpoint(self, name: str) -> bool:
        """Tell whether a checkpoint is as it was made. Raises SourceError when it cannot even be read.

        One whose maker left no digest counts as good when it can be read.
        """
        made = self.find_checkpoint(name)
        return made.digest in ("", self.read_checkpoint(name).digest)

    def kept(self, name: str) -> Version:
        """Return what a checkpoint holds, as it is kept. Raises as `read_checkpoint` does."""
        return Kept(self.read_checkpoint(name))

    def _own_checkpoint(self, name: str) -> Checkpoint:
        found = self.find_checkpoint(name)
        if found.foreign:
            raise RefusedError(
                f"{self.url}: {name!r} is a backup that another tool left. It can be shown, compared and restored, but "
                "only that tool may change or delete it."
            )
        return found

    def _check_new_name(self, name: str, existing: Iterable[str], *, replacing: bool) -> None:
        check_checkpoint(name)
        names = set(existing)
        if name in names:
            if not replacing:
                raise RefusedError(f"{self.url}: there is a checkpoint {name!r} already. Choose another name.")
            self._own_checkpoint(name)  # another tool's is not replaced
        elif like := clash(name, names):
            raise RefusedError(
                f"{self.url}: the name {name!r} looks like that of the checkpoint {like!r}. Choose another name."
            )

    # --- what every engine has to provide

    @abstractmethod
    def checkpoints(self) -> list[Checkpoint]:
        """Return all checkpoints, oldest first."""

    @abstractmethod
    def read_checkpoint(self, name: str) -> Revision:
        """Return what a checkpoint holds. Raises MissingCheckpointError, and SourceError when it is damaged."""

    @abstractmethod
    def _write_checkpoint(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool) -> Checkpoint:
        """Keep *document*, or where that is None the namespace at one moment.

        Returns the checkpoint with the digest and size of what was kept. Raises RefusedError when one of that name has
        appeared meanwhile and not *replacing*.
        """

    @abstractmethod
    def _edit_checkpoint(self, name: str, edited: Checkpoint) -> None:
        """Give the checkpoint *name* the name, note and pin of *edited*; its content stays."""

    @abstractmethod
    def _delete_checkpoint(self, name: str) -> None:
        """Delete a checkpoint."""

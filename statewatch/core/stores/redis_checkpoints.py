"""Checkpoints in Redis: an object of keys and values, as other tools make too, and beside it what we know of it."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from statewatch.core.errors import MissingCheckpointError, RefusedError, SourceError
from statewatch.core.stores.model import Checkpoint, Revision
from statewatch.core.stores.redis_commit import Committer, Proposal, sha1
from statewatch.core.stores.redis_layout import encoded
from statewatch.core.stores.redis_link import WrongTypeError
from statewatch.core.stores.redis_scripts import CHECKPOINTS, Field, unpacked
from statewatch.documents import codec
from statewatch.documents.codec import DocumentError
from statewatch.documents.values import JSON, digest

_KNOWN: Final = ("created_at", "note", "by", "pinned", "digest")
_STAMP: Final = re.compile(r"auto_(\d{8}_\d{6})")
"""How other tools name a checkpoint that nobody has named: by the time of day where they run."""


class Shelf:
    """The checkpoints of a namespace.

    Redis does not tell when something was written. So one that another tool has put in the place of ours is, like one
    that was damaged, not as it was made.
    """

    def __init__(self, committer: Committer, namespace: str) -> None:
        self._committer = committer
        self._shown = committer.shown
        self._prefix = f"checkpoint:{namespace}:".encode()
        self._notes = f"{committer.own}checkpoint:".encode()

    def listed(self) -> list[Checkpoint]:
        """Return all checkpoints, oldest first."""
        found = {name: _checkpoint(name, int(size) if size else None, note) for name, size, note in self._entries()}
        return sorted(found.values(), key=lambda made: (made.created_at, made.name))

    def read(self, name: str) -> Revision:
        """Return what a checkpoint holds. Raises MissingCheckpointError, and SourceError when it is damaged."""
        try:
            text = self._committer.link.ask("GET", self._stored(name))
        except UnicodeEncodeError:  # so it cannot be there
            text = None
        except WrongTypeError:
            raise self._damaged(name, "it is not a text") from None
        if text is None:
            raise self._missing(name)
        try:
            document = codec.decode(text)
        except DocumentError as error:
            raise self._damaged(name, str(error)) from None
        if not isinstance(document, dict):
            raise self._damaged(name, "it is not an object of keys and values")
        note = self._committer.link.ask("GET", self._noted(name))
        return Revision.of(document, _checkpoint(name, len(text), note).created_at or None)

    def write(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool) -> Checkpoint:
        """Keep *document*; see `Store._write_checkpoint`."""
        text = encoded(document)
        made = replace(checkpoint, digest=digest(document), size=len(text))
        key = self._stored(made.name)
        writes = [(b"SET", key, text), (b"SET", self._noted(made.name), _note(made))]
        conditions = [] if replacing else [(key, b"")]
        if not self._committer.apply(Proposal(conditions, writes=writes), f"make the checkpoint {made.name!r}"):
            raise self._taken(made.name)
        return made

    def edit(self, name: str, edited: Checkpoint) -> None:
        """Give a checkpoint another name, note or pin; its content stays."""
        old, new = self._stored(name), self._stored(edited.name)
        conditions = [(old, b"*")]
        writes: list[tuple[bytes, ...]] = [(b"SET", self._noted(edited.name), _note(edited))]
        if new != old:
            conditions.append((new, b""))
            writes = [(b"DEL", self._noted(name)), (b"RENAME", old, new), *writes]
        self._apply(name, conditions, writes, f"edit the checkpoint {name!r}")

    def delete(self, name: str) -> None:
        """Delete a checkpoint, unless it is pinned meanwhile."""
        key, noted = self._stored(name), self._noted(name)
        note = self._committer.link.ask("GET", noted)
        if _said(note).get("pinned") is True:
            raise RefusedError(f"{self._shown}: the checkpoint {name!r} has just been pinned")
        conditions = [(key, b"*"), (noted, b"" if note is None else sha1(note))]
        self._apply(name, conditions, [(b"DEL", key), (b"DEL", noted)], f"delete the checkpoint {name!r}")

    def _apply(
        self, name: str, conditions: Sequence[tuple[bytes, bytes]], writes: Sequence[tuple[bytes, ...]], operation: str
    ) -> None:
        if not self._committer.apply(Proposal(conditions, writes=writes), operation):
            if name not in (made.name for made in self.listed()):
                raise self._missing(name)
            raise RefusedError(
                f"{self._shown}: cannot {operation}: another writer has just changed it, or one with the new name. "
                "Nothing was changed. Look at the list of checkpoints again."
            )

    def _entries(self) -> list[tuple[str, Field, Field]]:
        fields = unpacked(*self._committer.link.run(CHECKPOINTS, self._prefix + b"*", self._prefix, self._notes))
        entries = []
        for name, size, note in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
            assert name is not None
            try:
                entries.append((name.decode(), size, note))
            except UnicodeDecodeError:
                raise SourceError(
                    self._shown,
                    f"the name of the Redis key {self._prefix + name!r} is not UTF-8. Rename or delete it.",
                ) from None
        return entries

    def _stored(self, name: str) -> bytes:
        return self._prefix + name.encode()

    def _noted(self, name: str) -> bytes:
        return self._notes + name.encode()

    def _missing(self, name: str) -> MissingCheckpointError:
        return MissingCheckpointError(self._shown, name, [made.name for made in self.listed()])

    def _taken(self, name: str) -> RefusedError:
        return RefusedError(f"{self._shown}: there is a checkpoint {name!r} already. Choose another name.")

    def _damaged(self, name: str, reason: str) -> SourceError:
        return SourceError(
            self._shown, f"the checkpoint {name!r} is damaged: {reason}. Delete it, and use another one."
        )


def _note(made: Checkpoint) -> bytes:
    said = asdict(made)
    return json.dumps({name: said[name] for name in _KNOWN}).encode()


def _said(note: Field) -> dict[str, Any]:
    """Return what is noted of a checkpoint; what is damaged in it is only lost, as the checkpoint is beside it."""
    try:
        said = json.loads(note or b"null")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _checkpoint(name: str, size: int | None, note: Field) -> Checkpoint:
    said = _said(note)
    made, by, about, proof = (said.get(part) for part in ("created_at", "by", "note", "digest"))
    if not isinstance(made, int | float):
        return Checkpoint(name, _stamped(name), size=size)
    return Checkpoint(name, made, _text(about), _text(by), said.get("pinned") is True, _text(proof), size)


def _text(said: object) -> str:
    return said if isinstance(said, str) else ""


def _stamped(name: str) -> float:
    """Return when a checkpoint of another tool was made, 0 where its name does not tell."""
    found = _STAMP.fullmatch(name)
    try:
        return time.mktime(time.strptime(found[1], "%Y%m%d_%H%M%S")) if found else 0.0
    except (ValueError, OverflowError):
        return 0.0

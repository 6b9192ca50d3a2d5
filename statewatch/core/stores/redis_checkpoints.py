"""Checkpoints in Redis: an object of keys and values, as other tools make too, and beside it what we know of it.

What we know is in one hash, the index, so that a list needs nothing of the checkpoints but their names. These decide:
what is not in the index is another tool's, or has an older note of its own; what is only there is gone.
"""

import json
import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any, Final

import orjson

from statewatch.core.errors import LockedError, MissingCheckpointError, RefusedError, SourceError
from statewatch.core.stores.model import Checkpoint, Revision
from statewatch.core.stores.redis_commit import Committer, Proposal, sha1
from statewatch.core.stores.redis_layout import encoded
from statewatch.core.stores.redis_link import WrongTypeError
from statewatch.core.stores.redis_scripts import CHECKPOINTS, STRANGERS, Field
from statewatch.documents import codec
from statewatch.documents.codec import DocumentError
from statewatch.documents.values import JSON, digest

_KNOWN: Final = ("created_at", "note", "by", "pinned", "digest", "size")
_PAUSE: Final = 0.005
"""Seconds before a checkpoint that another writer has just edited is edited again."""
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
        self._index = f"{committer.own}checkpoints".encode()
        self._seen: tuple[list[bytes], list[Checkpoint]] | None = None

    def listed(self) -> list[Checkpoint]:
        """Return all checkpoints, oldest first."""
        reply = self._committer.link.run(CHECKPOINTS, self._prefix + b"*", self._prefix, self._index)
        if self._seen is not None and self._seen[0] == reply:
            return list(self._seen[1])
        names, notes, count, gone, strangers = reply
        found = self._indexed(names, notes, count, set(map(int, gone.split(b",") if gone else ())))
        found += self._strangers(list(dict.fromkeys(strangers)))
        found.sort(key=lambda made: (made.created_at, made.name))
        self._seen = None if strangers else (reply, found)
        return list(found)

    def _indexed(self, lines: bytes, notes: bytes, count: int, gone: set[int]) -> list[Checkpoint]:
        """Return the checkpoints that the index knows, all at once where no damage is in the way."""
        names = lines.split(b"\n") if count else []
        try:
            said = orjson.loads(b"[%b]" % notes.replace(b"\n", b","))
        except ValueError:
            said = []
        if len(said) == len(names) == count:
            pairs = zip(names, said, strict=True)
            return [
                _told(self._shown_name(name), None, each) for at, (name, each) in enumerate(pairs) if at not in gone
            ]
        flat = self._committer.link.ask("HGETALL", self._index)
        there = [name for at, name in enumerate(flat[::2]) if at not in gone or len(flat) != 2 * count]
        noted = dict(zip(flat[::2], flat[1::2], strict=True))
        return [_checkpoint(self._shown_name(name), None, noted[name]) for name in there]

    def _strangers(self, names: list[bytes]) -> Iterable[Checkpoint]:
        """Return those that the index does not know: of other tools, or with an older note."""
        if not names:
            return
        fields = self._committer.link.run(STRANGERS, self._prefix, self._notes, *names)
        for name, size, note in zip(names, fields[::2], fields[1::2], strict=True):
            yield _checkpoint(self._shown_name(name), int(size) if size else None, note)

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
        return Revision.of(document, _checkpoint(name, len(text), self._note(name)[0]).created_at or None)

    def write(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool) -> Checkpoint:
        """Keep *document*; see `Store._write_checkpoint`."""
        text = encoded(document)
        made = replace(checkpoint, digest=digest(document), size=len(text))
        key = self._stored(made.name)
        writes = [(b"SET", key, text), *self._annotated(made.name, made)]
        conditions = [] if replacing else [(key, b"")]
        if not self._committer.apply(Proposal(conditions, writes=writes), f"make the checkpoint {made.name!r}"):
            raise self._taken(made.name)
        return made

    def edit(self, name: str, change: Callable[[Checkpoint], Checkpoint]) -> Checkpoint:
        """Make of a checkpoint what *change* does, again where another writer comes in between; its content stays."""
        deadline = time.monotonic() + self._committer.timeout
        while True:
            note, conditions = self._note(name)
            old = _checkpoint(name, self._size(name), note)
            edited = change(old)
            if edited == old:
                return old
            if self._edited(old, edited, conditions):
                return edited
            if time.monotonic() >= deadline:
                raise LockedError(f"{self._shown}: cannot edit the checkpoint {name!r}, others edit it all the time")
            time.sleep(_PAUSE * random.uniform(0.2, 1.0))  # noqa: S311 - spreads writers, decides nothing

    def delete(self, name: str) -> None:
        """Delete a checkpoint, unless it is pinned meanwhile."""
        note, conditions = self._note(name)
        if _said(note).get("pinned") is True:
            raise RefusedError(f"{self._shown}: the checkpoint {name!r} has just been pinned")
        key = self._stored(name)
        writes = [(b"DEL", key), (b"HDEL", self._index, name.encode()), (b"DEL", self._noted(name))]
        operation = f"delete the checkpoint {name!r}"
        if not self._committer.apply(Proposal([(key, b"*"), *conditions], writes=writes), operation):
            self._size(name)  # raises where it is gone
            raise RefusedError(
                f"{self._shown}: cannot {operation}: another writer has just changed it. Nothing was changed. Look at "
                "the list of checkpoints again."
            )

    def _edited(self, old: Checkpoint, edited: Checkpoint, conditions: list[tuple[bytes, bytes]]) -> bool:
        """Write an edited checkpoint; tell whether nobody came in between. Raises RefusedError for a taken name."""
        key, new = self._stored(old.name), self._stored(edited.name)
        moves: list[tuple[bytes, ...]] = []
        if new != key:
            if self._committer.link.ask("EXISTS", new):
                raise self._taken(edited.name)
            conditions = [*conditions, (new, b"")]
            moves = [(b"HDEL", self._index, old.name.encode()), (b"DEL", self._noted(old.name)), (b"RENAME", key, new)]
        writes = [*moves, *self._annotated(edited.name, edited)]
        proposal = Proposal([(key, b"*"), *conditions], writes=writes)
        return self._committer.apply(proposal, f"edit the checkpoint {old.name!r}")

    def _size(self, name: str) -> int | None:
        """Return how many bytes a checkpoint has, None where it is no text. Raises MissingCheckpointError."""
        size, _ = self._committer.link.run(STRANGERS, self._prefix, self._notes, name.encode())
        if size == b"0" and not self._committer.link.ask("EXISTS", self._stored(name)):
            raise self._missing(name)
        return int(size) if size else None

    def _note(self, name: str) -> tuple[Field, list[tuple[bytes, bytes]]]:
        """Return what is noted of a checkpoint, and the conditions under which that is still so."""
        if not _is_utf8(name):
            return None, []
        note = self._committer.link.ask("HGET", self._index, name.encode())
        older = None if note is not None else self._committer.link.ask("GET", self._noted(name))
        conditions = [(name.encode(), b"#" + (b"" if note is None else sha1(note)))]
        if note is None:
            conditions.append((self._noted(name), b"" if older is None else sha1(older)))
        return older if note is None else note, conditions

    def _annotated(self, name: str, made: Checkpoint) -> list[tuple[bytes, ...]]:
        return [(b"DEL", self._noted(name)), (b"HSET", self._index, name.encode(), _note(made))]

    def _shown_name(self, name: bytes) -> str:
        try:
            return name.decode()
        except UnicodeDecodeError:
            raise SourceError(
                self._shown,
                f"the name of the Redis key {self._prefix + name!r} is not UTF-8. Rename or delete it.",
            ) from None

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
    text = note or b"null"
    try:
        said = orjson.loads(text)
    except ValueError:  # half of a surrogate pair, which only the standard library takes; or damage
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return {}
    return said if isinstance(said, dict) else {}


def _checkpoint(name: str, size: int | None, note: Field) -> Checkpoint:
    return _told(name, size, _said(note))


def _told(name: str, size: int | None, said: object) -> Checkpoint:
    if not isinstance(said, dict):
        said = {}
    made, noted = said.get("created_at"), said.get("size")
    if size is None and isinstance(noted, int):
        size = noted
    if not isinstance(made, int | float):
        return Checkpoint(name, _stamped(name), size=size)
    by, about, proof = said.get("by"), said.get("note"), said.get("digest")
    return Checkpoint(name, made, _text(about), _text(by), said.get("pinned") is True, _text(proof), size)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(said: object) -> str:
    return said if isinstance(said, str) else ""


def _stamped(name: str) -> float:
    """Return when a checkpoint of another tool was made, 0 where its name does not tell."""
    found = _STAMP.fullmatch(name)
    try:
        return time.mktime(time.strptime(found[1], "%Y%m%d_%H%M%S")) if found else 0.0
    except (ValueError, OverflowError):
        return 0.0

"""How a transaction on Redis is committed: what its body read is guarded by the script that writes.

Writers do not wait for each other. One whose reads have changed meanwhile runs again, and one that was too slow several
times, or once with much work, asks the others to stand back for a moment: its turn. That only spreads them: what keeps
updates from being lost is the check in the script, and a turn ends by itself when its owner is killed.
"""

import contextlib
import hashlib
import json
import os
import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Final

from statewatch.core.errors import LockedError, RefusedError, StatewatchError, UnavailableError, UnknownOutcomeError
from statewatch.core.lock import Holder, host, user
from statewatch.core.stores.redis_link import Link, LostReplyError, Word
from statewatch.core.stores.redis_scripts import COMMIT, GIVE_UP, LEAVE_TURN, TAKE_TURN, Field, packed
from statewatch.documents.text import harmless
from statewatch.kinds.times import iso

FORMAT: Final = 1
"""Of our own keys, `statewatch:NAMESPACE:…`."""

_TRIES: Final = 3
"""How often a writer is too late before it asks for a turn."""
_LONG: Final = 0.01
"""Seconds from which on an attempt is too dear to be repeated without one."""
_SHORTEST_TURN, _LONGEST_TURN = 0.1, 2.0
"""Seconds after which a turn ends, also that of a writer which was killed."""
_POLL: Final = 0.003
_KNOWN_FOR: Final = 600
"""Seconds for which a commit can be found out about, at least."""


class Outcome(Enum):
    """What became of a commit."""

    DONE = "done"
    STALE = "stale"
    """Something that was read has changed; nothing was written."""
    TURN = "turn"
    """It is another writer's turn; nothing was written."""
    VOID = "void"
    """The connection broke; nothing was written, and nothing will be."""


@dataclass(frozen=True)
class Proposal:
    """What is to be written, on which conditions: key and SHA-1 of its text, `*` for any text, nothing for no key.

    For a note in the index of checkpoints it is the name, and `#` with the SHA-1 of the note.
    *count* is how many keys the namespace must have, -1 where that does not matter. *writes* are commands, those that
    delete first. *about* says who writes what, where it is the namespace that changes.
    """

    conditions: Sequence[tuple[bytes, bytes]] = ()
    count: int = -1
    writes: Sequence[tuple[bytes, ...]] = ()
    about: bytes = b""


@dataclass
class _Writer:
    """Who commits, one after the other: the last number tells what became of the last commit."""

    process: int = field(default_factory=os.getpid)
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    number: int = 0


class Committer:
    """Commits to one namespace. *own* is the prefix of our keys there, *pattern* matches its keys."""

    def __init__(self, link: Link, shown: str, own: str, pattern: bytes, timeout: float) -> None:
        self.link = link
        self.shown = shown
        self.timeout = timeout
        self.own = own
        self._pattern = pattern
        self._known_for = int(max(_KNOWN_FOR, 4 * timeout))
        self._idle: list[_Writer] = []

    def holds(self, proposal: Proposal) -> bool:
        """Tell whether the conditions of a proposal are met at this moment."""
        return bool(self.link.run(COMMIT, *self._words(proposal, _Writer(name=""), b""))[0] == b"done")

    def commit(self, proposal: Proposal, turn: bytes = b"") -> tuple[Outcome, bytes]:
        """Try to commit once; return what became of it, and with TURN whose that is.

        Raises UnknownOutcomeError when the connection was lost and it cannot be found out.
        """
        writer = self._writer()
        writer.number += 1
        try:
            status, *more = self.link.run_once(COMMIT, *self._words(proposal, writer, turn))
        except LostReplyError:
            return (Outcome.DONE if self._was_done(writer) else Outcome.VOID), b""
        finally:
            self._idle.append(writer)
        if status == b"newer":
            raise RefusedError(
                f"{self.shown}: a newer statewatch has written here (format {b''.join(more).decode()}, this one knows "
                f"{FORMAT}). Nothing was changed. Use that one."
            )
        return Outcome(status.decode()), b"".join(more)

    def apply(self, proposal: Proposal, operation: str) -> bool:
        """Commit, again where the connection was lost; tell whether the conditions were met."""
        deadline = time.monotonic() + self.timeout
        while True:
            outcome, _ = self.commit(proposal)
            if outcome is not Outcome.VOID:
                return outcome is Outcome.DONE
            if time.monotonic() >= deadline:
                raise LockedError(f"{self.shown}: cannot {operation}, the connection breaks again and again")

    def whose_turn(self) -> Holder | None:
        """Return who has the turn, if anyone has."""
        return _told(self.link.ask("GET", f"{self.own}turn"))

    def last(self) -> Holder | None:
        """Return which statewatch was the last to write."""
        return _told(self.link.ask("HGET", f"{self.own}meta", "last"))

    def _writer(self) -> _Writer:
        while self._idle:
            try:
                writer = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if writer.process == os.getpid():
                return writer
        return _Writer()

    def _words(self, proposal: Proposal, writer: _Writer, turn: bytes) -> tuple[Word, ...]:
        fields = [part for condition in proposal.conditions for part in condition]
        for command in proposal.writes:
            fields += [b"%d" % len(command), *command]
        frees = bool(proposal.writes) and all(command[0] in (b"DEL", b"HDEL") for command in proposal.writes)
        return (
            *(self.own, self._pattern, proposal.count),
            *(writer.name, writer.number, self._known_for),
            *(turn, proposal.about, FORMAT, len(proposal.conditions), int(frees)),
            *packed(fields),
        )

    def _was_done(self, writer: _Writer) -> bool:
        """Find out what became of a commit; when it has not been made, see to it that it never will be."""
        key = f"{self.own}writer:{writer.name}"
        try:
            return bool(self.link.run(GIVE_UP, key, writer.number, self._known_for))
        except StatewatchError as error:
            raise UnknownOutcomeError(
                f"{self.shown}: the connection was lost while a change was on its way, and it cannot be found out "
                f"whether it was made ({error}). Look at what is there before you do it again."
            ) from None


class Race:
    """The attempts of one transaction to be in time."""

    def __init__(self, committer: Committer, operation: str) -> None:
        self._committer = committer
        self._operation = operation
        self._begun = time.monotonic()
        self._deadline = self._begun + committer.timeout
        self._key = f"{committer.own}turn"
        self._lost = 0
        self.about = _about(operation)
        """Names this writer."""
        self.turn = b""
        """The same, while it has the turn."""

    def lost(self, spent: float, other: bytes = b"") -> None:
        """Wait a moment before the next attempt, or until it is our turn; the last attempt took *spent* seconds.

        *other* is whose turn it was, if anyone's. Raises LockedError when there is no time left.
        """
        self._lost += 1
        self._refuse_after_the_end(other)
        if self._lost < _TRIES and spent < _LONG:
            self._pause(0.001 * 2**self._lost, other)
            while other and self._committer.link.ask("EXISTS", self._key):
                self._pause(_POLL, other)
            return
        length = int(1000 * min(_SHORTEST_TURN + 2 * spent, _LONGEST_TURN))
        while other := self._committer.link.run(TAKE_TURN, self._key, self.about, length):
            waited = time.monotonic() - self._begun
            self._pause(_POLL / (1 + 10 * waited), other)  # who has waited longer asks more often
        self.turn = self.about

    def leave(self) -> None:
        """Give the turn back, if it has not ended."""
        if self.turn:
            with contextlib.suppress(StatewatchError):  # it ends by itself soon
                self._committer.link.run(LEAVE_TURN, self._key, self.turn)
            self.turn = b""

    def _pause(self, longest: float, other: bytes = b"") -> None:
        self._refuse_after_the_end(other)
        time.sleep(longest * random.uniform(0.2, 1.0))  # noqa: S311 - spreads writers, decides nothing

    def _refuse_after_the_end(self, other: bytes = b"") -> None:
        if time.monotonic() >= self._deadline:
            committer = self._committer
            who = _told(other) or committer.last() or "a program that does not say who it is"
            raise LockedError(
                f"{committer.shown}: cannot {self._operation}: other writers were faster for {committer.timeout:g} s, "
                f"the last of them {who}. Nothing was changed. Try again when they are done."
            )


class Judged:
    """Runs the body of a transaction, and lets pass an exception that came of reads which were not of one moment."""

    def __init__(self, still_holds: Callable[[], bool]) -> None:
        self._still_holds = still_holds

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, Exception) and not isinstance(error, UnavailableError) and not self._still_holds()


def _about(operation: str) -> bytes:
    """Return who does *operation*, as others are told; no two are the same."""
    told = {"pid": os.getpid(), "host": host(), "user": user(), "operation": harmless(operation, 200)}
    return json.dumps(told | {"since": iso(time.time()), "id": secrets.token_hex(4)}).encode()


def sha1(text: bytes) -> bytes:
    """Return the SHA-1 of a text in hexadecimal: Redis can compute no other."""
    return hashlib.sha1(text, usedforsecurity=False).hexdigest().encode()


def _told(text: Field) -> Holder | None:
    try:
        said = json.loads(text or b"null")
        return Holder(int(said["pid"]), *(str(said[part]) for part in ("host", "user", "operation", "since")))
    except (ValueError, TypeError, KeyError, RecursionError):  # nothing, or not by us
        return None

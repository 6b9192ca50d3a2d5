"""A namespace in Redis: one key a value, transactions that run again when another writer was faster.

Redis 6.2 or later, one server or a replica set reached at its primary, not a cluster. See `redis_layout` for the keys.
"""

import contextlib
import functools
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from statewatch.core.errors import RefusedError
from statewatch.core.lock import TIMEOUT, Holder
from statewatch.core.names import check_namespace
from statewatch.core.stores.base import Checkpoint, Revision, Store
from statewatch.core.stores.redis_checkpoints import Shelf
from statewatch.core.stores.redis_commit import Committer, Judged, Outcome, Proposal, Race, sha1
from statewatch.core.stores.redis_layout import Namespace, Reads, encoded
from statewatch.core.stores.redis_link import Link
from statewatch.core.stores.redis_subscription import Subscription
from statewatch.core.stores.transaction import Found, Held, Raise, Transaction
from statewatch.core.stores.urls import DEFAULT_NAMESPACE, with_namespace, without_password
from statewatch.documents.values import JSON, digest

T = TypeVar("T")

_POLL: Final = 1.0
"""Seconds between two looks while waiting: writers that are not of statewatch need not say that they have written."""
_SHARE: Final = 20
"""A look that takes long is followed by a pause so many times as long."""


class RedisStore(Store):
    """A namespace on a Redis server; *ttl* is in seconds, and given anew by every write.

    Without it a key keeps the time to live that it has, and a new one gets none. A transaction that others overtake
    runs again; nobody waits for a writer that was killed.
    """

    _keeps_apart = True

    def __init__(
        self, url: str, namespace: str = DEFAULT_NAMESPACE, timeout: float = TIMEOUT, ttl: int | None = None
    ) -> None:
        check_namespace(namespace)
        self.namespace = namespace
        self.url = with_namespace(without_password(url), namespace)
        self._link = Link(url, self.url, timeout)
        self._values = Namespace(self._link, self.url, namespace)
        own = f"statewatch:{namespace}:"
        self._committer = Committer(self._link, self.url, own, self._values.pattern, timeout)
        self._shelf = Shelf(self._committer, namespace)
        self._channels = (f"{own}changes".encode(),)
        self._patterns = (f"__keyspace@{self._link.database}__:".encode() + self._values.pattern,)
        self._ttl = ttl
        self._keep = (b"KEEPTTL",) if ttl is None else (b"EX", b"%d" % ttl)
        self._thread = threading.local()
        self._seen = (b"", "")

    # --- keys

    def _load(self, key: str) -> Found:
        return Reads(self._values).load(key)

    def keys(self) -> list[str]:
        """Return the keys, sorted."""
        return self._values.names()

    def snapshot(self) -> Revision:
        """Return the whole namespace at one moment."""
        return Revision.of(Reads(self._values).document())

    def _held(self) -> dict[str, Held]:
        return Reads(self._values).held()

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        """Run *body*, again each time that something it has read was changed meanwhile; see `Store.transact`."""
        with self._alone(operation):
            race = Race(self._committer, operation)
            try:
                while True:
                    begun = time.monotonic()
                    results, other = self._attempt(body, race)
                    if results:
                        return results[0]
                    race.lost(time.monotonic() - begun, other)
            finally:
                race.leave()

    def _attempt(self, body: Callable[[Transaction], T], race: Race) -> tuple[list[T], bytes]:
        """Run *body* once; return its result if what it wrote is written, else whose turn it was, if anyone's."""
        reads = Reads(self._values)
        transaction = Transaction(reads)
        results: list[T] = []
        with Judged(functools.partial(self._still_holds, reads)):
            results.append(body(transaction))
        if not results:
            return [], b""
        self._keep_damaged(transaction)
        outcome, other = self._commit(reads, transaction, race)
        return (results if outcome is Outcome.DONE else []), other

    def _commit(self, reads: Reads, transaction: Transaction, race: Race) -> tuple[Outcome, bytes]:
        commands = self._commands(transaction)
        if not commands:
            return (Outcome.DONE if self._still_holds(reads) else Outcome.STALE), b""
        if not transaction.writes:
            return self._committer.commit(self._guarded(reads, commands))
        outcome, other = self._committer.commit(self._guarded(reads, commands, race.about), race.turn)
        if outcome is Outcome.DONE:
            race.turn = b""
        return outcome, other

    def _still_holds(self, reads: Reads) -> bool:
        return reads.times <= 1 or self._committer.holds(self._guarded(reads))

    def _guarded(self, reads: Reads, writes: Sequence[tuple[bytes, ...]] = (), about: bytes = b"") -> Proposal:
        """Return a proposal to write, provided that everything is as it was read."""
        stored = self._values.stored
        conditions = [(stored(key), b"" if text is None else sha1(text)) for key, text in reads.texts.items()]
        conditions += [(stored(key), b"!") for key in reads.others]
        known = reads.texts.keys() | reads.others
        conditions += [(stored(key), b"*") for key in reads.names or () if key not in known]
        return Proposal(conditions, -1 if reads.names is None else len(reads.names), writes, about)

    def _commands(self, transaction: Transaction) -> list[tuple[bytes, ...]]:
        stored, writes = self._values.stored, transaction.writes
        gone = [(b"DEL", stored(key)) for key, value in writes.items() if isinstance(value, Raise)]
        new = [
            (b"SET", stored(key), encoded(value), *self._keep)
            for key, value in writes.items()
            if not isinstance(value, Raise)
        ]
        still = [] if self._ttl is None else sorted(transaction.unchanged)
        touched = [(b"EXPIRE", stored(key), b"%d" % (self._ttl or 0)) for key in still]
        return [*gone, *new, *touched]

    @contextlib.contextmanager
    def _alone(self, operation: str) -> Iterator[None]:
        if getattr(self._thread, "writes", False):
            raise RefusedError(f"{self.url}: cannot {operation} inside a transaction on it; do it there, or after it")
        self._thread.writes = True
        try:
            yield
        finally:
            self._thread.writes = False

    def holders(self) -> list[Holder]:
        """Return who is let go first at this moment, if anyone is."""
        found = self._committer.whose_turn()
        return [] if found is None else [found]

    # --- waiting

    def wait(self, since: str, timeout: float) -> bool:
        """Wait for a commit, look now and then for what others have written; see `Store.wait`."""
        deadline = time.monotonic() + timeout
        with Subscription(self._link, self._channels, self._patterns) as subscription:
            while True:
                begun = time.monotonic()
                if self._digest() != since:
                    return True
                now = time.monotonic()
                if now >= deadline:
                    return False
                subscription.wait(min(deadline - now, max(_POLL, _SHARE * (now - begun))))

    def _digest(self) -> str:
        """Return the digest of the namespace, computed anew only when that holds something else than last time."""
        texts = self._values.texts()
        seen = hashlib.sha256()
        for key, text in texts.items():
            seen.update(b"%d %d " % (len(key), len(text)) + key.encode() + text)
        known, found = self._seen
        if known != seen.digest():
            document: JSON = {key: self._values.value(key, text) for key, text in texts.items()}
            found = digest(document)
            self._seen = seen.digest(), found
        return found

    # --- checkpoints

    def checkpoints(self) -> list[Checkpoint]:
        """Return all checkpoints, oldest first."""
        return self._shelf.listed()

    def read_checkpoint(self, name: str) -> Revision:
        """Return what a checkpoint holds."""
        return self._shelf.read(name)

    def _write_checkpoint(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool) -> Checkpoint:
        kept = self.snapshot().document if document is None else document
        return self._shelf.write(checkpoint, kept, replacing=replacing)

    def _edit_checkpoint(self, name: str, edited: Checkpoint) -> None:
        self._shelf.edit(name, lambda _: edited)

    def _change_checkpoint(self, name: str, change: Callable[[Checkpoint], Checkpoint]) -> Checkpoint:
        return self._shelf.edit(name, change)

    def _delete_checkpoint(self, name: str) -> None:
        self._shelf.delete(name)

    def close(self) -> None:
        """Let go of the connections."""
        self._link.close()

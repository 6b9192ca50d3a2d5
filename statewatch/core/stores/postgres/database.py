"""Work on a PostgreSQL database: tried again where that is safe, committed once, and explained where it fails."""

import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from statewatch.core.errors import LockedError, SourceError, UnknownOutcomeError
from statewatch.core.stores.postgres.faults import LOCK_TIMEOUT, PostgresError
from statewatch.core.stores.postgres.layout import ForeignTableError
from statewatch.core.stores.postgres.locks import TABLES_LOCK, holder_after_timeout, own_name
from statewatch.core.stores.postgres.session import Pool, Session

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.5
"""Seconds between two attempts."""


class Database:
    """A database, reached by connections of its own. *timeout* is in seconds, for every kind of waiting.

    Its methods raise UnavailableError, LockedError, SourceError, RefusedError and UnknownOutcomeError, which say what
    *operation* did not come about and why.
    """

    def __init__(self, url: str, timeout: float, shown: str) -> None:
        """Name a database; *shown* is what messages call it."""
        self.url = shown
        self._timeout = timeout
        self._sessions = Pool(url, timeout, "statewatch")

    def read(self, work: Callable[[Session], T], operation: str, pool: Pool | None = None) -> T:
        """Run *work*, as often as it takes, on a connection of *pool* where one is given."""
        return self._attempt(pool or self._sessions, work, operation, None)

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._sessions.close()

    def write(self, lock: int, work: Callable[[Session], tuple[T, bool]], operation: str) -> T:
        """Run *work* in a transaction that holds *lock*, and commit it once, if *work* says that it has written."""

        def attempt(session: Session) -> T:
            with session.transaction(lock, own_name(operation), self._timeout):
                result, written = work(session)
                if written:
                    self._commit(session, operation)
            return result

        return self._attempt(self._sessions, attempt, operation, lock)

    def _commit(self, session: Session, operation: str) -> None:
        session.sign()
        try:
            session.commit()
        except PostgresError as error:
            if not (error.lost and self._was_committed(session, operation)):
                raise

    def _was_committed(self, session: Session, operation: str) -> bool:
        """Find out what became of a commit whose reply was lost. Raises UnknownOutcomeError when that fails."""
        began = time.monotonic()
        for _ in _pauses(self._timeout):
            try:
                with self._sessions.lend() as other:
                    outcome = session.outcome(other, impatient=time.monotonic() - began > self._timeout / 4)
            except PostgresError as error:
                if not error.passing:
                    break
            else:
                if outcome is not None:
                    return outcome
        raise UnknownOutcomeError(
            f"{self.url}: the connection was lost while this was committed: {operation}. Whether it was done could not "
            f"be found out within {self._timeout:g} s. Look at what is there before you do it again."
        )

    def _attempt(self, pool: Pool, work: Callable[[Session], T], operation: str, lock: int | None) -> T:
        """Run *work*, again where what hindered it may have passed; *lock* is what it waits for, if it writes."""
        pauses: Iterator[float] | None = None
        while True:
            try:
                with pool.lend() as session:
                    return work(session)
            except ForeignTableError as error:
                raise SourceError(self.url, f"cannot {operation}: {error}") from None
            except PostgresError as error:
                if error.state == LOCK_TIMEOUT:
                    raise self._locked(operation, lock) from None
                pauses = pauses or _pauses(self._timeout)
                if not error.passing or next(pauses, None) is None:
                    raise error.explained(self.url, operation, writing=lock is not None) from None

    def _locked(self, operation: str, lock: int | None) -> LockedError:
        try:
            with self._sessions.lend() as session:
                who = holder_after_timeout(session, *([] if lock is None else [lock, TABLES_LOCK]))
        except PostgresError as error:
            who = f"somebody the server does not name ({error.reason})"
        return LockedError(
            f"{self.url}: cannot {operation}, locked for more than {self._timeout:g} s by {who}. Nothing was changed. "
            "Wait for it, or end it: its lock goes with it."
        )


def _pauses(timeout: float) -> Iterator[float]:
    """Wait between attempts, longer each time and never in step with others, until *timeout* seconds are over."""
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while time.monotonic() < deadline:
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads attempts, decides nothing
        yield pause
        pause = min(pause * 2, _LONGEST_PAUSE, timeout / 8)

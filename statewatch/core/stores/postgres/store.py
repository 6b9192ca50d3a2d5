"""The store in PostgreSQL.

Writers of statewatch exclude each other by an advisory lock a namespace. Rows that a transaction has read are locked
too, so that a writer which knows nothing of that waits, or is waited for; what it inserts meanwhile is found before the
commit, and the transaction is made again.
"""

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from statewatch.core.errors import MissingCheckpointError, RefusedError
from statewatch.core.lock import TIMEOUT, Holder
from statewatch.core.stores.base import Checkpoint, Revision, Store
from statewatch.core.stores.postgres.checkpoints import Listed, listed, metadata_of
from statewatch.core.stores.postgres.database import Database
from statewatch.core.stores.postgres.layout import CHECKPOINTS, STATE, ForeignTableError, makes, storable
from statewatch.core.stores.postgres.locks import TABLES_LOCK, Turns, holders, lock_number, own_mark
from statewatch.core.stores.postgres.rows import Rows, decoded, encoded, held_in, possible, values
from statewatch.core.stores.postgres.session import Pool, Row, Session
from statewatch.core.stores.postgres.statements import Statements
from statewatch.core.stores.transaction import RAISE, Found, Held, Transaction
from statewatch.core.stores.urls import with_namespace, without_password
from statewatch.documents.values import JSON, digest

T = TypeVar("T")

_FAMILY: Final = uuid.UUID("8fb52ef2-177d-5b8e-8eed-d38d3725f5ec")
"""What the UUIDs of namespaces are derived from (RFC 9562, version 5). It must never change."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GLANCE: Final = 1.0
"""Seconds between looks for writers who notify nobody."""


def agent_of(namespace: str) -> uuid.UUID:
    """Return the `agent_id` of a namespace: itself where it is a UUID, else one that is derived from it."""
    return uuid.UUID(namespace) if _UUID.fullmatch(namespace) else uuid.uuid5(_FAMILY, namespace)


class PostgresStore(Store):
    """A namespace in the tables that the search path of the database leads to."""

    _keeps_apart = True

    def __init__(self, url: str, namespace: str, timeout: float = TIMEOUT) -> None:
        """Name a store; nothing is connected to yet. *timeout* is in seconds, for every kind of waiting.

        Raises RefusedError when *url* is no address of a database.
        """
        self.namespace = namespace
        self.url = with_namespace(without_password(url), namespace)
        self._timeout = timeout
        self._agent = agent_of(namespace)
        self._lock = lock_number(self._agent)
        self._checkpoints_lock = lock_number(self._agent, "checkpoints")
        self._database = Database(url, timeout, self.url)
        self._listeners = Pool(url, timeout, "statewatch: watching", "LISTEN statewatch")
        self._turns = Turns()
        self._seen: tuple[Row, str] | None = None
        self._shelf: tuple[list[Row], list[Listed]] | None = None

    # --- keys

    def _load(self, key: str) -> Found:
        if not possible(key):
            return RAISE
        rows = self._read(f"load {key}", STATE, lambda statements: statements.load, key=key)
        return values(rows, self.url).get(key, RAISE)

    def keys(self) -> list[str]:
        """Return the keys, sorted."""
        return [key for (key,) in self._read("list the keys", STATE, lambda statements: statements.keys)]

    def snapshot(self) -> Revision:
        """Return the whole namespace at one moment, which is that of the latest change to a row."""
        return self._revision(self._read("read", STATE, lambda statements: statements.load_all))

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        """Run *body*; see `Store.transact`. Raises RefusedError within another transaction of this thread."""

        def work(session: Session) -> tuple[T, bool]:
            rows = Rows(session, self._agent, self.url)
            transaction = Transaction(rows)
            result = body(transaction)
            if rows.error is not None:
                raise rows.error
            if transaction.writes:
                self._keep_damaged(transaction)
                self._prepare(session)
                rows.write(transaction.writes, own_mark())
            return result, bool(transaction.writes)

        with self._turns.taken(self.url, operation, self._timeout):
            return self._database.write(self._lock, work, operation)

    def _held(self) -> dict[str, Held]:
        return held_in(self._read("read", STATE, lambda statements: statements.load_all), self.url)

    def wait(self, since: str, timeout: float) -> bool:
        """Wait for a notification, and look once a second for those who send none; see `Store.wait`."""
        deadline = time.monotonic() + timeout
        while True:
            pause = min(_GLANCE, max(0.0, deadline - time.monotonic()))

            def glance(session: Session, pause: float = pause) -> bool:
                if self._digest(session) != since:
                    return True
                session.listen(str(self._agent), pause)
                return False

            if self._database.read(glance, "wait", self._listeners):
                return True
            if pause < _GLANCE:
                return self._database.read(self._digest, "wait", self._listeners) != since

    def create(self) -> None:
        """Make the tables that are missing, and the row with the name of the namespace."""

        def work(session: Session) -> tuple[None, bool]:
            self._prepare(session)
            return None, True

        self._database.write(self._lock, work, "create")

    def holders(self) -> list[Holder]:
        """Return who writes to the namespace, or to its checkpoints, at this moment."""
        return self._database.read(
            lambda session: holders(session, self._lock, self._checkpoints_lock), "list the locks"
        )

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._database.close()
        self._listeners.close()

    # --- checkpoints

    def checkpoints(self) -> list[Checkpoint]:
        """Return all checkpoints, oldest first; nothing of their content is read."""
        return [each.checkpoint for each in self._listed()]

    def read_checkpoint(self, name: str) -> Revision:
        """Return what a checkpoint holds."""
        found = self._listed()
        each = _named(found, name)
        rows = (
            []
            if each is None
            else self._read(
                f"read the checkpoint {name}", CHECKPOINTS, lambda statements: statements.read_checkpoint, id=each.id
            )
        )
        if each is None or not rows:
            raise MissingCheckpointError(self.url, name, [other.checkpoint.name for other in found if other != each])
        document = decoded(rows[0][0], self.url, f"the checkpoint {name!r}")
        return Revision.of(document, each.checkpoint.created_at)

    def _write_checkpoint(self, checkpoint: Checkpoint, document: JSON, *, replacing: bool) -> Checkpoint:
        revision = self.snapshot() if document is None else Revision.of(document)
        text = encoded(revision.document)
        made = replace(checkpoint, digest=revision.digest, size=len(text))

        def work(session: Session, statements: Statements, found: list[Listed]) -> None:
            same = [each for each in found if each.checkpoint.name == made.name and not each.checkpoint.foreign]
            if same and not replacing:
                raise RefusedError(f"{self.url}: there is a checkpoint {made.name!r} already. Choose another name.")
            for each in same:
                session.execute(statements.delete_checkpoint, {"id": each.id})
            session.execute(
                statements.write_checkpoint,
                {
                    "id": str(uuid.uuid4()),
                    "workflow": self._workflow(statements),
                    "at": made.created_at,
                    "metadata": metadata_of(made, None, unicode=session.unicode),
                    "exact": text,
                    "data": storable(text, unicode=session.unicode),
                },
            )

        self._change_checkpoints(f"checkpoint {made.name}", work)
        return made

    def _edit_checkpoint(self, name: str, edited: Checkpoint) -> None:
        self._change_checkpoint(name, lambda _: edited)

    def _change_checkpoint(self, name: str, change: Callable[[Checkpoint], Checkpoint]) -> Checkpoint:
        made: list[Checkpoint] = []

        def work(session: Session, statements: Statements, found: list[Listed]) -> None:
            each = self._found(found, name)
            edited = change(each.checkpoint)
            made.append(edited)
            if edited == each.checkpoint:
                return
            if edited.name != name and _named(found, edited.name):
                raise RefusedError(f"{self.url}: there is a checkpoint {edited.name!r} already. Choose another name.")
            metadata = metadata_of(edited, each.metadata, unicode=session.unicode)
            session.execute(statements.edit_checkpoint, {"id": each.id, "metadata": metadata})

        self._change_checkpoints(f"edit the checkpoint {name}", work)
        return made[-1]

    def _delete_checkpoint(self, name: str) -> None:
        def work(session: Session, statements: Statements, found: list[Listed]) -> None:
            session.execute(statements.delete_checkpoint, {"id": self._found(found, name).id})

        self._change_checkpoints(f"delete the checkpoint {name}", work)

    def _change_checkpoints(self, operation: str, change: Callable[[Session, Statements, list[Listed]], None]) -> None:
        """Run *change* on the checkpoints there are, while no other writer of statewatch changes them."""

        def work(session: Session) -> tuple[None, bool]:
            self._prepare(session)
            statements = session.look()
            rows = session.execute(statements.checkpoints, {"workflow": self._workflow(statements)})
            change(session, statements, listed(rows))
            return None, True

        self._database.write(self._checkpoints_lock, work, operation)

    def _listed(self) -> list[Listed]:
        def work(session: Session) -> list[Row]:
            with session.one_moment() as statements:
                if not statements.layout.has(CHECKPOINTS):
                    return []
                return session.execute(statements.checkpoints, {"workflow": self._workflow(statements)})

        rows, seen = self._database.read(work, "list the checkpoints"), self._shelf
        if seen is None or seen[0] != rows:
            self._shelf = seen = rows, listed(rows)
        return seen[1]

    def _found(self, found: list[Listed], name: str) -> Listed:
        each = _named(found, name)
        if each is None:
            raise MissingCheckpointError(self.url, name, [other.checkpoint.name for other in found])
        return each

    def _workflow(self, statements: Statements) -> str:
        return str(self._agent) if statements.workflow_is_uuid else self.namespace

    # --- the database

    def _read(self, operation: str, table: str, query: Callable[[Statements], bytes], **given: object) -> list[Row]:
        """Return the rows of a query on *table*, all of one moment; none where there is no such table yet."""

        def work(session: Session) -> list[Row]:
            with session.one_moment() as statements:
                if not statements.layout.has(table):
                    return []
                return session.execute(query(statements), {"agent": self._agent, **given})

        return self._database.read(work, operation)

    def _revision(self, rows: list[Row]) -> Revision:
        return Revision.of(values(rows, self.url), max((at for *_, at in rows if at is not None), default=None))

    def _digest(self, session: Session) -> str:
        """Return the digest of the present revision; what has left no trace since the last look is not read again."""
        with session.one_moment() as statements:
            if not statements.layout.has(STATE):
                return digest({})
            [trace] = session.execute(statements.trace, {"agent": self._agent})
            if self._seen is None or self._seen[0] != trace:
                rows = session.execute(statements.load_all, {"agent": self._agent})
                self._seen = trace, self._revision(rows).digest
            return self._seen[1]

    def _prepare(self, session: Session) -> None:
        """See to it that all tables are there, and the name of the namespace in ours."""
        if session.prepared:
            return
        if session.look().layout.missing:
            session.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": TABLES_LOCK})
            session.provisional = True
            for table in session.look().layout.missing:
                for statement in makes(table, session.version):
                    session.execute(statement)
            if missing := session.look().layout.missing:
                raise ForeignTableError(f"{missing[0]} is there, but it is no table. Choose another database")
        session.execute(
            "INSERT INTO statewatch_namespaces (agent_id, name) VALUES (%(agent)s, %(name)s) ON CONFLICT DO NOTHING",
            {"agent": self._agent, "name": self.namespace},
        )


def _named(found: list[Listed], name: str) -> Listed | None:
    return next((each for each in found if each.checkpoint.name == name), None)

"""The PostgreSQL store passes the suite, on a real server, and with one that goes away."""

import json
from collections.abc import Iterator, Mapping
from functools import partial

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from statewatch.conformance.place import Place, ServerPlace
from statewatch.conformance.suite import AddressConformance, LockingConformance, ServerConformance
from statewatch.core.stores.base import Store
from statewatch.core.stores.postgres import PostgresStore
from tests.conformance.looks import SPOILT
from tests.conftest import running
from tests.cutter import Cutter
from tests.servers import PostgresServer


class PostgresPlace(Place):
    """A database with nothing in it."""

    def __init__(self, url: str) -> None:
        super().__init__(partial(PostgresStore, url))
        self._url = url

    def traces(self) -> Mapping[str, object]:
        found: dict[str, object] = {}
        with psycopg.connect(self._url, autocommit=True) as connection:
            for (table,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall():
                found[f"the table {table}"] = True
                query = SQL("SELECT t::text, ctid::text, xmin::text, * FROM {} t").format(Identifier(table))
                entries = connection.execute(query).fetchall()
                if table == "state_history":  # every change adds to it
                    found["history"] = len(entries)
                elif table != "statewatch_sessions":  # which goes away by itself
                    found |= {f"{table} {entry[3:5]}": entry[:3] for entry in entries}
        return found

    def damage(self, store: Store, checkpoint: str) -> None:  # noqa: ARG002
        with psycopg.connect(self._url, autocommit=True) as connection:
            done = connection.execute(
                "UPDATE workflow_checkpoints SET checkpoint_data = %s WHERE metadata->>'name' = %s",
                (json.dumps(SPOILT), checkpoint),
            )
            assert done.rowcount == 1


class PostgresServerPlace(ServerPlace):
    """A server of our own with nothing on it, and the connections to it."""

    def __init__(self, server: PostgresServer, proxy: Cutter) -> None:
        self._url = proxy.through(server.url)
        super().__init__(partial(PostgresStore, self._url), server, proxy, b"COMMIT\0")  # and not "READ COMMITTED"

    def with_password(self, password: str, timeout: float) -> Store:
        return self.kept(PostgresStore(self._url.replace("postgres@", f"postgres:{password}@"), "default", timeout))


def empty(url: str) -> None:
    """Remove everything from a database, and everybody: faster than making a new one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("SET client_min_messages = error")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


class TestPostgres(LockingConformance, AddressConformance):
    @pytest.fixture(scope="class")
    def database(self, postgres_server: PostgresServer) -> Iterator[str]:
        with postgres_server.database() as url:
            yield url

    @pytest.fixture
    def place(self, database: str) -> Iterator[PostgresPlace]:
        empty(database)
        place = PostgresPlace(database)
        yield place
        place.close()


class TestPostgresServer(ServerConformance):
    @pytest.fixture(scope="class")
    def server(self) -> Iterator[PostgresServer]:
        yield from running(PostgresServer)

    @pytest.fixture
    def place(self, server: PostgresServer) -> Iterator[PostgresServerPlace]:
        empty(server.url)
        with Cutter(server.port) as cutter:
            place = PostgresServerPlace(server, cutter)
            yield place
            place.close()

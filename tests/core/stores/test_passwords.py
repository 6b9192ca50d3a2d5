"""Servers with a password: it is never written down, and found again for what is done later."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from statewatch.core.actions import perform
from statewatch.core.keys import save_action
from statewatch.core.stores import passwords
from statewatch.core.stores.passwords import completed, recalled, remember
from statewatch.core.stores.urls import open_store, with_namespace
from statewatch.core.undo import last_action, last_undo, redo_action, undo_action

if TYPE_CHECKING:
    from tests.servers import PostgresServer, RedisServer

PASSWORD = "hunter2/@:%"
ENCODED = "hunter2%2F%40%3A%25"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _nothing_in_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test as a new process does."""
    monkeypatch.setattr(passwords, "_given", {})
    for name in ("REDIS_URL", "DATABASE_URL", "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["redis", "postgres"])
def address(request: pytest.FixtureRequest) -> str:
    """Return the address, with its password, of a server that asks for one."""
    if request.param == "redis":
        cache: RedisServer = request.getfixturevalue("own_redis")
        with redis.Redis.from_url(cache.url) as client:
            client.config_set("requirepass", PASSWORD)
        return cache.url.replace("://", f"://:{ENCODED}@")
    database: PostgresServer = request.getfixturevalue("own_postgres")
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"ALTER USER postgres PASSWORD '{PASSWORD}'")
        (database.directory / "data" / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        connection.execute("SELECT pg_reload_conf()")
    return database.url.replace("postgres@", f"postgres:{ENCODED}@")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a way to run the program as a process of its own, with variables set."""

    def run(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "statewatch", *words],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **variables},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def variable_for(address: str) -> str:
    """Return the variable that names such a server."""
    return "REDIS_URL" if address.startswith("redis") else "DATABASE_URL"


def test_what_was_done_is_undone_and_redone_by_who_opened_the_server(address: str, state_directory: Path) -> None:
    with open_store(with_namespace(address, "wf-1")) as store:
        store.save("phase", "build")
        perform(save_action(store, "phase", "test"), settle_for=0)
        perform(undo_action(last_action()), settle_for=0)
        assert store.load("phase") == "build"
        perform(redo_action(last_undo()), settle_for=0)
        assert store.load("phase") == "test"
    written = b"".join(file.read_bytes() for file in state_directory.rglob("*") if file.is_file())
    assert b"wf-1" in written
    assert b"hunter2" not in written


def test_a_later_process_takes_it_from_the_environment_or_says_what_to_set(
    address: str, run: Run, state_directory: Path
) -> None:
    variable = variable_for(address)
    place = with_namespace(address, "wf-1")
    for value in ('"build"', '"test"'):
        assert run("state", "save", "phase", value, "--address", place).returncode == 0
    action = json.loads(run("audit", "--json").stdout)[0]["id"]
    refused = run("undo", "--yes", action)
    assert (refused.returncode, variable in refused.stderr) == (3, True), refused.stderr
    assert "hunter2" not in refused.stderr + refused.stdout
    done = run("undo", "--yes", action, **{variable: address})
    assert done.returncode == 0, done.stderr
    assert run("state", "load", "phase", "--address", place).stdout == '"build"\n'
    again = run("redo", "--yes", place)
    assert again.returncode == 0, again.stderr
    assert run("state", "load", "phase", "--address", place).stdout == '"test"\n'
    assert b"hunter2" not in b"".join(file.read_bytes() for file in state_directory.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("given", "named", "expected"),
    [
        ("redis://:pw@host/0", "redis://host:6379/3", "redis://:pw@host:6379/3"),
        ("redis://host/0?password=p+w", "redis://HOST?namespace=x", "redis://:p%20w@HOST?namespace=x"),
        ("rediss://me:pw@host:1/0", "redis://me@host:1", "redis://me:pw@host:1"),
        ("redis://me:pw@host", "redis://host", "redis://host"),
        ("redis://:pw@host:1", "redis://host:2", "redis://host:2"),
        ("redis://:pw@host", "redis://:own@host", "redis://:own@host"),
        ("redis://:pw@host", "postgresql://host", "postgresql://host"),
        ("postgresql://me:p%40w@[::1]/x", "postgresql://me@[::1]:5432/y?a=b", "postgresql://me:p%40w@[::1]:5432/y?a=b"),
        ("postgresql://me@host/x?password=p+w", "postgres://me@host", "postgres://me:p%2Bw@host"),
        ("postgresql://me:pw@a,b:1/x", "postgresql://me@a:5432,b:1/x", "postgresql://me:pw@a:5432,b:1/x"),
        ("unix://:pw@/run/a?db=1", "unix:///run/a", "unix://:pw@/run/a"),
        ("unix://:pw@/run/a", "unix:///run/b", "unix:///run/b"),
        ("redis://:pw@[x", "redis://host", "redis://host"),
        ("", "redis://host", "redis://host"),
        ("redis://:pw@host", "sqlite:host", "sqlite:host"),
    ],
)
def test_it_is_for_the_same_server_and_user_only(given: str, named: str, expected: str) -> None:
    environment = {"REDIS_URL": given, "DATABASE_URL": given}
    assert completed(named, environment) == expected
    remember(given)
    assert recalled(named) == expected

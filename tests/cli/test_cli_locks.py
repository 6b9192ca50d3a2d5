"""`locks`: who holds the lock of which source, told so that an operator can find and end the process."""

import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from statewatch.core.lock import locked, sidecar
from statewatch.core.stores.transaction import Transaction
from statewatch.core.stores.urls import open_store
from tests.cli.conftest import Stage, hook
from tests.core.files import line, process, tell
from tests.support import until

locker = partial(process, module="lockers")


@pytest.fixture
def path(stage: Stage) -> Path:
    return stage.write_hooks(a=hook("open"))


def test_who_holds_a_lock_is_found_and_ended(stage: Stage, path: Path) -> None:
    stage.write_batch()
    with locker("hold", path) as worker:
        assert line(worker) == "held"
        (row,) = stage.json("locks")
        assert set(row) == {"source", "user", "host", "pid", "operation", "since", "alive", "lock_file"}
        assert (row["source"], row["pid"], row["operation"]) == (str(path), worker.pid, "a long operation")
        assert (row["host"], row["alive"], row["lock_file"]) == (os.uname().nodename, True, str(sidecar(path)))
        assert row["since"].endswith("+00:00")
        result = stage.run("locks")
        assert result.exit_code == 0
        title, shown = result.stdout.splitlines()
        assert title.split() == ["source", "user", "host", "process", "operation", "held", "for"]
        assert str(worker.pid) in shown
        assert "a long operation" in shown
        assert "end the process" in result.stderr
        os.kill(row["pid"], signal.SIGTERM)
        worker.wait(10)
    assert stage.json("locks") == []
    assert stage.run("locks").stdout == "No lock is held.\n"


def test_only_what_is_named_is_looked_at(stage: Stage, path: Path) -> None:
    batch = stage.write_batch()
    with locked(path, "reset"), locked(batch, "retry"):
        assert [row["operation"] for row in stage.json("locks", batch)] == ["retry"]
        assert sorted(row["operation"] for row in stage.json("locks")) == ["reset", "retry"]


def test_the_lock_of_a_file_behind_a_link_and_of_one_that_is_still_to_be_made(stage: Stage, path: Path) -> None:
    link = stage.project / "link.json"
    link.symlink_to(path)
    new = stage.project / "new.json"
    with locked(path, "reset"), locked(new, "make it"):
        assert [row["operation"] for row in stage.json("locks", link, new)] == ["reset", "make it"]


def test_where_there_is_nothing_it_says_where_it_looked(stage: Stage) -> None:
    result = stage.run("locks")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No state files found" in result.stderr
    assert stage.json("locks") == []


def test_a_holder_that_has_ended_while_a_program_of_it_has_the_lock_open(stage: Stage, path: Path) -> None:
    with locker("lend", path) as worker:
        assert line(worker) == "held"
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
        (row,) = stage.json("locks")
        assert (row["pid"], row["alive"]) == (worker.pid, False)
        result = stage.run("locks")
        assert f"{worker.pid} (ended)" in result.stdout
        assert "fuser" in result.stderr
        assert worker.stdin is not None
        worker.stdin.close()  # with its input the program ends
        until(lambda: stage.json("locks") == [], "the end of the program")
        worker.stdin = None


def test_a_holder_that_says_nothing_and_one_that_says_it_is_elsewhere(stage: Stage, path: Path) -> None:
    with locked(path, "reset"):
        said = json.loads(sidecar(path).read_bytes())
        sidecar(path).write_text(json.dumps({**said, "host": "else\x1bwhere", "user": "ann"}) + "\n")
        (row,) = stage.json("locks")
        assert (row["user"], row["host"], row["alive"]) == ("ann", "else\x1bwhere", None)
        assert "else␛where" in stage.run("locks").stdout
        sidecar(path).write_text("")
        (row,) = stage.json("locks")
        assert (row["user"], row["host"], row["operation"], row["since"], row["alive"]) == (None,) * 5
        assert " ? " in stage.run("locks").stdout


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_lock_file_that_may_not_be_read(stage: Stage, path: Path) -> None:
    sidecar(path).touch(mode=0o000)
    result = stage.run("locks")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "you may not read its lock file" in result.stderr


def test_another_users_lock_file_may_not_be_read(stage: Stage, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as root can play it: the system refuses to open it, and says beforehand that it would."""
    sidecar(path).touch()
    monkeypatch.setattr("statewatch.cli.locks.os.access", lambda *_: False)
    result = stage.run("locks")
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"you may not read its lock file {sidecar(path)}" in result.stderr


def test_a_script_waits_for_nobody(stage: Stage, path: Path) -> None:
    """It only looks: those who want the lock get it at once."""
    with locker("contend", path) as worker:
        for _ in range(5):
            assert stage.json("locks") == []
            tell(worker)
            assert line(worker) == "in"


@pytest.mark.parametrize("name", ["state.json", "state.db"])
def test_the_lock_of_a_namespace_of_the_project(stage: Stage, name: str) -> None:
    """Also while it is still to be made: the first save of a run holds the lock before there is a file."""
    space = stage.project / ".claude" / "state" / "nightly"
    space.mkdir(parents=True)
    with locked(space / name, "save phase"):
        (row,) = stage.json("locks")
        assert (row["source"], row["operation"]) == (str(space / name), "save phase")
        assert f".claude/state/nightly/{name}" in stage.run("locks").stdout
        for place in (stage.project, stage.project / ".claude", stage.project / ".claude" / "state"):
            assert [row["operation"] for row in stage.json("locks", place)] == ["save phase"]
    assert stage.run("locks").stdout == "No lock is held.\n"


@pytest.mark.parametrize("scheme", ["json", "sqlite"])
def test_the_lock_of_a_namespace_by_its_address(stage: Stage, scheme: str) -> None:
    stage.run("state", "save", "--backend", scheme, "phase", "1", "--settle", "0")
    address = f"{scheme}:.claude/state?namespace=default"
    file = stage.project / ".claude" / "state" / "default" / ("state.db" if scheme == "sqlite" else "state.json")
    assert stage.json("locks", address) == []
    assert stage.run("locks", address).stdout == "No lock is held.\n"
    with locked(file, "save phase"):
        (row,) = stage.json("locks", address)
        assert (row["operation"], row["pid"], row["lock_file"]) == ("save phase", os.getpid(), str(sidecar(file)))
        assert row["source"].startswith(f"{scheme}:")


def test_the_lock_of_a_namespace_on_a_database_server(stage: Stage, postgres_url: str) -> None:
    address = f"{postgres_url}?namespace=nightly"
    with open_store(address) as store:
        store.save("phase", 1)

        def look(transaction: Transaction) -> None:
            transaction.save("phase", 2)
            (row,) = stage.json("locks", address)
            assert (row["pid"], row["operation"], row["alive"]) == (os.getpid(), "a long save", True)
            assert row["lock_file"] is None
            assert "a long save" in stage.run("locks", address).stdout

        store.transact(look, "a long save")
    assert stage.json("locks", address) == []


def test_redis_has_no_locks_and_a_server_that_is_away_tells_nothing(stage: Stage, redis_url: str) -> None:
    result = stage.run("locks", f"{redis_url}?namespace=nightly")
    assert (result.exit_code, result.stdout) == (0, "No lock is held.\n")
    assert "Redis has no locks" in result.stderr
    result = stage.run("locks", "redis://127.0.0.1:1/0")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "127.0.0.1:1" in result.stderr

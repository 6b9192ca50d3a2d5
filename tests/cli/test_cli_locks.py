"""`locks`: who holds the lock of which source, told so that an operator can find and end the process."""

import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from statewatch.core.lock import locked, sidecar
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

"""Where there is no more room, no more files, or nothing may be written: real limits of the system, one by one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from tests.core.faults.judging import case
from tests.core.faults.limits import only_bytes_a_file, only_files_open, sweep
from tests.core.faults.operations import ALIKE, OPERATIONS
from tests.core.faults.telling import Told, in_child
from tests.core.files import ROOT
from tests.support import lacking

DIFFERENT = {f"{engine}:{name}": each for (engine, name), each in OPERATIONS.items() if (engine, name) not in ALIKE}
ALL = list(DIFFERENT)
SOME = [
    *("keyed:save", "keyed:create", "keyed:replace checkpoint", "keyed:rename checkpoint", "keyed:restore"),
    *("plain:rotate", "plain:recover", "plain:act against another", "sqlite:save", "sqlite:migrate"),
]
ACTIONS = [name for name, each in DIFFERENT.items() if each.audited]


def wrong_on_disk(what: str, tmp_path: Path, names: list[str]) -> str:
    """Do operations on a small disk of their own, and return what was wrong."""
    if shutil.which("unshare") is None:
        lacking("unshare is not there")
    script = 'mount -t tmpfs -o size=640k,nr_inodes=160 none "$0" || exit 77; exec "$@"'
    python = [sys.executable, "-m", "tests.core.faults.limits", what, str(tmp_path), *names]
    command = ["unshare", "-m", "sh", "-c", script, str(tmp_path), *python]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode == 77 or "unshare:" in done.stderr:
        lacking("nothing may be mounted here")
    return done.stdout + done.stderr


@pytest.mark.parametrize("engine", ["keyed", "plain", "sqlite"])
def test_a_disk_that_is_full_at_any_point(engine: str, tmp_path: Path) -> None:
    names = [name for name in ALL if name.startswith(engine)]
    assert wrong_on_disk("room", tmp_path, names) == ""


def test_a_disk_on_which_no_more_files_can_be(tmp_path: Path) -> None:
    names = ["keyed:create", "keyed:replace checkpoint", "keyed:rename checkpoint", "keyed:migrate", "plain:rotate"]
    assert wrong_on_disk("names", tmp_path, names) == ""


def test_a_disk_that_may_not_be_written(tmp_path: Path) -> None:
    assert wrong_on_disk("data", tmp_path, ALL) == ""


def test_our_own_directory_on_a_disk_that_may_not_be_written(tmp_path: Path) -> None:
    """What leaves no trace is not done."""
    assert wrong_on_disk("own", tmp_path, ACTIONS) == ""


@pytest.mark.parametrize("name", SOME)
def test_files_that_may_not_grow(name: str, tmp_path: Path) -> None:
    step = 2000 if name.startswith("sqlite") else 150
    with case(name, tmp_path) as found:
        assert list(sweep(found, range(0, 200 * step, step), within=only_bytes_a_file)) == []


@pytest.mark.parametrize("name", SOME)
def test_no_more_files_can_be_open(name: str, tmp_path: Path) -> None:
    with case(name, tmp_path) as found:
        assert list(sweep(found, range(20), within=only_files_open)) == []


@pytest.mark.parametrize("name", [name for name in SOME if not name.startswith("sqlite")])
def test_writes_that_are_cut_short_each_time_are_gone_on_with(name: str, tmp_path: Path) -> None:
    genuine = os.write

    def short(descriptor: int, data: bytes) -> int:
        return genuine(descriptor, data[:7])

    with case(name, tmp_path) as found, found.world.entered():

        def act() -> None:
            with mock.patch.object(os, "write", short):
                found.operation.act(found.world)

        told = in_child(act)
        assert told == Told("done")
        found.judge(told)


def test_what_is_said_when_there_is_no_room(tmp_path: Path) -> None:
    with case("plain:reset", tmp_path) as found, found.world.entered():

        def act() -> None:
            with only_bytes_a_file(found.world.path.stat().st_size // 2):
                found.operation.act(found.world)

        told = in_child(act)
        assert told == Told(
            "RefusedError", f"{found.world.path}: cannot be written (File too large). It is as it was before."
        )

"""Something else stands where a file of ours should be: a link, a pipe, a directory, a socket.

It is not followed, not written into, not waited for and not taken away; what is the matter is said.
"""

import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from statewatch.core.copies import directory_for
from statewatch.core.lock import sidecar
from tests.core.faults.judging import Case, case
from tests.core.faults.operations import World
from tests.core.faults.telling import Told, in_child

VICTIM = b'{"somebody": {"value": "else", "timestamp": "2026-11-21T04:00:00"}}'
PATIENCE = 5


def symbolic_link(place: Path, victim: Path) -> None:
    place.symlink_to(victim)


def dangling_link(place: Path, victim: Path) -> None:
    place.symlink_to(victim.with_name("nothing"))


def hard_link(place: Path, victim: Path) -> None:
    place.hardlink_to(victim)


def pipe(place: Path, victim: Path) -> None:
    os.mkfifo(place)


def directory(place: Path, victim: Path) -> None:
    place.mkdir()
    (place / "full").touch()


def a_socket(place: Path, victim: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(place.parent)  # the name of a socket must be short
        made.bind(place.name)
        os.chdir(here)


KINDS = (symbolic_link, dangling_link, hard_link, pipe, directory, a_socket)

PLACES: dict[str, Callable[[World], Path]] = {
    "index": lambda world: world.path.parent / "checkpoints" / ".statewatch-index.json",
    "checkpoint": lambda world: world.path.parent / "checkpoints" / "first.json",
    "checkpoints": lambda world: world.path.parent / "checkpoints",
    "lock": lambda world: sidecar(world.path),
    "log": lambda world: world.own / "audit.jsonl",
    "lock of the log": lambda world: sidecar(world.own / "audit.jsonl"),
    "older log": lambda world: world.own / "audit.1.jsonl",
    "copies": lambda world: directory_for(world.store().source),
    "what a dead process left": lambda world: world.path.with_name(f".{world.path.name}.statewatch-4194305-ab12.tmp"),
}
NAMES = (
    "keyed:save",
    "keyed:replace checkpoint",
    "keyed:rename checkpoint",
    "keyed:act",
    "keyed:restore",
)


def at_once(found: Case) -> Told:
    """Do the operation in a process that does not live long: one that waits for a pipe is killed."""

    def act() -> None:
        signal.alarm(PATIENCE)
        found.operation.act(found.world)

    with found.world.entered():
        return in_child(act)


def kind(place: Path) -> tuple[int, int]:
    status = place.lstat()
    return stat.S_IFMT(status.st_mode), status.st_ino


@pytest.mark.parametrize("what", PLACES)
def test_something_else_in_a_place_of_ours(what: str, tmp_path: Path) -> None:
    for name in NAMES:
        with case(name, tmp_path) as found:
            victim = found.world.root / "victim.json"
            for make in KINDS:
                found.begin()
                victim.write_bytes(VICTIM)
                with found.world.entered():
                    place = PLACES[what](found.world)
                if place.exists():
                    place.rename(found.world.root / "moved away")
                make(place, victim)
                before = kind(place)
                told = at_once(found)
                note = f"{name} with a {make.__name__}: {told}"
                assert told.how not in ("crash", "killed"), note
                assert victim.read_bytes() == VICTIM, note
                assert victim.stat().st_mode & 0o777 == 0o644, note
                assert not victim.with_name("nothing").exists(), note
                if make is not hard_link:  # that one is a file like any other
                    assert kind(place) == before, note
                if told.how not in ("done", "NotFoundError"):
                    assert str(found.world.root) in told.text, note


@pytest.mark.parametrize("name", NAMES)
def test_something_else_in_place_of_the_state(name: str, tmp_path: Path) -> None:
    """A link to it is followed, and stays; anything else that is no file is refused."""
    with case(name, tmp_path) as found:
        path = found.world.path
        elsewhere = found.world.root / "elsewhere.json"
        for make in (symbolic_link, hard_link):
            found.begin()
            path.rename(elsewhere)
            make(path, elsewhere)
            before, held = kind(path), elsewhere.read_bytes()
            told = at_once(found)
            assert told.how not in ("crash", "killed"), told
            if make is symbolic_link:
                assert kind(path) == before, told
            else:
                assert elsewhere.read_bytes() == held
        for make in (pipe, directory, a_socket):
            found.begin()
            path.unlink()
            make(path, elsewhere)
            before = kind(path)
            told = at_once(found)
            assert told.how not in ("crash", "killed"), told
            assert kind(path) == before
            if name != "keyed:rename checkpoint":  # for which it does not matter
                assert told.how == "SourceError", told
                assert f"{path}: it is" in told.text

"""Operations that run out of something: of room, of names, of numbers, of a disk that may be written.

`python -m tests.core.faults.limits WHAT DIRECTORY NAME…` does them on a small file system of its own at DIRECTORY, and
says what was wrong.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeAlias

from statewatch.core.errors import StatewatchError
from tests.core.faults.judging import Case, case
from tests.core.faults.telling import in_child

PAGE = 4096

Limit: TypeAlias = Callable[[int], AbstractContextManager[object]]
"""Lets only so much of something be left while a block runs."""


def sweep(found: Case, amounts: range, *, around: Limit = nullcontext, within: Limit = nullcontext) -> Iterator[str]:
    """Do an operation with more and more of something, until it is enough; yield what was wrong.

    The limit is one *around* its process, or *within* it.
    """
    refused = 0
    needs_nothing = "delete checkpoint" in found.name
    for amount in amounts:
        found.begin()

        def act(amount: int = amount) -> None:
            with within(amount):
                found.operation.act(found.world)

        with found.world.entered(), around(amount):
            told = in_child(act)
        try:
            found.judge(told, lasting=True)
        except (AssertionError, StatewatchError, OSError) as error:
            yield f"{found.name} with {amount}, {told.how}: {error!r}"
        if told.how == "done" and (refused or needs_nothing):
            return
        refused += told.how != "done"
    yield f"{found.name}: it was {'not' if refused else 'always'} enough"


@contextlib.contextmanager
def only_bytes_a_file(amount: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes: what goes beyond is written in part."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (amount, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    yield


@contextlib.contextmanager
def only_files_open(amount: int) -> Iterator[None]:
    """Let only so many more files be open at once."""
    numbers = [os.open(os.devnull, os.O_RDONLY)]
    while numbers[-1] < 60:  # fill the gaps, so that the next number is the next free one
        numbers.append(os.dup(numbers[0]))
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (numbers[-1] + 1 + amount, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    yield


def only_pages(disk: Path, amount: int) -> AbstractContextManager[None]:
    """Let only so many pages be free on a disk."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * PAGE):
            pass
    os.truncate(filler, max(0, filler.stat().st_size - amount * PAGE))
    return _gone_afterwards(filler)


def only_names(disk: Path, amount: int) -> AbstractContextManager[None]:
    """Let only so many more files be on a disk."""
    crowd = disk / "crowd"
    crowd.mkdir()
    made = 0
    with contextlib.suppress(OSError):
        while True:
            (crowd / str(made)).touch()
            made += 1
    for number in range(min(amount, made)):
        (crowd / str(number)).unlink()
    return _gone_afterwards(crowd)


@contextlib.contextmanager
def _gone_afterwards(place: Path) -> Iterator[None]:
    yield
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()


@contextlib.contextmanager
def sealed(place: Path, amount: int) -> Iterator[None]:
    """Let nothing be written below a directory, unless *amount*."""
    if amount:
        yield
        return
    subprocess.run(["mount", "--bind", place, place], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
    yield
    subprocess.run(["umount", place], check=True)


def _limited(what: str, disk: Path, found: Case) -> Iterator[str]:
    limits: dict[str, tuple[Limit, range]] = {
        "room": (lambda amount: only_pages(disk, amount), range(60)),
        "names": (lambda amount: only_names(disk, amount), range(40)),
        "data": (lambda amount: sealed(found.world.root / "data", amount), range(2)),
        "own": (lambda amount: sealed(found.world.own, amount), range(2)),
    }
    around, amounts = limits[what]
    return sweep(found, amounts, around=around)


def main(what: str, disk: Path, names: list[str]) -> None:
    """Do each operation on the disk."""
    for name in names:
        with case(name, disk) as found:
            for wrong in _limited(what, disk, found):
                print(wrong)
        shutil.rmtree(found.world.root)
        shutil.rmtree(found.begun)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])

"""Helpers that tests of several layers share: copies of the sample data, the timeline, and waiting with a deadline."""

import json
import os
import shutil
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from statewatch.watch.picture import Picture, Source
from statewatch.watch.scope import Scope, scope_of
from statewatch.watch.watcher import Watcher

DATA = Path(__file__).parent / "data"
SAMPLE = DATA / "sample"
PATIENCE = 10.0
"""Seconds after which a test gives up waiting: far more than anything takes, so that a busy machine fails nothing."""


@dataclass(frozen=True)
class World:
    """A project and a home in a temporary directory."""

    project: Path
    home: Path

    @property
    def scope(self) -> Scope:
        """Return what is looked at without arguments, standing in the project."""
        return scope_of((), self.project, self.home, {})


def lacking(reason: str) -> NoReturn:
    """Skip the test because this machine lacks something; in CI, which must have everything, fail it."""
    if os.environ.get("STATEWATCH_CI"):
        pytest.fail(f"{reason}; STATEWATCH_CI is set, so this is not skipped", pytrace=False)
    pytest.skip(reason)


def copy_of_sample(directory: Path, home: str = "home") -> World:
    """Copy the sample's project and a home of it to *directory*."""
    shutil.copytree(SAMPLE / "project", directory / "project")
    shutil.copytree(SAMPLE / home, directory / "home")
    (directory / "project" / ".git").mkdir()
    return World(directory / "project", directory / "home")


@cache
def timeline(name: str) -> tuple[bytes, ...]:
    """Return the consecutive versions of `hook_state` or `batch_state` that real tools have written."""
    with tarfile.open(DATA / "timeline.tar.xz") as archive:
        members = sorted((member.name, member) for member in archive if member.name.startswith(f"timeline/{name}/"))
        files = [archive.extractfile(member) for path, member in members if path.endswith(".json")]
        return tuple(file.read() for file in files if file is not None)


@cache
def timeline_events(name: str) -> tuple[str, ...]:
    """Return what happened before each version of a timeline, as its index says."""
    with tarfile.open(DATA / "timeline.tar.xz") as archive:
        index = archive.extractfile(f"timeline/{name}/index.jsonl")
        assert index is not None
        return tuple(json.loads(line)["event"] for line in index.read().splitlines())


def replace(path: Path, data: bytes | str) -> None:
    """Write *path* as most tools do: a temporary file beside it, then a rename."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data if isinstance(data, bytes) else data.encode())
    os.replace(temporary, path)  # noqa: PTH105


def until(check: Callable[[], bool], what: str = "the condition") -> None:
    """Wait until *check* holds; fail when it does not in time."""
    deadline = time.monotonic() + PATIENCE
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true in {PATIENCE:.0f} s")
        time.sleep(0.002)


def open_files() -> int:
    """Return how many files this process has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


class Watched:
    """A running watcher and every picture it made."""

    def __init__(self, scope: Scope, *, poll: bool = False) -> None:
        self.pictures: list[Picture] = []
        self._news = threading.Condition()
        self.watcher = Watcher(scope, on_picture=self._take, poll=poll)

    def _take(self, picture: Picture) -> None:
        with self._news:
            self.pictures.append(picture)
            self._news.notify_all()

    def until(self, check: Callable[[Picture], object], what: str = "the picture") -> Picture:
        """Wait until the latest picture satisfies *check*, and return it."""
        with self._news:
            found = self._news.wait_for(lambda: bool(self.pictures and check(self.pictures[-1])), PATIENCE)
            assert found, f"{what} was not shown in {PATIENCE:.0f} s; last: {self.pictures[-1:]}"
            return self.pictures[-1]

    def source(self, label: str) -> Source:
        """Return a source of the latest picture by its label."""
        return labelled(self.pictures[-1], label)


@contextmanager
def watching(scope: Scope, *, poll: bool = False) -> Iterator[Watched]:
    """Watch *scope*; the first picture is there when the block begins, and the threads have ended when it is left."""
    watched = Watched(scope, poll=poll)
    watched.watcher.start()
    try:
        watched.until(lambda _: True, "the first picture")
        yield watched
    finally:
        watched.watcher.stop()


def labelled(picture: Picture, label: str) -> Source:
    """Return the source with that label."""
    found = [source for source in picture.sources if source.label == label]
    assert found, f"{label} is not among {[source.label for source in picture.sources]}"
    return found[0]


def labels(picture: Picture) -> list[str]:
    """Return the labels of all sources."""
    return [source.label for source in picture.sources]


def said(picture: Picture) -> list[str]:
    """Return the change lines, oldest first, as subject and text."""
    return [f"{line.sentence.subject} {line.sentence.text}".strip() for line in reversed(picture.changes)]

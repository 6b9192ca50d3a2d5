"""The directories looked at and the candidates in them. A directory is listed again only when it changed.

Names are handled as `str` with surrogate escapes, so a name that is not UTF-8 is a name like any other.
"""

import itertools
import os
import stat
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from statewatch.watch.discovery import Expectation, Level, expectation
from statewatch.watch.scope import Root

MAX_DIRECTORIES = 1_000
MAX_ENTRIES = 20_000
MAX_CANDIDATES = 3_000

Identity: TypeAlias = tuple[int, int]
"""Device and inode: what tells a directory from another that took its name."""

_COARSE, _FINE = 2.0, 0.02


@dataclass(slots=True)
class _Directory:
    level: Level
    identity: Identity
    mtime_ns: int | None
    children: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()


class Tree:
    """What is below the roots, bounded in depth and number, each directory once however many links lead to it."""

    def __init__(self, roots: Iterable[Root], max_directories: int = MAX_DIRECTORIES) -> None:
        self._roots = tuple(roots)
        self._max_directories = max_directories
        self._known: dict[str, _Directory] = {}
        self._paths: dict[Identity, str] = {}
        self.candidates: dict[str, Expectation] = {}
        self.is_cut_short = False

    @property
    def directories(self) -> dict[str, Identity]:
        """Return the directories that exist, each with what identifies it."""
        return {path: directory.identity for path, directory in self._known.items()}

    def check(self) -> None:
        """Look for roots that appeared, and list again what changed since it was listed."""
        for path, directory in list(self._known.items()):
            if self._known.get(path) is directory:
                self._check(path, directory)
        for root in self._roots:
            if root.path not in self._known:
                self._enter([(root.path, root.level)])

    def touch(self, path: str) -> bool:
        """Take note that something happened at *path*; tell whether its directory had to be listed again."""
        if path in self._known:
            self._check(path, self._known[path])
            return True
        directory, name = os.path.split(path)
        known = self._known.get(directory)
        if known is None:
            return False
        # Other people's logs and temp files change here too: only what may be ours is worth a listing.
        if expectation(path) is None and not (known.level.enter(name) and os.path.isdir(path)):  # noqa: PTH112
            return False
        self._check(directory, known, changed=True)
        return True

    def _check(self, path: str, directory: _Directory, *, changed: bool = False) -> None:
        try:
            status = os.stat(path)  # noqa: PTH116 - hot
        except (FileNotFoundError, NotADirectoryError):
            self._drop(path)
            return
        except OSError:
            return  # what was there is still worth watching, and each file tells its own trouble
        if (status.st_dev, status.st_ino) != directory.identity or not stat.S_ISDIR(status.st_mode):
            self._drop(path)
            self._enter([(path, directory.level)])
        elif changed or status.st_mtime_ns != directory.mtime_ns:
            self._enter(self._list(path, directory, status))

    def _enter(self, found: Iterable[tuple[str, Level]]) -> None:
        """List directories and all below them, the nearest first, since it is the far ones that a bound cuts off."""
        waiting = deque(found)
        while waiting:
            path, level = waiting.popleft()
            if len(self._known) >= self._max_directories:
                self.is_cut_short = True
                return
            try:
                status = os.stat(path)  # noqa: PTH116
            except (OSError, ValueError):
                continue
            identity = (status.st_dev, status.st_ino)
            if not stat.S_ISDIR(status.st_mode) or identity in self._paths:
                continue
            directory = _Directory(level, identity, None)
            self._known[path] = directory
            self._paths[identity] = path
            waiting.extend(self._list(path, directory, status))

    def _list(self, path: str, directory: _Directory, status: os.stat_result) -> list[tuple[str, Level]]:
        """List one directory; return the sub-directories to enter that are not known yet."""
        try:
            with os.scandir(path) as entries:
                few = itertools.islice(entries, MAX_ENTRIES)
                if directory.level.only:
                    listed = [(entry.name, False) for entry in few if _is_wanted(entry, directory.level.only)]
                else:
                    listed = [(entry.name, _is_directory(entry)) for entry in few]
        except OSError:
            return []
        level = _level_by_content(directory.level, {name for name, _ in listed})
        below = {}
        candidates = {}
        for name, is_directory in listed:
            inner = os.path.join(path, name)  # noqa: PTH118 - hot
            deeper = level.enter(name) if is_directory and level else None
            if deeper:
                below[inner] = deeper
            if promised := expectation(inner):
                candidates[inner] = promised
        self._replace(directory, tuple(below), candidates)
        # A change in the same tick of the file system's clock would leave the time as it is: then look again.
        age = time.time() - status.st_mtime
        coarse = status.st_mtime_ns % 1_000_000_000 == 0
        directory.mtime_ns = None if 0 <= age < (_COARSE if coarse else _FINE) else status.st_mtime_ns
        return [(inner, deeper) for inner, deeper in below.items() if inner not in self._known]

    def _replace(self, directory: _Directory, children: tuple[str, ...], candidates: dict[str, Expectation]) -> None:
        for child in set(directory.children) - set(children):
            self._drop(child)
        for gone in set(directory.candidates) - candidates.keys():
            self.candidates.pop(gone, None)
        for path, promised in candidates.items():
            if len(self.candidates) >= MAX_CANDIDATES and path not in self.candidates:
                self.is_cut_short = True
                break
            self.candidates[path] = promised
        directory.children, directory.candidates = children, tuple(candidates)

    def _drop(self, path: str) -> None:
        waiting = [path]
        while waiting:
            directory = self._known.pop(waiting.pop(), None)
            if directory is None:
                continue
            self._paths.pop(directory.identity, None)
            for candidate in directory.candidates:
                self.candidates.pop(candidate, None)
            waiting.extend(directory.children)


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_wanted(entry: "os.DirEntry[str]", kinds: frozenset[str]) -> bool:
    """Tell whether a file in a directory of everybody's is of one of these kinds by its name, and the user's own."""
    promised = expectation(entry.path)
    if promised is None or promised.kind not in kinds:
        return False
    try:
        return entry.stat(follow_symlinks=False).st_uid == os.geteuid()
    except OSError:
        return False


def _level_by_content(level: Level, names: set[str]) -> Level | None:
    """Return what holds in a directory with these names: nothing of a virtual environment, a checkout like a project.

    Agent tools keep git worktrees below `.claude`; what is of interest there is the worktree's own `.claude`.
    """
    if "pyvenv.cfg" in names:
        return None
    return Level(ordinary=0, tree=level.tree) if level.inside and ".git" in names else level

"""The checkpoints of a file: copies of it in a directory, an index of what is known about each, and others' backups."""

import contextlib
import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Final

from statewatch.core.copies import directory_of
from statewatch.core.errors import MissingCheckpointError, RefusedError, SourceError, StatewatchError
from statewatch.core.names import existing_is_safe
from statewatch.core.places import state_directory
from statewatch.core.reading import Snapshot, kind_of_file, read
from statewatch.core.stores.base import Checkpoint
from statewatch.core.stores.shelf_index import Index, Note
from statewatch.core.swap import Replacement, create, lasting, leftovers, move, swap

_SUFFIX: Final = ".json"
_STAMP = re.compile(r"\d{8}_\d{6}")


def shelf_for(real: Path, source: str, *, keyed: bool) -> "Shelf":
    """Return the shelf of the file *real*.

    A namespace in the key/value layout has it beside its file, where the tools of that layout look. That of any other
    file is in our own state directory, so that we leave nothing in other people's directories.
    """
    beside = real.parent / "checkpoints"
    if keyed or (real.name == "state.json" and kind_of_file(beside) == stat.S_IFDIR):
        return Shelf(beside, source, backups(real))
    return Shelf(directory_of(state_directory() / "checkpoints", str(real)), source, backups(real))


class Shelf:
    """The checkpoints in one directory, and the *backups* beside the file. Whoever writes holds the file's lock."""

    def __init__(self, directory: Path, source: str, others: dict[str, Path]) -> None:
        self._directory = directory
        self._source = source
        self._others = others
        self._index = Index(directory)

    def entries(self) -> list[Checkpoint]:
        """Return all checkpoints and backups, oldest first. Raises SourceError when they cannot be looked at."""
        files = self._files()
        notes = self._index.notes(_inodes(files)) if files else {}
        found = [_checkpoint(name, entry, notes.get(name)) for name, entry in files.items()]
        found += [_backup(name, path) for name, path in self._others.items()]
        return sorted(filter(None, found), key=lambda checkpoint: (checkpoint.created_at, checkpoint.name))

    def names(self) -> list[str]:
        """Return the names of all checkpoints and backups. Raises SourceError when they cannot be looked at."""
        return [*self._files(), *self._others]

    def read(self, name: str) -> Snapshot:
        """Return the bytes of a checkpoint or backup. Raises MissingCheckpointError and SourceError."""
        path = self._others.get(name) or self._path(name)
        if name not in self._others and kind_of_file(path) == stat.S_IFLNK:
            raise SourceError(path, "it is a symbolic link, which no checkpoint is")
        try:
            return read(path)
        except SourceError as error:
            if error.missing:
                raise self._missing(name) from None
            raise

    def is_as_made(self, name: str, digest: str) -> bool:
        """Tell whether *digest* is the one that a checkpoint had when it was made; True where nobody noted it."""
        note = self._index.notes(_inodes(self._files())).get(name)
        return note is None or note.digest in ("", digest)

    def write(self, checkpoint: Checkpoint, data: bytes, *, replacing: bool) -> Checkpoint:
        """Keep *data*. Raises RefusedError when there is one of that name and not *replacing*, or it cannot be kept."""
        path = self._path(checkpoint.name)
        self._make_room()
        there = _is_there(path)
        if there and not replacing:
            raise RefusedError(f"{self._source}: there is a checkpoint {checkpoint.name!r} already")
        made = replace(checkpoint, digest=Snapshot.digest_of(data), size=len(data), foreign=False)
        with Replacement(path, data) as new:
            inodes = _inodes(self._files())
            note = _note_of(made, new.signature.inode)
            self._index.write(self._index.notes(inodes), {checkpoint.name: note})
            if there:
                swap(new.file, path)
            elif not create(new.file, path):
                raise RefusedError(f"{self._source}: a checkpoint {checkpoint.name!r} has appeared meanwhile")
        return made

    def edit(self, name: str, edited: Checkpoint) -> None:
        """Give a checkpoint another name, note or pin."""
        inodes = _inodes(self._files())
        if name not in inodes:
            raise self._missing(name)
        notes = self._index.notes(inodes)
        note = _note_of(edited, inodes[name])
        self._make_room()
        if edited.name == name:
            self._index.write({**notes, name: note})
            return
        self._index.write(notes, {edited.name: note})
        with lasting(self._path(name)):
            try:
                move(self._path(name), self._path(edited.name))
            except OSError as error:
                raise RefusedError(
                    f"{self._path(name)}: it cannot be renamed to {edited.name!r} ({os.strerror(error.errno or 0)}). "
                    "It is as it was before."
                ) from None
        self._forget_those_gone()

    def delete(self, name: str) -> None:
        """Delete a checkpoint."""
        path = self._path(name)
        self._make_room()
        with lasting(path):
            try:
                path.unlink()
            except FileNotFoundError:
                raise self._missing(name) from None
            except OSError as error:
                raise RefusedError(
                    f"{path}: it cannot be deleted ({os.strerror(error.errno or 0)}). It is as it was before."
                ) from None
        self._forget_those_gone()

    def _forget_those_gone(self) -> None:
        with contextlib.suppress(StatewatchError):  # what is said about files that are not there is passed over anyway
            self._index.write(self._index.notes(_inodes(self._files())))

    def _make_room(self) -> None:
        """Make the directory, and clear away what killed processes left in it. Raises RefusedError."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise RefusedError(
                f"{self._directory}: this directory for checkpoints cannot be made ({error.strerror})"
            ) from None
        if kind_of_file(self._directory) == stat.S_IFLNK:
            raise SourceError(self._directory, "it is a symbolic link, not a directory for checkpoints. Move it away.")
        for temporary in leftovers(self._directory):
            with contextlib.suppress(OSError):
                temporary.unlink()

    def _missing(self, name: str) -> MissingCheckpointError:
        return MissingCheckpointError(self._source, name, [entry.name for entry in self.entries()])

    def _path(self, name: str) -> Path:
        if not existing_is_safe(name):
            raise self._missing(name)
        return self._directory / f"{name}{_SUFFIX}"

    def _files(self) -> dict[str, "os.DirEntry[str]"]:
        try:
            with os.scandir(self._directory) as found:
                return {
                    entry.name.removesuffix(_SUFFIX): entry
                    for entry in found
                    if entry.name.endswith(_SUFFIX) and entry.name[0] != "." and entry.is_file(follow_symlinks=False)
                }
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise SourceError(
                self._directory, f"its checkpoints cannot be looked at ({os.strerror(error.errno or 0)})"
            ) from None


def backups(real: Path) -> dict[str, Path]:
    """Return the backups of a file that other tools left, by name.

    Those are `STEM_YYYYmmdd_HHMMSS.json` and `NAME.bak` beside it, and in the copies of the whole `.claude` that
    installers make, `.claude.backup.*`.
    """
    found = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir(real.parent):
            stem, dot, suffix = entry.name.rpartition(".")
            if entry.name in (f"{real.name}.bak", f"{real.stem}.bak"):
                found[entry.name] = Path(entry.path)
            elif dot + suffix == real.suffix and _is_stamped(stem, real.stem):
                found[stem] = Path(entry.path)
    for parent in real.parents:
        if parent.name == ".claude":
            with contextlib.suppress(OSError):
                for entry in os.scandir(parent.parent):
                    copy = Path(entry.path) / real.relative_to(parent)
                    if entry.name.startswith(".claude.backup.") and copy.is_file():
                        found[entry.name.removeprefix(".")] = copy
    return found


def _is_stamped(stem: str, base: str) -> bool:
    return stem.startswith(f"{base}_") and _STAMP.fullmatch(stem.removeprefix(f"{base}_")) is not None


def _inodes(files: dict[str, "os.DirEntry[str]"]) -> dict[str, int]:
    return {name: entry.inode() for name, entry in files.items()}


def _is_there(path: Path) -> bool:
    """Tell whether there is a checkpoint. Raises SourceError for anything else that is not to be replaced."""
    kind = kind_of_file(path)
    if kind not in (None, stat.S_IFREG):
        raise SourceError(path, "what is there is no checkpoint, nor a file at all. Move it away.")
    return kind is not None


def _checkpoint(name: str, entry: "os.DirEntry[str]", note: Note | None) -> Checkpoint | None:
    if note is None:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:  # deleted a moment ago
            return None
        return Checkpoint(name, status.st_mtime, size=status.st_size)
    return Checkpoint(name, note.created_at, note.note, note.by, note.pinned, note.digest, note.size)


def _backup(name: str, path: Path) -> Checkpoint | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return Checkpoint(name, status.st_mtime, note="left by another tool", size=status.st_size, foreign=True)


def _note_of(made: Checkpoint, inode: int) -> Note:
    return Note(made.created_at, made.note, made.by, made.pinned, made.digest, made.size, inode)

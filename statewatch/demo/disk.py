"""How the simulated tools read and write: as tools in the field do, with no lock and no care for each other."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from statewatch.demo.script import Event, Files

_REPLACED: Final = ("hook_state", "batch_state")
"""How the names of files begin that are replaced by a rename; others are written in place."""

_UNSUITABLE: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What a tool runs into when a file does not hold what it expects."""


def perform(root: Path, events: Iterable[Event]) -> None:
    """Apply *events* to the files that are there: read, change, write back.

    Usually that is one event. When several are due at once, because time runs fast or the computer slept, each file is
    written once. A file that is not what the tool expects is left alone, as is one that does not change.
    """
    before: Files = {}
    after: Files = {}
    for event in events:
        with suppress(*_UNSUITABLE, OSError):
            if event.path not in before:
                after[event.path] = before[event.path] = read(root / event.path)
            after[event.path] = event.change(after[event.path])
    for path, content in after.items():
        if content is not before[path]:
            with suppress(OSError):
                write(root / path, content, old=before[path])


def read(path: Path) -> Any:
    """Give a file's content as `world.files` gives it, or None where there is no file."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text) if path.suffix == ".json" else text


def write(path: Path, content: Any, old: Any = None) -> None:
    """Write a file's content over the *old* one, each sort of file in its own way; None removes the file."""
    if content is None:
        _remove_file(path)
    elif path.suffix == ".jsonl":
        _append(path, content[len(old or []) :])
    elif path.suffix != ".json":
        path.write_text(content, "utf-8")
    elif path.name.startswith(_REPLACED):
        _replace(path, _text(content))
    else:
        _write_in_place(path, _text(content))


def remove_tree(root: Path) -> None:
    """Remove the demo's directory, also while others are still writing to it or removing it."""
    for _ in range(100):
        shutil.rmtree(root, ignore_errors=True)
        if not root.exists():
            return
        time.sleep(0.01)


def _text(content: Any) -> str:
    return json.dumps(content, indent=2)


def _replace(path: Path, text: str) -> None:
    """Write a temporary file beside the file and rename it. As in the field its name does not say which batch it is."""
    prefix = next(f".{stem}_" for stem in _REPLACED if path.name.startswith(stem))
    handle, name = tempfile.mkstemp(suffix=".tmp", prefix=prefix, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _write_in_place(path: Path, text: str) -> None:
    """Truncate and write. Only the last directory is made: the demo's own may be gone because the demo is over."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(text)


def _append(path: Path, lines: list[Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines))


def _remove_file(path: Path) -> None:
    path.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()

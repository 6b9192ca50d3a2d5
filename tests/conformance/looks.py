"""What several of these tests need to look at, and to damage, what an engine keeps."""

from pathlib import Path

from statewatch.documents.values import JSON

SPOILT: JSON = {"spoilt": {"value": True, "timestamp": "2026-11-21T03:00:00"}}
"""What is put in the place of a checkpoint: readable in every layout, and not what was there."""


def files(directory: Path) -> dict[str, object]:
    """Return the files below a directory, without those that only say who holds a lock."""
    found: dict[str, object] = {}
    for path in directory.rglob("*"):
        if path.is_file() and "statewatch-lock" not in path.name:
            status = path.stat()
            found[str(path)] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found

"""A store on a file system that is full, or read-only: `python -m tests.core.stores.sqlite_disk WHAT DIRECTORY`.

It says what happens; the directory is the only thing on its file system.
"""

import sys
from pathlib import Path

from statewatch.core.errors import StatewatchError
from statewatch.core.stores.sqlite import SqliteStore


def told(store: SqliteStore, key: str, value: str) -> str:
    """Save, and return what came of it."""
    try:
        store.save(key, value)
    except StatewatchError as error:
        return f"{type(error).__name__}: {error}"
    return "saved"


def full(directory: Path) -> None:
    """Save until nothing fits, look what is there, make room and go on."""
    store = SqliteStore(directory, "ns")
    store.save("first", 1)
    filler = directory / "filler"
    filler.write_bytes(b"x" * 300_000)
    number = 0
    while (end := told(store, f"key {number}", "x" * 40_000)) == "saved":
        number += 1
    print(end)
    expected = ["first", *(f"key {before}" for before in range(number))]
    for reader in (store, SqliteStore(directory, "ns")):
        assert sorted(reader.keys()) == sorted(expected)
        assert len(reader.snapshot().document) == len(expected)  # type: ignore[arg-type]
    filler.unlink()
    assert told(store, f"key {number}", "x" * 40_000) == "saved"
    print("the rest is there")


def look(directory: Path) -> None:
    """Read a store, and try to write it."""
    for store in (SqliteStore(directory, "closed"), SqliteStore(directory, "open")):
        try:
            print(store.snapshot().document, store.load("key"), [made.name for made in store.checkpoints()])
        except StatewatchError as error:
            print(error)
        print(told(store, "key", "other"))


if __name__ == "__main__":
    {"full": full, "look": look}[sys.argv[1]](Path(sys.argv[2]))

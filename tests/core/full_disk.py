"""Reset a hook on a disk that is full, and say what is there afterwards: `python -m tests.core.full_disk FILE`."""

import sys
from pathlib import Path

from statewatch.core.actions import perform
from statewatch.core.circuits import circuit_action
from statewatch.core.errors import RefusedError
from tests.core.files import document, write


def main() -> None:
    """Fill the disk, try, look."""
    path = write(Path(sys.argv[1]), document(100))
    before = path.read_bytes()
    with (path.parent / "filler").open("wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 1024):
                pass
        except OSError:
            pass
    try:
        perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    except RefusedError as error:
        print(error)
    names = {entry.name for entry in path.parent.iterdir()}
    assert path.read_bytes() == before
    assert names == {"filler", path.name, f".{path.name}.statewatch-lock"}, names
    print("same document, no litter")


if __name__ == "__main__":
    main()

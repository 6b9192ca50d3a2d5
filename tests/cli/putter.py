"""A foreign writer that puts back what it had read before: it waits for a change and writes the old content again.

Run as a program with the file and a number of times; the old content is what the file holds at the start. It takes no
lock, writes a temporary file and renames it.
"""

import sys
import time
from pathlib import Path


def main() -> None:
    """Put the old content back so many times, then say so."""
    path, times = Path(sys.argv[1]), int(sys.argv[2])
    old = path.read_bytes()
    print("ready", flush=True)
    for _ in range(times):
        while path.read_bytes() == old:
            time.sleep(0.000_5)
        temporary = path.with_name(".putter.tmp")
        temporary.write_bytes(old)
        temporary.replace(path)


if __name__ == "__main__":
    main()

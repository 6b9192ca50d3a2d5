"""Every fault there is, at every system call: `python -m tests.core.faults [PATTERN]`. It takes many minutes."""

import re
import sys
import time

from tests.core.faults.judging import examine
from tests.core.faults.operations import OPERATIONS


def main() -> None:
    """Examine each operation whose name matches, and say what is wrong."""
    pattern = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
    wrong = 0
    for name in (f"{engine}:{what}" for engine, what in OPERATIONS):
        if pattern.search(name):
            begun = time.monotonic()
            runs, found = examine([name], thorough=True)
            wrong += len(found)
            print(f"{name}: {runs} runs in {time.monotonic() - begun:.1f} s", *found, sep="\n    ", flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()

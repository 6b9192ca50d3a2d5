"""A foreign writer of hook states: reads, changes, writes a temporary file, renames it; takes no lock.

That is what most tools that write these files do. Run as a program: it updates a hook's counter at a steady rate until
its standard input is closed, then prints how many updates it made, and how long the slowest of them took (as JSON).
"""

import json
import os
import sys
import threading
import time
from pathlib import Path


def update(path: Path, hook: str, think: float) -> None:
    """Add one to the execution count of *hook*, thinking for *think* seconds between reading and writing."""
    document = json.loads(path.read_bytes())
    record = document["hooks"].setdefault(hook, {"state": "closed", "executions": 0})
    record["executions"] += 1
    document["global_stats"]["total_executions"] = document["global_stats"].get("total_executions", 0) + 1
    time.sleep(think)
    temporary = path.with_name(f".hook_state_{os.getpid()}.tmp")
    temporary.write_text(json.dumps(document, indent=2))
    temporary.chmod(path.stat().st_mode & 0o777)
    temporary.replace(path)


def main() -> None:
    """Write until standard input is closed."""
    path, hook, rate, think = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    stop = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print("ready", flush=True)
    made = 0
    slow: list[float] = []
    due = time.monotonic()
    while not stop.is_set():
        begun = time.monotonic()
        update(path, hook, think)
        if time.monotonic() - begun > 0.01:
            slow.append(time.monotonic() - begun)
        made += 1
        due += 1 / rate
        stop.wait(max(0.0, due - time.monotonic()))
    print(made)
    print(json.dumps(slow), flush=True)


if __name__ == "__main__":
    main()

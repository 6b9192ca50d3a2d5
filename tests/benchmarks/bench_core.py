"""What the locked core costs, and how it gets along with a writer that takes no lock.

`python -m tests.benchmarks.bench_core`. Trust the ratios, not the milliseconds.
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from statewatch.core.actions import perform
from statewatch.core.circuits import circuit_action
from tests.core.files import document, small, tripped, write
from tests.core.hammer import hammer

HOOKS = 200
ROUNDS = 60


def aged(path: Path) -> Path:
    """Let a file look as if nothing was written just now, so that no other writer is waited for."""
    os.utime(path, (time.time() - 60, time.time() - 60))
    return path


def medians(*works: Callable[[int], object], rounds: int = ROUNDS) -> list[float]:
    """Return the median seconds of each work, done in turn so that all share the machine's moods."""
    taken: list[list[float]] = [[] for _ in works]
    for number in range(rounds):
        for work, seconds in zip(works, taken, strict=True):
            begun = time.perf_counter()
            work(number)
            seconds.append(time.perf_counter() - begun)
    return [statistics.median(seconds) for seconds in taken]


def bare_write(path: Path) -> None:
    """Do what nobody can do without: read, parse, change, write in full, sync, replace, sync the directory."""
    value = json.loads(path.read_bytes())
    value["hooks"]["h1"]["failure_count"] += 1
    temporary = path.with_name("bare.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(descriptor, json.dumps(value, indent=2).encode())
    os.fsync(descriptor)
    os.close(descriptor)
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def costs(directory: Path) -> None:
    """Print what one action costs."""
    ours = write(directory / "ours" / "hook_state.json", document(HOOKS))
    bare = write(directory / "bare" / "hook_state.json", document(HOOKS))

    def act(number: int) -> None:
        verb = "disable" if number % 2 else "reset"
        assert perform(circuit_action(verb, aged(ours), ["h1"]), settle_for=0).changed  # type: ignore[arg-type]

    whole, write_only = medians(act, lambda _: bare_write(bare))
    print(f"one action on {HOOKS} hooks ({ours.stat().st_size // 1000} KB), without watching whether it holds")
    print(f"  perform      {whole * 1e3:7.2f} ms   {whole / write_only:5.2f} x bare")
    print(f"  bare write   {write_only * 1e3:7.2f} ms   read, parse, write, fsync, replace, fsync of the directory")


def against_a_foreign_writer(directory: Path, size: str, record: Callable[[], dict[str, Any]]) -> None:
    """Print what becomes of 200 resets and of the other program's updates."""
    print(f"{HOOKS} resets of {HOOKS} {size} hooks while another program makes 100 updates a second:")
    print("  think  again   updates  lost           overwritten  displaced  done again   seconds   its updates > 10 ms")
    for think in (0.0, 0.001, 0.005):
        for reapply in (0, 5):
            path = write(directory / f"{size}-{think}-{reapply}" / "hook_state.json", document(HOOKS, record))
            begun = time.perf_counter()
            found = hammer(path, think, reapply=reapply)
            seconds = time.perf_counter() - begun
            print(
                f"  {think * 1e3:2.0f} ms  <= {reapply}   {found.made:7}"
                f"  {found.lost:4} ({found.lost / found.made:6.2%})"
                f"  {len(found.overwritten):11}  {len(found.displaced):9}  {found.repeated:10}  {seconds:8.1f}"
                f"  {len(found.slow):20}"
            )


def main() -> None:
    """Run all."""
    with tempfile.TemporaryDirectory() as name:
        os.environ["STATEWATCH_STATE_DIR"] = str(Path(name) / "state")
        costs(Path(name))
        against_a_foreign_writer(Path(name), "small", small)
        against_a_foreign_writer(Path(name), "usual", tripped)


if __name__ == "__main__":
    main()

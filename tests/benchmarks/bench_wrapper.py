"""What standing in front of a hook costs: the wrapper around `true`, cold, beside a bare start of Python.

`python -m tests.benchmarks.bench_wrapper`. All is measured in turn in one run: trust the ratios.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 40
GOAL = 60.0
"""Milliseconds for the wrapper around `true`, where a bare start of Python takes 9 to 15."""
BARE = 15.0
"""On a machine that is slower just now the goal is scaled."""
SHOWN = 14
"""Imports that are shown."""

_START = "import sys; from statewatch.cli.wrapper import console; console()"
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def measured(commands: dict[str, list[str]], environment: dict[str, str]) -> dict[str, list[float]]:
    """Run each command in turn, again and again; return how many milliseconds each took, in order of size."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(ROUNDS + 1):
        for name, command in commands.items():
            begun = time.perf_counter()
            subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if turn:  # the first one compiles
                taken[name].append((time.perf_counter() - begun) * 1e3)
    return {name: sorted(values) for name, values in taken.items()}


def write_state(path: Path, hooks: int) -> None:
    """Write a hook state with that many closed circuits and an open one."""
    times = dict.fromkeys(("first_failure", "last_failure", "last_success", "disabled_at", "retry_after"))
    counts = dict.fromkeys(("failure_count", "consecutive_failures", "consecutive_successes"), 0)
    records = {f"hook-{number}": {"state": "closed", **counts, **times, "last_error": None} for number in range(hooks)}
    records["shut"] = {**records["hook-0"], "state": "open", "disabled_at": "2999-01-01T00:00:00+00:00"}
    stats = {"total_executions": 0, "total_failures": 0, "hooks_disabled": 1, "last_updated": None}
    path.write_text(json.dumps({"hooks": records, "global_stats": stats}, indent=2))


def shares(command: list[str], environment: dict[str, str]) -> list[tuple[int, str]]:
    """Return the microseconds that each import takes by itself, the longest first."""
    probe = [command[0], "-X", "importtime", *command[1:]]
    done = subprocess.run(probe, env=environment, capture_output=True, text=True, check=False)
    return sorted(((int(time), name) for time, name in _IMPORT.findall(done.stderr)), reverse=True)


def main() -> None:
    """Run all."""
    with tempfile.TemporaryDirectory() as name:
        root, state = Path(__file__).parents[2], Path(name) / "hook_state.json"
        environment = {**os.environ, "HOME": name, "PYTHONPATH": str(root), "PYTHONPYCACHEPREFIX": f"{name}/compiled"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for hooks in (10, 1_000):
            write_state(state, hooks)
            wrapper = [sys.executable, "-c", _START, "--state", str(state)]
            commands = {
                "python -c pass": [sys.executable, "-c", "pass"],
                "true, counted": [*wrapper, "--key", "hook-1", "--", "true"],
                "false, counted": [*wrapper, "--key", "hook-2", "--failure-threshold", "100", "--", "false"],
                "true, skipped": [*wrapper, "--key", "shut", "--", "true"],
            }
            taken = measured(commands, environment)
            print(f"a hook state of {hooks:,} hooks; {ROUNDS} cold starts each, ms")
            print("  command               least   median   x bare")
            bare = statistics.median(taken["python -c pass"])
            for each, values in taken.items():
                median = statistics.median(values)
                print(f"  {each:18} {values[0]:8.1f} {median:8.1f} {median / bare:8.2f}")
            if hooks == 10:
                _judge(statistics.median(taken["true, counted"]), bare)
                _print_shares(shares(commands["true, counted"], environment))


def _judge(median: float, bare: float) -> None:
    goal = GOAL * max(1.0, bare / BARE)
    print(f"  around true {median:.1f} ms  goal ≤ {goal:.0f}  {'met' if median <= goal else 'MISSED'}")


def _print_shares(found: list[tuple[int, str]]) -> None:
    total = sum(taken for taken, _ in found)
    ours = sum(taken for taken, name in found if name.startswith("statewatch"))
    print(f"  imports: {total / 1e3:.1f} ms as Python's own clock has it, {ours / 1e3:.1f} of it for modules of ours")
    for taken, name in found[:SHOWN]:
        print(f"    {taken / total:5.1%}  {taken / 1e3:6.2f} ms  {name}")


if __name__ == "__main__":
    main()

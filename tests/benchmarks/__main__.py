"""Run every benchmark of this folder, one after the other, and say at the end which goals were met."""

import re
import subprocess
import sys
import time
from pathlib import Path

_JUDGED = re.compile(r"\b(met|MISSED)\b")


def main() -> int:
    """Run all; return 1 when one of them could not be run. A goal that was missed is told, not an error."""
    here = Path(__file__).parent
    judged: list[str] = []
    broken: list[str] = []
    for path in sorted(here.glob("bench_*.py")):
        print(f"── {path.stem}", flush=True)
        begun = time.perf_counter()
        lines, code = _run(path.stem, here.parents[1])
        judged += [f"{path.stem.removeprefix('bench_'):12}{line}" for line in lines if _JUDGED.search(line)]
        if code:
            broken.append(f"{path.stem} ended with {code}")
        print(f"   {time.perf_counter() - begun:.0f} s\n", flush=True)
    print("── goals")
    for line in [*judged, *broken]:
        print(line)
    return 1 if broken else 0


def _run(module: str, root: Path) -> tuple[list[str], int]:
    """Run a benchmark, passing on what it prints."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}"]
    lines = []
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    return lines, process.returncode


if __name__ == "__main__":
    sys.exit(main())

"""What a diff costs, against a plain recursive walk over both documents and against other libraries.

`python -m tests.benchmarks.bench_diff [SCENARIO …]`. Trust the ratios, not the milliseconds. The walk counts what
differs by key and by position and does nothing else; where items were inserted into a list, its count is useless.
"""

import gc
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from statewatch.documents.diff import apply, diff
from statewatch.documents.noise import Noise, marked
from statewatch.documents.values import same
from tests.benchmarks.diff_documents import Scenario, scenarios

ROUNDS = 15
MEMORY = 4 * 1024 * 1024
"""Bytes that a diff may need beside the documents, its result included."""
PATIENCE = 20.0
"""Seconds that a contender is given."""


def walk(before: Any, after: Any) -> int:
    """Count the differences, strict in types: the least that a recursive comparison in Python can do."""
    kind = type(before)
    if kind is not type(after):
        return 1
    found = 0
    if kind is dict:
        for key, value in before.items():
            found += walk(value, after[key]) if key in after else 1
        for key in after:
            found += key not in before
        return found
    if kind is list:
        for one, other in zip(before, after, strict=False):
            found += walk(one, other)
        return found + abs(len(before) - len(after))
    return int(before != after or (kind is float and not before and repr(before) != repr(after)))


def by_jsonpatch(scenario: Scenario) -> int:
    """Return the number of operations that jsonpatch finds."""
    import jsonpatch

    before: Any = scenario.before
    after: Any = scenario.after
    return len(jsonpatch.make_patch(before, after).patch)


def by_deepdiff(scenario: Scenario) -> int:
    """Return the number of differences that deepdiff finds, told to be strict as far as it can be."""
    from deepdiff import DeepDiff

    found = DeepDiff(scenario.before, scenario.after, ignore_numeric_type_changes=False)
    return sum(len(places) for places in found.values())


CONTENDERS: dict[str, Callable[[Scenario], int]] = {"jsonpatch": by_jsonpatch, "deepdiff": by_deepdiff}


def seconds(*works: Callable[[], object]) -> list[float]:
    """Return the median seconds of each work, done in turn so that all share the machine's moods."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, times in zip(works, taken, strict=True):
            gc.collect()
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
    return [statistics.median(times) for times in taken]


def extra_memory(work: Callable[[], object]) -> int:
    """Return the bytes that a work has allocated at most at a time, what it returns included."""
    gc.collect()
    tracemalloc.start()
    result = work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del result
    return peak


def contend(name: str, scenario: str) -> tuple[float, int] | None:
    """Let a contender run once, in a process of its own; None when it does not end in reasonable time."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_diff", "--contender", name, scenario]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    except subprocess.TimeoutExpired:
        return None
    taken, found = done.stdout.split()
    return float(taken), int(found)


def judged(scenario: Scenario) -> None:
    """Print one scenario."""
    changes = diff(scenario.before, scenario.after)
    assert same(apply(scenario.before, changes), scenario.after)
    plain, ours = seconds(lambda: walk(scenario.before, scenario.after), lambda: diff(scenario.before, scenario.after))
    memory = extra_memory(lambda: diff(scenario.before, scenario.after))
    ratio = ours / plain
    print(f"{scenario.name}: {scenario.what}")
    print(f"  walk       {plain * 1e3:8.2f} ms")
    verdict = "" if scenario.bar is None else f"   at most {scenario.bar}: {_word(ratio <= scenario.bar)}"
    print(f"  statewatch {ours * 1e3:8.2f} ms  {ratio:6.2f} x walk{verdict}")
    print(
        f"             {len(changes):8,} operations, ideal {scenario.ideal:,}: {_word(len(changes) <= scenario.ideal)}"
    )
    print(f"             {memory / 2**20:8.2f} MiB, at most {MEMORY / 2**20:.0f}: {_word(memory <= MEMORY)}")
    if scenario.without_noise is not None:
        loud = sum(not change.noise for change in marked(changes, Noise((scenario.noise,))))
        fine = _word(loud == scenario.without_noise)
        print(f"             {loud:8,} operations that are not noise ({scenario.noise}): {fine}")
    for name in CONTENDERS:
        found = contend(name, scenario.name)
        if found is None:
            print(f"  {name:10} not within {PATIENCE:.0f} s")
        else:
            print(f"  {name:10} {found[0] * 1e3:8.0f} ms  {found[0] / plain:6.1f} x walk   {found[1]:,} operations")


def _word(fine: bool) -> str:
    return "met" if fine else "MISSED"


def main() -> None:
    """Run all scenarios, or those that are named; with `--contender NAME SCENARIO` print what that one took."""
    made = (make() for make in scenarios())
    if sys.argv[1:2] == ["--contender"]:
        scenario = next(each for each in made if each.name == sys.argv[3])
        begun = time.perf_counter()
        found = CONTENDERS[sys.argv[2]](scenario)
        print(time.perf_counter() - begun, found)
        return
    for scenario in made:
        if scenario.name in sys.argv[1:] or len(sys.argv) == 1:
            judged(scenario)


if __name__ == "__main__":
    main()

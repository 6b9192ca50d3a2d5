"""Many processes with one hook state: nothing is lost, one tests an open circuit, and the dead hold nobody up."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from statewatch import HookStateManager
from statewatch.core.recording import Circuits, Run
from statewatch.kinds.policy import Policy
from tests.managers.hook_places import ROOT, Crew, patient

WRITERS, EACH = 8, 200
FEWER = 40  # of a server, which is slower
BURSTS = 25


@pytest.mark.parametrize("hooks", ["one", "own"])
def test_eight_processes_that_record_failures_at_once_lose_none(place: str, hooks: str) -> None:
    names = ["shared"] * WRITERS if hooks == "one" else [f"hook-{number}" for number in range(WRITERS)]
    each = EACH if "://" not in place else FEWER
    Crew([("fail", place, name, str(each)) for name in names]).run()
    with patient(place) as manager:
        counts = {name: state.failure_count for name, state in manager.get_all_hooks().items()}
        assert counts == ({"shared": WRITERS * each} if hooks == "one" else dict.fromkeys(names, each))
        stats = manager.get_global_stats()
        assert (stats.total_executions, stats.total_failures) == (WRITERS * each, WRITERS * each)


def test_cold_bursts_of_eight_processes_lose_none(tmp_path: Path) -> None:
    """Nobody has made the file or its directory: eight processes come at once, each to record one failure."""
    Crew([("bursts", str(tmp_path), str(BURSTS)) for _ in range(WRITERS)]).in_step(BURSTS)
    for burst in range(BURSTS):
        manager = HookStateManager(tmp_path / str(burst) / "hook_state.json")
        assert manager.get_hook_state("h").failure_count == WRITERS
        assert manager.get_global_stats().hooks_disabled == 1


def test_two_callers_with_different_thresholds_are_both_right(tmp_path: Path) -> None:
    """Whoever finds the threshold of its own reached opens the circuit, and every failure is counted."""
    place = str(tmp_path / "hook_state.json")
    Crew([("cold", place, "h", threshold) for threshold in ("5", "100", "100", "100", "100", "100")]).run()
    state = HookStateManager(place).get_hook_state("h")
    assert state.failure_count == 6
    (opened,) = HookStateManager(place).record_batch([("h", "again")], failure_threshold=5)
    assert opened[0].state == "open"


def test_of_eight_processes_that_ask_at_once_exactly_one_tests_the_hook(place: str) -> None:
    with patient(place) as manager:
        for _ in range(3):
            manager.record_failure("h", "boom")
    told = Crew([("ask", place, "h", "0") for _ in range(WRITERS)]).run()
    assert sorted(told) == ["execute_test"] + ["skip"] * (WRITERS - 1)


def test_the_lease_of_a_process_that_was_killed_passes_on(tmp_path: Path) -> None:
    place = str(tmp_path / "hook_state.json")
    later = [0.0]
    policy = Policy(failure_threshold=1, cooldown=0)
    circuits = Circuits(place, policy, clock=lambda: time.time() + later[0])
    circuits.record([Run("h", "boom")])
    killed = subprocess.run(
        [sys.executable, "-m", "tests.managers.hook_workers", "die", place, "h"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (killed.stdout, killed.returncode) == ("execute_test\n", -9), killed.stderr
    lease = json.loads((tmp_path / ".hook_state.json.statewatch-circuits.json").read_text())["circuits"]["h"]["probes"]
    assert len(lease) == 1
    assert circuits.ask("h").decision == "skip"
    later[0] = policy.probe_lease + 1
    assert [circuits.ask("h").decision for _ in range(2)] == ["execute_test", "skip"]


def test_batches_of_several_processes_are_recorded_whole(place: str) -> None:
    Crew([("batch", place, "25") for _ in range(4)]).run()
    with patient(place) as manager:
        hooks = manager.get_all_hooks()
        assert {name: (state.failure_count, state.consecutive_successes) for name, state in hooks.items()} == {
            "a": (100, 0),
            "b": (0, 100),
            "c": (100, 0),
        }
        assert manager.get_global_stats().total_executions == 300

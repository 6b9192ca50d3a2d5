"""Processes that use a hook state together with others: `python -m tests.managers.hook_workers WHAT PLACE ARGUMENT…`.

Each says that it is ready, waits for a line, does its work, and prints what came of it.
"""

import os
import signal
import sys
from pathlib import Path

from statewatch import CircuitBreaker, HookStateManager, load_config
from statewatch.core.recording import Circuits, Run
from statewatch.kinds.policy import Policy
from tests.managers.hook_places import patient


def ready() -> None:
    """Say so, and wait until all others are."""
    print("ready", flush=True)
    sys.stdin.readline()


def fail(place: str, hook: str, count: str) -> None:
    """Record failures of a hook, one by one."""
    manager = patient(place)
    ready()
    for number in range(int(count)):
        manager.record_failure(hook, f"error {number}", failure_threshold=1_000_000)


def cold(place: str, hook: str, threshold: str) -> None:
    """Record one failure, the first thing this process does with the hook state."""
    ready()
    patient(place).record_failure(hook, "boom", failure_threshold=int(threshold))


def bursts(directory: str, count: str) -> None:
    """Record one failure in each of so many hook states, each time as the first thing ever done with it."""
    ready()
    for number in range(int(count)):
        place = f"{directory}/{number}/hook_state.json"
        patient(place).record_failure("h", "boom")
        print(number, flush=True)
        sys.stdin.readline()  # until all others have come as far


def ask(place: str, hook: str, cooldown: str) -> None:
    """Ask once whether a hook is to run, and say what the answer was."""
    manager, config = patient(place), load_config("/nowhere")
    config.circuit_breaker.cooldown_seconds = int(cooldown)
    config.logging.file = os.devnull
    breaker = CircuitBreaker(manager, config)
    ready()
    print(breaker.should_execute(hook).decision, flush=True)


def die(place: str, hook: str) -> None:
    """Be told to test a hook, and be killed at that."""
    decision = Circuits(place).ask(hook, Policy(cooldown=0))
    print(decision.decision, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def batch(place: str, count: str) -> None:
    """Record runs of three hooks at once, again and again."""
    manager = HookStateManager(place if ":" in place else Path(place), timeout=60)
    ready()
    for _ in range(int(count)):
        manager.record_runs([Run("a", "x"), Run("b"), Run("c", "y")])


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    {each.__name__: each for each in (fail, cold, bursts, ask, die, batch)}[what](*arguments)

"""The whole simulated world: which tools there are, and what all files hold at any moment."""

from collections.abc import Iterable, Iterator
from typing import Final

from statewatch.demo import batch, hooks, workflow
from statewatch.demo.script import Clock, Files, merged, play

TOOLS: Final = {"hooks": hooks.events, "batch": batch.events, "workflow": workflow.events}
"""The simulated tools by name, each with the function that gives its events. No two write the same file."""


def moments(seed: int, clock: Clock, seconds: Iterable[float]) -> Iterator[Files]:
    """Give all files as they are at each of some simulated *seconds* when nobody interferes; the seconds must not fall.

    The paths are relative to the demo's directory and begin with `project/` or `home/`. A `.json` file is its JSON
    value, a `.jsonl` file the list of its lines' values, any other file its text.
    """
    policy: Files = {hooks.POLICY_FILE: hooks.policy_text(clock)}
    events = merged(*(tool(seed, clock) for tool in TOOLS.values()))
    return (policy | files for files in play(events, seconds))


def files(seed: int, clock: Clock, second: float = 0.0) -> Files:
    """Give all files as they are at one simulated second, see `moments`."""
    return next(moments(seed, clock, [second]))

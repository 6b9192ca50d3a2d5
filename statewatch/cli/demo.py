"""`demo`: the dashboard on simulated runs."""

import os
import sys

import click

from statewatch.cli import output
from statewatch.cli.errors import MistakeError


@click.command(name="demo")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="The same seed, the same runs.")
@click.option(
    "--speed", type=click.FloatRange(0.25, 100), default=1.0, show_default=True, help="2 is twice as fast, 0.5 half."
)
def command(*, seed: int, speed: float) -> int:
    """Open the dashboard on simulated runs that write real files in a temporary directory. Leaves nothing behind.

    \b
    Examples:
      statewatch demo
      statewatch demo --seed 3 --speed 4

    \b
    Exit codes: 0 done, 2 standard output is no terminal.
    """
    if not (output.is_terminal(sys.stdout) and output.is_terminal(sys.stdin)):
        raise MistakeError("the demo is a screen: it needs a terminal. `statewatch status` works without one.")
    return _run(seed, speed)


def _run(seed: int, speed: float) -> int:
    from statewatch.demo import Demo  # noqa: PLC0415 - each command loads what it uses
    from statewatch.tui.launch import open_dashboard  # noqa: PLC0415 - half a second
    from statewatch.watch.scope import scope_of  # noqa: PLC0415

    with Demo(seed=seed, speed=speed) as stage:
        kept = stage.root / "statewatch"
        os.environ["STATEWATCH_STATE_DIR"] = str(kept)  # copies and audit log go with it
        scope = scope_of((), cwd=stage.project, home=stage.home, environment={})
        return open_dashboard(scope, f"demo, seed {seed}", history=kept / "history.db")

"""`drain`: pausing the drain queue of a project for a while, and letting it go on."""

import shlex
from pathlib import Path
from typing import Any

import click

from statewatch.cli.acting import Manner, action_options, carry_out
from statewatch.cli.arguments import help_instead
from statewatch.kinds.times import duration


@click.group(name="drain", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Pause the drain queue of a project for a while, or let it go on.

    `statewatch circuits` shows its breaker and its budget, and resets them.

    \b
    Examples:
      statewatch drain pause --for 2h --why "release in progress"
      statewatch drain resume

    \b
    Exit codes: those of each command; 2 where none is named.
    """
    return help_instead(ctx)


_root_option = click.option(
    "--in",
    "root",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The project; by default the one around here.",
)


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    try:
        return duration(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}. Give it as 30m, 4h or 2d.") from None


@command.command(short_help="Let no drain begin for a while.")
@click.option("--for", "seconds", default="4h", show_default=True, metavar="TIME", callback=_seconds, help="How long.")
@_root_option
@action_options
def pause(seconds: int, root: Path | None, why: str, **manner: Any) -> int:
    """Let no drain begin for a while: --why is the reason that others see. An earlier pause is replaced.

    \b
    Examples:
      statewatch drain pause --for 2h --why "release in progress"
      statewatch undo

    \b
    Exit codes: 0 done; 2 nobody to ask; 3 the flag cannot be read; 4 refused; 5 overwritten; 6 locked.
    """
    from statewatch.core.pausing import pause_drain_action  # noqa: PLC0415 - only commands that act pay for it

    again = _again("pause", root, "--for", f"{seconds}s")
    return carry_out(pause_drain_action(_root(root), seconds, why=why, via="cli"), Manner(**manner), again)


@command.command(short_help="Let drains begin again now.")
@_root_option
@action_options
def resume(root: Path | None, why: str, **manner: Any) -> int:
    """Let drains begin again now: the pause ends, and its flag tells that it did.

    \b
    Exit codes: 0 done, or nothing to change; 2 nobody to ask; 3 there is no flag, or it cannot be read; 4 refused;
    5 overwritten; 6 locked.
    """
    from statewatch.core.pausing import resume_drain_action  # noqa: PLC0415 - only commands that act pay for it

    again = _again("resume", root)
    return carry_out(resume_drain_action(_root(root), why=why, via="cli"), Manner(**manner), again)


def _again(verb: str, root: Path | None, *options: str) -> str:
    named = [] if root is None else ["--in", str(root)]
    return shlex.join(["statewatch", "drain", verb, *options, *named, "--reapply", "3"])


def _root(root: Path | None) -> Path:
    if root is not None:
        return root
    from statewatch.watch.scope import project_around  # noqa: PLC0415

    return project_around(Path.cwd(), Path.home())

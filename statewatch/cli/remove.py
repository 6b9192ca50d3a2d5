"""`remove`: taking away the file of what is over. It is kept, and undo puts it back."""

import secrets
from pathlib import Path
from typing import Any

import click

from statewatch.cli.acting import Manner, action_options, carry_out_all
from statewatch.cli.arguments import file_of
from statewatch.cli.output import quoted


@click.command(name="remove")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@action_options
def command(files: tuple[str, ...], why: str, **manner: Any) -> int:
    """Take FILEs away that are over: a finished batch, a stale run, a pause that nobody lifts.

    It asks once and says which of them were written just now. What they held is kept byte for byte, and `statewatch
    undo` puts it back as long as nothing else is there. A symbolic link is not followed; what is signed stays.

    \b
    Examples:
      statewatch remove .claude/local/drain_pending.json --why "stale since Friday"
      statewatch remove .claude/PAUSE .claude/HUMAN_INPUT.md .claude/pause_checkpoint.json

    \b
    Exit codes: 0 done; 2 nobody to ask; 3 a file is not there or cannot be read; 4 refused;
    5 written again by its owner; 6 locked.
    """
    from statewatch.core.removing import remove_action  # noqa: PLC0415 - only commands that act pay for it

    group = secrets.token_hex(6) if len(files) > 1 else None  # what is done at once is undone at once
    paths = [Path(file_of(text)) for text in files]
    return carry_out_all(
        [
            (remove_action(path, why=why, via="cli", group=group), f"statewatch remove {quoted(str(path))}")
            for path in paths
        ],
        Manner(**manner),
    )

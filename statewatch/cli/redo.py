"""`redo`: doing again what was undone."""

from typing import Any

import click

from statewatch.cli.acting import Manner, carry_out_all
from statewatch.cli.undo import chosen, chosen_arguments


@click.command(name="redo")
@chosen_arguments
def command(words: tuple[str, ...], identity: str | None, why: str, **manner: Any) -> int:
    """Do again what was undone last on the FILEs, or in this project and on the home's hooks; or what that ID did.

    The ID, or its beginning, is that of the action or of its undo. Without one, only what no new action on the file has
    followed is done again.

    \b
    Examples:
      statewatch redo
      statewatch redo ~/.claude/hook_state.json --dry-run
      statewatch redo 3f09c1d2ab44 --yes --why "it was right after all"

    \b
    Exit codes: 0 done, or nothing to change; 1 nothing to redo here, or no such action; 2 nobody to ask;
    3 the file cannot be read; 4 no longer applies; 5 overwritten by another writer; 6 locked.
    """
    from statewatch.cli.reach import reach  # noqa: PLC0415 - only commands that act pay for it
    from statewatch.core.undo import redo_actions, to_redo  # noqa: PLC0415 - only commands that act pay for it

    records = to_redo(*chosen(words, identity), reach())
    again = [f"statewatch redo --reapply 3 --id {record.id}" for record in records]
    steps = zip(redo_actions(records, why=why, via="cli"), again, strict=True)
    return carry_out_all(tuple(steps), Manner(**manner))

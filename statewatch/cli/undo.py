"""`undo`: taking back an action. What `redo` shares with it is here too."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from statewatch.cli.acting import Manner, action_options, carry_out_all
from statewatch.cli.arguments import file_of
from statewatch.cli.errors import MistakeError


def chosen_arguments(decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Take what is to be undone or redone, and the options every action has."""
    for option in (
        action_options,
        click.option("--id", "identity", metavar="ID", help="The id, where a file of that name is there too."),
        click.argument("words", nargs=-1, metavar="[ID] [FILE]..."),
    ):
        decorated = option(decorated)
    return decorated


def source_of(word: str) -> Path | str:
    """Return the file that a word names, or the name of the store that it is the URL of."""
    from statewatch.core.stores.urls import is_store_url, open_store  # noqa: PLC0415 - each command loads what it uses

    return open_store(word).source if is_store_url(word) else Path(file_of(word))


def chosen(words: tuple[str, ...], identity: str | None) -> tuple[str | None, list[Path | str] | None]:
    """Return the id and the sources that the words of a command line mean; None for what they do not name.

    A word without `/`, `.` and `:` that is not the name of a file here is an id.
    """
    ids = [word for word in words if not re.search("[/.:]", word) and not os.path.lexists(word)]
    sources = [source_of(word) for word in words if word not in ids]
    if identity is not None:
        ids.append(identity)
    if len(ids) > 1:
        raise MistakeError(
            f"one action at a time, not {', '.join(ids)}. A file that is not there now is named with its directory, "
            "as in './NAME'."
        )
    return ids[0] if ids else None, sources or None


@click.command(name="undo")
@chosen_arguments
def command(words: tuple[str, ...], identity: str | None, why: str, **manner: Any) -> int:
    """Take back the last action on the FILEs, or in this project and on the home's hooks; or the one with that ID.

    Where your own last action was elsewhere, nothing is done, and it is named. The ID, or its beginning, is that of
    `statewatch audit` and of an action's report. Where one request changed several files, all of them are taken back.
    What others changed since stays. Where they changed the very places the action did, it is refused and names them.

    \b
    Examples:
      statewatch undo
      statewatch undo ~/.claude/hook_state.json --dry-run
      statewatch undo 3f09c1d2ab44 --yes --why "wrong hook"

    \b
    Exit codes: 0 done, or nothing to change; 1 nothing to undo here, or no such action; 2 nobody to ask;
    3 the file cannot be read; 4 no longer applies; 5 overwritten by another writer; 6 locked.
    """
    from statewatch.cli.reach import reach  # noqa: PLC0415 - only commands that act pay for it
    from statewatch.core.undo import to_undo, undo_actions  # noqa: PLC0415 - only commands that act pay for it

    records = to_undo(*chosen(words, identity), reach())
    again = [f"statewatch undo --reapply 3 --id {record.id}" for record in records]
    steps = zip(undo_actions(records, why=why, via="cli"), again, strict=True)
    return carry_out_all(tuple(steps), Manner(**manner))

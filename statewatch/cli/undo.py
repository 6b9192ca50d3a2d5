"""`undo`: taking back an action."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli.acting import Manner, action_options, carry_out
from statewatch.cli.arguments import file_of
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import NotFoundError, RefusedError

if TYPE_CHECKING:
    from statewatch.core.audit import Record


@click.command(name="undo")
@click.argument("source", required=False)
@click.option("--id", "identity", metavar="ID", help="The action to take back, as its report named it.")
@action_options
def command(source: str | None, identity: str | None, why: str, **manner: Any) -> int:
    """Take back the last action: on SOURCE, or on whatever was acted on last.

    What others changed since stays. Where they changed the very places the action did, it is refused and names them.

    \b
    Examples:
      statewatch undo
      statewatch undo ~/.claude/hook_state.json --dry-run
      statewatch undo --id 3f09c1d2ab44 --yes --why "wrong hook"

    \b
    Exit codes: 0 done, or nothing to change; 1 nothing to undo; 2 nobody to ask;
    3 the file cannot be read; 4 no longer applies; 5 overwritten by another writer; 6 locked.
    """
    from statewatch.core.undo import last_action, undo_action  # noqa: PLC0415 - only commands that act pay for it

    file = None if source is None else Path(file_of(source))
    record = last_action(None if file is None else [file]) if identity is None else _named(identity, file)
    again = f"statewatch undo --reapply 3 --id {record.id}"
    return carry_out(undo_action(record, why=why, via="cli"), Manner(**manner), again)


def _named(identity: str, file: Path | None) -> "Record":
    from statewatch.core import audit  # noqa: PLC0415

    records = [record for record in audit.records() if file is None or record.source == str(file.resolve())]
    found = [record for record in records if record.id.startswith(identity)]
    if not identity or not found:
        raise NotFoundError(f"there is no action {identity!r} in the audit log {audit.log_file()}")
    if len(found) > 1:
        raise MistakeError(f"{len(found)} actions begin with {identity!r}: give more of the id.")
    record = found[0]
    if record.undoes is not None:
        raise RefusedError(f"{record.id} is itself an undo ({record.action}); do the action again instead.")
    if taken := next((each for each in records if each.undoes == record.id), None):
        raise RefusedError(f"{record.id} ({record.action}) was taken back already, at {taken.at}.")
    return record

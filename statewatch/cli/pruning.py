"""`checkpoint delete` and `checkpoint prune`: letting checkpoints go, by name and by rule."""

import time
from collections.abc import Sequence

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import can_ask, json_option
from statewatch.cli.columns import Column
from statewatch.cli.errors import MistakeError
from statewatch.cli.sources import age, source_at
from statewatch.core.errors import MissingCheckpointError, RefusedError
from statewatch.core.retention import Policy, Reason, Verdict, verdicts
from statewatch.core.stores.base import Checkpoint, Store
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.times import duration

why_option = click.option("--why", default="", metavar="TEXT", help="The reason, for the audit log.")
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be deleted; delete nothing.")
_WHY: dict[Reason, str] = {
    "pinned": "pinned",
    "foreign": "another tool's backup",
    "future": "dated in the future",
    "last": "--keep-last",
    "daily": "--keep-daily",
    "age": "--keep-age",
    "newest": "the newest",
}


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(short_help="Delete checkpoints.")
@click.argument("source")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@_dry_run
@_yes
@why_option
@json_option
def delete(source: str, names: tuple[str, ...], *, dry_run: bool, yes: bool, why: str, as_json: bool) -> int:
    """Delete checkpoints of SOURCE. `statewatch undo` does not bring them back, so it asks.

    What they hold is kept first, as a file among the safety copies; `statewatch audit` says where.

    \b
    Example:
      statewatch checkpoint delete .claude/batch_state.json before-deploy

    \b
    Exit codes: 0 done; 1 no such checkpoint; 2 nobody to ask; 4 refused: by you,
    or it is pinned or another tool's; 6 locked.
    """
    store = source_at(source)
    chosen = [store.find_checkpoint(name) for name in dict.fromkeys(names)]
    for each in chosen:
        store.refuse_deletion(each.name)  # before any of them is deleted
    if not (dry_run or yes or _agreed(store, chosen)):
        return 4
    gone = set() if dry_run else {each.name for each in chosen if _gone(store, each, why)}
    if as_json:
        output.json_out([_row(store, Verdict(each, ()), gone) for each in chosen])
    for each in () if as_json else chosen:
        if dry_run or each.name in gone:
            output.say(f"{harmless(each.name)}: {'would be deleted' if dry_run else 'deleted'}")
    return 0 if dry_run or len(gone) == len(chosen) else 4


@click.command(short_help="Delete checkpoints by rule, and say why each stays.")
@click.argument("source")
@click.option("--keep-last", type=click.IntRange(1), metavar="N", help="Keep the newest N.")
@click.option("--keep-daily", type=click.IntRange(1), metavar="N", help="Keep the newest of each of the last N days.")
@click.option("--keep-age", callback=_seconds, metavar="AGE", help="Keep what is not older than this: 12h, 30d, 2w.")
@_dry_run
@_yes
@why_option
@json_option
def prune(
    source: str,
    keep_last: int | None,
    keep_daily: int | None,
    keep_age: float | None,
    *,
    dry_run: bool,
    yes: bool,
    why: str,
    as_json: bool,
) -> int:
    """Delete the checkpoints of SOURCE that no rule keeps. It shows each with the reason, and asks.

    A checkpoint stays when any of the rules keeps it; the newest always stays, however old it is. Pinned ones, other
    tools' backups and those dated in the future always stay too, and no rule counts them. Days are those of UTC that
    have a checkpoint.

    \b
    Examples:
      statewatch checkpoint prune .claude/batch_state.json --keep-last 10 --keep-daily 7 --dry-run
      statewatch checkpoint prune .claude/batch_state.json --keep-age 30d --yes

    \b
    Exit codes: 0 done, or nothing to delete; 2 nobody to ask, or no rule;
    3 the source cannot be read; 4 refused; 6 locked.
    """
    try:
        policy = Policy(keep_last, keep_daily, keep_age)
    except ValueError:
        raise click.UsageError(
            "say what is kept: --keep-last N, --keep-daily N or --keep-age AGE, more than 0."
        ) from None
    store = source_at(source)
    judged = verdicts(store.checkpoints(), policy, time.time())[::-1]
    going = [each.checkpoint for each in judged if each.expired]
    if not as_json:
        _show(judged)
    if going and not (dry_run or yes or _agreed(store, going)):
        return 4
    gone = set() if dry_run else {each.name for each in going if _gone(store, each, why)}
    if as_json:
        output.json_out([_row(store, each, gone) for each in judged])
    done = "would be deleted" if dry_run else "deleted"
    output.note(f"{len(going) if dry_run else len(gone)} of {output.count(len(judged), 'checkpoint')} {done}")
    return 0


def _agreed(store: Store, going: Sequence[Checkpoint]) -> bool:
    from statewatch.cli import ask  # noqa: PLC0415 - only where somebody is asked

    what = f"delete {output.count(len(going), 'checkpoint')} of {output.shown_path(store.source)}"
    if not can_ask():
        raise MistakeError(f"{what}: there is nobody to ask. Give --yes to do it, or --dry-run to see it.")
    now = time.time()
    output.note(f"This would {what}, which cannot be undone:")
    for each in going:
        output.note(f"  {harmless(each.name)}, {age(each, now)}{each.note and ': '}{harmless(each.note, 200)}")
    output.note("What they hold is kept, as files among the safety copies.")
    agreed = ask.agreed()
    if not agreed:
        output.note("Nothing was deleted.")
    return agreed


def _gone(store: Store, checkpoint: Checkpoint, why: str) -> bool:
    """Delete a checkpoint unless somebody has pinned, replaced or deleted it meanwhile; tell whether that was done."""
    try:
        if store.find_checkpoint(checkpoint.name) == checkpoint:
            store.delete_checkpoint(checkpoint.name, why=why, via="cli")
            return True
        output.note(f"{harmless(checkpoint.name)} stays: it is another one than was looked at.")
    except MissingCheckpointError:
        output.note(f"{harmless(checkpoint.name)} is gone already.")
    except RefusedError as error:
        output.complain(str(error))
    return False


def _show(judged: "Sequence[Verdict[Checkpoint]]") -> None:
    now = time.time()
    output.table(
        (
            Column("verdict"),
            Column("name", 12, is_name=True),
            Column("made", align="right"),
            Column("because"),
            Column("note", 12, elastic=True, dispensable=1),
        ),
        [
            (
                "delete" if each.expired else "keep",
                harmless(each.checkpoint.name, 300),
                age(each.checkpoint, now),
                ", ".join(_WHY[reason] for reason in each.kept_by) or "no rule keeps it",
                harmless(each.checkpoint.note, 500),
            )
            for each in judged
        ],
        ["warn" if each.expired else None for each in judged],
    )


def _row(store: Store, verdict: "Verdict[Checkpoint]", gone: set[str]) -> dict[str, JSON]:
    return {
        **shapes.checkpoint_row(store.source, verdict.checkpoint),
        "verdict": "delete" if verdict.expired else "keep",
        "kept_by": list(verdict.kept_by),
        "deleted": verdict.checkpoint.name in gone,
    }

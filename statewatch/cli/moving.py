"""`state migrate` and `state recover`: a namespace that moves to another store, and one that is damaged."""

import contextlib
import shlex
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from statewatch.cli import output
from statewatch.cli.acting import action_options, carry_out
from statewatch.cli.arguments import can_ask, json_option
from statewatch.cli.columns import Column
from statewatch.cli.errors import MistakeError
from statewatch.cli.namespaces import namespace_options, target
from statewatch.cli.pruning import why_option
from statewatch.cli.restore import manner_for
from statewatch.cli.sources import refuse_missing
from statewatch.core.errors import NotFoundError
from statewatch.core.stores.base import Store
from statewatch.documents.text import harmless
from statewatch.kinds.times import iso, span

if TYPE_CHECKING:
    from statewatch.core.migration import Migrated, Planned
    from statewatch.documents.values import JSON

_MOST_LINES = 100


@click.command(short_help="Move the namespace to another store.")
@namespace_options
@click.option("--to", "to", required=True, metavar="BACKEND|URL|PATH", help="Where to: a backend or an address.")
@click.option("--to-namespace", metavar="NAME", help="Its name there, by default the same.")
@click.option("--overwrite", is_flag=True, help="Overwrite what is there, and remove keys that are only there.")
@why_option
@click.option("--dry-run", is_flag=True, help="Show what would be written, replaced and deleted; write nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def migrate(
    store: Store,
    to: str,
    to_namespace: str | None,
    *,
    overwrite: bool,
    why: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Copy the namespace with its checkpoints to another store, and compare what has arrived.

    The source stays as it is. When it is interrupted, the same command goes on where it stopped. With --overwrite it
    shows what would go and asks; what is there is kept first, as a checkpoint of the target, a checkpoint whose name
    is needed gets another one, and `statewatch undo` brings the keys back. Checkpoints and backups that another tool
    made at the target are never overwritten: where a name is the same, it is refused.

    \b
    Examples:
      statewatch state migrate --to sqlite
      statewatch state migrate --namespace nightly --to redis://localhost:6379/0 --to-namespace nightly-2
      statewatch state migrate --to sqlite --overwrite --dry-run

    \b
    Exit codes: 0 done; 1 there is nothing to move; 2 nobody to ask; 3 one of them cannot be read or reached;
    4 refused: by you, or something else is there already, or the source is written to all the time;
    6 locked; 7 outcome unknown.
    """
    from statewatch.core import migration  # noqa: PLC0415 - only commands that act pay for it

    there = target(to, to_namespace, store)
    if not store.keys() and not store.checkpoints():
        raise NotFoundError(f"{store.source}: there is nothing to move, neither keys nor checkpoints")
    if dry_run or (overwrite and not yes):
        plan = migration.planned(store, there, overwrite=overwrite)
        if dry_run:
            _rehearse(store, there, plan, as_json=as_json)
            return 0
        if plan.overwrites and not _agreed(store, there, plan):
            output.note("Nothing was changed.")
            return 4
    try:
        with _Bar() as bar:
            moved = migration.migrate(store, there, overwrite=overwrite, progress=bar.progress, why=why, via="cli")
    except KeyboardInterrupt:
        output.note("Stopped. The same command goes on from here; the source is as it was.")
        raise
    _report(store, there, moved, as_json=as_json)
    return 0


def _rehearse(store: Store, there: Store, plan: "Planned", *, as_json: bool) -> None:
    if as_json:
        rows: dict[str, JSON] = {
            "source": store.source,
            "target": there.source,
            "dry_run": True,
            "keys": plan.keys,
            "keys_new": list(plan.new),
            "keys_replaced": list(plan.replaced),
            "keys_deleted": list(plan.deleted),
            "checkpoints": plan.checkpoints,
            "checkpoints_new": list(plan.checkpoints_new),
            "checkpoints_replaced": list(plan.checkpoints_replaced),
        }
        output.json_out(rows)
        return
    output.note(_announced(store, there))
    for line in _plan_lines(plan):
        output.say(line)


def _agreed(store: Store, there: Store, plan: "Planned") -> bool:
    from statewatch.cli import ask  # noqa: PLC0415 - only where somebody is asked

    if not can_ask():
        raise MistakeError(
            f"migrate to {output.shown_path(there.source)}, where something else is: there is nobody to ask. "
            "Give --yes to do it, or --dry-run to see it."
        )
    output.note(_announced(store, there))
    lines = _plan_lines(plan)
    for line in lines[:_MOST_LINES]:
        output.note(f"  {line}")
    if len(lines) > _MOST_LINES:
        output.note(f"  … and {len(lines) - _MOST_LINES:,} more; --dry-run shows all")
    output.note("What is there now is kept first, as a checkpoint of it.")
    return ask.agreed()


def _announced(store: Store, there: Store) -> str:
    return f"migrate {output.shown_path(store.source)} to {output.shown_path(there.source)} would write there:"


def _plan_lines(plan: "Planned") -> list[str]:
    """Return a harmless line for each key and checkpoint that would change, those that are lost first."""
    marked = [
        *(("- key", name) for name in plan.deleted),
        *(("~ key", name) for name in plan.replaced),
        *(("~ checkpoint, whose old one gets another name:", name) for name in plan.checkpoints_replaced),
        *(("+ key", name) for name in plan.new),
        *(("+ checkpoint", name) for name in plan.checkpoints_new),
    ]
    return [f"{mark} {harmless(name, 300)}" for mark, name in marked] or ["nothing: all of it is there already"]


def _report(store: Store, there: Store, moved: "Migrated", *, as_json: bool) -> None:
    if as_json:
        output.json_out(
            {
                "source": store.source,
                "target": there.source,
                "keys": moved.keys,
                "keys_written": moved.keys_written,
                "keys_deleted": moved.keys_deleted,
                "checkpoints": moved.checkpoints,
                "checkpoints_written": moved.checkpoints_written,
                "renamed": dict(moved.renamed),
                "left": moved.left,
                "id": moved.id,
                "checkpoint": moved.safety,
                "copy": None if moved.copy is None else str(moved.copy),
            }
        )
        return
    what = f"{output.count(moved.keys, 'key')} and {output.count(moved.checkpoints, 'checkpoint')}"
    output.say(f"{what} are in {output.shown_path(there.source)}, compared with the source.")
    output.note(
        f"Written now: {output.count(moved.keys_written, 'key')}, "
        f"{output.count(moved.checkpoints_written, 'checkpoint')}; the rest was there already."
    )
    if moved.keys_deleted:
        output.note(f"Deleted there: {output.count(moved.keys_deleted, 'key')}.")
    for old, new in moved.renamed:
        output.note(f"The checkpoint {harmless(old, 300)} that was there is {harmless(new, 300)} now.")
    if moved.safety:
        output.note(f"What was there before is the checkpoint {moved.safety!r}.")
    if moved.id:
        output.note(f"Take it back with: statewatch undo --id {moved.id}")
    if moved.left:
        output.note(f"{output.count(moved.left, 'backup')} of other tools stay where they are, beside the source.")


class _Bar:
    """Shows on a terminal how far a migration is: one bar for the keys and one for the checkpoints."""

    def __init__(self) -> None:
        self._shown = contextlib.ExitStack()
        self._what = ""
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.__exit__(kind, error, trace)

    def progress(self, what: str, done: int, total: int) -> None:
        """Show that so many are done."""
        if not output.is_terminal(sys.stderr):
            return
        if what != self._what:
            self._shown.close()
            self._what = what
            self._bar = self._shown.enter_context(
                click.progressbar(length=total, label=f"{what:<11}", show_pos=True, file=sys.stderr)
            )
        self._bar.update(done - self._bar.pos)


@click.command(short_help="Replace what is damaged by a good version.")
@click.argument("name", required=False)
@namespace_options
@action_options
def recover(store: Store, name: str | None, why: str, **manner: Any) -> int:
    """Replace a namespace that cannot be read, or is gone, by the good version NAME; without a name, list these.

    Good are checkpoints, other tools' backups and the copies kept before actions, if they can be read and are as they
    were made. It shows what would be written and asks; the damaged bytes are kept. Nothing is ever taken by itself.
    A damaged SQLite database is set aside as it is, with its log, and what can be read of its other tables is carried
    over into the new one.

    \b
    Examples:
      statewatch state recover
      statewatch state recover after-planning
      statewatch state recover --address .claude/batch_state.json

    \b
    Exit codes: 0 done, or nothing is damaged; 1 it is damaged and no version was named, or none of that name;
    2 nobody to ask; 4 refused; 6 locked.
    """
    from statewatch.core.restoring import damage, recover_action  # noqa: PLC0415

    wrong = damage(store)
    if wrong is None:
        refuse_missing(store)
        output.note(f"{output.shown_path(store.source)} can be read: there is nothing to recover.")
        if manner["as_json"]:
            output.json_out({"source": store.source, "damage": None, "candidates": []})
        return 0
    if name is None:
        _list(store, wrong, as_json=manner["as_json"])
        return 1
    again = shlex.join(["statewatch", "state", "recover", "--address", store.url, "--reapply", "3", "--", name])
    return carry_out(recover_action(store, name, why=why, via="cli"), manner_for(store, manner, safe=True), again)


def _list(store: Store, wrong: str, *, as_json: bool) -> None:
    from statewatch.core.restoring import candidates  # noqa: PLC0415

    output.complain(wrong)
    found = candidates(store)
    now = time.time()
    if as_json:
        rows = [
            {
                "name": each.name,
                "at": iso(each.at),
                "what": each.what,
                "size": len(each.version.data),
                "holds": each.holds,
            }
            for each in found
        ]
        output.json_out({"source": store.source, "damage": wrong, "candidates": rows})
        return
    if not found:
        output.note("There is no good version to recover with: no checkpoint, no backup, no safety copy.")
        return
    output.table(
        (
            Column("name", 12, is_name=True),
            Column("made", align="right"),
            Column("size", align="right"),
            Column("holds"),
            Column("what"),
        ),
        [
            (
                harmless(each.name, 300),
                f"{span(now - each.at)} ago",
                output.size(len(each.version.data)),
                each.holds,
                each.what,
            )
            for each in found
        ],
    )
    words = ["statewatch", "state", "recover", "--address", store.url, "--", found[0].name]
    output.note(f"To take the first: {harmless(shlex.join(words))}")
    output.note("`statewatch checkpoint show` shows a checkpoint or a backup; safety copies are plain files.")

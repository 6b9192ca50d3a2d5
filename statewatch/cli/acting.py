"""Carrying out an action for the command line: show, ask, do, report. The locked core does the work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli import output
from statewatch.cli.arguments import can_ask
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import OverwrittenError
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON

if TYPE_CHECKING:
    from statewatch.core.actions import Action, Outcome, Preview

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Manner:
    """How an action is to be done: what was asked for beside the action itself."""

    yes: bool = False
    dry_run: bool = False
    as_json: bool = False
    reapply: int = 0
    settle: float | None = None


def action_options(decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Take the options every action has."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON."),
        click.option("--settle", type=click.FloatRange(0, 60), hidden=True),
        click.option(
            "--reapply",
            type=click.IntRange(0, 100),
            default=0,
            metavar="N",
            help="Do it again, up to N times, when another writer puts the old content back.",
        ),
        click.option("--why", default="", metavar="TEXT", help="The reason, for the audit log."),
        click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing."),
        click.option("--yes", "-y", is_flag=True, help="Do not ask."),
    ):
        decorated = option(decorated)
    return decorated


def carry_out(action: "Action", manner: Manner, again: str) -> int:
    """Do *action* in that *manner*; return the exit code. *again* says how to apply it again."""
    from statewatch.core.actions import SETTLE, perform, preview  # noqa: PLC0415 - only commands that act pay for it

    plan = preview(action)
    if manner.dry_run:
        return _rehearsed(action, plan, manner)
    if plan.differences and not manner.yes and not _agreed(action, plan):
        output.note("Nothing was changed.")
        return 4
    if not plan.differences:
        return _nothing(action, plan, manner)
    settle = SETTLE if manner.settle is None else manner.settle
    return _report(action, perform(action, settle_for=settle, reapply=manner.reapply), manner, again)


def _agreed(action: "Action", plan: "Preview") -> bool:
    from statewatch.cli import ask  # noqa: PLC0415 - only where somebody is asked

    if not can_ask():
        raise MistakeError(
            f"{_title(action, plan)}: there is nobody to ask. Give --yes to do it, or --dry-run to see it."
        )
    return ask.agreed(f"{_title(action, plan)} would write:", plan.differences, plan.change.notes)


def _rehearsed(action: "Action", plan: "Preview", manner: Manner) -> int:
    from statewatch.cli import ask  # noqa: PLC0415

    if manner.as_json:
        output.json_out({**_json(action, plan), "dry_run": True})
    elif plan.differences:
        output.note(f"{_title(action, plan)} would write:")
        for line in ask.difference_lines(plan.differences):
            output.say(line)
        _note(plan)
    else:
        output.note(f"{_title(action, plan)} would change nothing.")
    return 0


def _nothing(action: "Action", plan: "Preview", manner: Manner) -> int:
    if manner.as_json:
        output.json_out(_json(action, plan))
    output.note(f"{_title(action, plan)}: nothing to change, it is so already.")
    return 0


def _report(action: "Action", outcome: "Outcome", manner: Manner, again: str) -> int:
    plan = outcome.plan
    if manner.as_json:
        output.json_out(_json(action, plan, outcome))
    if not outcome.changed:
        return 0 if manner.as_json else _nothing(action, plan, manner)
    copy = output.shown_path(str(outcome.copy))
    if outcome.overwritten:
        raise OverwrittenError(
            f"{_title(action, plan)} was overwritten: another program put back what it had read before. The version "
            f"before the action is kept in {copy}. Apply it again with: {again}"
        )
    if not manner.as_json:
        times = "" if outcome.applied == 1 else f", applied {outcome.applied} times"
        output.say(f"{_title(action, plan)}: {output.count(len(plan.differences), 'place')} changed{times}.")
    _note(plan)
    back = "" if action.undoes else f"; take it back with: statewatch undo --id {outcome.id}"
    output.note(f"What was there before is kept in {copy}{back}")
    if outcome.displaced:
        kept = output.count(len(outcome.displaced), "version")
        output.note(f"Another program wrote at the same time; {kept} of its file kept beside that copy.")
    return 0


def _note(plan: "Preview") -> None:
    for note in plan.change.notes:
        output.note(f"Note: {harmless(note)}.")


def _title(action: "Action", plan: "Preview") -> str:
    """Say what is done to what and where, harmlessly."""
    targets = plan.change.targets
    named = (
        ", ".join(targets) if len(targets) <= _NAMED else f"{', '.join(targets[:_NAMED])} and {len(targets) - 5} more"
    )
    if action.name.endswith("reset all"):
        named = f"({output.count(len(targets), 'hook')})"
    return harmless(f"{action.name} {named} in {output.shown_path(str(plan.path))}")


def _json(action: "Action", plan: "Preview", outcome: "Outcome | None" = None) -> dict[str, JSON]:
    changes: list[JSON] = [
        {"op": change.op, "path": change.pointer, "before": change.before, "after": change.after}
        for change in plan.differences
    ]
    return {
        "action": action.name,
        "source": str(plan.path),
        "targets": list(plan.change.targets),
        "changed": outcome is not None and outcome.changed,
        "overwritten": outcome is not None and outcome.overwritten,
        "applied": 0 if outcome is None or not outcome.changed else outcome.applied,
        "id": outcome.id if outcome else None,
        "copy": str(outcome.copy) if outcome and outcome.copy else None,
        "displaced": [str(path) for path in outcome.displaced] if outcome else [],
        "dry_run": False,
        "notes": list(plan.change.notes),
        "changes": changes,
    }

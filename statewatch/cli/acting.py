"""Carrying out an action for the command line: show, ask, do, report. The locked core does the work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import can_ask
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import ConflictError, OverwrittenError, StatewatchError
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.plain import brief

if TYPE_CHECKING:
    from statewatch.core.actions import Action, Outcome, Preview
    from statewatch.core.stores.base import Checkpoint

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Manner:
    """How an action is to be done: what was asked for beside the action itself.

    One that is `safe` makes a checkpoint of what is there first; when it was shown before it was agreed to, it is done
    to that version only, unless `even_if_moved`. `expect` is the beginning of the digest of the only version that may
    be acted on.
    """

    yes: bool = False
    dry_run: bool = False
    as_json: bool = False
    reapply: int = 0
    settle: float | None = None
    compact: bool = False
    safe: bool = False
    expect: str | None = None
    even_if_moved: bool = False


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
    return carry_out_all([(action, again)], manner)


def carry_out_all(steps: "Sequence[tuple[Action, str]]", manner: Manner) -> int:
    """Do actions that belong together, each with how to apply it again; return the exit code.

    All are shown before the one question. Where one of several fails it is said, the others are done nevertheless, and
    the exit code is that of the first failure. With JSON several are an object a line.
    """
    from statewatch.core.actions import preview  # noqa: PLC0415 - only commands that act pay for it

    if len(steps) == 1 and _goes_ahead(manner):
        [(action, again)] = steps
        return _report(action, *_done(action, None, manner), manner, again)
    plans = [(action, preview(action)) for action, _ in steps]
    for _, plan in plans:
        _refuse_other(plan, manner.expect)
    manner = replace(manner, compact=len(steps) > 1)
    if manner.dry_run:
        return max(_rehearsed(action, plan, manner) for action, plan in plans)
    pending = [(action, plan) for action, plan in plans if plan.changed]
    if pending and not manner.yes and not _agreed(pending):
        output.note("Nothing was changed.")
        return 4
    code = 0
    for (action, again), (_, plan) in zip(steps, plans, strict=True):
        if not plan.changed:
            _nothing(action, plan, manner)
            continue
        try:
            _report(action, *_done(action, plan, manner), manner, again)
        except StatewatchError as error:
            if len(steps) == 1:
                raise
            output.complain(str(error))
            code = code or error.exit_code
    return code


def _refuse_other(plan: "Preview", expected: str | None) -> None:
    if expected is not None and not plan.base.digest.startswith(expected):
        raise ConflictError(
            f"{plan.source}: it is at the version {plan.base.digest[:12]}, not at {harmless(expected, 64)[:12]} which "
            "you expect, so nothing was changed. Look again with --dry-run, and decide anew."
        )


def _goes_ahead(manner: Manner) -> bool:
    """Tell whether nobody wants to see anything before it is done: then it is planned only once."""
    return manner.yes and not (manner.dry_run or manner.safe or manner.expect is not None)


def _done(action: "Action", plan: "Preview | None", manner: Manner) -> "tuple[Outcome, Checkpoint | None]":
    """Do an action; return what became of it, and the checkpoint of what was there before if one was to be made."""
    from statewatch.core.actions import SETTLE, perform  # noqa: PLC0415

    settle = SETTLE if manner.settle is None else manner.settle
    if not manner.safe:
        return perform(action, settle_for=settle, reapply=manner.reapply), None
    from statewatch.core.restoring import restore  # noqa: PLC0415

    seen = plan if manner.expect is not None or not (manner.yes or manner.even_if_moved) else None
    try:
        restored = restore(action, seen, settle_for=settle, reapply=manner.reapply)
    except ConflictError as error:
        if action.repairs:
            raise
        raise ConflictError(f"{error} The option for that is --even-if-moved.") from None
    return restored.outcome, restored.safety


def _agreed(pending: "Sequence[tuple[Action, Preview]]") -> bool:
    from statewatch.cli import ask  # noqa: PLC0415 - only where somebody is asked

    if not can_ask():
        titles = "; ".join(_title(action, plan) for action, plan in pending)
        raise MistakeError(f"{titles}: there is nobody to ask. Give --yes to do it, or --dry-run to see it.")
    for action, plan in pending:
        ask.show(_announced(action, plan), () if action.repairs else plan.differences, plan.change.notes)
    return ask.agreed()


def _rehearsed(action: "Action", plan: "Preview", manner: Manner) -> int:
    from statewatch.cli import ask  # noqa: PLC0415

    if manner.as_json:
        output.json_out({**_json(action, plan), "dry_run": True}, compact=manner.compact)
    elif plan.changed:
        output.note(_announced(action, plan))
        for line in ask.difference_lines(() if action.repairs else plan.differences):
            output.say(line)
        _note(plan)
    else:
        output.note(f"{_title(action, plan)} would change nothing.")
    return 0


def _nothing(action: "Action", plan: "Preview", manner: Manner) -> int:
    if manner.as_json:
        output.json_out(_json(action, plan), compact=manner.compact)
    output.note(f"{_title(action, plan)}: nothing to change, it is so already.")
    return 0


def _report(action: "Action", outcome: "Outcome", safety: "Checkpoint | None", manner: Manner, again: str) -> int:
    plan = outcome.plan
    if manner.as_json:
        output.json_out(_json(action, plan, outcome, safety), compact=manner.compact)
    if not outcome.changed:
        return 0 if manner.as_json else _nothing(action, plan, manner)
    copy = "" if outcome.copy is None else output.shown_path(str(outcome.copy))
    if outcome.overwritten:
        kept = f" The version before the action is kept in {copy}." if copy else ""
        raise OverwrittenError(
            f"{_title(action, plan)} was overwritten: another program put back what it had read before.{kept} "
            f"Apply it again with: {again}"
        )
    if not manner.as_json:
        times = "" if outcome.applied == 1 else f", applied {outcome.applied} times"
        done = f"{output.count(len(plan.differences), 'place')} changed"
        if action.repairs or action.removes:
            done = "it can be read again" if action.repairs else "it is gone"
        output.say(f"{_title(action, plan)}: {done}{times}.")
    _note(plan)
    back = "; take it back with: statewatch undo"
    if action.name.startswith("undo "):
        back = "; do it again with: statewatch redo"
    kept_as = f"is the checkpoint {safety.name!r}, and is kept in" if safety else "is kept in"
    before = f"What was there before {kept_as} {copy}" if copy else "Nothing was there before"
    output.note(before + ("" if action.repairs else f"{back} --id {outcome.id}"))
    if outcome.displaced:
        kept = output.count(len(outcome.displaced), "version")
        output.note(f"Another program wrote at the same time; {kept} of its file kept beside that copy.")
    return 0


def _note(plan: "Preview") -> None:
    for note in plan.change.notes:
        output.note(f"Note: {harmless(note)}.")


def _announced(action: "Action", plan: "Preview") -> str:
    if action.repairs:  # there is nothing to compare with
        return f"{_title(action, plan)} would write {brief(plan.after)} in place of what cannot be read."
    if action.removes:
        return f"{_title(action, plan)} would take the file away, with all it holds:"
    return f"{_title(action, plan)} would write{':' if plan.differences else ' the same values in another layout.'}"


def _title(action: "Action", plan: "Preview") -> str:
    """Say what is done to what and where, harmlessly."""
    targets = plan.change.targets
    if action.removes:
        return harmless(f"{action.name} {output.shown_path(plan.source)}")
    named = (
        ", ".join(targets) if len(targets) <= _NAMED else f"{', '.join(targets[:_NAMED])} and {len(targets) - 5} more"
    )
    if action.name.endswith("reset all"):
        named = f"({output.count(len(targets), 'hook')})"
    return harmless(f"{action.name} {named} in {output.shown_path(str(plan.source))}")


def _json(
    action: "Action", plan: "Preview", outcome: "Outcome | None" = None, safety: "Checkpoint | None" = None
) -> dict[str, JSON]:
    return {
        "action": action.name,
        "source": str(plan.source),
        "targets": list(plan.change.targets),
        "changed": outcome is not None and outcome.changed,
        "overwritten": outcome is not None and outcome.overwritten,
        "applied": 0 if outcome is None or not outcome.changed else outcome.applied,
        "id": outcome.id if outcome else None,
        "base": plan.base.digest,
        "copy": str(outcome.copy) if outcome and outcome.copy else None,
        "checkpoint": safety.name if safety else None,
        "displaced": [str(path) for path in outcome.displaced] if outcome else [],
        "dry_run": False,
        "notes": list(plan.change.notes),
        "changes": shapes.change_rows(plan.differences),
    }

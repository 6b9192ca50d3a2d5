"""What operators do to runs in phases: through the core, previewed and undoable."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from statewatch.cli.acting import Manner, action_options, carry_out
from statewatch.cli.workflow_choice import chosen

if TYPE_CHECKING:
    from statewatch.core.actions import Action

_CODES: Final = """
    It asks once, showing exactly what would be written; what was there before is kept, and `statewatch undo` takes the
    action back.

    \b
    Exit codes: 0 done, or nothing to change; 1 no such run; 2 several of that name, or nobody to ask;
    3 the file cannot be read; 4 refused, or no such phase; 5 overwritten by another writer; 6 locked.
"""
_MADE: Final = "marked by an operator"


def _verb(name: str, part: str, short_help: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of what does something to a part of a run."""

    def made(body: Callable[..., Any]) -> click.Command:
        body.__doc__ = (body.__doc__ or "").rstrip() + "\n" + _CODES
        with_options = action_options(body)
        with_part = click.argument("part", metavar=part)(with_options)
        return click.command(name, short_help=short_help)(click.argument("which", metavar="RUN")(with_part))

    return made


@_verb("retry", "PHASE", "Let a failed phase be run again.")
def retry(which: str, part: str, why: str, **manner: Any) -> int:
    """Let a failed phase of a workflow be run again by its tool: the phase is no longer failed, nor is the whole.

    \b
    Example:
      statewatch workflow retry adw-4c973d9a build --why "disk is free again"
    """
    from statewatch.core.workflow_actions import retry_phase_action  # noqa: PLC0415 - only who acts pays for it

    source, view, _ = chosen(which, ("workflow",))
    return _done(
        retry_phase_action(Path(source.key), part, view.workflow_id, why=why, via="cli"), manner, "retry", part
    )


@_verb("fail", "PHASE|AGENT|STEP", "Mark what never ends as failed.")
def fail(which: str, part: str, why: str, **manner: Any) -> int:
    """Mark a phase of a workflow, an agent of a session or a step of a pipeline as failed that never ends.

    --why is recorded as its error. What has ended is never changed.

    \b
    Examples:
      statewatch workflow fail adw-81aa02fe build --why "the machine was restarted"
      statewatch workflow fail docs/sessions/20261120-090000-pipeline.json implementer
    """
    from statewatch.core import workflow_actions as runs  # noqa: PLC0415 - only who acts pays for it

    source, view, _ = chosen(which, ("workflow", "session", "pipeline"))
    path, run, said = Path(source.key), view.workflow_id, why or _MADE
    if source.kind == "workflow":
        action = runs.fail_phase_action(path, part, run, why=said, via="cli")
    elif source.kind == "session":
        action = runs.fail_agent_action(path, part, run, why=said, via="cli")
    else:
        action = runs.end_step_action(path, part, "failed", run, why=said, via="cli")
    return _done(action, manner, "fail", part)


@_verb("skip", "STEP", "Leave a step of a pipeline out.")
def skip(which: str, part: str, why: str, **manner: Any) -> int:
    """Mark a step of a pipeline as skipped; --why is recorded as the reason.

    \b
    Example:
      statewatch workflow skip a3f1b2c4d5e67890 ci_analysis --why "no CI here"
    """
    from statewatch.core.workflow_actions import end_step_action  # noqa: PLC0415 - only who acts pays for it

    source, view, _ = chosen(which, ("pipeline",))
    action = end_step_action(Path(source.key), part, "skipped", view.workflow_id, why=why or _MADE, via="cli")
    return _done(action, manner, "skip", part)


@_verb("roll-back", "AGENT", "Let a workflow go on from an earlier agent.")
def roll_back(which: str, part: str, why: str, **manner: Any) -> int:
    """Set the checkpoint of a workflow back, so that it goes on with AGENT: that one and all after it are to do again.

    \b
    Example:
      statewatch workflow roll-back 20261113_101530 implementer
    """
    from statewatch.core.workflow_actions import roll_back_action  # noqa: PLC0415 - only who acts pays for it

    source, view, _ = chosen(which, ("checkpoint",))
    action = roll_back_action(Path(source.key), part, view.workflow_id, why=why, via="cli")
    return _done(action, manner, "roll-back", part)


VERBS: Final = (retry, fail, skip, roll_back)


def _done(action: "Action", manner: dict[str, Any], verb: str, part: str) -> int:
    again = shlex.join(["statewatch", "workflow", verb, str(action.source), part, "--reapply", "3"])
    return carry_out(action, Manner(**manner), again)

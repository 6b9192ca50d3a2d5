"""`workflow`: the runs in phases there are, of workflows, agents and pipelines, and what can be done with them."""

import os

import click

from statewatch.cli import output
from statewatch.cli.arguments import at_option, files_of, help_instead, json_option, paths_argument, picture_of
from statewatch.cli.columns import Column
from statewatch.cli.shapes import source_row, workflow_row
from statewatch.cli.status import explain_nothing
from statewatch.cli.workflow_choice import chosen
from statewatch.cli.workflow_verbs import VERBS
from statewatch.documents.text import harmless
from statewatch.kinds.hooks import first_line
from statewatch.kinds.times import span
from statewatch.kinds.workflow import Phase, WorkflowView
from statewatch.watch.picture import Picture, Source


@click.group(name="workflow", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """List runs in phases, look into one, and put one right: retry or fail a phase, roll back to an agent.

    They are workflows, sessions of agents, pipelines and the checkpoints of workflows. RUN is the id of one around
    here, or its beginning, or a file.

    \b
    Examples:
      statewatch workflow list
      statewatch workflow retry adw-4c973d9a build

    \b
    Exit codes: those of each command; 2 where none is named.
    """
    return help_instead(ctx)


@command.command("list", short_help="How far every run is.")
@paths_argument
@at_option
@json_option
def list_runs(paths: tuple[str, ...], *, as_json: bool) -> int:
    """List the runs: running ones first, then failed ones, then the latest.

    \b
    Examples:
      statewatch workflow list
      statewatch workflow list --json | jq '.[] | select(.status == "failed")'

    \b
    Exit codes: 0 done, 1 a named file is no such run, 3 a source cannot be read.
    """
    named = files_of(paths)
    picture = picture_of(named)
    runs = [(each, each.view) for each in picture.sources if isinstance(each.view, WorkflowView)]
    runs.sort(key=lambda run: (not run[1].is_running, run[1].status != "failed", -(run[1].started_at or 0)))
    code = _what_is_wrong(picture, named)
    if as_json:
        output.json_out([workflow_row(source, view, picture.at) for source, view in runs])
    elif runs:
        output.table(
            (
                Column("status"),
                Column("run", 8, is_name=True),
                Column("kind", dispensable=2),
                Column("done", align="right"),
                Column("now at", 12),
                Column("for", align="right", dispensable=1),
                Column("source", 16, elastic=True, dispensable=3, is_name=True),
            ),
            [_cells(source, view, picture.at) for source, view in runs],
            [view.status for _, view in runs],
        )
    elif not code:
        explain_nothing(picture)
    return code


@command.command(short_help="One run and its phases.")
@click.argument("which", metavar="RUN")
@at_option
@json_option
def show(which: str, *, as_json: bool) -> None:
    """Show one run and its phases, with how long each took and what went wrong.

    \b
    Exit codes: 0 done, 1 no such run, 2 several of that name, 3 the source cannot be read.
    """
    source, view, now = chosen(which)
    if as_json:
        output.json_out(workflow_row(source, view, now))
        return
    output.say(output.paint(harmless(view.workflow_id, 200), "title"))
    told = [("kind", source.kind), ("status", view.status), ("about", view.title), ("error", view.error or "")]
    told += [*view.facts, ("file", output.shown_path(source.key))]
    output.facts([(harmless(name, 60), harmless(said, 500)) for name, said in told if said])
    for note in view.notes:
        output.say(f"assumed: {harmless(note, 500)}")
    output.say()
    output.table(
        (
            Column("status"),
            Column("phase", 8, is_name=True),
            Column("took", align="right"),
            Column("note", 20, elastic=True),
        ),
        [_phase_cells(phase, now) for phase in view.phases],
        [phase.status for phase in view.phases],
    )


for verb in VERBS:
    command.add_command(verb)


def _cells(source: Source, view: WorkflowView, now: float) -> tuple[str, ...]:
    done = sum(phase.status in ("completed", "skipped") for phase in view.phases)
    here = next((phase for phase in view.phases if phase.status == "in_progress"), None)
    failed = next((phase for phase in view.phases if phase.status == "failed"), None)
    at = here or failed
    seconds = None if at is None else at.seconds(now)
    return (
        harmless(view.status, 30),
        harmless(view.workflow_id, 200),
        source.kind,
        f"{done}/{len(view.phases)}",
        harmless(at.name if at else "", 60),
        "" if seconds is None else span(seconds),
        harmless(source.label),
    )


def _phase_cells(phase: Phase, now: float) -> tuple[str, ...]:
    seconds = phase.seconds(now)
    return (
        harmless(phase.status, 30),
        harmless(phase.name, 100),
        "" if seconds is None else span(seconds),
        harmless(first_line(phase.error) if phase.error else phase.note, 500),
    )


def _what_is_wrong(picture: Picture, named: tuple[str, ...]) -> int:
    """Say what cannot be read, and which named file is no run; return the exit code."""
    code = 0
    wanted = {os.path.abspath(path) for path in named if not os.path.isdir(path)}  # noqa: PTH100, PTH112 - any bytes
    for source in picture.sources:
        if source.problem is not None and source.key in wanted:
            output.complain(f"{output.shown_path(source.key)}: {source.problem.reason}")
            code = 3
        elif source.key in wanted and not isinstance(source.view, WorkflowView):
            kind = source_row(source, picture.at)["kind"]
            output.complain(f"{output.shown_path(source.key)}: it is of the kind {kind}, not a run in phases")
            code = max(code, 1)
    return code

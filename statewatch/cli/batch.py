"""`batch`: the batches there are, the items of one, and what can be done with them."""

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import at_option, files_of, help_instead, json_option, paths_argument
from statewatch.cli.batch_choice import chosen
from statewatch.cli.batch_run import run
from statewatch.cli.batch_verbs import VERBS
from statewatch.cli.columns import Column
from statewatch.cli.listing import listing_of
from statewatch.cli.status import explain_nothing
from statewatch.documents.text import harmless
from statewatch.kinds.batch import FAILED, PENDING, SKIPPED, TOKEN_LIMIT, BatchView, Item
from statewatch.kinds.hooks import first_line
from statewatch.kinds.times import clock, span
from statewatch.watch.attention import stalled_for
from statewatch.watch.picture import Source


@click.group(name="batch", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """List batches and the items of one, mark items, and run a command for every item of a list.

    Counts are of distinct items. ID is the id of a batch around here, or its beginning, or a file or an address.
    """
    return help_instead(ctx)


@command.command("list", short_help="How far every batch is.")
@paths_argument
@at_option
@json_option
def list_batches(paths: tuple[str, ...], *, as_json: bool) -> int:
    """List the batches: how far each is, what failed, how fast it goes and when it will be done.

    Looks at the PATHs (files or directories), else at the project around the current directory and at
    ~/.claude.

    \b
    Examples:
      statewatch batch list
      statewatch batch list --json | jq '.[] | {batch_id, failed, eta}'

    \b
    Exit codes: 0 done, 1 a named file is no batch state, 3 a source cannot be read.
    """
    listing = listing_of(files_of(paths), "batch", BatchView)
    now = listing.picture.at
    if as_json:
        output.json_out([shapes.batch_row(source, view, now) for source, view in listing.sources])
    elif listing.sources:
        output.table(
            (
                Column("status"),
                Column("batch", 8, is_name=True),
                Column("done", align="right"),
                Column("failed", align="right"),
                Column("skipped", align="right", dispensable=4),
                Column("left", align="right", dispensable=5),
                Column("pace", align="right", dispensable=1),
                Column("eta", align="right"),
                Column("updated", align="right", dispensable=2),
                Column("now at", 12, elastic=True, dispensable=3),
            ),
            [_batch_cells(source, view, now) for source, view in listing.sources],
            [_tone(source, view, now) for source, view in listing.sources],
        )
    elif not listing.code:
        explain_nothing(listing.picture)
    return listing.code


@command.command(short_help="One batch and its items.")
@click.argument("which", required=False, metavar="[ID|PATH]")
@at_option
@json_option
def show(which: str | None, *, as_json: bool) -> None:
    """Show one batch and its items.

    Which one: the id (or its beginning) of a batch around here, or a file, a directory or an address. Where there is
    only one batch it need not be named.

    \b
    Examples:
      statewatch batch show
      statewatch batch show .claude/batch_state.json
      statewatch batch show --json | jq '.items[] | select(.outcome == "failed")'

    \b
    Exit codes: 0 done, 1 no such batch, 2 several batches and none named, 3 the source cannot be read.
    """
    source, view, now = chosen(which)
    if as_json:
        items = [shapes.item_row(item) for item in view.items]
        output.json_out({**shapes.batch_row(source, view, now), "items": items})
        return
    output.say(output.paint(harmless(view.batch_id), "title"))
    output.facts(_facts(source, view, now))
    output.say()
    output.table(
        (
            Column("outcome"),
            Column("#", align="right"),
            Column("item", 12),
            Column("tries", align="right", dispensable=1),
            Column("commit", dispensable=3),
            Column("issue", align="right", dispensable=2),
            Column("git", dispensable=4),
            Column("after", dispensable=5),
            Column("error", 24, elastic=True),
        ),
        [_item_cells(item) for item in view.items],
        [None if item.outcome == PENDING else item.outcome for item in view.items],
    )


def _batch_cells(source: Source, view: BatchView, now: float) -> tuple[str, ...]:
    row = shapes.batch_row(source, view, now)
    eta = source.pace.eta(view.count(PENDING), now) if row["eta"] else None
    updated = view.updated_at if view.updated_at is not None else source.changed_at
    return (
        _status(source, view, now),
        harmless(view.batch_id, 200),
        f"{view.processed}/{view.total}",
        str(view.count(FAILED)),
        str(view.count(SKIPPED)),
        str(view.count(PENDING)),
        _pace(source),
        "" if eta is None else clock(eta, now),
        "" if updated is None else f"{span(now - updated)} ago",
        harmless(view.current.title if view.current and view.is_running else "", 200),
    )


def _status(source: Source, view: BatchView, now: float) -> str:
    return "stalled" if stalled_for(source, now) else harmless(view.status, 30)


def _tone(source: Source, view: BatchView, now: float) -> str:
    return "failed" if view.count(FAILED) else _status(source, view, now)


def _pace(source: Source) -> str:
    seconds = source.pace.seconds_per_item
    return "" if seconds is None else f"{span(seconds)}/item"


def _facts(source: Source, view: BatchView, now: float) -> list[tuple[str, str]]:
    row = shapes.batch_row(source, view, now)
    counts = [f"{row[name]} {name}" for name in ("completed", "failed", "skipped", "pending") if row[name]]
    facts = [("status", _status(source, view, now)), ("items", f"{view.total}: {', '.join(counts)}" if counts else "0")]
    if pace := _pace(source):
        eta = source.pace.eta(view.count(PENDING), now)
        facts.append(("pace", pace + (f", done about {clock(eta, now)}" if row["eta"] and eta else "")))
    if view.updated_at is not None:
        facts.append(("updated", f"{span(now - view.updated_at)} ago"))
    if view.tokens is not None:
        facts.append(("tokens", f"{view.tokens:,} of {TOKEN_LIMIT:,} before the context is to be cleared"))
    if view.interrupted:
        named = ", ".join(str(item.index) for item in view.interrupted[:20])
        facts.append(("interrupted", f"{named}: their run ended while they were at work"))
    if view.holes:
        passed = ", ".join(str(item.index) for item in view.holes[:20])
        facts.append(("skipping", f"{passed}: passed over, the run does not come back to them"))
    return [*facts, *(("note", note) for note in view.notes), ("file", output.shown_path(source.key))]


def _item_cells(item: Item) -> tuple[str, ...]:
    return (
        item.outcome,
        str(item.index),
        harmless(item.title, 300),
        "" if item.tries is None else str(item.tries),
        harmless(item.commit or "", 60)[:10],
        "" if item.issue is None else f"#{item.issue}",
        harmless(" ".join(step.name if step.well else f"{step.name}!" for step in item.git), 60),
        ", ".join(map(str, item.needs)),
        harmless(first_line(item.error), 500),
    )


for _verb in (*VERBS, run):
    command.add_command(_verb)

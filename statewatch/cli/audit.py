"""`audit`: what was done, when, by whom and why, and what became of it."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import given_moment, json_option
from statewatch.cli.ask import difference_lines
from statewatch.cli.columns import Column
from statewatch.cli.undo import source_of
from statewatch.core.audit import Record, inverse_of, log_file, to_json
from statewatch.core.standing import Standing
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.times import instant, span

_SHOWN = 20
_TONES = {"interrupted": "warn", "in progress": "running", "overwritten": "bad"}
_COLUMNS = (
    Column("when", align="right"),
    Column("id"),
    Column("who", 6, dispensable=2),
    Column("via", dispensable=4),
    Column("action", 10, elastic=True),
    Column("targets", 10, elastic=True),
    Column("source", 12, is_name=True, dispensable=1),
    Column("outcome"),
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the options ask for."""

    source: str | None = None
    action: str | None = None
    who: str | None = None
    via: str | None = None
    since: float | None = None
    within: Callable[[str], bool] | None = None

    def admits(self, standing: Standing) -> bool:
        """Tell whether a record is among what was asked for."""
        record = standing.record
        below = "" if self.source is None else self.source.rstrip("/") + "/"
        return (
            (self.source is None or record.source == self.source or record.source.startswith(below))
            and (self.within is None or self.within(record.source))
            and (self.action is None or self.action.casefold() in record.action.casefold())
            and (self.who is None or self.who in {record.user, f"{record.user}@{record.host}"})
            and (self.via is None or self.via == record.via)
            and (self.since is None or (instant(record.at) or 0.0) >= self.since)
        )


@click.command(name="audit")
@click.argument("identity", required=False, metavar="[ID]")
@click.option(
    "--source", metavar="SOURCE", help="What was done to this file or store, or to files below this directory."
)
@click.option("--action", metavar="TEXT", help="Actions whose name holds this text.")
@click.option("--who", metavar="USER", help="What this user did: NAME or NAME@HOST.")
@click.option("--via", type=click.Choice(["cli", "dashboard", "library"]), help="What was done through this.")
@click.option(
    "--since",
    callback=given_moment,
    metavar="WHEN",
    help="A duration (10m, 2h, 3d) or a time (14:03, 2026-11-20T14:03).",
)
@click.option("--here", is_flag=True, help="What was done in this project and in the home: what `undo` takes back.")
@click.option("-n", "most", type=click.IntRange(1), metavar="COUNT", help=f"So many; without --json {_SHOWN}.")
@json_option
def command(
    identity: str | None,
    source: str | None,
    action: str | None,
    who: str | None,
    via: str | None,
    since: float | None,
    most: int | None,
    *,
    here: bool,
    as_json: bool,
) -> None:
    """Show what was done, newest first; with an ID, or its beginning, all about one record.

    `interrupted` is an action whose process was gone before it said what became of it.

    \b
    Examples:
      statewatch audit
      statewatch audit --source ~/.claude/hook_state.json --since 2h
      statewatch audit 3f09c1d2ab44
      statewatch audit --json | jq -r '.[] | select(.in_force) | .action'

    \b
    Exit codes: 0 done, 1 no such record, 3 the log cannot be read.
    """
    from statewatch.cli.reach import reach  # noqa: PLC0415 - with all that acts
    from statewatch.core.undo import all_standings, find_standing  # noqa: PLC0415 - with all that acts

    named = None if source is None else source_of(source)
    if identity is not None:
        _show(find_standing(identity), as_json=as_json)
        return
    wanted = _Wanted(
        str(named.resolve()) if isinstance(named, Path) else named, action, who, via, since, reach() if here else None
    )
    found = filter(wanted.admits, all_standings())
    chosen = list(itertools.islice(found, most or (None if as_json else _SHOWN)))
    if as_json:
        output.json_out([shapes.record_row(each) for each in chosen])
    elif not chosen:
        like = "" if wanted == _Wanted() else " like that"
        output.note(f"The audit log {output.shown_path(str(log_file()))} holds nothing{like}.")
    else:
        words = [shapes.state_word(each) for each in chosen]
        output.table(_COLUMNS, [_cells(each) for each in chosen], [_TONES.get(word) for word in words])
        if most is None and next(found, None) is not None:
            output.note(f"There is more: -n {_SHOWN * 5} shows {_SHOWN * 5} records, --json all.")


def _cells(standing: Standing) -> tuple[str, ...]:
    record = standing.record
    return (
        _age(record),
        harmless(record.id, 40),
        harmless(record.user, 60),
        harmless(record.via, 20),
        harmless(record.action, 200),
        harmless(", ".join(record.targets), 300),
        output.shown_path(record.source),
        shapes.state_word(standing),
    )


def _age(record: Record) -> str:
    at = instant(record.at)
    return harmless(record.at, 40) if at is None else f"{span(time.time() - at)} ago"


def _show(standing: Standing, *, as_json: bool) -> None:
    record = standing.record
    if as_json:
        output.json_out({**shapes.record_row(standing), "inverse": _stored_inverse(record)})
        return
    output.say(output.paint(harmless(f"{record.action} {', '.join(record.targets)}", 500).strip(), "title"))
    output.facts([(name, text) for name, text in _facts(standing) if text])
    try:
        lines = difference_lines(inverse_of(record))
    except ValueError as error:
        lines = [f"({error})"]
    if lines:
        output.say("  what takes it back, place by place:")
    for line in lines:
        output.say(f"    {line}")


def _stored_inverse(record: Record) -> JSON:
    """Return what takes it back, wherever it is kept; null where it is gone or damaged."""
    try:
        return list(to_json(inverse_of(record)))
    except ValueError:
        return None


def _facts(standing: Standing) -> list[tuple[str, str]]:
    record, by = standing.record, standing.by
    outcome = shapes.state_word(standing)
    return [
        ("id", record.id),
        ("at", f"{record.at} ({_age(record)})"),
        ("who", f"{record.user} on {record.host}, process {record.pid}"),
        ("via", record.via),
        ("why", record.why),
        ("source", output.shown_path(record.source)),
        ("outcome", outcome if by is None else f"{outcome}, at {by.at}: {by.id} ({by.action})"),
        ("undoes", record.undoes or ""),
        ("group", record.group or ""),
        ("before", record.before),
        ("after", record.after),
        ("checkpoint", record.checkpoint or ""),
        ("copy", output.shown_path(record.copy) if record.copy else ""),
    ]

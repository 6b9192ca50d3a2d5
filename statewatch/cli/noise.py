"""`noise`: the places of a source that change all the time, by its history; comparisons are better without them."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from statewatch.cli import output
from statewatch.cli.arguments import history_option, json_option, parsed
from statewatch.cli.columns import Column
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import StatewatchError
from statewatch.documents.changes import Change
from statewatch.documents.noise import suggest_noise
from statewatch.documents.text import harmless

if TYPE_CHECKING:
    from statewatch.watch.history.model import Entry
    from statewatch.watch.history.store import History

_MOST = 300


@click.command(name="noise")
@click.argument("source")
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.6,
    show_default=True,
    help="In so large a part of the revisions.",
)
@history_option
@json_option
def command(source: str, share: float, *, as_json: bool) -> int:
    """List the places of a source that changed in most of its latest 300 recorded revisions.

    They are patterns as `statewatch diff --ignore` takes them. Nothing is suggested from fewer than five changes.

    \b
    Examples:
      statewatch noise ~/.claude/hook_state.json
      statewatch noise .claude/batch_state.json --share 0.9 --json | jq -r '.[].pattern'

    \b
    Exit codes: 0 done, 1 no history of it is kept, or nothing is noise; 2 the address has a moment or a place;
    3 the history cannot be read.
    """
    from statewatch.cli.history import history_of  # noqa: PLC0415 - after the help, which needs no store

    found = parsed(source)
    if found.when is not None or found.tokens:
        raise MistakeError(f"{source}: a whole source is meant here, without '@' and '#' behind it")
    history, key = history_of(found.source)
    suggestions = suggest_noise(_changes(history, history.entries(key, limit=_MOST + 1)), share)
    if as_json:
        output.json_out([{"pattern": each.pattern, "revisions": each.revisions, "of": each.of} for each in suggestions])
    elif suggestions:
        output.table(
            (Column("pattern", 20, elastic=True, is_name=True), Column("changed in", align="right")),
            [(harmless(each.pattern, 300), f"{each.revisions} of {each.of}") for each in suggestions],
            [None] * len(suggestions),
        )
        ignored = " ".join(f"--ignore {output.quoted(each.pattern)}" for each in suggestions[:3])
        output.note(f"Compare without them: statewatch diff {output.quoted(found.source)}@-1 {ignored}")
    else:
        output.note("Nothing in it changes in most revisions, or too few are recorded to tell.")
    return int(not suggestions)


def _changes(history: "History", entries: "list[Entry]") -> Iterator[list[Change]]:
    """Yield what each of the revisions, newest first, changed; what is no JSON is passed over."""
    from statewatch.kinds import registry  # noqa: PLC0415

    for after, before in itertools.pairwise(entries):
        try:
            yield registry.changes(history.document(before), history.document(after))
        except StatewatchError:
            continue

"""`show`: the value at an address."""

import click

from statewatch.cli import output
from statewatch.cli.arguments import at_option, parsed
from statewatch.core.errors import NotFoundError
from statewatch.documents import pointer


@click.command(name="show")
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="Print it on one line.")
@at_option
def command(address: str, *, as_json: bool) -> None:
    """Print the value at ADDRESS as JSON.

    An address is SOURCE[@WHEN][#POINTER]: a file or the URL of a store, as it is now or was at a moment, and the place
    inside as in RFC 6901; without a pointer it is the whole document. WHEN is the name of a checkpoint or of a
    bookmark, so many revisions back (-1), so long ago (10m) or a time (14:03, 2026-11-20T14:03, local without a
    zone), and the revision that is found is named on standard error. A file whose own name holds '@' or '#' wins over
    the syntax; %40 and %23 always work. Output is ASCII, so nothing in a file can act on the terminal.

    \b
    Examples:
      statewatch show ~/.claude/hook_state.json
      statewatch show .claude/batch_state.json#/failed_features/0
      statewatch show ~/.claude/hook_state.json@before-reset#/hooks/validate-file/state
      statewatch show .claude/batch_state.json@10m#/current_index
      statewatch show 'sqlite:.claude/state?namespace=nightly#/phase'

    \b
    Exit codes: 0 done, 1 nothing there, or nothing of that moment is kept; 2 a time to come;
    3 the source cannot be read.
    """
    from statewatch.cli.sources import address_of, document_at, opened  # noqa: PLC0415 - after the help, which needs no store

    found = parsed(address)
    store = opened(found.source)
    document = document_at(store, found.when)
    try:
        value = pointer.get(document, pointer.locate(document, found.tokens))
    except pointer.PointerError as error:
        raise NotFoundError(f"{address_of(store, found.when)}: {error}") from None
    output.json_out(value, compact=as_json)

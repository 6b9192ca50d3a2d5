"""`patch`: a document with a JSON Patch or a merge patch applied."""

import shlex
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import click

from statewatch.cli import output
from statewatch.cli.acting import action_options, carry_out
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import NotFoundError
from statewatch.documents import pointer
from statewatch.documents.edit import Editor
from statewatch.documents.merge_patch import apply_merge_patch
from statewatch.documents.patch import PatchError, apply_patch
from statewatch.documents.values import JSON

if TYPE_CHECKING:
    from statewatch.cli.diff_sides import Side

Sort = Literal["json-patch", "merge"]


@click.command(name="patch")
@click.argument("address", metavar="DOC")
@click.argument("patch", metavar="PATCH")
@click.option("--json-patch", "sort", flag_value="json-patch", help="PATCH is a JSON Patch (RFC 6902).")
@click.option("--merge", "sort", flag_value="merge", help="PATCH is a merge patch (RFC 7396).")
@click.option("--in-place", "-i", is_flag=True, help="Write the result to DOC, as an action: shown, audited, undone.")
@action_options
def command(address: str, patch: str, sort: Sort | None, *, in_place: bool, why: str, **manner: Any) -> int:
    """Print DOC with PATCH applied; a patch applies as a whole or not at all.

    DOC is an address, SOURCE[@WHEN][#POINTER], or '-' for standard input; PATCH is a file, an address, or '-'. A list
    is taken for a JSON Patch, an object for a merge patch. With --in-place nothing is brought up to date besides: what
    is printed without it is what is written.

    \b
    Examples:
      statewatch diff a.json b.json --format json-patch | statewatch patch a.json -
      echo '{"status": "paused"}' | statewatch patch .claude/batch_state.json - --in-place --dry-run
      statewatch patch state.json@before-deploy fix.json
      statewatch patch state.json fix.json --in-place --yes --why "wrong counts"

    \b
    Exit codes: 0 done; 1 it does not apply (which operation, where, and why is said), or there is nothing at the
    address; 2 the command line is wrong, or there is nobody to ask; 3 one of them cannot be read; 4 refused;
    5 overwritten by another writer; 6 locked; 7 outcome unknown.
    """
    from statewatch.cli.diff_sides import STDIN, side  # noqa: PLC0415 - after the help, which needs no store

    if address == patch == STDIN:
        raise MistakeError("only one of DOC and PATCH can be '-'")
    if not in_place and (manner["yes"] or manner["dry_run"] or why or manner["reapply"]):
        raise click.UsageError("--yes, --dry-run, --why and --reapply are for what is written with --in-place.")
    change = side(patch)
    apply = _applier(_document(change), sort, change.label)
    named = side(address)
    tokens = named.tokens

    def patched(document: JSON) -> JSON:
        path = pointer.locate(document, tokens)
        editor = Editor(document)
        editor.put(path, apply(pointer.get(document, path)))
        return editor.document

    document = _document(named)
    try:
        result = patched(document)
    except PatchError as error:
        raise NotFoundError(f"{change.label} does not apply to {named.label}: {error}. Nothing was changed.") from None
    except pointer.PointerError as error:
        raise NotFoundError(f"{named.label}: {error}") from None
    if not in_place:
        output.json_out(pointer.get(result, pointer.locate(document, tokens)), compact=manner["as_json"])
        return 0
    return _written(address, patched, change.record, patch, sort, why, manner)


def _written(
    address: str,
    patched: Callable[[JSON], JSON],
    name: str,
    patch: str,
    sort: Sort | None,
    why: str,
    options: dict[str, Any],
) -> int:
    """Do it to the source; return the exit code."""
    from statewatch.cli.arguments import parsed  # noqa: PLC0415 - only where something is written
    from statewatch.cli.diff_sides import is_stream  # noqa: PLC0415
    from statewatch.cli.restore import manner_for  # noqa: PLC0415
    from statewatch.cli.sources import opened  # noqa: PLC0415
    from statewatch.core.patching import patch_action  # noqa: PLC0415

    if is_stream(address):
        raise MistakeError(
            "standard input, or what a command prints, cannot be changed: name the source that --in-place is to write"
        )
    found = parsed(address)
    if found.when is not None:
        raise MistakeError(f"{address}: what was cannot be changed; --in-place is for a source as it is now")
    store = opened(found.source)
    forced = [f"--{sort}"] if sort else []
    again = shlex.join(["statewatch", "patch", address, patch, *forced, "--in-place", "--reapply", "3"])
    return carry_out(patch_action(store, patched, name, why=why, via="cli"), manner_for(store, options), again)


def _applier(patch: JSON, sort: Sort | None, name: str) -> Callable[[JSON], JSON]:
    if sort is None:
        if not isinstance(patch, dict | list):
            raise MistakeError(
                f"{name}: neither a list of operations (JSON Patch) nor an object (merge patch). If it is a merge "
                "patch all the same, say so with --merge."
            )
        sort = "json-patch" if isinstance(patch, list) else "merge"
    if sort == "merge":
        return partial(_merged, patch)
    return partial(_patched, patch)


def _merged(patch: JSON, document: JSON) -> JSON:
    return apply_merge_patch(document, patch)


def _patched(patch: JSON, document: JSON) -> JSON:
    return apply_patch(document, patch).document


def _document(named: "Side") -> JSON:
    """Return the document of a side. Raises SourceError where it is none."""
    named.refuse_damage()
    return named.document

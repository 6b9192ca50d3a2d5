"""`batch create`, `next`, `summary`, and what operators do to items: through the core, previewed and undoable."""

import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli import output, shapes
from statewatch.cli.acting import Manner, action_options, carry_out
from statewatch.cli.arguments import at_option, json_option
from statewatch.cli.batch_choice import chosen, file_chosen
from statewatch.core.errors import RefusedError, SourceError
from statewatch.documents.text import harmless
from statewatch.kinds.words import RefusedError as Refusal
from statewatch.kinds.words import word

if TYPE_CHECKING:
    from statewatch.core.batch_actions import BatchVerb, ItemVerb
    from statewatch.documents.values import JSON

_CODES = """
    \b
    Exit codes: 0 done, or nothing to change; 1 no such batch; 2 several batches and none named, or nobody to ask;
    3 the file cannot be read; 4 refused, or no such item; 5 overwritten by another writer; 6 locked.
"""
_MOST_BYTES = 64 * 1024 * 1024


def _documented(decorated: Callable[..., Any]) -> Callable[..., Any]:
    decorated.__doc__ = (decorated.__doc__ or "").rstrip() + "\n" + _CODES
    return decorated


def _which(decorated: Callable[..., Any]) -> Callable[..., Any]:
    argument: Callable[[Callable[..., Any]], Callable[..., Any]] = click.argument("which", metavar="ID|PATH")
    return argument(decorated)


def _named_items(decorated: Callable[..., Any]) -> Callable[..., Any]:
    argument: Callable[[Callable[..., Any]], Callable[..., Any]] = click.argument("named", nargs=-1, metavar="ITEM...")
    return _which(argument(action_options(decorated)))


@click.command(short_help="Make a batch from a list, an item a line.")
@click.argument("items_file", metavar="ITEMS.txt|-", type=click.Path(allow_dash=True, path_type=Path))
@click.option("--id", "batch_id", metavar="ID", help="The id; by default batch-YYYYmmdd-HHMMSS-ffffff.")
@click.option("--file", "state_file", metavar="PATH", type=click.Path(path_type=Path), help="Where to keep the state.")
@json_option
def create(items_file: Path, batch_id: str | None, state_file: Path | None, *, as_json: bool) -> None:
    """Make a batch from a list: an item a line, empty lines left out; '-' reads standard input.

    It is kept in .claude/batch_state_ID.json below the root of the project, in the format of batch_state.json.

    \b
    Examples:
      statewatch batch create --id nightly ITEMS.txt
      ls *.png | statewatch batch create --id pictures -

    \b
    Exit codes: 0 done, 3 the list cannot be read, 4 refused: an empty list, an id that cannot be one, a file that is
    there already.
    """
    from statewatch.managers.batch_state import BatchStateManager  # noqa: PLC0415 - each command loads what it uses

    listed = "" if str(items_file) == "-" else str(items_file)
    manager = BatchStateManager.create(_lines(items_file), batch_id, state_file, features_file=listed)
    source, view, now = chosen(str(manager.state_file))
    if as_json:
        output.json_out(shapes.batch_row(source, view, now))
        return
    output.say(f"{manager.batch_id}: {output.count(view.total, 'item')}, kept in {_shown(manager.state_file)}")
    output.note(f"Run it with: statewatch batch run {output.quoted(manager.batch_id)} -- COMMAND {{item}}")


@click.command("next", short_help="The item that is next.")
@_which
@json_option
def next_item(which: str, *, as_json: bool) -> int:
    """Print the number and the title of the item that is next: in its order, when all it builds on is done.

    Items that somebody is at work on are passed over; nothing is taken.

    \b
    Exit codes: 0 there is one, 1 there is none or no such batch, 3 the file cannot be read, 4 it is laid out otherwise.
    """
    from statewatch.core.batch_file import BatchFile, lives  # noqa: PLC0415
    from statewatch.kinds import batch_marks, batch_order, batch_reading  # noqa: PLC0415

    file = BatchFile(file_chosen(which))
    document = file.peek()
    try:
        fields = batch_marks.usual(document)
    except Refusal as error:
        raise RefusedError(f"{file.source}: {error}") from None
    at_work = {index: worker for index, worker in file.at_work().items() if lives(worker)}
    found = batch_order.next_item(document, at_work)
    features: Any = fields["features"]
    title = None if found.item is None else batch_reading.title_of(features[found.item], found.item)
    if as_json:
        waiting: list[JSON] = [*found.waiting]
        output.json_out({"index": found.item, "title": title, "waiting": waiting, "at_work": sorted(at_work)})
    elif title is not None:
        output.say(f"{found.item}\t{harmless(title, 20_000)}")
    if found.item is None:
        why = f"; {output.count(len(found.waiting), 'item')} wait for others that are not done" if found.waiting else ""
        output.note(f"There is no item to begin{why}.")
        return 1
    if word(fields.get("status")) == "paused":
        output.note("The batch is paused: nothing is begun until `statewatch batch resume`.")
    return 0


@click.command(short_help="What came of a batch.")
@_which
@at_option
@json_option
def summary(which: str, *, as_json: bool) -> None:
    """Say what came of a batch so far, and what is to be done next.

    \b
    Exit codes: 0 done, 1 no such batch, 3 the file cannot be read.
    """
    from dataclasses import asdict  # noqa: PLC0415

    from statewatch.kinds.batch_summary import resuming, summary_of  # noqa: PLC0415

    _, view, _ = chosen(which)
    told = summary_of(view, resuming(view))
    if as_json:
        output.json_out({**asdict(told), "skipped_count": told.skipped_count})
        return
    for line in told.format_summary().split("\n"):
        output.say(line)


@click.command(short_help="Mark items as done.")
@_named_items
@_documented
def done(which: str, named: tuple[str, ...], **options: Any) -> int:
    """Mark items as done; earlier failures of them are forgotten.

    ITEM is the number of an item, or its whole title; '#7' and '=7' leave no doubt. It asks once, showing exactly what
    would be written, and `statewatch undo` takes it back.

    \b
    Examples:
      statewatch batch done nightly 7
      statewatch batch done nightly "Add login" --yes --why "done by hand"
    """
    return _act("done", which, named, **options)


@click.command(short_help="Mark items as failed.")
@_named_items
@click.option("--error", "reason", default="", metavar="TEXT", help="The error that is recorded.")
@_documented
def fail(which: str, named: tuple[str, ...], **options: Any) -> int:
    """Mark items as failed. ITEM and the options are as for `batch done`.

    \b
    Example:
      statewatch batch fail nightly 7 --error "no such picture"
    """
    return _act("fail", which, named, **options)


@click.command(short_help="Leave items out, or take that back.")
@_named_items
@click.option("--reason", default="", metavar="TEXT", help="Why, for those who read the batch.")
@click.option("--undo", "take_back", is_flag=True, help="Take the skip of items back.")
@_documented
def skip(which: str, named: tuple[str, ...], *, take_back: bool, **options: Any) -> int:
    """Leave items out. ITEM and the options are as for `batch done`.

    \b
    Examples:
      statewatch batch skip nightly 7 --reason "no longer needed"
      statewatch batch skip nightly 7 --undo
    """
    return _act("unskip" if take_back else "skip", which, named, **options)


@click.command(short_help="Let failed items be done again.")
@_named_items
@click.option("--failed", "every", is_flag=True, help="All that failed.")
@click.option("--interrupted", is_flag=True, help="All that were at work when their run ended.")
@click.option("--reset-counts", is_flag=True, help="Forget how often items were tried again, instead.")
@_documented
def retry(
    which: str, named: tuple[str, ...], *, every: bool, interrupted: bool, reset_counts: bool, **options: Any
) -> int:
    """Let failed items be done again: their failures are forgotten, and the batch goes back to them.

    ITEM and the options are as for `batch done`. Nothing is run: who works through the batch comes back to them.

    \b
    Examples:
      statewatch batch retry nightly 7 12
      statewatch batch retry nightly --failed --yes
      statewatch batch retry nightly --interrupted
    """
    if bool(named) + every + interrupted != 1:
        raise click.UsageError("name items, or give one of --failed and --interrupted.")
    verb: ItemVerb = "reset retries" if reset_counts else "retry"
    return _act(verb, which, named, failed=every, interrupted=interrupted, **options)


@click.command(short_help="Let no further item be begun.")
@_which
@action_options
@_documented
def pause(which: str, why: str, **manner: Any) -> int:
    """Pause a batch: what is at work is finished, and nothing else is begun until `batch resume`.

    \b
    Example:
      statewatch batch pause nightly --why "the server is being moved"
    """
    return _act_whole("pause", which, why, manner)


@click.command(short_help="Let a paused batch go on.")
@_which
@action_options
@_documented
def resume(which: str, why: str, **manner: Any) -> int:
    """Let a paused batch go on. A run that waits goes on by itself; `batch run ID --resume` begins another.

    \b
    Example:
      statewatch batch resume nightly
    """
    return _act_whole("resume", which, why, manner)


VERBS = (create, next_item, done, fail, skip, retry, pause, resume, summary)


def _act(
    verb: "ItemVerb",
    which: str,
    named: tuple[str, ...],
    why: str,
    *,
    reason: str = "",
    failed: bool = False,
    interrupted: bool = False,
    **manner: Any,
) -> int:
    from statewatch.core.batch_actions import item_action  # noqa: PLC0415 - only who acts pays for it
    from statewatch.core.batch_file import BatchFile  # noqa: PLC0415
    from statewatch.kinds import batch_changes  # noqa: PLC0415

    path = file_chosen(which)
    document = BatchFile(path).peek()
    try:
        if failed or interrupted:
            indices: Iterable[int] = batch_changes.failed_items(document, interrupted_only=interrupted)
        else:
            indices = [index for name in named for index in batch_changes.find(document, name)]
    except Refusal as error:
        raise RefusedError(f"{path}: {error}") from None
    if not named and not (failed or interrupted):
        raise click.UsageError("name at least one item, by its number or its title.")
    chosen_items = tuple(dict.fromkeys(indices))
    if not chosen_items:
        output.note(f"Nothing has {'been interrupted' if interrupted else 'failed'} in this batch.")
        return 0
    action = item_action(verb, path, chosen_items, reason=reason, why=why, via="cli")
    words = ["statewatch", "batch", verb.split()[0], str(path), *map(str, chosen_items), "--reapply", "3"]
    return carry_out(action, Manner(**manner), shlex.join(words))


def _act_whole(verb: "BatchVerb", which: str, why: str, manner: dict[str, Any]) -> int:
    from statewatch.core.batch_actions import batch_action  # noqa: PLC0415

    path = file_chosen(which)
    words = ["statewatch", "batch", verb, str(path), "--reapply", "3"]
    return carry_out(batch_action(verb, path, why=why, via="cli"), Manner(**manner), shlex.join(words))


def _piped(path: Path) -> bytes:
    """Return what comes from standard input or from another pipe, such as `<(find .)` of a shell."""
    try:
        if str(path) == "-":
            return b"" if sys.stdin is None else sys.stdin.buffer.read(_MOST_BYTES + 1)
        with path.open("rb") as pipe:
            return pipe.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(path, f"it cannot be read ({error.strerror})") from None


def _held(path: Path) -> bytes:
    from statewatch.core.reading import read  # noqa: PLC0415

    return read(path, _MOST_BYTES).data


def _lines(path: Path) -> list[str]:
    """Return the items of a list: its lines, without those that are empty."""
    data = _piped(path) if str(path) == "-" or path.is_fifo() else _held(path)
    if len(data) > _MOST_BYTES:
        raise SourceError(path, f"it is longer than {_MOST_BYTES // 1024**2} MB; make several batches of it")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(path, f"line {line} is not UTF-8, so its items could not be told apart") from None
    found = [line.removesuffix("\r") for line in text.split("\n")]
    found = [line for line in found if line.strip()]
    if not found:
        raise RefusedError(f"{path}: there is no item in it; a batch needs at least one")
    return found


def _shown(path: Path) -> str:
    return output.shown_path(str(path))

"""`checkpoint`: the checkpoints of a source. What two commands of `state` share with it is here too."""

import time
from collections.abc import Callable
from typing import Any

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import asked_moment, at_option, help_instead, json_option, patiently
from statewatch.cli.ask import difference_lines
from statewatch.cli.columns import Column
from statewatch.cli.errors import MistakeError
from statewatch.cli.pruning import delete, prune, why_option
from statewatch.cli.restore import Tokens, only_option
from statewatch.cli.sources import address_of, age, document_at, refuse_missing, source_at
from statewatch.core.errors import NotFoundError, SourceError, UnavailableError
from statewatch.core.stores.base import Checkpoint, Store
from statewatch.documents import pointer
from statewatch.documents.text import harmless
from statewatch.kinds import registry

source_argument = click.argument("source")


@click.group(name="checkpoint", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Keep named revisions of a source, and look after them. `statewatch restore` brings one back.

    SOURCE is a file or the URL of a store: json:DIRECTORY?namespace=NAME, sqlite:PATH?namespace=NAME,
    redis://HOST:PORT/DB?namespace=NAME, postgresql://USER@HOST/DATABASE?namespace=NAME. Backups that other tools left
    beside a file are listed too; they can be shown, compared and restored, but not changed.
    """
    return help_instead(ctx)


def checkpoint_options(decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Take the options of a new checkpoint."""
    for option in (
        json_option,
        why_option,
        click.option("--replace", "replacing", is_flag=True, help="Replace the checkpoint that has this name."),
        click.option("--pin", is_flag=True, help="Keep it whatever `prune` is told."),
        click.option("--note", default="", metavar="TEXT", help="What it is good for."),
    ):
        decorated = option(decorated)
    return decorated


@command.command(short_help="Keep the source as it is now.")
@source_argument
@click.argument("name", required=False)
@checkpoint_options
def create(source: str, name: str | None, **options: Any) -> None:
    """Keep SOURCE as it is now under NAME, by default auto_YYYYmmdd_HHMMSS (UTC).

    \b
    Examples:
      statewatch checkpoint create .claude/batch_state.json
      statewatch checkpoint create .claude/batch_state.json before-deploy --note "all green" --pin

    \b
    Exit codes: 0 done; 3 the source cannot be read; 4 the name is taken, or cannot be one; 6 locked.
    """
    make(source_at(source), name, **options)


def make(store: Store, name: str | None, *, note: str, pin: bool, replacing: bool, why: str, as_json: bool) -> None:
    """Make a checkpoint, and say how to come back to it."""
    patiently(store.version)  # a file that is not there, or half written, is no checkpoint
    made = store.checkpoint(name, note=note, pinned=pin, replacing=replacing, why=why, via="cli")
    if as_json:
        output.json_out(shapes.checkpoint_row(store.source, made))
        return
    output.say(harmless(made.name))
    output.note(f"Come back to it with: statewatch restore {output.quoted(address_of(store, made.name))}")


@command.command("list", short_help="The checkpoints, newest first.")
@source_argument
@json_option
def list_(source: str, *, as_json: bool) -> None:
    """List the checkpoints of SOURCE and the backups that other tools left, newest first.

    \b
    Examples:
      statewatch checkpoint list .claude/batch_state.json
      statewatch checkpoint list 'sqlite:.claude/state?namespace=nightly'
      statewatch checkpoint list .claude/batch_state.json --json | jq -r '.[] | select(.pinned) | .name'

    \b
    Exit codes: 0 done, 3 the source is not there, or its checkpoints cannot be read.
    """
    show_list(source_at(source), as_json=as_json)


def show_list(store: Store, *, as_json: bool) -> None:
    """Print the checkpoints of a store, newest first."""
    found = store.checkpoints()[::-1]
    if not found:
        _refuse_missing(store)
    if as_json:
        output.json_out([shapes.checkpoint_row(store.source, each) for each in found])
        return
    where = output.shown_path(store.source)
    if not found:
        output.note(f"{where} has no checkpoints. `statewatch checkpoint create` makes one.")
        return
    now = time.time()
    output.table(COLUMNS, [cells(each, now) for each in found])
    output.note(f"{output.count(len(found), 'checkpoint')} of {where}")


COLUMNS = (
    Column("name", 12, is_name=True),
    Column("made", align="right"),
    Column("size", align="right", dispensable=2),
    Column("by", 6, dispensable=3),
    Column("mark"),
    Column("note", 12, elastic=True, dispensable=1),
)


def cells(checkpoint: Checkpoint, now: float) -> tuple[str, ...]:
    """Return the cells of a checkpoint for COLUMNS."""
    return (
        harmless(checkpoint.name, 300),
        age(checkpoint, now),
        "" if checkpoint.size is None else output.size(checkpoint.size),
        harmless(checkpoint.by, 60),
        "backup" if checkpoint.foreign else "pinned" if checkpoint.pinned else "",
        harmless(checkpoint.note, 500),
    )


def _refuse_missing(store: Store) -> None:
    """Tell a slip in the name of a file from a file without checkpoints."""
    refuse_missing(store)
    try:
        store.version()
    except SourceError as error:
        if error.missing or isinstance(error, UnavailableError):
            raise


@command.command(short_help="What a checkpoint holds, as JSON.")
@source_argument
@click.argument("name")
@only_option
@click.option("--json", "as_json", is_flag=True, help="Print it on one line.")
def show(source: str, name: str, only: list[Tokens], *, as_json: bool) -> None:
    """Print what the checkpoint NAME of SOURCE holds as JSON, or only the values at some places of it, one by one.

    \b
    Examples:
      statewatch checkpoint show .claude/batch_state.json before-deploy
      statewatch checkpoint show .claude/batch_state.json before-deploy --only /failed_features

    \b
    Exit codes: 0 done, 1 no such checkpoint, or nothing at a place, 3 it cannot be read.
    """
    store = source_at(source)
    document = store.kept(name).document()
    try:
        values = [pointer.get(document, pointer.locate(document, tokens)) for tokens in only or [()]]
    except pointer.PointerError as error:
        raise NotFoundError(f"{store.source}: {name!r}: {error}") from None
    for value in values:
        output.json_out(value, compact=as_json)


@command.command(short_help="What has changed since a checkpoint; exit 1 if anything.")
@source_argument
@click.argument("name")
@click.argument("other", required=False, metavar="[NAME2]")
@at_option
@json_option
def diff(source: str, name: str, other: str | None, *, as_json: bool) -> int:
    """Show what has changed in SOURCE from the checkpoint NAME to now, or to the checkpoint NAME2, place by place.

    \b
    Examples:
      statewatch checkpoint diff .claude/batch_state.json before-deploy
      statewatch checkpoint diff .claude/batch_state.json monday tuesday --json

    \b
    Exit codes: 0 nothing has changed, 1 something has, or no such checkpoint, 3 it cannot be read.
    """
    if asked_moment() is not None and other is not None:
        raise MistakeError("NAME2 and --at contradict each other: give one of them.")
    store = source_at(source)
    before = store.kept(name).document()
    after = document_at(store, None) if other is None else store.kept(other).document()
    changes = registry.changes(before, after)
    if as_json:
        output.json_out(shapes.change_rows(changes))
    else:
        for line in difference_lines(changes):
            output.say(line)
        end = other or ("now" if asked_moment() is None else "then")
        output.note(f"{output.count(len(changes), 'place')} changed from {harmless(name)} to {harmless(end)}")
    return int(bool(changes))


@command.command(short_help="Give a checkpoint another name.")
@source_argument
@click.argument("name")
@click.argument("new_name")
@why_option
@json_option
def rename(source: str, name: str, new_name: str, *, why: str, as_json: bool) -> None:
    """Give the checkpoint NAME of SOURCE the name NEW_NAME.

    \b
    Example:
      statewatch checkpoint rename .claude/batch_state.json auto_20261120_140300 before-deploy

    \b
    Exit codes: 0 done, 1 no such checkpoint, 4 the new name is taken or cannot be one, 6 locked.
    """
    store = source_at(source)
    edited = store.edit_checkpoint(name, new_name=new_name, why=why, via="cli")
    _edited(store, edited, f"was {harmless(name)}", as_json=as_json)


@command.command(short_help="Say what a checkpoint is good for.")
@source_argument
@click.argument("name")
@click.argument("text")
@why_option
@json_option
def note(source: str, name: str, text: str, *, why: str, as_json: bool) -> None:
    """Give the checkpoint NAME of SOURCE the note TEXT; '' takes the note away.

    \b
    Example:
      statewatch checkpoint note .claude/batch_state.json before-deploy "all green"

    \b
    Exit codes: 0 done, 1 no such checkpoint, 4 it is another tool's, 6 locked.
    """
    store = source_at(source)
    edited = store.edit_checkpoint(name, note=text, why=why, via="cli")
    _edited(store, edited, harmless(text) or "no note", as_json=as_json)


@command.command(short_help="Keep checkpoints whatever `prune` is told.")
@source_argument
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@why_option
@json_option
def pin(source: str, names: tuple[str, ...], *, why: str, as_json: bool) -> None:
    """Pin checkpoints of SOURCE: neither `prune` nor `delete` takes them until they are unpinned.

    \b
    Example:
      statewatch checkpoint pin .claude/batch_state.json before-deploy

    \b
    Exit codes: 0 done, 1 no such checkpoint, 4 it is another tool's, 6 locked.
    """
    _pinned(source_at(source), names, pinned=True, why=why, as_json=as_json)


@command.command(short_help="Take the pin off checkpoints.")
@source_argument
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@why_option
@json_option
def unpin(source: str, names: tuple[str, ...], *, why: str, as_json: bool) -> None:
    """Take the pin off checkpoints of SOURCE.

    \b
    Example:
      statewatch checkpoint unpin .claude/batch_state.json before-deploy

    \b
    Exit codes: 0 done, 1 no such checkpoint, 4 it is another tool's, 6 locked.
    """
    _pinned(source_at(source), names, pinned=False, why=why, as_json=as_json)


def _pinned(store: Store, names: tuple[str, ...], *, pinned: bool, why: str, as_json: bool) -> None:
    for name in names:
        store.find_checkpoint(name)  # a slip in one of the names is told before anything is done
    for name in names:
        edited = store.edit_checkpoint(name, pinned=pinned, why=why, via="cli")
        _edited(store, edited, "pinned" if pinned else "not pinned", as_json=as_json, compact=len(names) > 1)


def _edited(store: Store, edited: Checkpoint, words: str, *, as_json: bool, compact: bool = False) -> None:
    if as_json:
        output.json_out(shapes.checkpoint_row(store.source, edited), compact=compact)
    else:
        output.say(f"{harmless(edited.name)}: {words}")


@command.command(short_help="Whether checkpoints are as they were made; exit 1 if not.")
@source_argument
@click.argument("names", nargs=-1, metavar="[NAME]...")
@json_option
def verify(source: str, names: tuple[str, ...], *, as_json: bool) -> int:
    """Compare checkpoints of SOURCE, by default all of them, with the digest that was noted when they were made.

    `readable` is one that can be read and whose maker noted no digest.

    \b
    Examples:
      statewatch checkpoint verify .claude/batch_state.json
      statewatch checkpoint verify .claude/batch_state.json before-deploy --json | jq '.[].result'

    \b
    Exit codes: 0 all are good, 1 one is damaged, or there is none of that name, 3 the source is not there.
    """
    store = source_at(source)
    chosen = [store.find_checkpoint(name) for name in names] or store.checkpoints()[::-1]
    if not chosen:
        _refuse_missing(store)
    found = [(each, *_verified(store, each)) for each in chosen]
    if as_json:
        output.json_out(
            [
                {**shapes.checkpoint_row(store.source, each), "result": result, "problem": problem or None}
                for each, result, problem in found
            ]
        )
    else:
        output.table(
            (Column("result"), Column("name", 12, is_name=True), Column("problem", 12, elastic=True)),
            [(result, harmless(each.name, 300), harmless(problem, 500)) for each, result, problem in found],
            ["bad" if result == "damaged" else "good" for _, result, _ in found],
        )
    damaged = sum(result == "damaged" for _, result, _ in found)
    output.note(f"{output.count(len(found), 'checkpoint')} of {output.shown_path(store.source)}, {damaged} damaged")
    return int(damaged > 0)


def _verified(store: Store, checkpoint: Checkpoint) -> tuple[str, str]:
    try:
        good = store.verify_checkpoint(checkpoint.name)
    except UnavailableError:
        raise
    except SourceError as error:
        return "damaged", error.reason
    if not good:
        return "damaged", "it does not hold what it held when it was made"
    return "good" if checkpoint.digest else "readable", ""


for each in (delete, prune):
    command.add_command(each)

"""`hooks watch`: what happens to circuits, in words, as it happens."""

import contextlib
import itertools
import time
from collections.abc import Generator, Iterator

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import file_of, files_of, home_hook_state, json_option, paths_argument, poll_option
from statewatch.cli.hook_targets import state_file_option
from statewatch.cli.tail import lines, words
from statewatch.core.stores.urls import is_store_url, without_password
from statewatch.kinds.hooks import KIND
from statewatch.watch.picture import ChangeLine


@click.command(short_help="What happens to circuits, as it happens.")
@paths_argument
@state_file_option
@json_option
@poll_option
@click.option("--failures", "only_bad", is_flag=True, help="Only failures and openings, not what went well.")
@click.option("-n", "most", type=click.IntRange(1), metavar="COUNT", help="End after so many lines.")
def watch(
    paths: tuple[str, ...], state_file: str | None, *, as_json: bool, poll: bool, only_bad: bool, most: int | None
) -> None:
    """Print what happens to circuits in words, a line a change, until ctrl+c or for COUNT lines.

    Watches the hook state of your home, unless PATHs or --state-file name others.

    \b
    Examples:
      statewatch hooks watch
      statewatch hooks watch --failures --json | jq -r .subject
      statewatch hooks watch --state-file 'redis://localhost/0?namespace=hooks'

    \b
    Exit codes: 0 COUNT lines came, 130 interrupted.
    """
    with contextlib.closing(_changes(paths, state_file, poll=poll)) as told:
        wanted = (pair for pair in told if not only_bad or pair[0].sentence.tone in {"bad", "warn"})
        for line, width in itertools.islice(wanted, most):
            if as_json:
                output.json_out(shapes.change_row(line), compact=True)
            else:
                output.say(words(line, width))


def _changes(paths: tuple[str, ...], state_file: str | None, *, poll: bool) -> Generator[tuple[ChangeLine, int]]:
    if state_file is not None and is_store_url(state_file):
        if paths:
            raise click.UsageError("give PATHs or the URL of a store, not both.")
        yield from _changes_of_store(state_file)
        return
    files = (*files_of(paths), *((file_of(state_file),) if state_file is not None else ()))
    with contextlib.closing(lines(files or (home_hook_state(),), poll=poll)) as told:
        yield from (pair for pair in told if pair[0].kind == KIND.name)


def _changes_of_store(url: str) -> Iterator[tuple[ChangeLine, int]]:
    from statewatch.cli.sources import opened  # noqa: PLC0415

    store = opened(url)
    name = without_password(url)
    before = store.snapshot()
    output.note(f"watching {output.shown_path(name)}")
    numbers = itertools.count(1)
    for after in store.watch(before.digest):
        for sentence in KIND.sentences(before.document, after.document):
            yield (
                ChangeLine(next(numbers), time.time(), name, name, KIND.name, sentence, before.digest, after.digest),
                len(name),
            )
        before = after

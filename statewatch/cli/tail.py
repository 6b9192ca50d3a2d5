"""`tail`: changes as they happen."""

import contextlib
import itertools
import queue
from collections.abc import Generator

import click

from statewatch.cli import columns, output, shapes
from statewatch.cli.arguments import files_of, json_option, paths_argument, poll_option
from statewatch.kinds.times import clock
from statewatch.watch.picture import ChangeLine, Picture

_LABEL = 30


@click.command(name="tail")
@paths_argument
@json_option
@poll_option
@click.option("-n", "most", type=click.IntRange(1), metavar="COUNT", help="End after so many lines.")
def command(paths: tuple[str, ...], *, as_json: bool, poll: bool, most: int | None) -> None:
    """Print what changes in words, a line a change, as it happens; until ctrl+c or for COUNT lines.

    Watches the PATHs (files or directories), else the project around the current directory and ~/.claude.
    With --json every line is an object. What is watched is said on standard error.

    \b
    Examples:
      statewatch tail
      statewatch tail --json | jq -r 'select(.tone == "bad") | .text'
      statewatch tail -n 1 .claude/batch_state.json && echo "it moves"

    \b
    Exit codes: 0 COUNT lines came, 130 interrupted.
    """
    with contextlib.closing(lines(files_of(paths), poll=poll)) as told:
        for line, label_width in itertools.islice(told, most):
            if as_json:
                output.json_out(shapes.change_row(line), compact=True)
            else:
                output.say(words(line, label_width))


def lines(paths: tuple[str, ...], *, poll: bool) -> Generator[tuple[ChangeLine, int]]:
    """Watch, and yield every change with the width that labels have by now."""
    from statewatch.watch.scope import scope_of  # noqa: PLC0415 - each command loads what it uses
    from statewatch.watch.watcher import Watcher  # noqa: PLC0415

    pictures: queue.SimpleQueue[Picture] = queue.SimpleQueue()
    watcher = Watcher(scope_of(paths), poll=poll, on_picture=pictures.put)
    watcher.start()
    seen, known = 0, None
    try:
        while True:
            picture = pictures.get()
            how = (picture.watching.mode, picture.watching.reason, bool(picture.sources))
            if how != known:
                output.note(_how(picture))
                known = how
            fresh = [line for line in reversed(picture.changes) if line.number > seen]
            if fresh and fresh[0].number > seen + 1:
                output.note(f"({output.count(fresh[0].number - seen - 1, 'change')} came too fast to be shown)")
            label_width = max((columns.width(source.label) for source in picture.sources), default=0)
            for line in fresh:
                seen = line.number
                yield line, min(label_width, _LABEL)
    finally:
        watcher.stop()


def _how(picture: Picture) -> str:
    """Say what is watched and how."""
    watching = picture.watching
    by = "" if watching.mode == "live" else f" by polling ({watching.reason})"
    places = ", ".join(watching.looked_in)
    if not picture.sources:
        return f"watching{by}: nothing there yet in {places}"
    return f"watching {output.count(len(picture.sources), 'source')}{by} in {places}"


def words(line: ChangeLine, label_width: int) -> str:
    subject = f"{line.sentence.subject}  " if line.sentence.subject else ""
    label = columns.pad(line.label, label_width)
    return f"{clock(line.at)}  {label}  {subject}{output.paint(line.sentence.text, line.sentence.tone)}"

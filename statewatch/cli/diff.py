"""`diff`: what differs between two moments, two sources, or two files."""

from collections.abc import Callable
from typing import Any

import click

from statewatch.cli import output
from statewatch.cli.arguments import history_option, json_option
from statewatch.core.errors import StatewatchError
from statewatch.documents import pointer
from statewatch.documents.patterns import Pattern, pattern

_FORMATS = ("tree", "unified", "side-by-side", "stat", "json-patch", "json")
TROUBLE = 2
"""The exit code of commands that compare, as that of `diff` and `git`: 1 says that something differs."""


def _patterns(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Pattern]:
    try:
        return [pattern(value.removeprefix("#")) for value in values]
    except pointer.PointerError as error:
        raise click.BadParameter(str(error)) from None


def _options(decorated: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        history_option,
        json_option,
        click.option("--width", type=click.IntRange(20), metavar="CELLS", help="Cells a line of side-by-side has."),
        click.option("-U", "--context", type=click.IntRange(0), default=3, metavar="LINES", help="Lines around."),
        click.option(
            "--noise",
            type=click.Choice(("show", "hide")),
            default="hide",
            help="Show or hide times that moved on and what only follows from the rest. What is hidden is counted.",
        ),
        click.option(
            "--ignore", "ignored", multiple=True, callback=_patterns, metavar="PATTERN", help="What does not count."
        ),
        click.option("--only", multiple=True, callback=_patterns, metavar="PATTERN", help="What alone counts."),
        click.option("--format", "-f", "format_", type=click.Choice(_FORMATS), default="tree", help="How it is told."),
    ):
        decorated = option(decorated)
    return decorated


@click.command(name="diff")
@click.argument("address", metavar="A")
@click.argument("other", required=False, metavar="[B]")
@_options
def command(address: str, other: str | None, format_: str, *, as_json: bool, **options: Any) -> int:
    """Show what differs from A to B: places, values, and words within texts.

    A and B are addresses, SOURCE[@WHEN][#POINTER], or '-' for standard input; '@WHEN' alone as B is another moment of
    A. Without B it is A@WHEN against now; of a source without '@' its newest checkpoint against now, or where it has
    none the revision before. Objects in lists are told apart by what identifies them. What is not JSON is compared line
    by line.

    A PATTERN is a JSON Pointer in which '*' stands for any text within a step, and a step '**' for any number of steps;
    it means what is inside, too. Give several with the option repeated. For programs (json, json-patch) noise is not
    left out.

    \b
    Examples:
      statewatch diff .claude/batch_state.json@before-deploy
      statewatch diff state.json@monday @tuesday --only '/hooks/*/state'
      statewatch diff a.json b.json --ignore '/**/updated_at' --format side-by-side
      statewatch diff a.json b.json --format json-patch > a-to-b.json
      ssh host cat state.json | statewatch diff state.json - --format stat

    \b
    Exit codes: 0 the same, apart from what --ignore and --only leave out; 1 different, be it in noise only; 2 trouble.
    """
    try:
        return _compare(address, other, "json" if as_json else format_, {"compact": as_json, **options})
    except StatewatchError as error:
        output.complain(str(error))
        return TROUBLE


def _compare(address: str, other: str | None, format_: str, options: dict[str, Any]) -> int:
    from statewatch.cli.compared import compared  # noqa: PLC0415 - after the help, which needs no store
    from statewatch.cli.diff_report import View, report, report_texts  # noqa: PLC0415
    from statewatch.cli.diff_sides import sides  # noqa: PLC0415

    left, right = sides(address, other)
    view = View(format_, **options)
    if left.problem or right.problem:
        return report_texts(left, right, view)
    return report(compared(left, right), left, right, view)

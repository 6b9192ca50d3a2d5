"""`hook` as one of the commands: for its place in the help, and for whoever calls the program as a library.

As a program of its own it never comes here: `entry` runs the wrapper without loading the rest.
"""

import click

from statewatch.cli import output, wrapper
from statewatch.cli.wrapper_options import HELP


class _Untouched(click.Command):
    """A command whose arguments are for the wrapper to read, `--` included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = list(args)
        return []

    def invoke(self, ctx: click.Context) -> int:
        if ctx.args[:1] in (["--help"], ["-h"]):
            output.raw(HELP)
            return 0
        return wrapper.main(ctx.args)


command = _Untouched("hook", short_help="Run the command of a hook behind its circuit.", add_help_option=False)

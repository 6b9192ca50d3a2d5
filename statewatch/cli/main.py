"""The program: which command was meant, and what every way to end means as an exit code."""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from statewatch import __version__
from statewatch.cli import output
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import StatewatchError

_COMMANDS = {
    "status": "What needs attention, and how every source stands.",
    "hooks": "Circuits of hooks: list, show, health, reset, disable, history, watch, install …",
    "hook": "Run the command of a hook behind its circuit: hook -- COMMAND.",
    "circuits": "Circuits of every tool, hooks included: list, show, reset.",
    "drain": "Pause a drain queue for a while, or let it go on.",
    "batch": "Batches and their items: create, list, show, done, retry, skip, pause, run …",
    "workflow": "Runs in phases: list, show, retry, fail, skip, roll-back.",
    "show": "The value at an address, as JSON.",
    "log": "The recorded revisions of a source, each with what it changed.",
    "blame": "When a value changed, from what to what, and who did it.",
    "noise": "Places of a source that change all the time, by its history.",
    "diff": "What differs between two moments, sources or files.",
    "patch": "A document with a JSON Patch or a merge patch applied.",
    "merge": "Three versions of a document put together; also a merge driver for git.",
    "tail": "Changes in words, as they happen.",
    "record": "The history of all sources, kept without a screen.",
    "state": "A namespace of keys: save, load, delete, keys, checkpoint, restore, migrate, recover.",
    "checkpoint": "Checkpoints of any source: create, list, show, diff, verify, prune …",
    "restore": "Bring back a checkpoint or a past moment, all of it or a part.",
    "remove": "Take away the file of what is over; undo puts it back.",
    "undo": "Take back the last action, or a chosen one.",
    "redo": "Do again what was undone.",
    "audit": "What was done, when, by whom and why.",
    "locks": "Who holds the lock of which source.",
    "demo": "The dashboard on simulated runs.",
}
"""The commands, in the order of the help. The module of that name is loaded only when its command is used."""

_OF_STATE = {
    **{word: word for word in ("init", "save", "load", "delete", "keys", "migrate", "recover")},
    "namespace": "",
    "schema": "",
}
"""What people type for commands of `state`, and the command meant; the group alone where it has none of that name."""

_DASHBOARD = "dashboard"
_HELP = {"-h", "--help", "--version"}
_READER_GONE = 141
_INTERRUPTED = 130
_TERMINAL_GONE = 129
_BUG = 70
_UNWRITTEN = 74

_EPILOG = """\b
Exit codes:
  0    done; nothing needs attention
  1    something needs attention, or was not found
  2    the command line is wrong, or a question could not be asked
  3    a source cannot be read
  4    refused: by you when asked; or it would do damage, may not be done, or no longer applies
  5    overwritten by another writer
  6    locked by another process
  7    the connection was lost on the way: it may have been done or not
  130  interrupted (129: the terminal went away, 141: the reader of the output did,
       143: told to end, 74: the output cannot be written, 70: a bug)

\b
Examples:
  statewatch                           the dashboard on this project and your home
  statewatch status                    what needs attention, for people and scripts
  statewatch hooks reset validate-file
  statewatch tail --json | jq .text
  statewatch checkpoint create .claude/batch_state.json before-deploy
  statewatch restore .claude/batch_state.json@before-deploy
  statewatch status --at 20m           as it was then, where a history is kept
"""


class Cockpit(click.Group):
    """The commands; a first word that is none of them is a path to open the dashboard on."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command."""
        if cmd_name == _DASHBOARD:
            return dashboard
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"statewatch.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Send everything that does not begin with a command to the dashboard."""
        if args and args[0] in _OF_STATE and not os.path.lexists(args[0]):
            raise MistakeError(_meant_of_state(args[0]))
        if not args or (args[0] not in _COMMANDS and not _HELP & set(args)):
            args = [_DASHBOARD, *args]
        elif args[0] not in _COMMANDS:
            args = [next(word for word in args if word in _HELP)]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return what follows the program's name in the usage line."""
        return ["[OPTIONS] [PATH]...", "|", "COMMAND ..."]

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - the name in messages is always ours
        **extra: Any,
    ) -> NoReturn:
        """Run, and end with the exit code that the outcome has."""
        output.prepare_streams()
        extra["standalone_mode"] = False
        sys.exit(_guarded(lambda: super(Cockpit, self).main(args, "statewatch", **extra)))


def _guarded(run: Callable[[], Any]) -> int:
    """Run the program; turn whatever goes wrong into a message of one line and an exit code."""
    try:
        return _done(run() or 0)
    except click.ClickException as error:
        return _usage(error)
    except output.ReaderGoneError:
        return _quietly()
    except StatewatchError as error:
        output.complain(str(error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except BrokenPipeError:
        return _quietly()
    except OSError as error:
        output.complain(f"{error.filename or 'the output'}: {error.strerror or error}")
        if error.filename is None:
            output.abandon(sys.stdout)  # the interpreter would try again, and end with a code of its own
        return 3 if error.filename else _UNWRITTEN
    except Exception as error:  # the one wall behind which nobody sees a traceback
        if os.environ.get("STATEWATCH_DEBUG"):
            raise
        output.complain(
            f"this is a bug in statewatch: {type(error).__name__}: {error}. STATEWATCH_DEBUG=1 shows where."
        )
        return _BUG


def _done(code: int) -> int:
    """Let everything out that is still buffered; for a terminal that is gone it can go nowhere."""
    if code == _TERMINAL_GONE:
        _quietly()
    elif sys.stdout is not None:
        sys.stdout.flush()
    return code


def _usage(error: click.ClickException) -> int:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        context = error.ctx
        if context.info_name == _DASHBOARD and context.parent is not None:
            context = context.parent
        output.note(context.get_usage())
        output.note(f"Try '{context.command_path} --help' for help.\n")
    output.complain(error.format_message())
    return error.exit_code


def _quietly() -> int:
    """End without a word, since whoever read our output has gone, and keep the interpreter from writing more to it."""
    for stream in (sys.stdout, sys.stderr):
        output.abandon(stream)
    return _READER_GONE


def _dashboard_options(decorated: Any) -> Any:
    for option in (
        click.option("--no-history", is_flag=True, help="Record nothing of what is seen."),
        click.option(
            "--history",
            envvar="STATEWATCH_HISTORY",
            metavar="PATH",
            help="Record what is seen in this history instead of the usual one.",
        ),
        click.option("--reapply", is_flag=True, help="Apply an action again by itself when another writer undid it."),
        click.option("--read-only", is_flag=True, help="Show everything, change nothing."),
        click.option("--poll", is_flag=True, help="Look for changes at intervals instead of waiting for notification."),
    ):
        decorated = option(decorated)
    return decorated


@click.group(cls=Cockpit, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@_dashboard_options
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli(**_options: object) -> None:
    """The cockpit for long agent and batch runs.

    With no command it opens the dashboard: on the PATHs (files or directories, of which some may not exist yet), else
    on the project around the current directory and on ~/.claude. Where standard output is no terminal it prints what
    `statewatch status` prints. `./status` opens a file that has the name of a command.
    """


@click.command(name=_DASHBOARD, hidden=True, add_help_option=False)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@_dashboard_options
def dashboard(
    paths: tuple[str, ...], *, poll: bool, read_only: bool, reapply: bool, history: str | None, no_history: bool
) -> int:
    """Open the dashboard."""
    if paths:
        _refuse_slip(paths[0])
    from statewatch.cli.arguments import files_of  # noqa: PLC0415 - each command loads what it uses

    files = files_of(paths)
    if not (output.is_terminal(sys.stdout) and output.is_terminal(sys.stdin)):
        from statewatch.cli.status import report  # noqa: PLC0415

        return report(files, as_json=False)
    from statewatch.tui.launch import run_dashboard  # noqa: PLC0415 - half a second

    return run_dashboard(
        files, poll=poll, read_only=read_only, reapply=reapply, history=_history(history, unwanted=no_history)
    )


def _history(named: str | None, *, unwanted: bool) -> Path | None:
    """Return in which history to record, None for none."""
    from statewatch.watch.history.model import default_path  # noqa: PLC0415 - as above

    if unwanted:
        return None
    return Path(os.path.expanduser(named)) if named else default_path()  # noqa: PTH111 - any bytes


def _meant_of_state(word: str) -> str:
    """Say which command of `state` a word means; options behind it must not be taken for those of the dashboard."""
    meant = f"statewatch state {_OF_STATE[word]}".strip()
    return (
        f"there is no command {word!r} and no such file. Did you mean `{meant}`? "
        f"To watch for a file of that name write './{word}'."
    )


def _refuse_slip(word: str) -> None:
    """Refuse a mistyped command: it must not open a dashboard on a file that will never exist."""
    if "/" in word or "." in word:
        return
    if word in _COMMANDS:
        raise MistakeError(f"{word!r} is a command and comes first; to open a file of that name write './{word}'.")
    import difflib  # noqa: PLC0415 - only for a slip

    near = difflib.get_close_matches(word, _COMMANDS, n=1, cutoff=0.7)
    if near and not Path(word).exists():
        raise MistakeError(
            f"there is no command {word!r} and no such file. Did you mean `{near[0]}`? "
            f"To watch for a file of that name write './{word}'."
        )


def main() -> NoReturn:
    """Run the program: the console script."""
    cli.main()

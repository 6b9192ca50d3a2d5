"""`hooks install` and `hooks uninstall`: hook commands of a settings file behind their circuits, and back."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from statewatch.cli import wrapper_options
from statewatch.cli.acting import Manner, action_options, carry_out
from statewatch.cli.arguments import file_of, settled
from statewatch.core.errors import SourceError
from statewatch.core.reading import Snapshot, read
from statewatch.core.stores.urls import is_store_url
from statewatch.documents import codec
from statewatch.documents.values import JSON, same
from statewatch.kinds import hook_settings
from statewatch.kinds.base import Change
from statewatch.kinds.base import RefusedError as Refusal
from statewatch.kinds.hook_settings import PROGRAM, Rewritten, Wrapping

_Rewrite = Callable[[str, JSON], Rewritten]


@click.command(short_help="Put the hook commands of a settings file behind their circuits.")
@click.argument("settings", metavar="SETTINGS.json")
@action_options
@click.option("--state", metavar="FILE_OR_URL", help="The hook state that the hooks use, where not that of the home.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="End each after so long.")
@click.option("--success-codes", metavar="N,N", help="Exit codes that are no failure: 0,2 where hooks block with 2.")
@click.option("--shell", metavar="SHELL", help="The shell that runs the commands: bash where there is one, else sh.")
@click.option("--program", metavar="COMMAND", help=f"What runs the wrapper, where that is not {PROGRAM}.")
def install(
    settings: str,
    why: str,
    state: str | None,
    timeout: float | None,
    success_codes: str | None,
    shell: str | None,
    program: str | None,
    **manner: Any,
) -> int:
    """Put every hook command of a Claude Code settings file behind its circuit.

    A command C becomes `statewatch-hook --key NAME -- sh -c 'C'`: the shell makes of C what it made of it before. Only
    the texts of commands change, every other byte stays; what is behind a circuit already is left as it is. What cannot
    be is named. It asks once, showing exactly what would be written. What was there before is kept, and `statewatch
    undo` or `hooks uninstall` take it back.

    \b
    Examples:
      statewatch hooks install ~/.claude/settings.json --dry-run
      statewatch hooks install .claude/settings.json --yes --success-codes 0,2

    \b
    Exit codes: 0 done, or nothing to change; 2 nobody to ask; 3 the file cannot be read, or has comments; 4 refused;
    5 overwritten by another writer; 6 locked.
    """
    if state is not None and not is_store_url(state):
        state = os.path.abspath(file_of(state))  # noqa: PTH100 - wherever the hooks are run
    given = {
        "--state": state,
        "--timeout": None if timeout is None else f"{timeout:g}",
        "--success-codes": success_codes,
    }
    options = tuple(word for name, value in given.items() if value is not None for word in (name, value))
    if complaints := wrapper_options.parsed([*options, "--", "true"]).complaints:
        raise click.UsageError(complaints[0].removesuffix(", so it is left unused"))
    wrapping = Wrapping(
        program=tuple(shlex.split(program)) if program else _program(),
        options=options,
        shell=shell or ("bash" if shutil.which("bash") else "sh"),
    )

    def rewrite(text: str, document: JSON) -> Rewritten:
        return hook_settings.wrapped(text, document, wrapping)

    return _act("install", settings, rewrite, why, manner)


@click.command(short_help="Take the hook commands of a settings file out again.")
@click.argument("settings", metavar="SETTINGS.json")
@action_options
def uninstall(settings: str, why: str, **manner: Any) -> int:
    """Take every hook command of a settings file out of its circuit: it is, to the byte, what it was before `install`.

    What somebody has put behind a circuit in another way is left as it is, and named.

    \b
    Example:
      statewatch hooks uninstall ~/.claude/settings.json --dry-run

    \b
    Exit codes: 0 done, or nothing to change; 2 nobody to ask; 3 the file cannot be read, or has comments; 4 refused;
    5 overwritten by another writer; 6 locked.
    """
    return _act("uninstall", settings, hook_settings.unwrapped, why, manner)


def _act(verb: str, settings: str, rewrite: _Rewrite, why: str, manner: dict[str, Any]) -> int:
    from statewatch.core.actions import Action  # noqa: PLC0415 - only commands that act pay for it

    file = file_of(settings)
    snapshot, document = _read(file)

    def transform(found: JSON, _now: float) -> Change:
        """Change what is there: to the byte where it is what was read."""
        text = snapshot.data if same(found, document) else codec.encode(found)
        done = rewrite(text.decode(), found)
        evidence = tuple((place,) for place in done.places)
        return Change(verb, done.names, codec.decode(done.text.encode()), evidence, done.notes)

    try:
        text = rewrite(snapshot.data.decode(), document).text.encode()
    except Refusal as error:
        raise SourceError(file, str(error)) from None
    after = Snapshot(snapshot.path, text, snapshot.signature)
    action = Action(Path(file), transform, verb, why, "cli", exact=True, like=after, expected=snapshot.digest)
    return carry_out(action, Manner(**manner), shlex.join(["statewatch", "hooks", verb, "--reapply", "3", file]))


def _read(file: str) -> tuple[Snapshot, JSON]:
    """Read a settings file. Raises SourceError, which says it where comments are what keeps it from being JSON."""
    try:
        return settled(file)
    except SourceError:
        text = read(Path(file)).data.decode("utf-8", "replace")
        line = hook_settings.comment_line(text)
        if line is None:
            raise
        raise SourceError(
            file,
            f"it has a comment, at line {line}, and comments are not JSON. Take them out, or put "
            f"`{PROGRAM} --` in front of the commands by hand.",
        ) from None


def _program() -> tuple[str, ...]:
    """Return the words that start the wrapper: its name where that is found, else where it is."""
    if shutil.which(PROGRAM):
        return (PROGRAM,)
    beside = Path(sys.executable).with_name(PROGRAM)
    return (str(beside),) if beside.exists() else (sys.executable, "-m", "statewatch", "hook")

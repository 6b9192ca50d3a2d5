"""`restore`: coming back to a checkpoint or a past moment, wholly or in part. `state restore` shares it."""

import re
import shlex
from collections.abc import Callable, Sequence
from typing import Any

import click

from statewatch.cli.acting import Manner, action_options, carry_out
from statewatch.cli.arguments import history_option, parsed
from statewatch.cli.errors import MistakeError
from statewatch.cli.sources import address_of, opened, version_at
from statewatch.core.stores.base import Store, Version
from statewatch.documents import pointer

Tokens = tuple[str, ...]


def _pointers(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Tokens]:
    try:
        return [pointer.parse(value.removeprefix("#")) for value in values]
    except pointer.PointerError as error:
        raise click.BadParameter(str(error)) from None


def _digest(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[0-9a-f]{8,64}", value):
        raise click.BadParameter("a digest is hexadecimal; give at least 8 digits of what --dry-run --json calls base.")
    return value


only_option = click.option(
    "--only", "only", multiple=True, callback=_pointers, metavar="POINTER", help="Only this place; may be repeated."
)


def restore_options(decorated: Callable[..., Any]) -> Callable[..., Any]:
    """Take the options of a restore."""
    for option in (
        action_options,
        click.option("--even-if-moved", is_flag=True, help="Do it also when something was written since it was shown."),
        click.option(
            "--expect", callback=_digest, metavar="DIGEST", help="Refuse unless this is the version that is there now."
        ),
        only_option,
    ):
        decorated = option(decorated)
    return decorated


@click.command(name="restore")
@click.argument("address")
@history_option
@restore_options
def command(address: str, only: list[Tokens], why: str, **manner: Any) -> int:
    """Bring back what SOURCE held at a moment: all of it, byte for byte, or only a part.

    An address is SOURCE@WHEN[#POINTER]; SOURCE is a file or the URL of a store. WHEN is the name of a checkpoint or of
    a bookmark, so many revisions back (-1), so long ago (10m) or a time (14:03, 2026-11-20T14:03); which revision that
    is, is said. What is there now is kept first, as a checkpoint, and `statewatch undo` takes the restore back. It
    shows exactly what would be written and asks; when the source is written to before the answer, it is refused.

    \b
    Examples:
      statewatch checkpoint list .claude/batch_state.json
      statewatch restore .claude/batch_state.json@before-deploy
      statewatch restore .claude/batch_state.json@before-deploy#/failed_features --dry-run
      statewatch restore .claude/batch_state.json@10m#/failed_features
      statewatch restore state.json@good --only /a --only /b/c --yes --why "wrong run"

    \b
    Exit codes: 0 done, or nothing to change; 1 nothing of that moment is kept;
    2 nobody to ask, or a time to come; 3 the source cannot be read; 4 refused, or it has changed since it was shown;
    5 overwritten by another writer; 6 locked; 7 outcome unknown.
    """
    found = parsed(address)
    store = opened(found.source)
    if found.when is None:
        raise MistakeError(
            f"{store.source}: to what? Name a checkpoint, as in SOURCE@CHECKPOINT; `statewatch checkpoint list` lists "
            "them. Or a moment, as in SOURCE@10m; `statewatch log` lists what is recorded."
        )
    places = [found.tokens, *only] if found.tokens else only
    return bring_back(store, *version_at(store, found.when), places, why, manner)


def bring_back(
    store: Store, name: str, kept: Version, only: Sequence[Tokens], why: str, options: dict[str, Any]
) -> int:
    """Restore a version of a source, as its address names it, as the options say; return the exit code."""
    from statewatch.core.restoring import restore_version_action  # noqa: PLC0415 - only commands that act pay for it

    manner = manner_for(store, options, safe=True)
    if manner.expect is not None and manner.even_if_moved:
        raise click.UsageError("--expect and --even-if-moved contradict each other: give one of them.")
    action = restore_version_action(store, kept, name, only, why=why, via="cli")
    places = [word for tokens in only for word in ("--only", pointer.render(tokens))]
    again = shlex.join(["statewatch", "restore", address_of(store, name), *places, "--reapply", "3"])
    return carry_out(action, manner, again)


def manner_for(store: Store, options: dict[str, Any], *, safe: bool = False) -> Manner:
    """Return how an action on a store is to be done.

    Other people's files are watched for a moment for a writer that puts the old content back. Whoever writes a
    namespace knows the lock.
    """
    if options.get("settle") is None and store.namespace:
        options = {**options, "settle": 0.0}
    return Manner(**options, safe=safe)

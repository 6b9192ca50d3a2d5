"""`state`: a namespace of keys with JSON values, for programs and scripts."""

import os
import shlex
import sys
from typing import Any

import click

from statewatch.cli import output
from statewatch.cli.acting import action_options, carry_out
from statewatch.cli.arguments import as_typed, at_option, help_instead, json_option
from statewatch.cli.checkpoint import checkpoint_options, make, show_list
from statewatch.cli.errors import MistakeError
from statewatch.cli.moving import migrate, recover
from statewatch.cli.namespaces import namespace_options
from statewatch.cli.restore import Tokens, bring_back, manner_for, restore_options
from statewatch.cli.sources import as_asked, refuse_missing
from statewatch.core.reading import MAX_BYTES
from statewatch.core.stores.base import Store
from statewatch.core.stores.transaction import missing_key
from statewatch.documents import codec
from statewatch.documents.codec import DocumentError
from statewatch.documents.text import harmless, harmless_lines
from statewatch.documents.values import JSON

_SHORT = 200


@click.group(name="state", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Save and load the keys of a namespace, keep checkpoints of it, move it, recover it.

    Which namespace: --backend (json, sqlite, redis, postgres) and --namespace, or --address with one of
    json:DIRECTORY?namespace=NAME, sqlite:PATH?namespace=NAME, redis://HOST:PORT/DB?namespace=NAME,
    postgresql://USER@HOST/DATABASE?namespace=NAME, or the path of any JSON file, whose keys are then meant. By default
    json and sqlite are below .claude/state, redis is where REDIS_URL says and postgres where DATABASE_URL does.
    """
    return help_instead(ctx)


@command.command(short_help="Make the namespace.")
@namespace_options
@json_option
def init(store: Store, *, as_json: bool) -> None:
    """Make the file or the tables of the namespace, and print its address. One that is there stays as it is.

    Saving makes them too; this is for who wants to know before that all is well.

    \b
    Examples:
      statewatch state init
      statewatch state init --backend sqlite --namespace nightly

    \b
    Exit codes: 0 done, 3 it cannot be read, or the server not be reached, 4 refused, 6 locked.
    """
    store.create()
    if as_json:
        output.json_out({"source": store.source, "namespace": store.namespace or None, "keys": len(store.keys())})
        return
    output.say(store.url)
    output.note(f"It holds {output.count(len(store.keys()), 'key')}.")


@command.command(context_settings={"ignore_unknown_options": True}, short_help="Set a key.")
@click.argument("key")
@click.argument("value")
@namespace_options
@click.option("--string", "as_text", is_flag=True, help="VALUE is a text as it is, not JSON.")
@action_options
def save(store: Store, key: str, value: str, why: str, *, as_text: bool, **manner: Any) -> int:
    """Set KEY to VALUE, which is JSON; '-' reads it from standard input. It does not ask.

    In the file of another tool what follows from a change moves along: the updated_at of a batch, where it has one, and
    the statistics of a hook state. A save that changes nothing moves nothing.

    \b
    Examples:
      statewatch state save phase '"planning"'
      statewatch state save phase planning --string
      statewatch state save limits '{"tokens": 20000}' --namespace nightly
      jq .result report.json | statewatch state save report -

    \b
    Exit codes: 0 done, or it is so already; 2 VALUE is not JSON; 3 the namespace cannot be read;
    4 refused; 5 overwritten by another writer; 6 locked; 7 outcome unknown.
    """
    from statewatch.core.keys import save_action  # noqa: PLC0415 - only commands that act pay for it

    if not store.namespace:  # nobody's file is made by a slip in its name
        refuse_missing(store)
    key, given = as_typed(key), _given(value)
    action = save_action(store, key, _text(given) if as_text else _parsed(given), why=why, via="cli")
    words = ["--string"] if as_text else []
    words += ["--", key, value if len(value) < _SHORT else "VALUE"]
    again = shlex.join(["statewatch", "state", "save", "--reapply", "3", "--address", store.url, *words])
    return carry_out(action, manner_for(store, {**manner, "yes": True}), again)


@command.command(short_help="Print the value of a key.")
@click.argument("key")
@namespace_options
@click.option("--default", metavar="VALUE", help="Print this JSON value where there is no such key.")
@click.option("--raw", is_flag=True, help="Print a text as it is, not as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print it on one line.")
@at_option
def load(store: Store, key: str, default: str | None, *, raw: bool, as_json: bool) -> None:
    """Print the value of KEY as JSON.

    \b
    Examples:
      statewatch state load phase
      statewatch state load phase --raw --default '"none yet"'

    \b
    Exit codes: 0 done; 1 no such key; 3 the namespace cannot be read, or the file at --address is not there.
    """
    otherwise = None if default is None else _parsed(os.fsencode(default))
    store = as_asked(store, required=default is None)
    value = store.load(as_typed(key)) if default is None else store.load(as_typed(key), otherwise)
    if not (raw and isinstance(value, str)):
        output.json_out(value, compact=as_json or raw)
    elif output.is_terminal(sys.stdout):
        for line in harmless_lines(value):
            output.say(line)
    else:
        output.raw(f"{value}\n")


@command.command(short_help="Remove a key.")
@click.argument("key")
@namespace_options
@action_options
def delete(store: Store, key: str, why: str, **manner: Any) -> int:
    """Remove KEY. It shows the value and asks; `statewatch undo` brings it back.

    \b
    Examples:
      statewatch state delete phase
      statewatch state delete phase --yes --why "done"

    \b
    Exit codes: 0 done; 1 no such key; 2 nobody to ask; 3 the namespace cannot be read;
    4 refused; 5 overwritten by another writer; 6 locked; 7 outcome unknown.
    """
    from statewatch.core.keys import delete_action  # noqa: PLC0415

    refuse_missing(store)
    key = as_typed(key)
    if key not in (keys := store.keys()):
        raise missing_key(store.url, key, keys)
    again = shlex.join(["statewatch", "state", "delete", "--reapply", "3", "--address", store.url, "--", key])
    return carry_out(delete_action(store, key, why=why, via="cli"), manner_for(store, manner), again)


@command.command("keys", short_help="List the keys.")
@namespace_options
@json_option
@click.option("--null", "-0", "null", is_flag=True, help="End each key with a NUL instead of a new line, for xargs -0.")
@at_option
def list_keys(store: Store, *, as_json: bool, null: bool) -> None:
    """List the keys, one a line. On a terminal what could act on that is escaped.

    \b
    Examples:
      statewatch state keys
      statewatch state keys -0 | xargs -0 -n 1 statewatch state load

    \b
    Exit codes: 0 done; 3 the namespace cannot be read, or the file at --address is not there.
    """
    keys = as_asked(store).keys()
    if as_json:
        output.json_out(keys)
        return
    if output.is_terminal(sys.stdout) and not null:
        keys = [harmless(key) for key in keys]
    for key in keys:
        output.raw(key + ("\0" if null else "\n"))


@command.command("checkpoint", short_help="Keep the namespace as it is now.")
@click.argument("name", required=False)
@namespace_options
@checkpoint_options
def keep(store: Store, name: str | None, **options: Any) -> None:
    """Keep the namespace as it is now under NAME, by default auto_YYYYmmdd_HHMMSS (UTC).

    \b
    Examples:
      statewatch state checkpoint
      statewatch state checkpoint after-planning --note "all green"

    \b
    Exit codes: 0 done; 3 the namespace cannot be read; 4 the name is taken, or cannot be one; 6 locked.
    """
    make(store, name, **options)


@command.command(short_help="List the checkpoints, newest first.")
@namespace_options
@json_option
def checkpoints(store: Store, *, as_json: bool) -> None:
    """List the checkpoints of the namespace, newest first.

    \b
    Example:
      statewatch state checkpoints --namespace nightly

    \b
    Exit codes: 0 done, 3 the checkpoints cannot be read.
    """
    show_list(store, as_json=as_json)


@command.command(short_help="Bring a checkpoint back.")
@click.argument("name")
@namespace_options
@restore_options
def restore(store: Store, name: str, only: list[Tokens], why: str, **manner: Any) -> int:
    """Bring back what the checkpoint NAME holds: all of it, keys added since go; or only a part.

    It works as `statewatch restore` does: what is there now is kept first, it shows what would be written, and asks.

    \b
    Examples:
      statewatch state restore after-planning
      statewatch state restore after-planning --only /limits --dry-run

    \b
    Exit codes: 0 done, or nothing to change; 1 no such checkpoint; 2 nobody to ask;
    3 the namespace cannot be read; 4 refused, or it has changed since it was shown;
    5 overwritten by another writer; 6 locked; 7 outcome unknown.
    """
    return bring_back(store, store.find_checkpoint(name).name, store.kept(name), only, why, manner)


for each in (migrate, recover):
    command.add_command(each)


def _given(value: str) -> bytes:
    """Return a value as it was given: what was typed, or what comes on standard input."""
    if value != "-":
        return os.fsencode(value)
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise MistakeError(f"the value on standard input is larger than {output.size(MAX_BYTES)}")
    return data


def _parsed(data: bytes) -> JSON:
    try:
        return codec.decode(data)
    except DocumentError as error:
        said = str(error).replace("the file ", "it ")
        raise MistakeError(f"VALUE is {said}. A text is written '\"so\"', or given with --string.") from None


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MistakeError(f"VALUE is not UTF-8: the byte 0x{data[error.start]:02x} at {error.start + 1}") from None

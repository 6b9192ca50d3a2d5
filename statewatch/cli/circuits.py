"""`circuits`: every circuit of the project and the home, whatever tool owns it."""

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli import output, shapes
from statewatch.cli.acting import Manner, action_options, carry_out_all
from statewatch.cli.arguments import as_typed, at_option, files_of, help_instead, in_file, json_option, paths_argument
from statewatch.cli.arguments import picture_of as look_at
from statewatch.cli.columns import Column
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import NotFoundError, SourceError
from statewatch.documents.text import harmless
from statewatch.kinds import field_circuits
from statewatch.kinds.declared_view import Circuit, CircuitsView
from statewatch.kinds.hooks import Hook, HooksView, first_line
from statewatch.kinds.times import span
from statewatch.watch.picture import Picture, Source

if TYPE_CHECKING:
    from statewatch.core.actions import Action

Found = tuple[Source, Hook | Circuit]

_MOST_NAMED = 5


@click.group(name="circuits", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """List every circuit and reset any: of hooks, batch retries, agent loops, drains and services.

    Looks at the project around the current directory and at the home, where no PATH is given. `statewatch hooks` does
    more with the circuits of hooks.
    """
    return help_instead(ctx)


@command.command("list", short_help="Every circuit, open ones first.")
@paths_argument
@at_option
@json_option
def list_circuits(paths: tuple[str, ...], *, as_json: bool) -> int:
    """List the circuits: open ones first, then half open, unknown, closed with failures, closed.

    A state that is not one of these is shown as the file has it. `ends` is when an open circuit closes by itself, or is
    due to be tested.

    \b
    Examples:
      statewatch circuits list
      statewatch circuits list --json | jq -r '.[] | select(.state == "open") | .address'

    \b
    Exit codes: 0 done, 1 a named file holds no circuits, 3 a source cannot be read.
    """
    named = files_of(paths)
    picture = look_at(named)
    now = picture.at
    found = _circuits(picture)
    if as_json:
        output.json_out([shapes.circuit_row(source, circuit, now) for source, circuit in found])
    elif found:
        output.table(
            (
                Column("state"),
                Column("circuit", 8, is_name=True),
                Column("kind", dispensable=2),
                Column("in a row", align="right", dispensable=3),
                Column("for", align="right", dispensable=1),
                Column("ends"),
                Column("source", 16, elastic=True, is_name=True),
                Column("reason", 20, elastic=True),
            ),
            [_cells(source, circuit, now) for source, circuit in found],
            [circuit.state if circuit.known else None for _, circuit in found],
        )
    else:
        output.note(f"No circuits found in {', '.join(picture.watching.looked_in)}.")
    return _what_is_wrong(picture, named)


@command.command(short_help="All that is known about one circuit.")
@click.argument("which", metavar="NAME|ADDRESS")
@at_option
@json_option
def show(which: str, *, as_json: bool) -> None:
    """Show all that is known about a circuit. NAME is as `circuits list` shows it; FILE and FILE#/PLACE do, too.

    \b
    Example:
      statewatch circuits show drain

    \b
    Exit codes: 0 done, 1 there is no such circuit, 3 its source cannot be read.
    """
    picture = look_at(())
    found = _meant((which,), picture)
    if as_json:
        output.json_out([shapes.circuit_row(source, circuit, picture.at) for source, circuit in found])
        return
    for source, circuit in found:
        _print(source, circuit, picture.at)


@command.command(short_help="Close circuits and forget their failures.")
@click.argument("names", nargs=-1, metavar="NAME|ADDRESS...")
@click.option("--in", "places", multiple=True, metavar="PATH", help="Look here only; may be given several times.")
@click.option("--all-matching", is_flag=True, help="Reset all circuits of a name that several have.")
@action_options
def reset(names: tuple[str, ...], places: tuple[str, ...], why: str, *, all_matching: bool, **manner: Any) -> int:
    """Close circuits as the tools that own them do, and forget their failures.

    NAME is as `circuits list` shows it; the address of a file means its circuits, FILE#/PLACE one of several. A pause
    ends now; a budget is given back. What services keep for themselves is shown only. It asks once, showing exactly
    what would be written; what was there before is kept, and `statewatch undo` takes the action back.

    \b
    Examples:
      statewatch circuits reset drain
      statewatch circuits reset batch-20261114-220501-118274 --why "registry is back"
      statewatch circuits reset .ralph/.circuit_breaker_state --dry-run

    \b
    Exit codes: 0 done, or nothing to change; 1 no such circuit; 2 a name that several have, or nobody to ask;
    3 the file cannot be read; 4 refused; 5 overwritten by another writer; 6 locked.
    """
    if not names:
        raise click.UsageError("name the circuits to reset; `statewatch circuits list` shows them.")
    found = _meant(names, look_at(files_of(places)), all_matching=all_matching)
    return carry_out_all(_steps(found, why), Manner(**manner))


def _steps(found: Iterable[Found], why: str) -> "list[tuple[Action, str]]":
    """Return one action for each file, and how to apply it again."""
    import secrets  # noqa: PLC0415 - only who acts pays for it
    from dataclasses import replace  # noqa: PLC0415

    from statewatch.core.breakers import reset_action  # noqa: PLC0415
    from statewatch.core.circuits import circuit_actions  # noqa: PLC0415

    by_file: dict[str, list[Hook | Circuit]] = {}
    sources = {}
    for source, circuit in found:
        sources[source.key] = source
        by_file.setdefault(source.key, []).append(circuit)
    group = secrets.token_hex(6) if len(by_file) > 1 else None  # what is done at once is undone at once
    steps: list[tuple[Action, str]] = []
    for key, circuits in by_file.items():
        path, wanted = Path(key), [circuit.name for circuit in circuits]
        if isinstance(circuits[0], Hook):
            actions = circuit_actions("reset", path, wanted, why=why, via="cli")
        else:
            actions = [reset_action(path, wanted, why=why, via="cli")]
        addresses = [shapes.circuit_address(sources[key], circuit) for circuit in circuits]
        again = shlex.join(["statewatch", "circuits", "reset", "--reapply", "3", *addresses])
        steps += [(replace(action, group=group or action.group), again) for action in actions]
    return steps


def _circuits(picture: Picture) -> list[Found]:
    """Return the circuits in the order of the operator."""
    found: list[Found] = []
    for source in picture.sources:
        if isinstance(source.view, HooksView):
            found += [(source, hook) for hook in source.view.hooks]
        elif isinstance(source.view, CircuitsView):
            found += [(source, circuit) for circuit in source.view.at(picture.at).circuits]
    return sorted(found, key=lambda each: (each[1].rank, each[1].name.casefold(), each[0].label))


def _meant(names: Sequence[str], picture: Picture, *, all_matching: bool = True) -> list[Found]:
    """Return the circuits that names and addresses mean; a circuit of that very name comes first."""
    known = _circuits(picture)
    meant: dict[tuple[str, str], Found] = {}
    for text in names:
        name = as_typed(text)
        found = [each for each in known if each[1].name == name] or _at_address(text, known)
        if len(found) > 1 and not all_matching and any(each[1].name == name for each in found):
            some = ", ".join(output.quoted(shapes.circuit_address(*each)) for each in found[:_MOST_NAMED])
            raise MistakeError(
                f"{harmless(name)!r} is the name of {len(found)} circuits: {some}. "
                "Give the address of one, or --all-matching."
            )
        meant |= {(source.key, circuit.name): (source, circuit) for source, circuit in found}
    return list(meant.values())


def _at_address(text: str, known: Sequence[Found]) -> list[Found]:
    file = in_file(text)
    if not os.path.lexists(file.source):
        raise NotFoundError(_no_such(text, known))
    picture = look_at((file.source,))
    source = picture.source(os.path.abspath(file.source))  # noqa: PTH100 - links are not followed
    if source is not None and source.problem is not None:
        raise SourceError(output.shown_path(source.key), source.problem.reason)
    there = [each for each in _circuits(picture) if not file.tokens or shapes.place_of(each[1]) == file.tokens]
    if not there:
        raise NotFoundError(f"{text}: no circuit is there. `statewatch circuits list` shows all.")
    return there


def _no_such(name: str, known: Sequence[Found]) -> str:
    import difflib  # noqa: PLC0415 - only for a message

    near = difflib.get_close_matches(name, [circuit.name for _, circuit in known][:10_000], n=3)
    hint = f"; near it: {', '.join(near)}" if near else ""
    return f"there is no circuit {name!r}{hint}. `statewatch circuits list` shows all."


def _what_is_wrong(picture: Picture, named: Sequence[str]) -> int:
    """Say what cannot be read, and which named file holds no circuits; return the exit code."""
    code = 0
    wanted = {os.path.abspath(path) for path in named if not os.path.isdir(path)}  # noqa: PTH100, PTH112 - any bytes
    for source in picture.sources:
        circuit_kind = source.kind == "hooks" or field_circuits.declared(source.kind) is not None
        if source.problem is not None and (circuit_kind or source.key in wanted):
            output.complain(f"{output.shown_path(source.key)}: {source.problem.reason}")
            code = 3
        elif source.key in wanted and not isinstance(source.view, HooksView | CircuitsView):
            output.complain(f"{output.shown_path(source.key)}: it holds no circuits")
            code = max(code, 1)
    return code


def _cells(source: Source, circuit: Hook | Circuit, now: float) -> tuple[str, ...]:
    left = circuit.remaining(source.policy, now)
    streak = circuit.consecutive_failures
    return (
        harmless(circuit.state, 30),
        harmless(circuit.name, 300),
        source.kind,
        "" if streak is None else str(streak),
        "" if circuit.disabled_at is None else span(now - circuit.disabled_at),
        "" if left is None else f"in {span(left)}" if left > 0 else f"due {span(-left)}",
        harmless(source.label),
        harmless(first_line(circuit.last_error), 500),
    )


def _print(source: Source, circuit: Hook | Circuit, now: float) -> None:
    output.say(output.paint(harmless(circuit.name, 300), "title"))
    named = [
        ("state", circuit.state if circuit.known else f"{circuit.state} (not a state that is known)"),
        ("kind", source.kind),
        ("file", output.shown_path(source.key)),
    ]
    if circuit.disabled_at is not None:
        named.append(("since", f"{span(now - circuit.disabled_at)} ago"))
    if (left := circuit.remaining(source.policy, now)) is not None:
        named.append(("ends", f"in {span(left)}" if left > 0 else f"due for {span(-left)}"))
    if circuit.last_error:
        named.append(("reason", circuit.last_error))
    if isinstance(circuit, Circuit):
        named += circuit.facts
        named.append(("reset", "statewatch circuits reset" if circuit.can_reset else "by its own tool only"))
    view = source.view
    named += [("note", view.note)] if isinstance(view, CircuitsView) and view.note else []
    named += [("assumed", note) for note in view.notes] if isinstance(view, CircuitsView) else []
    for name, text in named:
        output.say(f"  {name:<24}  {harmless(text, 500)}")

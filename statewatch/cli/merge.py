"""`merge`: three versions of a document put together, on the command line and as a merge driver of git."""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click

from statewatch.cli import output
from statewatch.cli.acting import action_options, carry_out
from statewatch.cli.diff import TROUBLE
from statewatch.cli.diff_sides import STDIN, Side, is_stream, side
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import StatewatchError
from statewatch.documents import codec
from statewatch.documents.merge import Absent, Conflict, Maybe, Merged, Strategy
from statewatch.documents.respelling import respelt
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON, same
from statewatch.kinds.plain import brief

_STRATEGIES: Final = ("manual", "first_write_wins", "last_write_wins", "merge")
_MOST: Final = 50
_ROLES: Final = ("base", "ours", "theirs")


@dataclass(frozen=True, slots=True)
class _Three:
    """The three versions, and how to put them together."""

    base: JSON
    ours: Side
    theirs: Side
    strategy: Strategy

    def merged(self, ours: JSON) -> tuple[Merged, int]:
        """Merge what *ours* is now; tell how many conflicts were only noise."""
        from statewatch.kinds.merging import merged  # noqa: PLC0415 - after the help

        return merged(self.base, ours, self.theirs.document, self.strategy)


@click.command(name="merge")
@click.argument("base")
@click.argument("ours")
@click.argument("theirs")
@click.option("--output", "-o", "target", metavar="FILE", help="Write the result to FILE, as an action.")
@click.option("--in-place", "-i", is_flag=True, help="Write the result to OURS, as an action.")
@click.option("--driver", is_flag=True, help="For git: write the result to the file OURS, without a question.")
@click.option("--name", default="", metavar="PATH", help="What the file is called in messages: %P of git.")
@click.option(
    "--strategy", type=click.Choice(_STRATEGIES), default="manual", help="Who wins where both changed the same place."
)
@action_options
def command(base: str, ours: str, theirs: str, strategy: Strategy, **options: Any) -> int:
    """Print what OURS and THEIRS have made of BASE, put together.

    Each is an address, SOURCE[@WHEN], or one of them '-' for standard input. What only one of them changed is taken
    over; objects in lists are told apart by what identifies them. Where both changed the same place, it is a conflict:
    it is named, and the result has what OURS has there. Times, and what only follows from the rest, are no conflict:
    the later, or the larger one is taken. Of the strategies, first_write_wins takes OURS, last_write_wins THEIRS, and
    merge keeps both where both can be kept; then nothing is left to settle.

    With --in-place and --output it is an action: shown, audited, undone; merged with what is there at that moment.

    \b
    As a merge driver of git, for the state files of a project:
      echo '.claude/**/*.json merge=statewatch' >> .gitattributes
      git config merge.statewatch.name 'JSON by its meaning'
      git config merge.statewatch.driver 'statewatch merge --driver --name %P %O %A %B'

    \b
    Examples:
      statewatch merge base.json ours.json theirs.json > merged.json
      statewatch merge state.json@before-deploy state.json other.json --in-place --dry-run
      statewatch merge base.json ours.json theirs.json --strategy last_write_wins -o merged.json --yes

    \b
    Exit codes: 0 done, nothing is left to settle; 1 conflicts; 2 trouble, and nothing was written. With --in-place and
    --output also 4 refused, 5 overwritten by another writer, 6 locked, 7 outcome unknown.
    """
    try:
        return _merge(base, ours, theirs, strategy, **options)
    except StatewatchError as error:
        if error.exit_code > 3:
            raise
        output.complain(str(error))
        return TROUBLE


def _merge(
    base: str,
    ours: str,
    theirs: str,
    strategy: Strategy,
    *,
    target: str | None,
    in_place: bool,
    driver: bool,
    name: str,
    why: str,
    **manner: Any,
) -> int:
    if driver + in_place + (target is not None) > 1:
        raise click.UsageError("--driver, --in-place and --output say each where the result goes: give one of them.")
    if [base, ours, theirs].count(STDIN) > 1:
        raise MistakeError("only one of the three can be '-'")
    three = _three(base, ours, theirs, strategy, name if driver else "")
    if driver:
        _refuse_other_than_file(ours, three)
    result, noise = three.merged(three.ours.document)
    called = harmless(name) if name else three.ours.label
    _tell(result, noise, called)
    code = 0 if result.settled else 1
    if driver:
        _put(three, result, ours)
        return code
    if in_place or target is not None:
        written = _written(three, ours if target is None else target, [base, ours, theirs], why, manner)
        return written or code
    if manner["as_json"]:
        rows = [_row(conflict) for conflict in result.conflicts]
        output.json_out({"document": result.document, "settled": result.settled, "conflicts": rows})
    else:
        output.json_out(result.document)
    return code


def _three(base: str, ours: str, theirs: str, strategy: Strategy, name: str) -> _Three:
    """Read the three; those that git has made for a file are called by the *name* of that one."""
    sides = [side(word) for word in (base, ours, theirs)]
    if name:
        sides = [replace(each, address=f"{name} ({role})") for each, role in zip(sides, _ROLES, strict=True)]
    if any(each.tokens for each in sides):
        raise MistakeError("whole documents are merged: no address may have a '#'")
    origin, mine, other = sides
    if origin.problem and not origin.data():  # git gives an empty file where both added one
        origin = Side(origin.address, None, origin.data)
    for each in (origin, mine, other):
        each.refuse_damage()
    return _Three(origin.document, mine, other, strategy)


def _refuse_other_than_file(ours: str, three: _Three) -> None:
    from statewatch.core.stores.urls import is_store_url, without_password  # noqa: PLC0415
    from statewatch.kinds.registry import sealed  # noqa: PLC0415

    if is_stream(ours) or is_store_url(ours):
        raise MistakeError(f"{without_password(ours)}: --driver is for a file that git has made; give --in-place")
    if why := sealed(three.ours.document):
        raise MistakeError(f"{three.ours.label}: {why}")


def _put(three: _Three, result: Merged, ours: str) -> None:
    """Write the result to the file that git has for it, and keep the spelling of what did not change."""
    from statewatch.core.plain_file import put  # noqa: PLC0415 - only where something is written

    if same(result.document, three.ours.document):
        return
    if same(result.document, three.theirs.document):
        data = three.theirs.data()
    else:
        before = three.ours.data()
        data = respelt(before, three.ours.document, result.document, codec.style_of(before))
    put(Path(ours), data)


def _written(three: _Three, target: str, words: list[str], why: str, options: dict[str, Any]) -> int:
    from statewatch.cli.arguments import parsed  # noqa: PLC0415 - only where something is written
    from statewatch.cli.restore import manner_for  # noqa: PLC0415
    from statewatch.cli.sources import opened  # noqa: PLC0415
    from statewatch.core.patching import merge_action  # noqa: PLC0415

    found = parsed(target)
    if found.when is not None or found.tokens:
        raise MistakeError(f"{target}: the result goes to a whole source as it is now, without '@' and '#'")
    store = opened(found.source)
    is_ours = not is_stream(words[1]) and store.source == opened(parsed(words[1]).source).source
    there = three.ours.document

    def merged(document: JSON) -> Merged:
        return three.merged(document if is_ours else there)[0]

    again = shlex.join(["statewatch", "merge", *words, "--strategy", three.strategy, "-o", target, "--reapply", "3"])
    action = merge_action(store.made_anew(), merged, three.theirs.record, why=why, via="cli")
    return carry_out(action, manner_for(store, options), again)


def _tell(result: Merged, noise: int, called: str) -> None:
    """Say where both have changed the same place, and what the result has there."""
    for conflict in result.conflicts[:_MOST]:
        versions = (conflict.base, conflict.ours, conflict.theirs, conflict.result)
        before, mine, other, there = map(_shown, versions)
        word = "conflict" if not result.settled else "settled"
        output.note(
            harmless(
                f"{called}: {word} at {conflict.pointer or '/'}: it was {before}; ours {mine}; theirs {other}; "
                f"the result has {there}",
                2_000,
            )
        )
    if len(result.conflicts) > _MOST:
        output.note(f"{called}: and {len(result.conflicts) - _MOST:,} more")
    if noise:
        places = output.count(noise, "place")
        output.note(
            f"{called}: in {places} only times differ, or what follows from the rest: the later, the larger one"
        )


def _shown(value: Maybe) -> str:
    return "nothing" if isinstance(value, Absent) else brief(value, 200)


def _row(conflict: Conflict) -> dict[str, JSON]:
    """Return one conflict; a side that has nothing there is left out."""
    values = {"base": conflict.base, "ours": conflict.ours, "theirs": conflict.theirs, "result": conflict.result}
    return {"path": conflict.pointer, **{name: each for name, each in values.items() if not isinstance(each, Absent)}}

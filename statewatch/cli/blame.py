"""`blame`: when a value changed, from what to what, and who did it."""

import itertools
import time
from typing import TYPE_CHECKING

import click

from statewatch.cli import output
from statewatch.cli.arguments import history_option, json_option, parsed
from statewatch.cli.columns import Column
from statewatch.cli.errors import MistakeError
from statewatch.cli.keyed_places import recorded_place, told_place
from statewatch.cli.log import author_row
from statewatch.core.address import Address
from statewatch.core.audit import Record
from statewatch.core.errors import NotFoundError, StatewatchError
from statewatch.documents import pointer
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.plain import brief
from statewatch.kinds.times import clock, iso, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statewatch.watch.history.model import Entry, Touch
    from statewatch.watch.history.store import History

_SHOWN = 20
_VALUE = 200
_COLUMNS = (
    Column("when"),
    Column("age", align="right", dispensable=3),
    Column("place", 8, elastic=True, is_name=True, dispensable=2),
    Column("before", 8, elastic=True),
    Column("after", 8, elastic=True),
    Column("who", 4),
    Column("action", 8, elastic=True, dispensable=1),
)


@click.command(name="blame")
@click.argument("address")
@click.option("-n", "most", type=click.IntRange(1), metavar="COUNT", help=f"So many; without --json {_SHOWN}.")
@history_option
@json_option
def command(address: str, most: int | None, *, as_json: bool) -> None:
    """Say when the value at ADDRESS changed, from what to what, and who did it: the last change first.

    ADDRESS is SOURCE#POINTER. Changes inside the value, and of what it is in, count too. Who it was is known for what
    was done through statewatch; what other programs write bears no name. Where nothing has changed, it is said since
    when the history of the source is kept.

    \b
    Examples:
      statewatch blame ~/.claude/hook_state.json#/hooks/validate-file/state
      statewatch blame .claude/batch_state.json#/failed_features -n 1
      statewatch blame .claude/batch_state.json#/current_index --json | jq '.[0]'

    \b
    Exit codes: 0 done, 1 no history of it is kept, or there never was such a place; 2 the address has a moment, or
    no pointer; 3 the history cannot be read.
    """
    from statewatch.cli.history import history_of  # noqa: PLC0415 - after the help, which needs no store

    found = parsed(address)
    if found.when is not None or not found.tokens:
        raise MistakeError(
            f"{address}: name a place in a source, as in SOURCE#/POINTER, without '@'. `statewatch log` is about whole "
            "sources."
        )
    history, key = history_of(found.source)
    touches = history.blame(key, recorded_place(found.source, found.tokens))
    if not touches:
        _unchanged(history, key, found, as_json=as_json)
        return
    shown = list(itertools.islice(touches, most or (None if as_json else _SHOWN)))
    _print(found.source, shown, {touch.entry.number: _problem(history, touch) for touch in shown}, as_json=as_json)
    if most is None and len(shown) < len(touches):
        output.note(f"There is more: -n {_SHOWN * 5} shows {_SHOWN * 5} changes, --json all {len(touches):,}.")


def _unchanged(history: "History", key: str, found: Address, *, as_json: bool) -> None:
    """Say that a value has not changed since its source is recorded. Raises NotFoundError where there is none."""
    kept = history.entries(key)
    newest, oldest = kept[0], kept[-1]
    try:
        document = history.document(newest)
        value = pointer.get(document, pointer.locate(document, recorded_place(found.source, found.tokens)))
    except pointer.PointerError as error:
        raise NotFoundError(f"{found.source}: {error}, and there was not since its history begins.") from None
    except StatewatchError:
        value = None
    if as_json:
        output.json_out([])
    now = time.time()
    output.note(
        f"{harmless(pointer.render(found.tokens), 300)} has been {brief(value, _VALUE)} since the history of "
        f"{output.shown_path(found.source)} begins: {clock(oldest.seen_at, now)}, {span(now - oldest.seen_at)} ago, "
        f"{output.count(len(kept), 'revision')}."
    )


def _problem(history: "History", touch: "Touch") -> str:
    """Return why nothing could be seen in a revision; nothing where a value is gone from it, or another one."""
    if touch.op != "remove":
        return ""
    try:
        history.document(touch.entry)
    except StatewatchError as error:
        return str(getattr(error, "reason", error))
    return ""


def _print(source: str, touches: "Sequence[Touch]", problems: dict[int, str], *, as_json: bool) -> None:
    from statewatch.cli.history import authors_of  # noqa: PLC0415

    authors = authors_of(touches[0].entry.source, touches[-1].entry.at)
    named = [(touch, authors.of(touch.entry)) for touch in touches]
    if as_json:
        output.json_out([_row(source, touch, author, problems[touch.entry.number]) for touch, author in named])
        return
    now = time.time()
    output.table(
        _COLUMNS, [_cells(source, touch, author, now, problems[touch.entry.number]) for touch, author in named]
    )


def _cells(source: str, touch: "Touch", author: Record | None, now: float, problem: str) -> tuple[str, ...]:
    entry = touch.entry
    return (
        clock(entry.seen_at, now),
        span(now - entry.seen_at),
        harmless(pointer.render(told_place(source, touch.path)) or "/", 300),
        "(not there)" if touch.op == "add" else harmless(brief(touch.before, _VALUE), _VALUE),
        ("(no JSON)" if problem else "(gone)")
        if touch.op == "remove"
        else harmless(brief(touch.after, _VALUE), _VALUE),
        "" if author is None else harmless(author.user, 60),
        _what(author, entry),
    )


def _what(author: Record | None, entry: "Entry") -> str:
    dropped = f"{entry.dropped} between not kept" if entry.dropped else ""
    if author is None:
        return dropped
    why = f": {author.why}" if author.why else ""
    return harmless(f"{author.action} {', '.join(author.targets)}{why}".strip(), 300)


def _row(source: str, touch: "Touch", author: Record | None, problem: str) -> dict[str, JSON]:
    from statewatch.cli.history import when_of  # noqa: PLC0415

    entry, place = touch.entry, told_place(source, touch.path)
    return {
        "seen_at": iso(entry.seen_at),
        "written_at": iso(entry.at),
        "op": touch.op,
        "path": pointer.render(place),
        "before": touch.before,
        "after": touch.after,
        "dropped": entry.dropped,
        "problem": problem or None,
        **author_row(author),
        "source": entry.source,
        "address": str(Address(source, when_of(entry.seen_at), tuple(map(str, place)))),
    }

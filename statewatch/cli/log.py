"""`log`: the revisions of a source that the history holds, newest first, each with what it changed."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import given_moment, history_option, json_option, parsed
from statewatch.cli.columns import Column
from statewatch.cli.errors import MistakeError
from statewatch.cli.keyed_places import recorded_place
from statewatch.core.address import Address
from statewatch.core.audit import Record
from statewatch.core.errors import SourceError, StatewatchError
from statewatch.documents import pointer
from statewatch.documents.changes import Change
from statewatch.documents.patterns import Pattern, pattern
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.base import Sentence, mapping
from statewatch.kinds.times import clock, iso, span

if TYPE_CHECKING:
    from statewatch.watch.history.model import Entry
    from statewatch.watch.history.store import History

_SHOWN = 20
_SAID = 2
_ALL = 1_000_000
_COLUMNS = (
    Column("at"),
    Column("seen", dispensable=1),
    Column("age", align="right", dispensable=3),
    Column("size", align="right", dispensable=4),
    Column("who", 4, elastic=True, dispensable=2),
    Column("what", 24, elastic=True),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A revision, what it changed since the kept one before it, and who did that; `back` counts from what is there.

    `before` is None for the first one that is kept. `problem` says why it is no JSON. `names` are texts that mean all
    of the source, or the place that was asked for: what is said of them needs no name.
    """

    entry: "Entry"
    back: int
    said: tuple[Sentence, ...]
    author: Record | None
    before: "Entry | None" = None
    changes: tuple[Change, ...] = ()
    problem: str = ""
    names: frozenset[str] = frozenset()

    def about(self, tokens: tuple[str, ...]) -> "Step":
        """Return the step with what it says of a place in front."""
        said = tuple(sorted(self.said, key=lambda sentence: sentence.subject not in tokens))
        return replace(self, said=said, names=self.names | {*tokens, pointer.render(tokens)})

    @property
    def tone(self) -> str | None:
        """Return the gravest tone of what is said."""
        tones = {sentence.tone for sentence in self.said}
        return next((tone for tone in ("bad", "warn", "good") if tone in tones), None)


def _patterns(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Pattern]:
    try:
        return [pattern(value.removeprefix("#")) for value in values]
    except pointer.PointerError as error:
        raise click.BadParameter(str(error)) from None


@click.command(name="log")
@click.argument("address")
@click.option("--since", callback=given_moment, metavar="WHEN", help="Seen since then: 10m (ago) or a time.")
@click.option("--until", callback=given_moment, metavar="WHEN", help="Seen by then.")
@click.option(
    "--path", "patterns", multiple=True, callback=_patterns, metavar="PATTERN", help="Those that changed such a place."
)
@click.option("-n", "most", type=click.IntRange(1), metavar="COUNT", help=f"So many; without --json {_SHOWN}.")
@click.option("--reverse", is_flag=True, help="The oldest of them first.")
@click.option("--patch", "-p", is_flag=True, help="Show every change with its values.")
@history_option
@json_option
def command(
    address: str,
    since: float | None,
    until: float | None,
    patterns: list[Pattern],
    most: int | None,
    *,
    reverse: bool,
    patch: bool,
    as_json: bool,
) -> int:
    """List the recorded revisions of a source, newest first: when, how large, who brought it, and what it changed.

    ADDRESS is SOURCE[#POINTER]; with a pointer only the revisions are listed that changed what is there. PATTERN is a
    pointer in which * stands for any text in a step and ** for any steps. `at` is what goes behind the @ of an address
    for that revision, as in `statewatch show SOURCE@-2`: it counts from what the source holds now, be that recorded or
    not. `who`, and with which action, is known for what was done through statewatch. Times are when a revision was
    seen.

    \b
    Examples:
      statewatch log .claude/batch_state.json
      statewatch log ~/.claude/hook_state.json#/hooks/validate-file --since 2h
      statewatch log ~/.claude/hook_state.json --path '/hooks/*/state' --patch
      statewatch log .claude/batch_state.json --json | jq -r '.[] | [.seen_at, .summary[0].text] | @tsv'

    \b
    Exit codes: 0 done, 1 no history of it is kept, or nothing in it is like that; 2 the address has a moment;
    3 the history cannot be read.
    """
    found = parsed(address)
    if found.when is not None:
        raise MistakeError(f"{address}: give the source without '@'; --since and --until choose the moments.")
    steps, kept = _chosen(found, _Between(since, until), patterns, deep=patch)
    shown = list(itertools.islice(steps, most or (None if as_json else _SHOWN)))
    more = most is None and not as_json and next(steps, None) is not None
    _print(found.source, shown[::-1] if reverse else shown, patch=patch, as_json=as_json)
    if more:
        output.note(f"There is more: -n {_SHOWN * 5} shows {_SHOWN * 5} revisions, --json all.")
    if not shown:
        output.note(f"None of {output.count(kept, 'revision')} that are kept is like that.")
    return int(not shown)


@dataclass(frozen=True, slots=True)
class _Between:
    """The time in which a revision was seen: from one instant to another, open where there is none."""

    since: float | None
    until: float | None

    def holds(self, entry: "Entry") -> bool:
        """Tell whether a revision was seen then."""
        return (self.since is None or entry.seen_at >= self.since) and (
            self.until is None or entry.seen_at <= self.until
        )


def _chosen(
    found: Address, between: _Between, patterns: Sequence[Pattern], *, deep: bool
) -> tuple[Iterator[Step], int]:
    """Return the revisions that were asked for, newest first, and how many are kept in all."""
    from statewatch.cli.history import UNRECORDED, history_and_store_of, is_behind, tell  # noqa: PLC0415

    history, key, store = history_and_store_of(found.source)
    entries = history.entries(key)
    ahead = is_behind(history, key, store)
    tell([UNRECORDED] if ahead else [])
    revisions = _Revisions(history, entries, int(ahead))
    if not found.tokens:
        return _steps(revisions, between.holds, patterns, deep=deep), len(entries)
    place = recorded_place(found.source, found.tokens)
    touching = {touch.entry.number for touch in history.blame(key, place, limit=_ALL)}

    def wanted(entry: "Entry") -> bool:
        return entry.number in touching and between.holds(entry)

    steps = _steps(revisions, wanted, patterns, deep=deep)
    return (step.about(found.tokens) for step in steps), len(entries)


class _Revisions:
    """The revisions of a source, newest first; the newest is so many back from what the source holds now."""

    def __init__(self, history: "History", entries: "Sequence[Entry]", first: int) -> None:
        self.entries = entries
        self.first = first
        self._history = history
        self._read: tuple[int, JSON] | None = None

    def before(self, place: int) -> "Entry | None":
        """Return the one before; None for the first that is kept."""
        return self.entries[place + 1] if place + 1 < len(self.entries) else None

    def document(self, entry: "Entry") -> JSON:
        """Return what one holds. The last one that was read stays at hand: it is mostly the next that is looked at."""
        if self._read is None or self._read[0] != entry.number:
            self._read = entry.number, self._history.document(entry)
        return self._read[1]


def _steps(
    revisions: _Revisions, wanted: "Callable[[Entry], bool]", patterns: Sequence[Pattern], *, deep: bool
) -> Iterator[Step]:
    """Yield the wanted ones, newest first; read only as far as is asked for."""
    from statewatch.cli.history import authors_of  # noqa: PLC0415

    entries = revisions.entries
    authors = authors_of(entries[0].source, entries[-1].at) if entries else None
    for place, entry in enumerate(entries):
        if not wanted(entry):
            continue
        author = authors.of(entry) if authors is not None else None
        step = _step(revisions, place, author, deep=deep or bool(patterns))
        if not patterns or any(_touches(each, change) for change in step.changes for each in patterns):
            yield step


def _step(revisions: _Revisions, place: int, author: Record | None, *, deep: bool) -> Step:
    from statewatch.kinds import registry  # noqa: PLC0415

    entry, before, back = revisions.entries[place], revisions.before(place), revisions.first + place
    try:
        after = revisions.document(entry)
    except StatewatchError as error:
        problem = getattr(error, "reason", str(error))
        return Step(entry, back, (Sentence("", problem, "bad"),), author, before, problem=problem)
    if before is None:
        return Step(entry, back, (Sentence("", "recorded for the first time"),), author)
    try:
        old = revisions.document(before)
    except SourceError:
        return Step(entry, back, (Sentence("", "can be read again", "good"),), author, before)
    except StatewatchError:
        return Step(entry, back, (Sentence("", "what was before it is damaged in the history", "bad"),), author, before)
    said = registry.sentences(old, after) or [Sentence("", "laid out differently")]
    said = sorted(said, key=lambda sentence: sentence.routine)
    changes = registry.changes(old, after) if deep else []
    names = frozenset(value for value in mapping(after).values() if isinstance(value, str))
    return Step(entry, back, tuple(said), author, before, tuple(changes), names=names)


def _touches(wanted: Pattern, change: Change) -> bool:
    """Tell whether a change is at such a place, inside one, or of what one is in."""
    places = [change.path] if change.source is None else [change.path, change.source]
    return any(
        wanted.matches(place, within=True) or Pattern(steps).matches(place)
        for place in places
        for steps in [wanted.steps[: len(place)]]
    )


def _print(source: str, steps: Sequence[Step], *, patch: bool, as_json: bool) -> None:
    if as_json:
        output.json_out([_row(source, step, patch=patch) for step in steps])
        return
    now = time.time()
    subjects = {sentence.subject for step in steps for sentence in step.said if sentence.subject}
    known = next(iter(subjects)) if len(subjects) == 1 and len(steps) > 1 else ""
    if not all(known in step.names for step in steps if any(each.subject for each in step.said)):
        known = ""
    if not patch:
        if steps:
            output.table(_COLUMNS, [_cells(step, now, known) for step in steps], [step.tone for step in steps])
        return
    from statewatch.cli.ask import difference_lines  # noqa: PLC0415

    for step in steps:
        output.say(output.paint("  ".join(cell for cell in _cells(step, now, known) if cell), "title"))
        for line in difference_lines(step.changes):
            output.say(f"    {line}")


def _cells(step: Step, now: float, known: str) -> tuple[str, ...]:
    entry = step.entry
    return (
        f"-{step.back}",
        clock(entry.seen_at, now),
        span(now - entry.seen_at),
        output.size(entry.size),
        "" if step.author is None else harmless(f"{step.author.user}, {step.author.action}", 100),
        harmless(_summary(step, known), 500),
    )


def _summary(step: Step, known: str) -> str:
    """Put what a revision changed into a line: what matters first, and how much more there is.

    A subject is named once, and not at all where all that is listed is about it: the *known* one.
    """
    said, parts = step.said, []
    for each in said[:_SAID]:
        parts.append(each.text if each.subject == known else f"{each.subject} {each.text}".strip())
        known = each.subject
    parts += [f"+{len(said) - _SAID} more"] if len(said) > _SAID else []
    marked = f"[{step.entry.bookmark}] " if step.entry.bookmark else ""
    dropped = f" ({step.entry.dropped} between not kept)" if step.entry.dropped else ""
    return marked + "; ".join(parts) + dropped


def _row(source: str, step: Step, *, patch: bool) -> dict[str, JSON]:
    from statewatch.cli.history import when_of  # noqa: PLC0415

    entry = step.entry
    row: dict[str, JSON] = {
        "seen_at": iso(entry.seen_at),
        "written_at": iso(entry.at),
        "size": entry.size,
        "digest": entry.digest,
        "before": step.before.digest if step.before is not None else None,
        "back": step.back,
        "dropped": entry.dropped,
        "bookmark": entry.bookmark or None,
        "summary": [{"subject": each.subject, "text": each.text, "tone": each.tone} for each in step.said],
        "problem": step.problem or None,
        **author_row(step.author),
        "source": entry.source,
        "address": str(Address(source, when_of(entry.seen_at))),
    }
    return {**row, "changes": shapes.change_rows(step.changes)} if patch else row


def author_row(author: Record | None) -> dict[str, JSON]:
    """Return who did something through statewatch, all null where that is not known."""
    if author is None:
        return dict.fromkeys(("user", "host", "via", "action", "why", "id"))
    named: Iterable[str] = ("user", "host", "via", "action", "why", "id")
    return {name: getattr(author, name) for name in named}

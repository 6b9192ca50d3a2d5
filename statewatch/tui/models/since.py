"""What changed since somebody looked last: per source what it comes to, and the single changes in between."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.base import Sentence
from statewatch.kinds.registry import sentences
from statewatch.tui.models import cells
from statewatch.tui.models.changes import ChangeRow
from statewatch.tui.models.comparison import Comparison, Side
from statewatch.tui.models.row import TableSpec
from statewatch.tui.models.travel import ago
from statewatch.tui.widgets.table_model import Cell, Column
from statewatch.watch.picture import ChangeLine, Picture, Source

_MOST_OF_ONE: Final = 3
_SUBJECT_LENGTH, _TEXT_LENGTH = 200, 500
_FIRST_NUMBER: Final = -1_000_000_000
"""Lines from before the start have numbers of their own: those of the live ones begin with 1."""


@dataclass(frozen=True)
class Since:
    """What changed since the instant `at`: `summed` up per source, and in `lines` from then to the start, newest first.

    Texts are harmless already.
    """

    at: float
    summed: tuple[ChangeLine, ...]
    lines: tuple[ChangeLine, ...] = ()

    def added_to(self, picture: Picture) -> Picture:
        """Return a picture that tells of the changes before the start, too."""
        return replace(picture, changes=(*picture.changes, *self.lines))


class SinceRow(ChangeRow):
    """One thing that is different from when somebody looked last."""


def summed_up(picture: Picture, then: Callable[[Source], tuple[str, JSON] | None]) -> tuple[ChangeLine, ...]:
    """Return what it comes to, per source, with what matters before what happens all the time.

    *then* gives the digest and the document that a source had, None for one that has not changed since, or of which
    that is not known.
    """
    found: list[ChangeLine] = []
    for source in picture.sources:
        revision, before = source.revision, then(source)
        if revision is None or before is None:
            continue
        for said in _shortly(sentences(before[1], revision.document)):
            number = _FIRST_NUMBER - len(found) - 1
            found.append(
                ChangeLine(
                    number,
                    revision.modified_at,
                    source.key,
                    source.label,
                    source.kind,
                    _harmless(said),
                    before[0],
                    revision.digest,
                )
            )
    return tuple(sorted(found, key=lambda line: line.sentence.routine))


def renumbered(lines: Sequence[ChangeLine]) -> tuple[ChangeLine, ...]:
    """Return change lines from the history, newest first, with numbers that no live line has."""
    return tuple(replace(line, number=_FIRST_NUMBER + len(lines) - place) for place, line in enumerate(lines))


def _shortly(said: Sequence[Sentence]) -> Iterator[Sentence]:
    telling = [each for each in said if not each.routine] or list(said)
    yield from telling[:_MOST_OF_ONE]
    if (more := len(telling) - _MOST_OF_ONE) > 0:
        yield Sentence("", f"{more} more {'change' if more == 1 else 'changes'}", routine=True)


def _harmless(said: Sentence) -> Sentence:
    return replace(said, subject=harmless(said.subject, _SUBJECT_LENGTH), text=harmless(said.text, _TEXT_LENGTH))


def rows(since: Since) -> tuple[SinceRow, ...]:
    """Return the rows."""
    return tuple(map(SinceRow, since.summed))


def spec(since: Since, now: float) -> TableSpec[SinceRow]:
    """Return the table; its title says since when."""
    return TableSpec(
        columns=(
            Column(
                "what",
                f"SINCE YOU LAST LOOKED, {ago(now - since.at)}",
                _what,
                width=60,
                minimum=30,
                flex=1,
                sortable=False,
            ),
            Column(
                "source",
                "tab ⏎ all  esc closes",
                lambda row, _now: cells.own(row.line.label, "muted"),
                width=34,
                minimum=23,
                priority=1,
                sortable=False,
            ),
        ),
        empty="nothing changed",
    )


def comparison(since: Since, line: ChangeLine, recall: Callable[[str, str], JSON]) -> Comparison:
    """Return the last look and the present of a line's source, side by side; *recall* takes its key and a digest."""
    before, after = (partial(recall, line.source, digest or "") for digest in (line.before, line.after))
    sides = Side("@last look", before, since.at), Side("now", after, line.at, is_now=True)
    return Comparison(line.source, line.label, line.kind, *sides)


def _what(row: SinceRow, _now: float) -> Cell:
    said, kind = row.line.sentence, row.line.kind
    who = kind if kind == "batch" else said.subject or kind  # a batch id says little
    return ((f"{who}  ", "strong"), (said.text, cells.tone(said.tone)))

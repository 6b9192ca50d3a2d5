"""Two values that are compared, at one place of two documents or anywhere: what differs, and as which lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from statewatch.cli.diff_sides import Side
from statewatch.cli.diff_text import called
from statewatch.core.errors import NotFoundError
from statewatch.documents import pointer
from statewatch.documents.diff import Change, Identities, diff
from statewatch.documents.lines import Line, document_lines, value_lines
from statewatch.documents.noise import Noise
from statewatch.documents.partly import partly
from statewatch.documents.values import JSON, Path
from statewatch.kinds import registry


class Missing:
    """Stands for the value of a side that has nothing at the place that is compared."""


MISSING: Final = Missing()


@dataclass(frozen=True)
class Compared:
    """Two values, what identifies the objects in their lists, what is noise, and at which place they stand in both.

    `is_whole` tells whole documents from what is at a place in them.
    """

    before: "JSON | Missing"
    after: "JSON | Missing"
    identities: Identities
    noise: Noise
    place: Path = ()
    is_whole: bool = False

    @cached_property
    def _found(self) -> list[Change]:
        if isinstance(self.after, Missing):
            return [] if isinstance(self.before, Missing) else [Change("remove", (), self.before, None)]
        if isinstance(self.before, Missing):
            return [Change("add", (), None, self.after)]
        return diff(self.before, self.after, self.identities)

    @property
    def changes(self) -> Iterator[Change]:
        """Yield the changes, with the places that they have in the documents; those that are noise say so."""
        return map(self._placed, self._found)

    def narrowed(self, wanted: Callable[[Change], bool]) -> "Compared":
        """Return the comparison in which only the *wanted* ones of the changes have been made."""
        keep = [wanted(change) for change in self.changes]
        if all(keep):
            return self
        if isinstance(self.before, Missing) or isinstance(self.after, Missing):
            return replace(self, after=self.before)
        return replace(self, after=partly(self.before, self._found, keep.__getitem__), is_whole=False)

    def lines(self, shown: Callable[[Change], bool]) -> Iterator[Line]:
        """Yield the two values as lines; what is not *shown* is as it was before, or does not count as changed."""
        hidden = any(not _is_plain(found) and not shown(self._placed(found)) for found in self._found)
        seen = self.narrowed(lambda change: _is_plain(change) or shown(change)) if hidden else self
        return seen._lines(lambda found: not shown(self._placed(found)))  # noqa: SLF001 - one of our own

    def _lines(self, quiet: Callable[[Change], bool]) -> Iterator[Line]:
        if isinstance(self.before, Missing):
            return iter(()) if isinstance(self.after, Missing) else value_lines(self.after, is_new=True)
        if isinstance(self.after, Missing):
            return value_lines(self.before, is_new=False)
        lines = document_lines(self.before, self.after, self.identities, quiet)
        return lines if not self.place else map(self._line_placed, lines)

    def name_of(self, path: Path) -> str:
        """Return what an item of a list is called, where it says so; an empty text for everything else."""
        if not path or not isinstance(path[-1], int):
            return ""
        for value in (self.before, self.after):
            inner = path[len(self.place) :]
            try:
                item = None if isinstance(value, Missing) else pointer.get(value, inner)
            except pointer.PointerError:
                continue
            if name := called(item):
                return name
        return ""

    def _placed(self, change: Change) -> Change:
        source = None if change.source is None else (*self.place, *change.source)
        placed = change._replace(path=(*self.place, *change.path), source=source)
        return placed._replace(noise=True) if self.noise.covers(placed) else placed

    def _line_placed(self, line: Line) -> Line:
        return line if isinstance(line.place, int) else line._replace(place=(*self.place, *line.place))


def compared(left: Side, right: Side) -> Compared:
    """Compare two sides that are JSON. Raises NotFoundError where a place is not there that should be."""
    noise = registry.noise(left.document)
    if left.tokens != right.tokens:
        return Compared(_value(left), _value(right), {}, noise)
    place = _place(left, right)
    before, after = (_found_at(side.document, place) for side in (left, right))
    identities = _below(registry.identities(left.document, right.document), left.tokens)
    return Compared(before, after, identities, noise, place, is_whole=not place)


def _is_plain(change: Change) -> bool:
    """Tell whether a plain value became another one."""
    return (
        change.op == "replace"
        and not isinstance(change.before, dict | list)
        and not isinstance(change.after, dict | list)
    )


def _place(left: Side, right: Side) -> Path:
    for side in (left, right):
        try:
            return pointer.locate(side.document, side.tokens)
        except pointer.PointerError:
            continue
    where = pointer.render(left.tokens)
    raise NotFoundError(f"{left.address}: nothing is at {where!r}, and nothing is there on the other side")


def _value(side: Side) -> JSON:
    try:
        return pointer.get(side.document, pointer.locate(side.document, side.tokens))
    except pointer.PointerError as error:
        raise NotFoundError(f"{side.address}: {error}") from None


def _found_at(document: JSON, place: Path) -> "JSON | Missing":
    try:
        return pointer.get(document, place)
    except pointer.PointerError:
        return MISSING


def _below(identities: Identities, tokens: tuple[str, ...]) -> Identities:
    """Return identities for the value at a place, whose lists have shorter names there."""
    found = {text: pointer.parse(text) for text in identities}
    return {
        pointer.render(steps[len(tokens) :]): identities[text]
        for text, steps in found.items()
        if len(steps) >= len(tokens) and all(step in ("*", token) for step, token in zip(steps, tokens, strict=False))
    }

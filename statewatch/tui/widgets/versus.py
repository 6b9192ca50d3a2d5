"""Two values beside each other, or one below the other: a pane of pairs of lines that scroll together."""

from collections.abc import Sequence

from textual.geometry import Size
from textual.strip import Strip

from statewatch.tui.models.diff_text import Pair
from statewatch.tui.widgets.lines import Pane
from statewatch.tui.widgets.styled import wrapped
from statewatch.tui.widgets.table_model import Cell, Role, Span, fill

_NARROWEST = 48
"""Columns below which two sides have no room beside each other."""
_BAR: Span = (" │ ", "muted")
_SIGN = 2


class Versus(Pane):
    """Pairs of lines below a line that says what the sides are, which stays."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        """Make an empty pane."""
        super().__init__(id=id)
        self._pairs: tuple[Pair, ...] = ()
        self._titles: tuple[Cell, Cell] = ((), ())
        self._place: Cell = ()
        self._inline = False
        self._heading: Cell = ()

    def compare(self, place: Cell, titles: tuple[Cell, Cell], pairs: Sequence[Pair], *, inline: bool) -> None:
        """Show *pairs* of lines under their *place* and the *titles* of the sides, from the top where they are new."""
        told = (place, titles, tuple(pairs))
        is_new = told != (self._place, self._titles, self._pairs)
        if not is_new and inline == self._inline:
            return
        (self._place, self._titles, self._pairs), self._inline = told, inline
        self._lay_out()
        if is_new:
            self.scroll_to(y=0, animate=False)

    def render_line(self, y: int) -> Strip:
        """Paint one line; the first says what the sides are."""
        if y == 0:
            return self.paint(self._heading, self.size.width)
        index = y - 1 + self.scroll_offset.y
        return self.paint(self._shown[index] if index < len(self._shown) else (), self.size.width)

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        beside = not self._inline and width >= _NARROWEST
        self._heading = _heading(self._titles, width, beside=beside)
        place = [*wrapped(self._place, width), ()] if self._place else []
        self._shown = [*place, *(side_by_side(self._pairs, width) if beside else inline(self._pairs, width))]
        self.virtual_size = Size(width, 1 + len(self._shown))
        self.refresh()


def side_by_side(pairs: Sequence[Pair], width: int) -> list[Cell]:
    """Return pairs of lines as lines of two columns."""
    left, right = _columns(width)
    lines: list[Cell] = []
    for pair in pairs:
        ours = _side(pair.before, left, "−" if pair.differs else " ", "bad")
        theirs = _side(pair.after, right, "+" if pair.differs else " ", "good")
        for at in range(max(len(ours), len(theirs))):
            one, other = (side[at] if at < len(side) else () for side in (ours, theirs))
            lines.append((*fill(one, left), _BAR, *fill(other, right)))
    return lines


def inline(pairs: Sequence[Pair], width: int) -> list[Cell]:
    """Return pairs of lines one below the other: of each run that differs first what was there before."""
    lines: list[Cell] = []
    waiting: list[Cell] = []
    for pair in pairs:
        if pair.differs:
            lines += _side(pair.before, width, "−", "bad")
            waiting += _side(pair.after, width, "+", "good")
            continue
        lines += [*waiting, *_side(pair.after, width, " ", "")]
        waiting = []
    return [*lines, *waiting]


def _heading(titles: tuple[Cell, Cell], width: int, *, beside: bool) -> Cell:
    if not beside:
        return (("− ", "bad"), *titles[0], ("   + ", "good"), *titles[1])
    left, right = _columns(width)
    return (*fill((("− ", "bad"), *titles[0]), left), _BAR, *fill((("+ ", "good"), *titles[1]), right))


def _columns(width: int) -> tuple[int, int]:
    left = (width - len(_BAR[0])) // 2
    return left, width - len(_BAR[0]) - left


def _side(line: Cell | None, width: int, sign: str, role: Role) -> list[Cell]:
    if line is None:
        return []
    first, *others = wrapped(line, width - _SIGN)
    return [((f"{sign} ", role), *first), *(((" " * _SIGN, ""), *other) for other in others)]

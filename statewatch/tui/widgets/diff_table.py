"""The table of changes: groups that open and close, and picks that stay with the changes whatever is listed."""

from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from statewatch.tui.models.diff_rows import SPEC, GroupRow, Listed
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import DashTable

PARTLY = "½"


def _moving() -> list[BindingType]:
    """Return the keys of any table but for those that mean something else here."""
    taken = {key for each in bindings("picks") if isinstance(each, Binding) for key in each.key.split(",")}
    return [each for each in bindings("table") if isinstance(each, Binding) and taken.isdisjoint(each.key.split(","))]


class DiffTable(DashTable, inherit_bindings=False):
    """Changes, some of which are in groups. The marks of the table show what is picked; the screen keeps the picks."""

    BINDINGS: ClassVar[list[BindingType]] = [*_moving(), *bindings("picks")]

    @dataclass
    class PickAsked(Message):
        """The operator wants what these rows stand for picked; or, to `toggle`, no longer where all of it is."""

        rows: tuple[Listed, ...]
        toggle: bool

    class ClearAsked(Message):
        """The operator wants nothing picked."""

    @dataclass
    class FoldAsked(Message):
        """The operator wants a group closed, or open."""

        group: GroupRow
        close: bool

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        """Make an empty table."""
        super().__init__(SPEC, id=id)
        self._partly: frozenset[str] = frozenset()

    def point_out(self, picked: frozenset[int]) -> None:
        """Mark the rows of which all is picked, and with another sign those of which a part is."""
        rows = self.rows if picked else ()
        self._partly = frozenset(row.key for row in rows if not picked.isdisjoint(row.indexes))
        self._mark(frozenset(row.key for row in rows if picked.issuperset(row.indexes)))
        self._sync()

    def _mark_of(self, key: str) -> str:
        """Return the sign in the gutter of a row."""
        return super()._mark_of(key) or (PARTLY if key in self._partly else "")

    def action_toggle_mark(self) -> None:
        """Ask for the row under the cursor to be picked, or no longer."""
        if (row := self.cursor_row) is not None:
            self.post_message(self.PickAsked((row,), toggle=True))

    def action_mark_all(self) -> None:
        """Ask for all rows to be picked."""
        self.post_message(self.PickAsked(self._listed(), toggle=False))

    def action_clear_marks(self) -> None:
        """Ask for nothing to be picked."""
        self.post_message(self.ClearAsked())

    def action_fold(self) -> None:
        """Close the group that the cursor is on or in; the cursor goes to its line."""
        row = self.cursor_row
        if isinstance(row, GroupRow):
            self.post_message(self.FoldAsked(row, close=True))
        elif row is not None and row.within is not None:
            group = next(each for each in self._listed() if isinstance(each, GroupRow) and each.path == row.within)
            self.move_to(group.key)
            self.post_message(self.FoldAsked(group, close=True))

    def action_unfold(self) -> None:
        """Open the group that the cursor is on; where it is open, go to its first change."""
        row = self.cursor_row
        if isinstance(row, GroupRow) and row.is_open:
            self.action_cursor_down()
        elif isinstance(row, GroupRow):
            self.post_message(self.FoldAsked(row, close=False))

    def _listed(self) -> tuple[Any, ...]:
        return self.rows

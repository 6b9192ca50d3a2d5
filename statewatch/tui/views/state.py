"""The State view: every source as a tree that can be opened, searched, copied from and asked for its history."""

import shlex
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from statewatch.documents import pointer
from statewatch.documents.values import Path
from statewatch.kinds.masking import shown
from statewatch.tui.acting import BlameAsked
from statewatch.tui.models import cells, sources, state_tree
from statewatch.tui.models.build import VIEW_OF_KIND, Ask
from statewatch.tui.models.sources import SourceRow
from statewatch.tui.models.state_tree import PlaceRow, TreeSourceRow
from statewatch.tui.registry import bindings
from statewatch.tui.views.base import DashTable, View
from statewatch.tui.widgets.table import Table


class StateView(View):
    """Every source, whatever it is, and every value in it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("state")
    NAME: ClassVar[str] = "state"
    MAIN: ClassVar[str] = "state"

    def __init__(self) -> None:
        """Make the view with every source closed."""
        super().__init__()
        self._opened: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """Make the table."""
        yield DashTable(state_tree.SPEC, id="state")

    def asks(self, ask: Ask) -> Ask:
        """Want what is opened."""
        archive, here = self.dashboard.archive, self.dashboard.here
        touched = None if archive is None else partial(archive.touched_at, until=None if here is None else here.at)
        return replace(super().asks(ask), opened=self._opened, touched_at=touched)

    def action_branch(self, to_open: bool) -> None:
        """Open what is under the cursor, or close it; what is closed already leads to what it is in."""
        row: Any = self.main.cursor_row
        if row is None:
            return
        if to_open:
            if getattr(row, "can_open", False) and not row.opened:
                self._toggle(row.key)
        elif getattr(row, "opened", False):
            self._toggle(row.key)
        elif not isinstance(row, TreeSourceRow):
            path = row.path[:-1] if isinstance(row, PlaceRow) else row.path
            self.main.move_to(state_tree.place_key(row.source.key, path) if path else row.source.key)

    def action_visit(self) -> None:
        """Go to the view that is made for the source."""
        row: Any = self.main.cursor_row
        view = None if row is None else VIEW_OF_KIND.get(row.source.kind)
        if view is None or row.source.view is None:
            self.notify("There is no other view for this kind of source.", markup=False)
        else:
            self.post_message(self.Went(view, row.source.key))

    def action_about(self) -> None:
        """Show what there is to say about the source itself."""
        row: Any = self.main.cursor_row
        if row is not None:
            self._tell(row.source.label, sources.text(SourceRow(row.source), self.now))

    def action_blame(self) -> None:
        """Tell when what is under the cursor changed last."""
        row: Any = self.main.cursor_row
        if row is not None:
            self.post_message(BlameAsked(row.source.key, row.source.label, _path(row)))

    def action_copy(self, what: str) -> None:
        """Copy the address of what is under the cursor, its value, or the command that shows it."""
        row: Any = self.main.cursor_row
        if row is None:
            return
        address = self._address(row)
        if what == "value":
            copied = state_tree.text_of(_value(row))
        else:
            copied = address if what == "address" else f"statewatch show {shlex.quote(address)}"
        self.app.copy_to_clipboard(copied)
        said = "".join(text for text, _ in cells.say(copied, limit=80))
        self.notify(f"Copied {said}", markup=False)

    def _address(self, row: Any) -> str:
        from statewatch.core.address import Address  # noqa: PLC0415 - only who copies pays for it
        from statewatch.tui.models.travel import address_time  # noqa: PLC0415

        here = self.dashboard.here
        when = None if here is None else address_time(here.at)
        return str(Address(row.source.key, when, tuple(map(str, _path(row)))))

    def _toggle(self, key: str) -> None:
        self._opened = self._opened ^ {key}
        self.post_message(self.Asked())

    @on(Table.Opened)
    def _open(self, event: Table.Opened[Any]) -> None:
        row = event.row
        source = row.source
        if isinstance(row, TreeSourceRow) and (source.problem is not None or not row.can_open):
            self.action_about()
        elif isinstance(row, PlaceRow) and not row.can_open:
            title = f"{source.label}#{pointer.render(row.path)}"
            self._tell(title, cells.lines(state_tree.text_of(row.value)))
        elif not isinstance(row, state_tree.RestRow):
            self._toggle(row.key)

    def _tell(self, title: str, lines: Any) -> None:
        from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

        self.app.push_screen(TextScreen(title, lines))


def _path(row: Any) -> Path:
    return row.path if isinstance(row, PlaceRow | state_tree.RestRow) else ()


def _value(row: Any) -> Any:
    if isinstance(row, PlaceRow):
        return row.value
    return None if row.source.revision is None else shown(row.source.revision.document, row.source.kind)

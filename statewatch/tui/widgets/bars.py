"""The bars of the frame: tabs, keys, and one line of styled text. All can be clicked."""

from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip

from statewatch.tui.registry import COMMANDS, VIEWS
from statewatch.tui.widgets.styled import Styled
from statewatch.tui.widgets.table_model import Cell, Span


class Bar(Styled):
    """One line of pieces, some of which do something when clicked."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        """Make an empty bar."""
        super().__init__(id=id)
        self._cell: Cell = ()

    def show(self, cell: Cell) -> None:
        """Show *cell*, repainting only when it differs."""
        if cell != self._cell:
            self._cell = cell
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is only one
        """Paint the line."""
        return self.paint(self._cell, self.size.width)

    def piece_at(self, x: int) -> int | None:
        """Return the index of the piece at *x*."""
        for index, (text, _) in enumerate(self._cell):
            if x < len(text):
                return index
            x -= len(text)
        return None


class Tabs(Bar):
    """The views, with the one that is shown standing out."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, view: str) -> None:
            """Carry the id of the view."""
            super().__init__()
            self.view = view

    def tell(self, current: str, width: int) -> None:
        """Show which view is current; without titles where there is no room for all of them."""
        needed = sum(len(title) + len(key) + 2 for key, _, title in VIEWS) + 1
        gap = " " if needed + len(VIEWS) <= width else ""
        spans: list[Span] = []
        for key, name, title in VIEWS:
            shown = name == current
            text = f" {key} {title if needed <= width or shown else title[:4]}{gap}"
            spans.append((f"▌{text[1:]}" if shown else text, "strong" if shown else "muted"))
        self.show(tuple(spans))

    def on_click(self, event: events.Click) -> None:
        """Go to the view that was clicked."""
        index = self.piece_at(event.x)
        if index is not None and index < len(VIEWS):
            self.post_message(self.Chosen(VIEWS[index][1]))


class KeyBar(Bar):
    """The keys that do something where the operator is. It is made from the bindings, so it cannot be wrong."""

    _KEPT: ClassVar[str] = "app.help"
    """What stays however narrow it gets: from there everything else can be found."""
    _LAST_TO_GO: ClassVar[str] = "app.undo"
    """What stays nearly as long: who has just done something must see the way back."""
    _FIRST_TO_GO: ClassVar[str] = "app.redo"
    """What gives way before everything else: who has just undone something knows the key, and help tells it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        """Make an empty bar."""
        super().__init__(id=id)
        self._places: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.call_after_refresh(self.tell))
        self.call_after_refresh(self.tell)

    def on_resize(self) -> None:
        """Show as many keys as there is room for."""
        self.tell()

    def tell(self) -> None:
        """Show the keys that work now."""
        if not self.is_attached or not self.screen.is_current:
            return
        spans: list[Span] = [(" ", "")]
        self._places = []
        position = 1
        for name, label, key in self._fitting(self._working()):
            spans += [(name, "strong"), (f" {label}  ", "muted")]
            width = cell_len(name) + len(label) + 3
            self._places.append((position, position + width, key))
            position += width
        spans[-1] = (spans[-1][0].rstrip(), spans[-1][1])  # what is cut for its blanks alone would end in an ellipsis
        self.show(tuple(spans))

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        for start, end, key in self._places:
            if start <= event.x < end:
                self.app.simulate_key(key)

    def _working(self) -> dict[str, Binding]:
        """Return the bindings worth showing by their id; what writes is not among them where nothing may be written.

        Those that come before all others come first here, too.
        """
        refusal = getattr(self.app, "refusal", lambda _command: "")
        untold: frozenset[str] = getattr(self.screen, "untold", frozenset())
        off = {each.id for each in COMMANDS if refusal(each)} | untold
        working: dict[str, Binding] = {}
        for active in sorted(self.screen.active_bindings.values(), key=lambda active: not active.binding.priority):
            binding = active.binding
            if binding.show and binding.id is not None and binding.id not in off:
                working.setdefault(binding.id, binding)
        return working

    def _fitting(self, working: dict[str, Binding]) -> list[tuple[str, str, str]]:
        """Return key as shown, label and key of as many as there is room for; the last ones give way first."""
        told = {
            name: (self.app.get_key_display(binding), binding.description.lower(), binding.key)
            for name, binding in working.items()
        }
        # One blank comes before the first; the two after the last need no room.
        while sum(cell_len(key) + len(label) + 3 for key, label, _ in told.values()) - 1 > self.size.width:
            usual = [name for name in reversed(told) if name != self._LAST_TO_GO]
            least_first = [*(told.keys() & {self._FIRST_TO_GO}), *usual, self._LAST_TO_GO]
            dropped = next((name for name in least_first if name != self._KEPT and name in told), None)
            if dropped is None:
                break
            del told[dropped]
        return list(told.values())

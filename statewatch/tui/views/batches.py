"""The Batches view: all batches, the items of the one under the cursor, and what may be done to both."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from statewatch.documents.text import harmless
from statewatch.kinds.batch import FAILED
from statewatch.tui.acting import ActionsAsked, AnswerAsked, Typed, remove_actions
from statewatch.tui.models import batch_items, batches
from statewatch.tui.models.batch_items import ItemRow
from statewatch.tui.models.batches import BatchRow
from statewatch.tui.models.build import Model
from statewatch.tui.registry import bindings
from statewatch.tui.views.asking import AskingView
from statewatch.tui.views.base import DashTable
from statewatch.tui.widgets.lines import Lines
from statewatch.tui.widgets.table import Table
from statewatch.watch.attention import stalled_for

if TYPE_CHECKING:
    from statewatch.core.actions import Action
    from statewatch.core.batch_actions import BatchVerb, ItemVerb

_NO_REASON = "Skipped by an operator"


class BatchesView(AskingView, inherit_bindings=False):
    """Batches above, items below. What is asked for is done to the items where they have the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("batches"), *bindings("view")]
    NAME: ClassVar[str] = "batches"
    MAIN: ClassVar[str] = "batches"
    FOLLOWS: ClassVar[bool] = True

    def compose(self) -> ComposeResult:
        """Make both tables, and the lines about the batch between them."""
        yield DashTable(batches.SPEC, id="batches")
        yield Lines(wrap=True, id="notes")
        yield DashTable(batch_items.SPEC, id="items")

    def present(self, model: Model) -> None:
        """Show a model; the items of another batch begin at the one that is next."""
        table = self._items
        before = table.rows[0].source.key if table.rows else None
        super().present(model)
        current = next((row for row in table.rows if row.is_current), None)
        if current is not None and current.source.key != before:
            table.move_to(current.key)

    @property
    def marked(self) -> int:
        """Return how many items are marked where they have the focus, else how many batches."""
        return len(self.focused_table.marked)

    def acting(self) -> None:
        """Take all marks away, of items too."""
        super().acting()
        self._items.action_clear_marks()

    def verbs(self) -> dict[str, Callable[[], None]]:
        """Return what is done for each verb."""
        return {
            "retry": self.retry,
            "retry-all": self.retry_all,
            "skip": self.skip,
            "unskip": self.unskip,
            "done": self.done,
            "reset-retries": self.reset_retries,
            "pause": self.pause,
            "resume": self.resume,
            "remove": self.take_away,
        }

    def retry(self) -> None:
        """Let the chosen items that failed be done again; from the batches, all that failed of the chosen ones."""
        if self._at_items:
            self._ask_items("batches.retry", "retry", lambda row: row.failed)
        else:
            self._retry_all("batches.retry", self.main.chosen)

    def retry_all(self) -> None:
        """Let every item of the batch that failed be done again."""
        row = self.main.cursor_row
        self._retry_all("batches.retry-all", [] if row is None else [row])

    def skip(self) -> None:
        """Leave the chosen items out."""
        rows = self._chosen_items(_can_be_skipped)
        if rows and not _can_be_skipped(rows[0]):  # nobody need think of a reason before the core says why not
            self.post_message(ActionsAsked("batches.skip", partial(_skip, _by_file(rows), "")))
        elif rows:
            question = Typed(f"Why is {_named(rows)} to be skipped?", "the reason, e.g. no longer needed")
            self.post_message(AnswerAsked("batches.skip", question, partial(_skip, _by_file(rows))))

    def unskip(self) -> None:
        """Take the skip of the chosen items back."""
        self._ask_items("batches.unskip", "unskip", lambda row: row.skipped)

    def done(self) -> None:
        """Mark the chosen items as done."""
        self._ask_items("batches.done", "done", lambda row: not row.done)

    def reset_retries(self) -> None:
        """Forget how often the chosen items were tried again; from the batches, of all their items."""
        if self._at_items:
            self._ask_items("batches.reset-retries", "reset retries", lambda row: bool(row.item.tries))
        elif tried := [row for row in self._items_of(self.main.chosen) if row.item.tries]:
            self._ask("batches.reset-retries", "reset retries", tried)
        else:
            self.warn("Nothing of it has been tried again.")

    def pause(self) -> None:
        """Pause the chosen batches."""
        self._ask_batches("batches.pause", "pause")

    def resume(self) -> None:
        """Let the chosen batches go on."""
        self._ask_batches("batches.resume", "resume")

    def take_away(self) -> None:
        """Take the files of the chosen batches away, which must be over."""
        chosen = self.main.chosen
        at_work = [row for row in chosen if row.view.is_running and stalled_for(row.source, self.now) is None]
        if at_work:
            self.warn(f"{at_work[0].name} runs: only what is over can be removed. Pause it first (p).")
        elif chosen:
            paths = [Path(row.source.key) for row in chosen]
            self.post_message(ActionsAsked("batches.remove", partial(remove_actions, paths)))
        else:
            self.warn("There is no batch here.")

    @property
    def _items(self) -> DashTable:
        return self.query_one("#items", DashTable)

    @property
    def _at_items(self) -> bool:
        return self.focused_table is self._items

    def _items_of(self, chosen: Sequence[BatchRow]) -> list[ItemRow]:
        return [row for each in chosen for row in batch_items.items(each)]

    def _chosen_items(self, able: Callable[[ItemRow], bool]) -> list[ItemRow]:
        """Return the chosen items that can be meant; all of them where none can, since the core tells why not."""
        if not self._at_items:
            self.warn("That is done to items: go to them with tab, and choose one or mark several.")
            return []
        chosen = list(self._items.chosen)
        if not chosen:
            self.warn("There is no item here.")
        return [row for row in chosen if able(row)] or chosen

    def _ask_items(self, command: str, verb: "ItemVerb", able: Callable[[ItemRow], bool]) -> None:
        if rows := self._chosen_items(able):
            self._ask(command, verb, rows)

    def _retry_all(self, command: str, chosen: Sequence[Any]) -> None:
        failed = [row for row in self._items_of([each for each in chosen if each.view.count(FAILED)]) if row.failed]
        if failed:
            self._ask(command, "retry", failed)
        else:
            self.warn("Nothing has failed here, so there is nothing to retry.")

    def _ask(self, command: str, verb: "ItemVerb", rows: Sequence[ItemRow]) -> None:
        self.post_message(ActionsAsked(command, partial(_items_actions, verb, _by_file(rows))))

    def _ask_batches(self, command: str, verb: "BatchVerb") -> None:
        if chosen := self.main.chosen:
            batches_ = [(Path(row.source.key), row.view.batch_id) for row in chosen]
            self.post_message(ActionsAsked(command, partial(_batch_actions, verb, batches_)))
        else:
            self.warn("There is no batch here.")

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[Any]) -> None:
        if isinstance(event.row, ItemRow):
            from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

            self.app.push_screen(TextScreen(event.row.title, batch_items.item_text(event.row)))
        else:
            self._items.focus()


_ByFile = dict[tuple[Path, str], dict[int, str]]
"""Items by the file and the id of their batch: titles by index."""


def _by_file(rows: Sequence[ItemRow]) -> _ByFile:
    found: _ByFile = {}
    for row in rows:
        batch_id = getattr(row.source.view, "batch_id", "")
        found.setdefault((Path(row.source.key), batch_id), {})[row.item.index] = row.item.title
    return found


def _items_actions(verb: "ItemVerb", chosen: _ByFile, reason: str = "") -> "list[Action]":
    from statewatch.core.batch_actions import SeenBatch, item_action  # noqa: PLC0415 - only who acts pays for it

    return [
        item_action(
            verb,
            path,
            list(titles),
            reason=reason,
            why=reason,
            via="dashboard",
            seen=SeenBatch(batch_id, titles),
        )
        for (path, batch_id), titles in chosen.items()
    ]


def _can_be_skipped(row: ItemRow) -> bool:
    return not row.done and not row.skipped


def _skip(chosen: _ByFile, reason: str) -> "list[Action]":
    return _items_actions("skip", chosen, reason or _NO_REASON)


def _batch_actions(verb: "BatchVerb", chosen: Sequence[tuple[Path, str]]) -> "list[Action]":
    from statewatch.core.batch_actions import SeenBatch, batch_action  # noqa: PLC0415 - only who acts pays for it

    return [batch_action(verb, path, via="dashboard", seen=SeenBatch(batch_id)) for path, batch_id in chosen]


def _named(rows: Sequence[ItemRow]) -> str:
    first = f"item {rows[0].item.index} “{harmless(rows[0].item.title, 40)}”"
    return first if len(rows) == 1 else f"{first} and {len(rows) - 1} more"

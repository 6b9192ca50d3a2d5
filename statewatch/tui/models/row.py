"""What all rows have in common, and how a table of rows is described."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from statewatch.tui.models import cells
from statewatch.tui.widgets.table_model import Column


class Row(Protocol):
    """A row of a table: `key` identifies it for as long as it lives, `fields` is what a filter looks at."""

    @property
    def key(self) -> str:
        """Return what identifies the row."""

    @property
    def fields(self) -> Mapping[str, str]:
        """Return the texts a filter can look for, by name."""


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class TableSpec(Generic[R]):
    """A kind of table: its columns, by what each can be sorted, and what it says when it is empty."""

    columns: tuple[Column[R], ...]
    empty: str
    sorts: Mapping[str, Callable[[R], Any]] = field(default_factory=dict)


def changed_column(priority: int) -> Column[Any]:
    """Return the column that says how long ago the source of a row changed."""
    return Column(
        "age",
        "CHANGED",
        lambda row, now: cells.age(row.source.changed_at, now),
        width=7,
        minimum=7,
        align="right",
        ticks=True,
        priority=priority,
    )

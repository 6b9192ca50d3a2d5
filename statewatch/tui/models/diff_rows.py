"""The model of the diff screen: the changes between two moments, grouped by the record that they are in."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import NamedTuple, TypeAlias

from statewatch.documents import pointer
from statewatch.documents.diff import Change
from statewatch.documents.noise import marked
from statewatch.documents.pointer import PointerError
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import items, mapping
from statewatch.kinds.plain import brief
from statewatch.kinds.registry import changes as changes_between
from statewatch.kinds.registry import noise
from statewatch.tui import query
from statewatch.tui.models import cells
from statewatch.tui.models.comparison import Comparison
from statewatch.tui.models.diffs import SIGNS, values
from statewatch.tui.models.row import TableSpec
from statewatch.tui.widgets.table_model import Cell, Column, Span

_MANY = 150
"""Changes from which on groups are closed at first: there are too many to be read one by one."""
_RUN = 4
"""Items added to, or removed from, one list from which on they are told as one group that is closed at first."""
_TITLES = ("title", "name", "description", "feature", "id", "key", "batch_id", "session_id", "agent", "feature_index")
_OPS = {"add": "added", "remove": "removed", "replace": "changed", "move": "moved"}


class DiffRow(NamedTuple):
    """One place that changed: `number` is its position among all changes, `within` the place of the group it is in."""

    number: int
    change: Change
    within: Path | None = None

    @property
    def key(self) -> str:
        """Return what identifies the change within the diff."""
        return f"{self.change.op} {self.change.pointer} {'' if self.change.source is None else self.change.source}"

    @property
    def indexes(self) -> tuple[int, ...]:
        """Return the positions of the changes that the row stands for."""
        return (self.number,)

    @property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return fields_of(self.change)


class GroupRow(NamedTuple):
    """The record or list at `path` in which several places changed: those of `changes` at `indexes` are listed."""

    path: Path
    indexes: tuple[int, ...]
    changes: Sequence[Change]
    document: JSON
    is_open: bool = True

    @property
    def key(self) -> str:
        """Return what identifies the group within the diff."""
        return f"in {pointer.render(self.path)}"

    @property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at: groups are there for what they hold."""
        return {}

    @property
    def listed(self) -> Iterator[Change]:
        """Return the changes that are listed."""
        return map(self.changes.__getitem__, self.indexes)


Listed: TypeAlias = DiffRow | GroupRow


@dataclass(frozen=True)
class DiffModel:
    """What was found between two moments; `missing` says why nothing was. `groups` has positions among the changes."""

    comparison: Comparison
    before: JSON = None
    after: JSON = None
    changes: tuple[Change, ...] = ()
    groups: tuple[tuple[Path | None, tuple[int, ...]], ...] = ()
    missing: str = ""

    @cached_property
    def noise(self) -> int:
        """Return how many of the changes are noise."""
        return sum(change.noise for change in self.changes)


@dataclass(frozen=True)
class Wish:
    """How the changes are to be listed: with noise or without, filtered, and which groups were opened or closed."""

    noise: bool = False
    filter: str = ""
    toggled: frozenset[str] = frozenset()

    def with_noise(self, noise: bool) -> "Wish":
        """Return the wish with noise, or without."""
        return replace(self, noise=noise)

    def with_filter(self, text: str) -> "Wish":
        """Return the wish with another filter."""
        return replace(self, filter=text)

    def with_toggled(self, keys: Iterable[str]) -> "Wish":
        """Return the wish with these groups open that were closed, and closed that were open."""
        return replace(self, toggled=self.toggled ^ frozenset(keys))


def found(comparison: Comparison, before: JSON, after: JSON, named: tuple[str, ...] = ()) -> DiffModel:
    """Return the model of what differs between two documents; what is at the patterns *named* is noise, too."""
    changes = tuple(marked(changes_between(before, after), noise(after, named)))
    return DiffModel(comparison, before, after, changes, _grouped(comparison, before, changes))


def listed(model: DiffModel, wish: Wish) -> tuple[Listed, ...]:
    """Return the rows of a model as they are wished for."""
    changes = model.changes
    kept: Sequence[tuple[Path | None, tuple[int, ...]]] = model.groups
    if wish.filter or (model.noise and not wish.noise):
        holds = query.parse(wish.filter)
        wanted = {
            index
            for index, change in enumerate(changes)
            if (wish.noise or not change.noise) and (not wish.filter or holds(fields_of(change)))
        }
        kept = [(path, some) for path, all_ in model.groups if (some := tuple(filter(wanted.__contains__, all_)))]
    few = sum(len(indexes) for _, indexes in kept) <= _MANY
    rows: list[Listed] = []
    for path, indexes in kept:
        if path is None:
            rows += [DiffRow(index, changes[index]) for index in indexes]
            continue
        is_open = few and not _is_run(path, indexes, changes)
        if wish.toggled and GroupRow(path, (), (), None).key in wish.toggled:
            is_open = not is_open
        rows.append(GroupRow(path, indexes, changes, model.before, is_open))
        if is_open:
            rows += [DiffRow(index, changes[index], path) for index in indexes]
    return tuple(rows)


def still(picked: Collection[int], before: DiffModel | None, after: DiffModel) -> frozenset[int]:
    """Return which of the changes of a new model are those that were *picked* in the one before it."""
    if before is None or not picked or before.comparison is not after.comparison:
        return frozenset()
    keys = {DiffRow(index, before.changes[index]).key for index in picked}
    return frozenset(index for index, change in enumerate(after.changes) if DiffRow(index, change).key in keys)


def _is_run(path: Path, indexes: Sequence[int], changes: Sequence[Change]) -> bool:
    """Tell whether the group is a list to which several items were added, or from which they were removed."""
    here = map(changes.__getitem__, indexes)
    return len(indexes) >= _RUN and all(
        each.op in {"add", "remove"} and len(each.path) == len(path) + 1 for each in here
    )


def pattern_of(row: Listed) -> str:
    """Return a pattern for the place of a row and for the same one in all records beside the one that it is in."""
    path = row.path if isinstance(row, GroupRow) else row.change.path
    record = 0 if isinstance(row, GroupRow) or row.within is None or len(row.within) < 2 else len(row.within)
    steps = ("*" if isinstance(token, int) or at == record - 1 else token for at, token in enumerate(path))
    return pointer.render(tuple(steps))


def fields_of(change: Change) -> Mapping[str, str]:
    """Return what a filter looks at."""
    return {"path": harmless(change.pointer), "op": _OPS[change.op]}


def _grouped(
    comparison: Comparison, before: JSON, changes: Sequence[Change]
) -> tuple[tuple[Path | None, tuple[int, ...]], ...]:
    """Return the changes of each record together, in the order in which the records come first; single ones alone."""
    top = len(_top(before))
    level = top + (1 if comparison.kind == "namespace" else 2)
    groups: dict[Path, list[int]] = {}
    for index, change in enumerate(changes):
        path = change.path
        groups.setdefault(path[: min(level, max(len(path) - 1, top))], []).append(index)
    found = []
    for path, indexes in groups.items():
        if len(indexes) > 1:
            indexes.sort(key=lambda at: changes[at].noise)  # what is noise comes last
        found.append((None if len(path) <= top or len(indexes) == 1 else path, tuple(indexes)))
    return tuple(sorted(found, key=lambda each: changes[each[1][0]].noise))


def _top(document: JSON) -> Path:
    """Return the place of what the document is about, where that is wrapped up in objects with one member each."""
    path: Path = ()
    here = document
    while isinstance(here, dict) and len(here) == 1 and len(path) < 8:
        [(name, here)] = here.items()
        path = (*path, name)
    return path if isinstance(here, dict | list) else path[:-1]


def title_of(document: JSON, path: Path) -> str:
    """Return what people call the record at a place, where it has a name beside that place; harmless."""
    try:
        fields = mapping(pointer.get(document, path))
    except PointerError:
        return ""
    items_ = items(mapping(document).get("features"))
    number = fields.get("feature_index", path[-1])
    if isinstance(number, str) and number.isdecimal() and len(number) < 8:
        number = int(number)
    if items_ and len(path) > 1 and isinstance(number, int) and 0 <= number < len(items_):
        item = items_[number]
        return _named(item if isinstance(item, str) else _first(mapping(item)))
    return _named(_first(fields)) if isinstance(path[-1], int) else ""


def _first(fields: Mapping[str, JSON]) -> JSON:
    return next((fields[name] for name in _TITLES if name in fields), None)


def _named(value: JSON) -> str:
    return harmless(str(value), 80) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def counted(changes: Iterable[Change], *, all_kinds: bool = False) -> tuple[Span, ...]:
    """Return how many changes there are of each sort, as signs with numbers."""
    counts = Counter(change.op for change in changes)
    shown = [op for op in SIGNS if counts[op] or (all_kinds and op != "move")]  # few lists are put in another order
    return tuple((f"{SIGNS[op][0]}{counts[op]}", SIGNS[op][1] if counts[op] else "muted") for op in shown)


def _sign(row: Listed, _now: float) -> Cell:
    if isinstance(row, GroupRow):
        return (("▾" if row.is_open else "▸", "muted"),)
    return (SIGNS[row.change.op],)


def _place(row: Listed, _now: float) -> Cell:
    if isinstance(row, GroupRow):
        name = cells.say(pointer.render(row.path), "strong")
        title = title_of(row.document, row.path)
        return (*name, (f"  {title}", "")) if title else name
    place = row.change.pointer
    shown = f"  {place[len(pointer.render(row.within)) + 1 :]}" if row.within is not None else place
    return cells.say(shown or "/", "muted" if row.change.noise else "")


def _values(row: Listed, _now: float) -> Cell:
    if isinstance(row, DiffRow):
        return values(row.change, "muted" if row.change.noise else None)
    spans: list[Span] = []
    for span in counted(row.listed):
        spans += [span, (" ", "")]
    if not row.is_open:
        said = (brief(change.after if change.op == "add" else change.before) for change in islice(row.listed, 6))
        start = len(pointer.render(row.path)) + 1
        names = (change.pointer[start:] for change in islice(row.listed, 6))
        spans.append(
            (f" {harmless(', '.join(said if _is_run(row.path, row.indexes, row.changes) else names), 200)}", "muted")
        )
    return tuple(spans)


SPEC: TableSpec[Listed] = TableSpec(
    columns=(
        Column("op", "", _sign, width=1, minimum=1),
        Column("path", "PLACE", _place, width=30, minimum=14, flex=2),
        Column("values", "BEFORE → AFTER", _values, width=30, minimum=12, flex=3),
    ),
    empty="no difference",
)

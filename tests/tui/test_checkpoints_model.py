"""Rows and lines of the Checkpoints view: pure functions of what was found, harmless whatever that says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from statewatch.kinds.base import Sentence
from statewatch.tui.models import checkpoints
from statewatch.tui.models.checkpoints import KEPT, SHELVES, KeptRow, ShelfRow
from statewatch.tui.models.row import TableSpec
from statewatch.watch.kept import Check, Counts, Kept, Shelf
from statewatch.watch.picture import Picture
from statewatch.watch.shelves import Looked
from tests.tui.dash import HOSTILE, NOW, ask, circuits, pictured, source, words
from tests.tui.test_hostile import dangerous

HOOKS = source(circuits(a="open"), "/p/hook_state.json")
OTHER = source(circuits(a="open"), "/p/another.json")


def kept(name: str = "c", at: float = NOW - 60, **fields: Any) -> Kept:
    return Kept(fields.pop("what", "checkpoint"), name, at, fields.pop("size", 1_234), **fields)


def found(*entries: Kept, **fields: Any) -> Looked:
    return Looked({HOOKS.key: Shelf(entries)}, HOOKS.key, **fields)


def told(spec: TableSpec[Any], row: Any, column: str, now: float = NOW) -> str:
    return words(next(each for each in spec.columns if each.id == column).cell(row, now))


def detail(entry: Kept, **fields: Any) -> str:
    looked = found(entry, **fields)
    [row] = checkpoints.kept_rows(HOOKS, looked)
    return "\n".join(map(words, checkpoints.detail(row, looked, NOW)))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (kept(), "…"),
        (kept(since=Counts(12, 3, 9)), "+12 −3 ~9 "),
        (kept(since=Counts(0, 0, 0, 2)), "+0 −0 ~0 ⇄2 "),
        (kept(since=Counts()), "= now"),
        (kept(problem="not JSON"), "✕ unreadable"),
        (kept(since=Counts(), check=Check(NOW, "damaged", "x")), "✕ damaged"),
        (kept(size=100_000_000), "d compares"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_differs_from_now_in_a_few_signs(entry: Kept, said: str) -> None:
    assert told(KEPT, KeptRow(HOOKS, entry), "since") == said


def test_figures_of_a_version_that_is_gone_are_grey_and_never_say_that_all_is_the_same() -> None:
    row = KeptRow(HOOKS, kept(since=Counts(), old=True))
    cell = next(each for each in KEPT.columns if each.id == "since").cell(row, NOW)
    assert words(cell) == "+0 −0 ~0 "
    assert {role for _, role in cell} == {"muted"}


def test_where_there_is_no_present_version_nothing_is_awaited() -> None:
    [row] = checkpoints.kept_rows(HOOKS, found(kept(), now="there is no file now"))
    assert told(KEPT, row, "since") == "–"


def test_each_day_begins_with_its_name() -> None:
    entries = [kept("a", NOW - 60), kept("b", NOW - 120), kept("c", NOW - 86_400), kept("d", NOW - 400 * 86_400)]
    rows = checkpoints.by_day(checkpoints.kept_rows(HOOKS, found(*entries)))
    assert [told(KEPT, row, "when") for row in rows] == [
        "┌ today   14:22",
        "│         14:21",
        "┌ 15 Nov  14:23",
        "┌ 2025-10-12",
    ]


def test_out_of_the_order_of_time_each_row_has_its_day() -> None:
    picture = pictured(HOOKS)
    model = ask("checkpoints", picture, sort=("name", False), shelves=Fixed(found(kept("b"), kept("a"))))
    assert [row.key.rpartition("\0")[2] for row in model.tables["kept"]] == ["a", "b"]
    assert all(told(KEPT, row, "when").startswith("┌ today") for row in model.tables["kept"])


def test_sources_of_which_something_is_kept_come_first() -> None:
    rows = checkpoints.shelf_rows(Picture(NOW, (OTHER, HOOKS)), found(kept(), kept(what="copy", name="x")))
    assert [row.source.label for row in rows] == ["hook_state.json", "another.json"]
    assert [told(SHELVES, rows[0], name) for name in ("kept", "checkpoint", "backup", "copy")] == ["2", "1", "0", "1"]
    assert told(SHELVES, rows[0], "age") == "1m"
    assert told(SHELVES, rows[1], "kept") == "…", "nobody has come to look yet"


def test_shelves_that_cannot_be_looked_at_say_so() -> None:
    looked = Looked({HOOKS.key: Shelf((), "/x: its checkpoints cannot be looked at (Permission denied)")}, HOOKS.key)
    assert told(SHELVES, ShelfRow(HOOKS, looked.shelves[HOOKS.key]), "kept") == "✕"
    assert "Permission denied" in words(checkpoints.trouble(HOOKS, looked)[0])


def test_the_detail_tells_all_and_the_first_of_what_has_happened_since() -> None:
    sentences = tuple(Sentence(f"h{number}", "closed → open", "bad") for number in range(20))
    text = detail(kept("good", said="all green", by="ann", pinned=True, since=Counts(1, 2, 3)), said=sentences)
    for part in ("good", "pinned", "1m ago by ann", "all green", "SINCE THEN  +1 −2 ~3", "h11  closed", "8 more"):
        assert part in text
    assert "h12" not in text


@pytest.mark.parametrize(
    ("entry", "fields", "said"),
    [
        (kept(since=Counts()), {}, "nothing differs from now"),
        (kept(problem="not JSON at line 1"), {}, "cannot be compared with now: not JSON at line 1"),
        (kept(), {"now": "there is no file now"}, "nothing to compare with: there is no file now"),
        (kept(), {}, "comparing with now"),
        (kept(size=100_000_000), {}, "d compares it"),
        (kept(at=NOW + 60), {}, "in the future"),
        (kept(check=Check(NOW, "good")), {}, "what it held when it was made"),
        (kept(check=Check(NOW, "readable")), {}, "did not note"),
        (kept(check=Check(NOW, "damaged", "not JSON")), {}, "damaged: not JSON"),
        (kept(what="backup"), {}, "another tool left"),
        (kept(what="copy", path=Path("/s/copies/x")), {}, "/s/copies/x"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_detail_says_what_can_be_said(entry: Kept, fields: dict[str, Any], said: str) -> None:
    assert said in detail(entry, **fields)


def test_nothing_that_a_file_says_can_act_on_a_terminal() -> None:
    for what in ("checkpoint", "backup", "copy"):
        entry = kept(
            HOSTILE,
            what=what,
            by=HOSTILE,
            said=HOSTILE,
            path=Path(HOSTILE.replace("\0", "")),
            since=Counts(1),
            check=Check(NOW, "damaged", HOSTILE),
        )
        for each in (entry, replace(entry, problem=HOSTILE)):
            looked = found(each, said=(Sentence(HOSTILE, HOSTILE),), now=HOSTILE)
            [row] = checkpoints.kept_rows(HOOKS, looked)
            lines = [words(line) for line in checkpoints.detail(row, looked, NOW)]
            lines += [words(line) for line in checkpoints.trouble(HOOKS, looked)]
            lines += [words(column.cell(row, NOW)) for column in KEPT.columns]
            lines += row.fields.values()
            assert not any(map(dangerous, lines))
            assert max(map(len, lines)) < 2_500


@pytest.mark.parametrize("name", KEPT.sorts)
def test_any_column_can_be_sorted_by(name: str) -> None:
    shelves = Fixed(found(kept("b", size=None), kept("a", what="copy", since=Counts(1))))
    assert len(ask("checkpoints", pictured(HOOKS), sort=(name, True), shelves=shelves).tables["kept"]) == 2


@pytest.mark.parametrize("spec", [KEPT, SHELVES], ids=["kept", "shelves"])
def test_a_title_is_never_wider_than_the_narrowest_its_column_gets(spec: TableSpec[Any]) -> None:
    for column in spec.columns:
        assert len(column.title) <= min(column.minimum, column.width), column.id
    assert set(spec.sorts) <= {column.id for column in spec.columns}


class Fixed:
    """Shelves on which the same is found again and again."""

    def __init__(self, looked: Looked) -> None:
        self._looked = looked

    def look(self, *_asked: object) -> Looked:
        """Return it."""
        return self._looked

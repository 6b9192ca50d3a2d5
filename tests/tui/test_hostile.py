"""Text from files that wants to do more than be read: in no row, on no screen."""

import unicodedata
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.diff import diff
from statewatch.documents.values import JSON
from statewatch.tui.models import (
    batch_items,
    batches,
    cells,
    changes,
    checkpoints,
    diff_detail,
    diff_loading,
    diff_rows,
    diff_title,
    diffs,
    hooks,
    overview,
    run_phases,
    sources,
    workflows,
)
from statewatch.tui.models.comparison import Comparison, Side
from statewatch.tui.registry import VIEWS
from statewatch.watch.picture import Picture
from tests.tui.dash import HOSTILE, NOW, Still, ask, changed, many, pictured, record, shown, source, still, words

if TYPE_CHECKING:
    from statewatch.documents.values import JSON
    from statewatch.tui.models.row import TableSpec

pytestmark = pytest.mark.usefixtures("short_waits")

OPEN = "2026-11-16T14:22:00Z"


class TestHostileText:
    """Whatever a file says, no cell of any view can act on a terminal, and none is endless."""

    @pytest.fixture
    def picture(self) -> Picture:
        circuit = record("open", 3, last_error=HOSTILE, disabled_at="2026-11-16T14:20:00Z")
        hooks_ = source({"hooks": {HOSTILE: circuit, "odd": record(HOSTILE)}, "global_stats": {}}, "/p/hooks.json")
        batch = source(
            {
                "batch_id": HOSTILE,
                "status": HOSTILE,
                "features": [HOSTILE, {"title": HOSTILE}],
                "failed_features": [{"feature_index": 0, "error_message": HOSTILE}],
                "git_operations": {"0": {"commit_sha": HOSTILE}},
            },
            "/p/batch.json",
            "batch",
        )
        running = source(
            {"batch_id": HOSTILE, "status": "in_progress", "features": [HOSTILE], "current_index": 0}, "/p/b2", "batch"
        )
        flow = source(
            {
                "workflow_id": HOSTILE,
                "spec": {"title": HOSTILE},
                "error": HOSTILE,
                "phases": {HOSTILE: {"status": HOSTILE, "error": HOSTILE}, "b": {"status": "in_progress"}},
            },
            "/p/flow.json",
            "workflow",
        )
        return pictured(hooks_, batch, running, flow)

    @pytest.mark.parametrize("view", [name for _, name, _ in VIEWS])
    def test_no_cell_can_act_on_a_terminal(self, view: str, picture: Picture) -> None:
        specs: dict[str, TableSpec[Any]] = {
            "needs": overview.NEEDS,
            "runs": overview.RUNS,
            "said": changes.BRIEF,
            "batches": batches.SPEC,
            "items": batch_items.SPEC,
            "phases": run_phases.SPEC,
            "workflows": workflows.SPEC,
            "hooks": hooks.SPEC,
            "state": sources.SPEC,
            "shelves": checkpoints.SHELVES,
            "kept": checkpoints.KEPT,
            "changes": changes.SPEC,
        }
        for chosen in [None, *(row.key for rows in ask(view, picture).tables.values() for row in rows)]:
            model = ask(view, picture, chosen=chosen)
            shown = [
                words(column.cell(row, NOW))
                for name, rows in model.tables.items()
                for row in rows
                for column in specs[name].columns
            ]
            lines = [words(line) for pane in model.panes.values() for line in pane]
            for text in shown + lines:
                assert not dangerous(text)
            assert max(map(len, shown), default=0) < 2_500

    def test_nor_can_the_whole_text_of_an_item_or_a_workflow(self, picture: Picture) -> None:
        item = batch_items.items(batches.rows(picture)[0])[0]
        flow = workflows.rows(picture)[0]
        for line in (*batch_items.item_text(item), *workflows.text(flow, NOW)):
            assert not dangerous(words(line))

    def test_markup_stays_what_it_is(self, picture: Picture) -> None:
        assert any("[/x] [bold red]" in row.name for row in hooks.rows(picture))

    def test_actions_keep_the_raw_name(self, picture: Picture) -> None:
        assert HOSTILE in {row.hook.name for row in hooks.rows(picture)}

    def test_diffs_are_harmless_too(self) -> None:
        pairs: list[tuple[JSON, JSON]] = [
            ({HOSTILE: HOSTILE}, {HOSTILE: 1}),
            ({}, {HOSTILE: [HOSTILE]}),
            ({HOSTILE: 1}, {}),
        ]
        for before, after in pairs:
            found = tuple(diff(before, after))
            sides = Side(HOSTILE, partial(copy, before)), Side("now", partial(copy, after), is_now=True)
            model = diff_loading.load(Comparison("/p/x", HOSTILE, "plain", *sides))
            for row in diff_rows.listed(model, diff_rows.Wish(noise=True)):
                shown = [words(column.cell(row, NOW)) for column in diff_rows.SPEC.columns]
                shown += [words(line) for line in diff_detail.whole(model, row)]
                for pair in diff_detail.detail(model, row):
                    shown += [words(cell) for cell in (pair.before, pair.after) if cell is not None]
                assert not any(map(dangerous, [*shown, words(diff_detail.place(model, row))]))
            above = diff_title.title(model, NOW, 200, noise=False, picked=0, position=(1, 1))
            assert not dangerous(words(above))
            assert not any(dangerous(words(line)) for line in diffs.change_lines(found))

    @given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
    def test_any_text_at_all(self, text: str) -> None:
        assert not dangerous(words(cells.say(text)))
        assert not dangerous(words(cells.marked(text)))


def dangerous(text: str) -> bool:
    """Tell whether a terminal would do more with *text* than show it."""
    return any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in text)


class TestHostileFiles:
    """Text from files, on the screen."""

    @pytest.fixture
    def given(self) -> Still:
        hooks: JSON = {"hooks": {HOSTILE: record("open", 3, last_error=HOSTILE), "[/x]": "open"}, "global_stats": {}}
        batch: JSON = {"batch_id": HOSTILE, "status": HOSTILE, "features": [HOSTILE] * 3, "current_index": 0}
        kept: dict[str, JSON] = {"d0": {HOSTILE: HOSTILE}, "d1": {HOSTILE: "[/x]"}}
        return Still(
            Picture(NOW, (source(hooks, "/p/h"), source(batch, "/p/b", "batch")), (changed(1, "x", "/p/h"),)),
            NOW,
            kept.get,
        )

    @pytest.mark.parametrize(
        "keys",
        [("1",), ("2",), ("2", "tab", "enter"), ("3",), ("4",), ("6",), ("7",), ("4", "d"), ("4", "d", "enter")],
        ids=str,
    )
    async def test_no_screen_is_harmed(self, given: Still, keys: tuple[str, ...]) -> None:
        async with shown(given) as (app, press):
            await press(*keys)
            assert app.is_running
            assert all(text.isprintable() or not text for text in press.lines)
            assert all(len(text) <= 100 for text in press.lines)

    @pytest.mark.parametrize("text", ["[/x]", "[bold red]x", "[@click=app.quit]x[/]", "\x1b[2J"])
    async def test_messages_are_never_taken_for_markup(self, given: Still, text: str) -> None:
        async with shown(given) as (app, press):
            app.tell(text, "warning")
            await press.settle()
            assert app.is_running
            note = next(iter(app._notifications))
            assert (note.message, note.markup) == (text, False)

    async def test_the_palette_is_not_harmed_by_a_label(self) -> None:
        odd = replace(many(), label="[/x][bold]odd")
        async with shown(still(odd)) as (app, press):
            await press("ctrl+p")
            await press.type("odd")
            await press.until(lambda: "odd" in press.text)
            assert app.is_running

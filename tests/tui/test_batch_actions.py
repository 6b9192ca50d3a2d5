"""Doing things to batches and their items from the dashboard, against real files and the real core."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import audit
from tests.core.files import load, write
from tests.support import replace
from tests.tui.asking import agreed, asked, not_done, project, prompted, warned
from tests.tui.dash import Keys, watching

pytestmark = pytest.mark.usefixtures("short_waits")

TITLES = ["login", "search", "export", "audit", "import", "report"]


def batch(**fields: Any) -> dict[str, Any]:
    """Return a batch with two done, two failed, one skipped and one left."""
    return {
        "batch_id": "nightly",
        "features_file": "",
        "total_features": 6,
        "features": TITLES,
        "current_index": 5,
        "completed_features": [0, 1],
        "failed_features": [
            {"feature_index": 2, "error_message": "boom", "timestamp": "2026-11-16T10:00:00Z"},
            {"feature_index": 3, "error_message": "bang", "timestamp": "2026-11-16T10:01:00Z"},
        ],
        "skipped_features": [{"feature_index": 4, "feature_name": "import", "reason": "not now", "category": "manual"}],
        "retry_attempts": {"2": 3},
        "status": "in_progress",
        "updated_at": "2026-11-16T10:02:00Z",
        **fields,
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the state of a batch in a project of its own."""
    return tmp_path / "p" / ".claude" / "batch_state.json"


@asynccontextmanager
async def batches(file: Path, document: Any = None, **options: Any) -> AsyncIterator[Keys]:
    """Open the dashboard at the items of the batch."""
    scope = project(file.parents[2])
    write(file, batch() if document is None else document)
    async with watching(scope, **options) as (_, press):
        await press("2")
        await press.until(lambda: press.table("items").rows)
        yield press


async def at_item(press: Keys, index: int) -> None:
    """Go to an item."""
    await press("tab")
    table = press.table("items")
    assert press.app.focused is table
    table.move_to(next(row.key for row in table.rows if row.item.index == index))
    await press.settle()


def indices(document: Any, name: str) -> set[int]:
    return {each["feature_index"] for each in document[name]}


class TestRetrying:
    """What failed is done again: one item, several, or all of a batch."""

    async def test_the_item_under_the_cursor_and_back(self, file: Path) -> None:
        async with batches(file) as press:
            await at_item(press, 3)
            said = await asked(press, "r")
            assert "retry 3 audit?" in said
            assert "/failed_features" in said
            assert await agreed(press) == "Done: retry 3 audit. u undoes it."
            after = load(file)
            assert indices(after, "failed_features") == {2}
            assert after["current_index"] == 3
            assert "undo retry 3 audit?" in await asked(press, "u")
            await agreed(press)
            assert load(file) == batch()
            assert [record.via for record in audit.records()] == ["dashboard", "dashboard"]

    async def test_the_marked_ones_of_which_only_what_failed_is_meant(self, file: Path) -> None:
        async with batches(file) as press:
            await press("tab", "a")
            await press.reads("6 marked: actions are about these")
            assert "retry 2 export, 3 audit?" in await asked(press, "r")
            await agreed(press)
            assert load(file)["failed_features"] == []
            assert press.table("items").marked == frozenset()

    @pytest.mark.parametrize("keys", [("r",), ("R",), ("tab", "R")], ids="-".join)
    async def test_all_that_failed_of_the_batch(self, file: Path, keys: tuple[str, ...]) -> None:
        async with batches(file) as press:
            assert "retry 2 export, 3 audit?" in await asked(press, *keys)
            await agreed(press)
            assert load(file)["failed_features"] == []
            assert load(file)["completed_features"] == [0, 1]

    async def test_of_two_batches_at_once_and_undone_at_once(self, file: Path) -> None:
        other = file.with_name("batch_state_docs.json")
        write(other, batch(batch_id="docs"))
        async with batches(file) as press:
            await press.until(lambda: len(press.table("batches").rows) == 2)
            await asked(press, "a", "r")
            await press("y")
            await press.until(lambda: len(press.told) == 2)
            assert load(file)["failed_features"] == load(other)["failed_features"] == []
            await asked(press, "u")
            await press("y")
            await press.until(lambda: load(file) == batch() and load(other) == batch(batch_id="docs"))

    async def test_where_nothing_has_failed_that_is_said(self, file: Path) -> None:
        async with batches(file, batch(failed_features=[])) as press:
            assert "Nothing has failed here" in await warned(press, "r")

    async def test_an_item_that_has_not_failed_is_refused_with_the_reason(self, file: Path) -> None:
        async with batches(file) as press:
            await at_item(press, 0)
            assert "item 0 has not failed" in await not_done(press, "r")
            assert load(file) == batch()


class TestSkipping:
    """Leaving items out, with a reason."""

    async def test_the_reason_is_typed_and_written(self, file: Path) -> None:
        async with batches(file) as press:
            await at_item(press, 5)
            assert "Why is item 5 “report” to be skipped?" in await prompted(press, "x")
            for key in ("t", "o", "o", "space", "d", "e", "a", "r", "enter"):
                await press.pilot.press(key)
            assert "skip 5 report?" in await asked(press)
            await agreed(press)
            assert load(file)["skipped_features"][1]["reason"] == "too dear"
            assert next(iter(audit.records())).why == "too dear"

    async def test_no_reason_is_a_reason_too(self, file: Path) -> None:
        async with batches(file) as press:
            await at_item(press, 5)
            await prompted(press, "x")
            await asked(press, "enter")
            await agreed(press)
            assert load(file)["skipped_features"][1]["reason"] == "Skipped by an operator"

    async def test_escape_leaves_everything_as_it_is(self, file: Path) -> None:
        async with batches(file) as press:
            await at_item(press, 5)
            await prompted(press, "x")
            await press("escape")
            assert press.app.screen is press.app.main
            assert press.app.focused is press.table("items")
            assert load(file) == batch()

    async def test_what_is_done_is_not_skipped_and_no_reason_asked_for(self, file: Path) -> None:
        async with batches(file) as press:
            await at_item(press, 0)
            assert "item 0 is done, so it cannot be skipped" in await not_done(press, "x")

    async def test_a_skip_is_taken_back(self, file: Path) -> None:
        async with batches(file) as press:
            await at_item(press, 4)
            await asked(press, "X")
            await agreed(press)
            assert load(file)["skipped_features"] == []
            assert load(file)["current_index"] == 4

    async def test_it_is_done_to_items_only(self, file: Path) -> None:
        async with batches(file) as press:
            assert "go to them with tab" in await warned(press, "x")


class TestTheRest:
    """Marking as done, counts of tries, pausing, removing."""

    async def test_items_are_marked_as_done(self, file: Path) -> None:
        async with batches(file) as press:
            await at_item(press, 3)
            assert "item 3 had failed" in await asked(press, "m")
            await agreed(press)
            assert load(file)["completed_features"] == [0, 1, 3]
            assert indices(load(file), "failed_features") == {2}

    @pytest.mark.parametrize("from_items", [True, False])
    async def test_tries_are_forgotten(self, file: Path, from_items: bool) -> None:
        async with batches(file) as press:
            if from_items:
                await at_item(press, 2)
            assert "reset retries 2 export?" in await asked(press, "0")
            await agreed(press)
            assert load(file)["retry_attempts"] == {}

    async def test_a_batch_is_paused_and_goes_on(self, file: Path) -> None:
        async with batches(file) as press:
            assert "pause nightly?" in await asked(press, "p")
            await agreed(press)
            assert load(file)["status"] == "paused"
            assert load(file).keys() == batch().keys(), "its own tool refuses a file with fields that it does not know"
            await press.reads("‖ paused")
            await asked(press, "P")
            await agreed(press)
            assert load(file)["status"] == "in_progress"

    async def test_one_that_is_over_is_removed_and_put_back(self, file: Path) -> None:
        ended = batch(status="completed", skipped_features=[], failed_features=[], completed_features=[*range(6)])
        async with batches(file, ended) as press:
            assert "remove batch_state.json?" in await asked(press, "D")
            await agreed(press)
            assert not file.exists()
            await asked(press, "u")
            await agreed(press)
            assert load(file) == ended

    async def test_one_that_is_at_work_is_not(self, file: Path) -> None:
        async with batches(file, batch(updated_at="2099-01-01T00:00:00Z")) as press:
            assert "nightly runs: only what is over can be removed" in await warned(press, "D")

    async def test_another_batch_in_its_place_is_left_alone(self, file: Path) -> None:
        async with batches(file) as press:
            await asked(press, "R")
            other = batch(batch_id="another")
            replace(file, json.dumps(other))
            assert "it holds another batch now" in await not_done(press, "y")
            assert load(file) == other

    async def test_a_relative_of_another_tool_is_shown_and_not_changed(self, file: Path) -> None:
        foreign = {"batchId": "b", "tasks": [{"taskId": "T1", "title": "one", "status": "failed"}], "currentIndex": 1}
        async with batches(file, foreign) as press:
            assert "it can be shown, but not changed" in await not_done(press, "R")

    @pytest.mark.parametrize("key", ["r", "R", "x", "X", "m", "0", "p", "P", "D"])
    async def test_nothing_is_asked_where_nothing_may_be_written(self, file: Path, key: str) -> None:
        async with batches(file, read_only=True) as press:
            await at_item(press, 3)
            assert "Read-only" in await warned(press, key)
            assert load(file) == batch()

"""Hostile text in everything that is shown of a run or a batch: nothing of it reaches the terminal."""

from collections.abc import Iterable

import pytest

from statewatch.documents.values import JSON
from statewatch.tui.models import batch_about, batch_items, batches, run_detail, run_events, run_phases
from statewatch.tui.models.workflows import row_of
from statewatch.tui.widgets.table_model import Cell
from statewatch.watch.besides import NOTHING, Beside, Event
from tests.tui.dash import HOSTILE, NOW, pictured, source

RUNS: dict[str, JSON] = {
    "workflow": {
        "workflow_id": HOSTILE,
        "status": "failed",
        "error": HOSTILE,
        "spec": {"title": HOSTILE},
        "phases": {
            HOSTILE: {"status": "failed", "error": HOSTILE, "results": {HOSTILE: [HOSTILE]}},
            "b": {"status": "completed", "results": {HOSTILE: [1]}, "started_at": HOSTILE},
        },
    },
    "session": {
        "session_id": HOSTILE,
        "started": HOSTILE,
        "agents": [
            {
                "agent": HOSTILE,
                "status": "completed",
                "started_at": "2026-11-16T14:00:00",
                "completed_at": "2026-11-16T14:05:00",
                "message": HOSTILE,
                "tools_used": [HOSTILE],
            },
            {"agent": "b", "status": "started", "started_at": "2026-11-16T14:01:00", "message": HOSTILE},
        ],
    },
    "checkpoint": {
        "version": HOSTILE,
        "workflow_id": HOSTILE,
        "completed_agents": [HOSTILE, "researcher"],
        "current_agent": HOSTILE,
        "artifacts_created": [HOSTILE, "research.json"],
        "metadata": {"error": HOSTILE},
    },
}

BESIDE = Beside(
    events=(Event(NOW, HOSTILE, HOSTILE, {HOSTILE: HOSTILE}), Event(None, HOSTILE, HOSTILE, HOSTILE)),
    files=frozenset({"x"}),
    artifacts={"research.json": {"summary": HOSTILE, "status": HOSTILE, HOSTILE: HOSTILE}},
    skipped=2,
)


def check(lines: Iterable[Cell]) -> None:
    for line in lines:
        assert all(text.isprintable() for text, _ in line)


@pytest.mark.parametrize("beside", [NOTHING, BESIDE], ids=["alone", "beside"])
@pytest.mark.parametrize("kind", RUNS)
def test_a_run_with_all_that_lies_beside_it(kind: str, beside: Beside) -> None:
    row = row_of(source(RUNS[kind], kind=kind))
    assert row is not None
    check(run_detail.detail(row, NOW, beside))
    check(run_detail.whole(row, NOW, beside))
    phases = run_phases.rows(row, NOW, beside)
    for phase in phases:
        check(run_detail.of_phase(phase, NOW))
        check(column.cell(phase, NOW) for column in run_phases.SPEC.columns)
    for event in run_events.rows(phases, beside, NOW):
        check(run_events.text(event))
        check(column.cell(event, NOW) for column in run_events.SPEC.columns)


def test_a_batch_with_all_that_it_says_of_its_items() -> None:
    document: JSON = {
        "batch_id": HOSTILE,
        "status": "in_progress",
        "workflow_mode": "auto-implement",
        "features": [HOSTILE, "x"],
        "total_features": 2,
        "current_index": 1,
        "completed_features": [],
        "failed_features": [{"feature_index": 1, "error_message": "Interrupted: " + HOSTILE}],
        "git_operations": {"0": {HOSTILE: {"success": False, "error": HOSTILE}, "commit": {"sha": HOSTILE}}},
        "feature_modes": {"0": HOSTILE},
        "quality_metrics": {"0": {HOSTILE: HOSTILE}},
        "feature_dependencies": {"0": [1, 99]},
    }
    (row,) = batches.rows(pictured(source(document, kind="batch")))
    check(batch_about.about(row, NOW))
    for item in batch_items.items(row):
        check(batch_items.item_text(item))
        check(column.cell(item, NOW) for column in batch_items.SPEC.columns)

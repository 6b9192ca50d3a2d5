"""What is shown of batches and runs besides their counts: order, git, tokens, charts, handoffs, trees."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.values import JSON
from statewatch.kinds.workflow import Phase
from statewatch.tui.models import batch_about, batch_items, batches, run_detail, run_events, run_handoffs, run_phases
from statewatch.tui.models.run_phases import Chart
from statewatch.tui.models.trees import MOST_LINES, tree
from statewatch.tui.models.workflows import WorkflowRow, row_of
from statewatch.watch.besides import NOTHING, Beside, Event
from tests.documents.strategies import values
from tests.support import SAMPLE
from tests.tui.dash import HOSTILE, NOW, batch_of, pictured, source, words

TRUTH = json.loads((SAMPLE / "truth.json").read_bytes())


def load(name: str) -> Any:
    return json.loads((SAMPLE / name).read_bytes())


def batch_row(document: JSON) -> batches.BatchRow:
    return batches.rows(pictured(source(document, kind="batch")))[0]


def run_row(document: JSON, kind: str) -> WorkflowRow:
    found = row_of(source(document, kind=kind))
    assert found is not None
    return found


def text(lines: Any) -> str:
    return "\n".join(map(words, lines))


class TestItems:
    """Items in the order in which they are done."""

    def test_the_sample_is_as_its_truth_says(self) -> None:
        truth = TRUTH["batch_state"]
        rows = batch_items.items(batch_row(load("project/.claude/batch_state.json")))
        assert len(rows) == truth["total"]
        assert [row.item.index for row in rows if row.failed] == truth["failed_indices"]
        assert [row.item.index for row in rows if row.skipped] == truth["skipped_indices"]
        assert sum(row.done for row in rows) == truth["completed"]
        assert {str(row.item.index): row.item.tries for row in rows if row.item.tries} == truth["retry_attempts"]
        assert sum(bool(batch_items.git(row.item)) for row in rows) == truth["git_features"]

    def test_what_an_item_waits_for_is_said_and_what_is_next_can_begin(self) -> None:
        document: Any = {**batch_of(4, done=1), "feature_dependencies": {"1": [3], "2": [0]}}  # type: ignore[dict-item]
        rows = batch_items.items(batch_row(document))
        assert [words(batch_items.SPEC.columns[1].cell(row, NOW)) for row in rows] == [
            "✓ completed",
            "◌ waits",
            "▶ next",
            "· pending",
        ]
        assert words(batch_items.SPEC.columns[2].cell(rows[1], NOW)) == "←3 item 1"
        assert "builds on   · pending  3  item 3" in text(batch_items.item_text(rows[1]))

    def test_they_stand_in_the_order_of_the_batch(self) -> None:
        rows = batch_items.items(batch_row({**batch_of(4), "feature_order": [2, 0]}))  # type: ignore[dict-item]
        assert [row.item.index for row in rows] == [2, 0, 1, 3]
        assert [row.is_current for row in rows] == [True, False, False, False]

    def test_git_steps_with_a_mark_each_in_their_order(self) -> None:
        operations: JSON = {
            "pr": {"success": False, "error": "no\x1b access"},
            "commit": {"success": True, "sha": "15ceb3a1"},
            "odd": {"success": True},
        }
        (row,) = batch_items.items(batch_row({**batch_of(1, done=1), "git_operations": {"0": operations}}))  # type: ignore[dict-item]
        assert words(batch_items.git(row.item)) == "c✓r✕?✓"
        told = text(batch_items.item_text(row))
        assert "pr          ✕ no␛ access" in told
        assert told.index("commit      ✓ 15ceb3a1") < told.index("pr  ")

    def test_one_that_was_cut_off_at_work_says_so(self) -> None:
        document: Any = batch_of(2, failed=1)
        document["failed_features"][0]["error_message"] = "Interrupted: the run ended"
        row = batch_items.items(batch_row(document))[0]
        assert words(batch_items.SPEC.columns[1].cell(row, NOW)) == "✕ cut off"
        assert "may have been done or not" in text(batch_items.item_text(row))


class TestAbout:
    """What a batch says besides its counts."""

    def test_the_sample(self) -> None:
        told = text(batch_about.about(batch_row(load("project/.claude/batch_state.json")), NOW))
        for part in (
            "▲ stalled",
            "/implement --resume batch-20261115-090000-369009",
            "87,453 of 150,000, cleared 2 times, last at 172,117",
            "tried again 7 times in 4 items",
            "git 19 commits, 18 pushed (1 failed), 6 PRs",
            "7 build on others",
        ):
            assert part in told

    def test_a_batch_that_says_nothing_more_needs_no_line(self) -> None:
        assert batch_about.about(batch_row({**batch_of(2), "status": "completed"}), NOW)[0:0] == ()  # type: ignore[dict-item]
        assert batch_about.about(batch_row(batch_of(2, done=2, status="completed")), NOW) == ()

    def test_what_was_passed_over_is_named(self) -> None:
        told = text(batch_about.about(batch_row({**batch_of(3), "current_index": 2}), NOW))  # type: ignore[dict-item]
        assert "passed over: 0 “item 0”, 1 “item 1”" in told

    @given(st.integers(0, 10**7), st.integers(1, 10**6), st.integers(1, 40))
    def test_the_gauge_is_full_at_the_limit_and_not_before(self, tokens: int, limit: int, width: int) -> None:
        cell = batch_about.gauge(tokens, limit, width)
        assert len(words(cell)) == width
        assert (words(cell) == "█" * width) == (tokens >= limit)


class TestChart:
    """Who ran when."""

    @given(
        st.lists(st.tuples(st.floats(0, 10**6), st.floats(0, 10**6), st.booleans()), min_size=2, max_size=8),
        st.integers(2, 60),
    )
    def test_bars_are_as_wide_as_the_chart_and_never_empty(
        self, spans: list[tuple[float, float, bool]], width: int
    ) -> None:
        phases = [
            Phase("p", "in_progress", begin, None) if runs else Phase("p", "completed", begin, begin + took)
            for begin, took, runs in spans
        ]
        now = 2.0 * 10**6
        chart = Chart.of(phases, now)
        assert chart is not None
        for phase in phases:
            bar = words(chart.bar(phase, now, width))
            assert len(bar) == width
            assert bar.strip() or chart.ends == chart.begins

    def test_one_that_has_been_stuck_for_days_leaves_room_for_the_others(self) -> None:
        rows = run_phases.rows(run_row(load("project/docs/sessions/20261116-093000-pipeline.json"), "session"), NOW)
        bars = [words(row.chart.bar(row.phase, NOW)) for row in rows if row.chart is not None]
        assert len(rows) == TRUTH["sessions"]["20261116-093000-pipeline.json"] + 3
        assert bars[2].count("━") > 3
        assert bars[4].rstrip().endswith("▶")

    def test_each_run_of_an_agent_is_a_row_of_its_own(self) -> None:
        rows = run_phases.rows(run_row(load("project/docs/sessions/20261116-093000-pipeline.json"), "session"), NOW)
        assert [row.phase.status for row in rows if row.name == "implementer"] == ["failed", "in_progress"]
        assert len({row.key for row in rows}) == len(rows)


class TestHandedOver:
    """Handoffs, and what lies beside a run."""

    def handed(self, name: str, kind: str, beside: Beside = NOTHING) -> list[str]:
        found = run_handoffs.handoffs(run_row(load(name), kind), beside)
        return [words(line) for line in run_handoffs.lines(found)]

    def test_results_go_to_the_next_phase(self) -> None:
        assert self.handed("project/.claude/workflows/adw-63f8bd05/state.json", "workflow") == [
            "scout → plan  files (1), requirements (1)",
            "plan → build  tasks (2)",
        ]

    def test_messages_go_to_the_next_agent(self) -> None:
        assert self.handed("project/docs/sessions/20261115-090030-pipeline.json", "session") == [
            "researcher → planner  “Found 4 JWT patterns”  with Grep, Read, WebSearch",
            "planner → test-master  “7-step plan, 3 files”  with Read",
            "test-master → implementer  “31 tests, all red”  with Write, Bash",
        ]

    def test_agents_that_begin_together_are_handed_the_same(self) -> None:
        entries: list[JSON] = [
            {"agent": "planner", "status": "completed", "started_at": "2026-11-16T14:00:00", "message": "plan"},
            {"agent": "reviewer", "status": "started", "started_at": "2026-11-16T14:05:00", "message": ""},
            {"agent": "security-auditor", "status": "started", "started_at": "2026-11-16T14:05:00", "message": ""},
        ]
        entries[0]["completed_at"] = "2026-11-16T14:05:00"  # type: ignore[index,call-overload]
        row = run_row({"session_id": "s", "started": "2026-11-16T14:00:00", "agents": entries}, "session")
        assert [words(line) for line in run_handoffs.lines(run_handoffs.handoffs(row, NOTHING))] == [
            "planner → reviewer, security-auditor  “plan”"
        ]
        assert "at the same time  reviewer + security-auditor" in text(run_detail.more(row, NOW, NOTHING))

    def test_artifacts_and_the_missing_one(self) -> None:
        beside = Beside(files=frozenset({"manifest.json"}), artifacts={"manifest.json": {"request": "JWT"}})
        lines = self.handed("project/.claude/artifacts/20261116_081700/checkpoint.json", "checkpoint", beside)
        assert lines == ["orchestrator → researcher  manifest.json: JWT"]
        row = run_row(load("project/.claude/artifacts/20261115_090100/checkpoint.json"), "checkpoint")
        told = text(run_detail.detail(row, NOW, beside))
        assert "missing         research.json, architecture.json" in told
        assert "next            test-master" in told
        phases = run_phases.rows(row, NOW, beside)
        assert [each.missing for each in phases][:4] == [False, True, True, False]
        assert [each.is_next for each in phases].index(True) == 3

    def test_an_agent_that_calls_its_own_artifact_failed_is_quoted_so(self) -> None:
        made: JSON = {"agent": "implementer", "status": "failed", "summary": "31 tests green"}
        beside = Beside(files=frozenset({"implementation.json"}), artifacts={"implementation.json": made})
        row = run_row(load("project/.claude/artifacts/20261114_144200/checkpoint.json"), "checkpoint")
        assert run_phases.rows(row, NOW, beside)[4].says == "failed: 31 tests green"

    @pytest.mark.parametrize("name", TRUTH["checkpoints"])
    def test_checkpoints_are_as_the_truth_of_the_sample_says(self, name: str) -> None:
        rows = run_phases.rows(run_row(load(f"project/.claude/artifacts/{name}/checkpoint.json"), "checkpoint"), NOW)
        assert sum(row.completed for row in rows) == TRUTH["checkpoints"][name]


class TestEvents:
    """The log of a run."""

    def test_what_the_tool_wrote_down(self) -> None:
        beside = Beside(events=(Event(NOW, "phase_failed", "build", {"phase": "build", "error": "a\nb\x1b"}),))
        (row,) = run_events.rows((), beside, NOW)
        assert (row.what, row.says) == ("phase failed", "error a")
        assert "error" in text(run_events.text(row))

    def test_of_a_past_moment_only_what_had_happened(self) -> None:
        beside = Beside(events=(Event(NOW, "late", "x"), Event(NOW - 100, "early", "x")))
        assert [row.what for row in run_events.rows((), beside, NOW - 50)] == ["early"]

    def test_where_nothing_is_written_down_the_times_of_the_file_tell(self) -> None:
        row = run_row(load("project/docs/sessions/20261115-090030-pipeline.json"), "session")
        rows = run_events.rows(run_phases.rows(row, NOW), NOTHING, NOW)
        assert [(each.what, each.event.subject) for each in rows[:3]] == [
            ("completed", "test-master"),
            ("began", "implementer"),
            ("began", "test-master"),
        ]


class TestTrees:
    """Any JSON as a tree."""

    @given(values)
    def test_any_value_takes_few_lines_of_which_none_can_act_on_a_terminal(self, value: JSON) -> None:
        lines = tree(value)
        assert len(lines) <= MOST_LINES + 1
        assert all(piece.isprintable() for line in lines for piece, _ in line)

    def test_members_inside_one_another(self) -> None:
        assert [words(line) for line in tree({"a": {"b": [1, "x"]}, "c": None})] == [
            "├ a  an object of 1",
            "│ └ b  a list of 2",
            "│   ├ 0  1",
            "│   └ 1  x",
            "└ c  null",
        ]

    def test_hostile_names_and_texts(self) -> None:
        told = text(tree({HOSTILE: HOSTILE, "deep": [[[[[[[[[[HOSTILE]]]]]]]]]]}))
        assert "\x1b" not in told
        assert "\u202e" not in told

"""Rows, cells and models: pure functions of a picture."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.values import JSON
from statewatch.kinds.hooks import Policy
from statewatch.kinds.times import stamp
from statewatch.tui.models import batch_items, batches, cells, changes, hooks, overview, sources, workflows
from statewatch.tui.models.row import TableSpec
from statewatch.tui.registry import VIEWS
from statewatch.tui.widgets.table_model import Cell
from statewatch.watch.picture import Pace, Picture, Problem, Source
from statewatch.watch.stories import Event, Story
from tests.tui.dash import NOW, ask, batch_of, broken, changed, circuits, pictured, record, source, words


def roles(cell: Cell) -> set[str]:
    return {role for text, role in cell if text.strip()}


def told(spec: TableSpec[Any], row: Any, column: str, now: float = NOW) -> str:
    return words(next(each for each in spec.columns if each.id == column).cell(row, now))


class TestHooks:
    """The circuits."""

    def test_those_that_need_somebody_come_first(self) -> None:
        picture = pictured(source(circuits(fine="closed", failing=record("closed", 2), half="half_open", off="open")))
        assert [row.hook.name for row in hooks.rows(picture)] == ["off", "half", "failing", "fine"]

    def test_a_state_nobody_knows_is_grey_and_never_healthy(self) -> None:
        row = hooks.rows(pictured(source(circuits(odd="melted"))))[0]
        cell = hooks.SPEC.columns[0].cell(row, NOW)
        assert words(cell) == "? melted"
        assert roles(cell) == {"muted"}

    def test_counts_that_the_file_does_not_have_are_dashes_and_not_noughts(self) -> None:
        row = hooks.rows(pictured(source({"hooks": {"h": {"state": "closed", "last_error": None}}})))[0]
        assert told(hooks.SPEC, row, "row") == "–"
        assert told(hooks.SPEC, row, "total") == "–"
        assert "failures: – in a row, – in all" in "\n".join(map(words, hooks.detail(row, pictured(), NOW)))

    def test_the_countdown_reaches_nought_and_then_says_that_a_test_is_due(self) -> None:
        opened = record("open", 3, disabled_at="2026-11-16T14:22:00Z")
        row = hooks.rows(pictured(source(circuits(h=opened), policy=Policy(cooldown=90))))[0]
        assert told(hooks.SPEC, row, "retry") == "0:30"
        assert told(hooks.SPEC, row, "retry", NOW + 29.5) == "0:01"
        assert told(hooks.SPEC, row, "retry", NOW + 30) == "due"

    def test_a_closed_circuit_counts_nothing_down(self) -> None:
        row = hooks.rows(pictured(source(circuits(h="closed"))))[0]
        assert told(hooks.SPEC, row, "retry") == ""

    def test_the_detail_shows_the_whole_error_the_policy_and_what_was_seen(self) -> None:
        failing = record("open", 3, last_error="Traceback\n\tin line 3\nKeyError: 'x'")
        row = hooks.rows(pictured(source(circuits(h=failing), policy=Policy(3, 45, 2, ("h",)))))[0]
        seen = [changed(1, "closed → open", subject="h"), changed(2, "ran well", subject="other")]
        text = "\n".join(words(line) for line in hooks.detail(row, pictured(changes=seen), NOW))
        for part in ("    in line 3", "KeyError: 'x'", "opens after 3 failures", "cools down 45s", "excluded by 'h'"):
            assert part in text
        assert "closed → open" in text
        assert "ran well" not in text

    def test_sorting_by_any_column_copes_with_what_is_missing(self) -> None:
        picture = pictured(source({"hooks": {"a": {"state": "open", "last_error": None}, "b": "closed"}}))
        for name in hooks.SPEC.sorts:
            assert len(ask("hooks", picture, sort=(name, True)).tables["hooks"]) == 2

    def test_the_history_of_a_circuit_is_a_strip_of_states_and_each_failure_with_its_error(self) -> None:
        def event(minutes: int, what: str, **more: JSON) -> dict[str, JSON]:
            return {"at": stamp(NOW - 60 * minutes), "hook": "h", "event": what, **more}

        events: list[Event] = [
            event(1, "closed", **{"from": "open", "to": "closed"}),
            event(10, "mode", by="ann", why="noisy", **{"from": None, "to": "forced_open"}),
            event(30, "opened", **{"from": "closed", "to": "open"}),
            event(30, "failed", error="Traceback (most recent call last):\n  x\nKeyError: \x1b[31m1"),
        ]
        picture = pictured(source(circuits(h="closed", g="closed")))
        story = Story({"circuits": {"h": {"mode": "forced_open", "until": None}}}, {"h": events})
        row, other = hooks.rows(picture, NOW, lambda _key: story)
        lines = [words(line) for line in hooks.detail(row, picture, NOW)]
        strip = next(line for line in lines if line.startswith("last 1h "))[14:]
        assert strip == "·" * 24 + "█" * 23 + "─"
        assert lines[lines.index("HISTORY") + 4] == "13:53:00      failed: KeyError: 1"
        assert "14:13:00      mode skip by ann: noisy" in lines
        assert "mode          skip until it is taken back" in lines
        assert told(hooks.SPEC, row, "hook") == "h  [skip]"
        assert told(hooks.SPEC, row, "trend") == "▁▁▁▁▁▁▁█"
        assert told(hooks.SPEC, other, "trend") == ""
        assert "HISTORY" not in [words(line) for line in hooks.detail(other, picture, NOW)]

    def test_the_cool_down_is_that_of_the_hook_and_grows_with_its_openings(self) -> None:
        opened = record("open", 3, disabled_at="2026-11-16T14:22:00Z")
        policy = Policy(cooldown=90, backoff=2.0)
        policy = policy._replace(overrides=(("own", policy._replace(cooldown=120)),))
        picture = pictured(source(circuits(h=opened, own=opened), policy=policy))
        story = Story({"circuits": {"h": {"openings": 3}}})
        row, own = hooks.rows(picture, NOW, lambda _key: story)
        assert told(hooks.SPEC, row, "retry") == "5:00"
        assert told(hooks.SPEC, own, "retry") == "1:00"
        lines = [words(line) for line in hooks.detail(row, picture, NOW)]
        assert "back-off      opened 3 times in a row, cools down 6m" in lines


class TestBatches:
    """Batches and their items."""

    def row(self, document: JSON, **fields: Any) -> batches.BatchRow:
        return batches.rows(pictured(source(document, kind="batch", **fields)))[0]

    def test_distinct_items_are_counted(self) -> None:
        row = self.row({**batch_of(10, done=3, failed=2), "completed_features": [0, 1, 2, 2, 1]})  # type: ignore[dict-item]
        assert (row.done, row.failed, row.left) == (3, 2, 5)
        assert told(batches.SPEC, row, "items") == "5/10"

    def test_one_that_says_completed_although_items_failed_is_not_green(self) -> None:
        row = self.row(batch_of(4, done=3, failed=1, status="completed"))
        cell = next(column for column in batches.SPEC.columns if column.id == "status").cell(row, NOW)
        assert words(cell) == "✕ completed"
        assert roles(cell) == {"bad"}

    def test_a_status_nobody_knows_is_grey(self) -> None:
        cell = batches.SPEC.columns[1].cell(self.row(batch_of(status="melting")), NOW)
        assert words(cell) == "? melting"
        assert roles(cell) == {"muted"}

    def test_a_pace_that_was_not_seen_says_so(self) -> None:
        assert batches.rate(self.row(batch_of(), pace=Pace(38, observed=False))) == "~38s/item"
        assert batches.rate(self.row(batch_of(), pace=Pace(38, observed=True))) == "38s/item"
        assert batches.rate(self.row(batch_of())) == ""

    def test_the_end_is_told_to_the_minute_and_with_its_day_when_that_is_another(self) -> None:
        assert batches.eta(self.row(batch_of(5, done=1), pace=Pace(60)), NOW) == "14:27"
        assert batches.eta(self.row(batch_of(5, done=1), pace=Pace(40_000)), NOW) == "11-18 10:49"

    def test_without_a_pace_or_when_it_does_not_run_there_is_no_guess(self) -> None:
        assert batches.eta(self.row(batch_of()), NOW) == ""
        assert batches.eta(self.row(batch_of(status="paused"), pace=Pace(60)), NOW) == ""

    def test_running_ones_come_first(self) -> None:
        picture = pictured(
            source(batch_of(status="completed"), "/a", "batch"), source(batch_of(status="in_progress"), "/b", "batch")
        )
        assert [row.source.key for row in batches.rows(picture)] == ["/b", "/a"]

    def test_the_chosen_batch_has_its_items_shown(self) -> None:
        picture = pictured(source(batch_of(2), "/a", "batch"), source(batch_of(3), "/b", "batch"))
        assert len(ask("batches", picture, chosen="/b").tables["items"]) == 3
        assert len(ask("batches", picture, chosen="gone").tables["items"]) == 2

    def test_the_next_item_is_pointed_out(self) -> None:
        row = self.row(batch_of(3, done=1))
        assert [told(batch_items.SPEC, item, "status") for item in batch_items.items(row)] == [
            "✓ completed",
            "▶ next",
            "· pending",
        ]

    def test_what_had_to_be_assumed_is_said(self) -> None:
        document: JSON = {**batch_of(2), "total_features": 9}  # type: ignore[dict-item]
        notes = ask("batches", pictured(source(document, kind="batch"))).panes["notes"]
        assert any(words(line).startswith("assumed: ") for line in notes)

    def test_an_item_is_told_whole(self) -> None:
        item = batch_items.items(self.row(batch_of(2, failed=1)))[0]
        assert "boom" in [words(line) for line in batch_items.item_text(item)]


class TestBars:
    """Progress bars and little columns."""

    @given(*[st.integers(0, 5000)] * 4, st.integers(2, 60))
    def test_exact_width_and_no_failure_ever_rounded_away(
        self, done: int, failed: int, skipped: int, left: int, width: int
    ) -> None:
        cell = cells.bar(done, failed, skipped, done + failed + skipped + left, width)
        assert len(words(cell)) == width
        assert ("bad" in {role for _, role in cell}) == (failed > 0)

    @given(st.integers(0, 100), st.integers(2, 60))
    def test_only_what_is_whole_looks_whole(self, left: int, width: int) -> None:
        cell = cells.bar(10_000, 0, 0, 10_000 + left, width)
        assert (words(cell) == "█" * width) == (left == 0)

    @given(st.lists(st.integers(0, 10_000), max_size=80))
    def test_little_columns(self, values: list[int]) -> None:
        drawn = cells.spark(values)
        assert len(drawn) == len(values)
        assert [column == "▁" for column in drawn] == [value == 0 for value in values]

    def test_an_empty_batch(self) -> None:
        assert cells.bar(0, 0, 0, 0, 8) == (("░" * 8, "muted"),)


def agents() -> JSON:
    """Return a session in which two agents ran at the same time, and a third one runs."""
    entries: list[JSON] = [
        {"agent": name, "status": status, "started_at": f"2026-11-16T14:{began}:00", "message": said, **more}
        for name, status, began, said, more in (
            ("researcher", "completed", "00", "4 patterns\x1b found", {"completed_at": "2026-11-16T14:17:00"}),
            ("planner", "completed", "10", "7 steps", {"completed_at": "2026-11-16T14:18:00"}),
            ("test-master", "started", "20", "go", {}),
        )
    ]
    return {"session_id": "20261116-140000", "started": "2026-11-16T14:00:00", "agents": entries}


class TestWorkflows:
    """Phases as a line."""

    DOCUMENT: JSON = {
        "workflow_id": "adw-1",
        "spec": {"title": "Checkout"},
        "error": "no more money",
        "phases": {
            "scout": {
                "status": "completed",
                "started_at": "2026-11-16T14:00:00",
                "completed_at": "2026-11-16T14:02:00",
            },
            "plan": {"status": "in_progress", "started_at": "2026-11-16T14:22:00"},
            "build": {"status": "vanished"},
        },
    }

    def test_the_pipeline(self) -> None:
        row = workflows.rows(pictured(source(self.DOCUMENT, kind="workflow")))[0]
        assert words(workflows.pipeline(row.view, NOW)) == "scout ✓ 2m ─ plan ▶ 1m ─ build ? ─ review ·"

    def test_the_whole_of_it(self) -> None:
        row = workflows.rows(pictured(source(self.DOCUMENT, kind="workflow")))[0]
        lines = [words(line) for line in workflows.text(row, NOW)]
        assert lines[:3] == ["▶ running  adw-1", "Checkout", "in state.json"]
        assert "scout ✓ 2m  from 14:00:00" in lines
        assert lines[-2:] == ["ERROR", "no more money"]

    def test_its_clock_goes_on(self) -> None:
        row = workflows.rows(pictured(source(self.DOCUMENT, kind="workflow")))[0]
        assert "plan ▶ 3m" in words(workflows.pipeline(row.view, NOW + 120))

    def test_a_session_is_a_strip_of_its_agents(self) -> None:
        (row,) = workflows.rows(pictured(source(agents(), kind="session")))
        assert words(workflows.pipeline(row.view, NOW)) == "✓✓▶····  test-master ▶ 3m"
        assert row.about == "session: agents 3 of 7, not begun implementer, reviewer, security-auditor, doc-master"

    def test_the_whole_of_a_session_shows_when_each_agent_ran(self) -> None:
        (row,) = workflows.rows(pictured(source(agents(), kind="session")))
        lines = [words(line) for line in workflows.text(row, NOW)]
        assert lines[4:10] == [
            "━━━━━━━━━━━━━━━━━━━━━━          researcher ✓ 17m  from 14:00:00",
            "    4 patterns␛ found",
            "             ━━━━━━━━━━         planner ✓ 8m  from 14:10:00",
            "    7 steps",
            "                          ━━━━  test-master ▶ 3m  from 14:20:00",
            "    go",
        ]
        assert "not begun       implementer, reviewer, security-auditor, doc-master" in lines

    def test_a_checkpoint_shows_who_is_next(self) -> None:
        document: JSON = {
            "version": "2.0",
            "workflow_id": "w",
            "completed_agents": ["orchestrator"],
            "current_agent": "x",
        }
        (row,) = workflows.rows(pictured(source(document, kind="checkpoint")))
        assert words(workflows.pipeline(row.view, NOW)) == "✓·······  researcher ·"
        assert row.fields["status"] == "resumable"

    def test_the_order(self) -> None:
        made = [
            source(
                {"workflow_id": name, "status": said, "phases": {"plan": {"status": status}}}, f"/{name}", "workflow"
            )
            for name, said, status in (
                ("done", "completed", "completed"),
                ("off", "initialized", "failed"),
                ("on", "initialized", "in_progress"),
            )
        ]
        assert [row.name for row in workflows.rows(pictured(*made))] == ["on", "off", "done"]


class TestOverview:
    """What needs somebody, what runs, what changed."""

    def test_needs_by_what_they_are_about(self) -> None:
        picture = pictured(
            source(circuits(off=record("open", 3, disabled_at="2026-11-16T14:22:00Z")), "/h"),
            source(batch_of(3, done=1, failed=1), "/b", "batch"),
            broken(source(circuits(fine="closed"), "/x", label="x.json")),
        )
        rows = overview.need_rows(picture, NOW)
        assert [(row.need.kind, row.subject) for row in rows] == [
            ("file", "x.json"),
            ("batch", "batch-1"),
            ("hook", "off"),
        ]
        assert "showing the last good one" in told(overview.NEEDS, rows[0], "what")

    def test_the_countdown_in_it_goes_on_without_a_new_picture(self) -> None:
        off = source(circuits(off=record("open", 3, disabled_at="2026-11-16T14:22:00Z")), policy=Policy(cooldown=90))
        row = overview.need_rows(pictured(off), NOW)[0]
        assert "retry in 0:30" in told(overview.NEEDS, row, "what")
        assert "retry in 0:21" in told(overview.NEEDS, row, "what", NOW + 9)

    def test_what_runs(self) -> None:
        picture = pictured(source(batch_of(40, done=14, failed=1), "/b", "batch", pace=Pace(60, True, trend=(1, 4))))
        (row,) = overview.run_rows(picture)
        text = told(overview.RUNS, row, "says")
        assert text[10:] == "  15/40  1 failed  ETA 14:48  1m/item  ▃█  item 15"

    def test_circuits_at_a_glance_name_what_is_unknown(self) -> None:
        counts, dots = overview.circuits(pictured(source(circuits(a="open", b="closed", c="melted"))), NOW)
        assert words(counts) == "CIRCUITS  ● 1 open  ◐ 0 half-open  ○ 1 closed  ? 1 unknown"
        assert words(dots) == "●○?"

    def test_the_filter_narrows_all_of_it(self) -> None:
        picture = pictured(source(circuits(one=record("open", 3), two=record("open", 3))))
        model = ask("overview", picture, filter="one")
        assert [row.fields["subject"] for row in model.tables["needs"]] == ["one"]
        assert model.hidden == 1


class TestSources:
    """Every source, whatever it is."""

    @pytest.mark.parametrize(
        ("made", "says"),
        [
            (source(circuits(a="open", b="half_open")), "2 circuits, 1 open, 1 half-open"),
            (source(batch_of(4, done=2), kind="batch"), "▶ in_progress  2/4"),
            (source({"workflow_id": "w", "phases": {"plan": {"status": "failed"}}}, kind="workflow"), "✕ failed"),
            (source([1], kind="json"), "plain JSON"),
            (
                broken(source(circuits(a="open")), "not JSON at line 2"),
                "✕ not JSON at line 2  showing the last good one",
            ),
            (Source("/p/new", "new", "hooks", problem=Problem("empty", NOW)), "✕ empty"),
        ],
    )
    def test_what_it_says(self, made: Source, says: str) -> None:
        (row,) = sources.rows(pictured(made))
        assert told(sources.SPEC, row, "says") == says

    def test_unreadable_ones_come_first_and_have_no_size_unless_they_were_read(self) -> None:
        never = Source("/p/new", "znew", "hooks", problem=Problem("empty", NOW))
        rows = sources.rows(pictured(source(circuits(a="open"), label="a"), never))
        assert [row.source.label for row in rows] == ["znew", "a"]
        assert [told(sources.SPEC, row, "size") for row in rows] == ["", "1234 B"]


class TestChanges:
    """One line a change."""

    def test_order_and_words(self) -> None:
        picture = pictured(changes=[changed(2, "open → half-open"), changed(1, "closed → open", tone="bad")])
        rows = changes.rows(picture)
        assert [told(changes.SPEC, row, "what") for row in rows] == ["hook  open → half-open", "hook  closed → open"]
        assert ask("changes", picture, filter="kind:hooks half").hidden == 1


class TestBuilding:
    """From a picture and an ask to a model."""

    @pytest.mark.parametrize("view", [name for _, name, _ in VIEWS])
    def test_every_view_of_nothing(self, view: str) -> None:
        model = ask(view, Picture(NOW))
        assert model.frame.sources == 0
        assert not any(model.tables.values())

    def test_filter_and_order_together(self) -> None:
        picture = pictured(source(circuits(beta="open", alpha="open", gamma="closed")))
        model = ask("hooks", picture, filter="state:open", sort=("hook", False))
        assert [row.fields["hook"] for row in model.tables["hooks"]] == ["alpha", "beta"]
        assert model.hidden == 1

    def test_an_unknown_order_changes_nothing(self) -> None:
        picture = pictured(source(circuits(beta="open", alpha="open")))
        assert [row.fields["hook"] for row in ask("hooks", picture, sort=("nonsense", True)).tables["hooks"]] == [
            "beta",
            "alpha",
        ]


@pytest.mark.parametrize(
    "spec",
    [
        overview.NEEDS,
        overview.RUNS,
        batches.SPEC,
        batch_items.SPEC,
        workflows.SPEC,
        hooks.SPEC,
        sources.SPEC,
        changes.SPEC,
    ],
)
def test_a_title_is_never_wider_than_the_narrowest_its_column_gets(spec: TableSpec[Any]) -> None:
    for column in spec.columns:
        assert len(column.title) <= min(column.minimum, column.width), column.id


def test_whatever_can_be_sorted_by_is_a_column() -> None:
    specs: list[TableSpec[Any]] = [batches.SPEC, workflows.SPEC, hooks.SPEC, sources.SPEC, changes.SPEC]
    for spec in specs:
        assert set(spec.sorts) <= {column.id for column in spec.columns}

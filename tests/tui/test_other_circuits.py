"""The circuits of other tools in the dashboard: shown among those of hooks, and reset in the same way."""

import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import audit
from statewatch.documents.codec import decode
from statewatch.kinds import field_circuits
from statewatch.tui.app import StatewatchApp
from statewatch.tui.models import overview, sources
from statewatch.tui.models.hooks import rows
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.watch.picture import Revision, Source
from statewatch.watch.scope import scope_of
from tests.core.files import document, write
from tests.support import SAMPLE
from tests.tui.dash import NOW, Keys, Still, ask, circuits, in_file, pictured, runs_on, source, still, watching, words

pytestmark = pytest.mark.usefixtures("short_waits")

FILES = {
    ".ralph/.circuit_breaker_state": "ralph/.ralph/.circuit_breaker_state",
    ".ralph/.circuit_breaker_history": "ralph/.ralph/.circuit_breaker_history",
    ".claude/local/drain_breaker.json": "project/.claude/local/drain_breaker.json",
    ".claude/local/drain_paused.flag": "project/.claude/local/drain_paused.flag",
    ".claude/batch-1_retry_state.json": "project/.claude/batch-20261114-220501-118274_retry_state.json",
}


def other(label: str) -> Source:
    """Return the source of a file of the sample."""
    data = (SAMPLE / FILES[label]).read_bytes()
    read = decode(data)
    kind = field_circuits.expected(*label.split("/")[-2:])
    assert kind is not None
    revision = Revision(f"digest of {label}", NOW, NOW - 3_600, len(data), read)
    return Source(f"/p/{label}", label, kind.name, revision, kind.view(read))


def everything() -> Still:
    return still(source(circuits(lint="open", audit="closed")), *map(other, FILES))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a loop that was stopped, beside a hook that was."""
    (tmp_path / "p" / ".git").mkdir(parents=True)
    shutil.copytree(SAMPLE / "ralph" / ".ralph", tmp_path / "p" / ".ralph")
    write(tmp_path / "h" / ".claude" / "hook_state.json", document(1))
    return tmp_path


@pytest.fixture
def breaker(project: Path) -> Path:
    """Return the file of its circuit."""
    return project / "p" / ".ralph" / ".circuit_breaker_state"


def state(file: Path) -> Any:
    return json.loads(file.read_bytes())["state"]


@asynccontextmanager
async def dashboard(project: Path) -> AsyncIterator[tuple[StatewatchApp, Keys]]:
    async with watching(scope_of((), project / "p", project / "h", {}), size=(120, 40)) as (app, press):
        await press.until(lambda: len(app.picture.sources) == 4, "all files")
        await press.settle()
        yield app, press


async def agree(app: StatewatchApp, press: Keys) -> None:
    """Answer the question with yes, and wait until what was done is told."""
    await press.until(lambda: isinstance(app.screen, ConfirmScreen), "the question")
    await press.settle()
    told = len(press.told)
    await press("right", "enter")
    await press.until(lambda: len(press.told) > told, "what became of it")


async def test_a_loop_is_reset_from_the_overview_and_the_reset_undone(project: Path, breaker: Path) -> None:
    async with dashboard(project) as (app, press):
        await press.down_to("needs", "ralph")
        await press("r")
        await agree(app, press)
        assert state(breaker) == "CLOSED"
        await press.until(lambda: all(row.fields["subject"] != "ralph" for row in press.table("needs").rows))
        await press("u")
        await agree(app, press)
        assert state(breaker) == "OPEN"
        assert {record.via for record in audit.records()} == {"dashboard"}


async def test_circuits_of_hooks_and_other_tools_are_reset_at_once_in_the_hooks_view(
    project: Path, breaker: Path
) -> None:
    async with dashboard(project) as (app, press):
        await press("4", "a", "r")
        await agree(app, press)
        hooks = project / "h" / ".claude" / "hook_state.json"
        await press.until(lambda: state(breaker) == "CLOSED" and in_file(hooks, "h0") == "closed")


async def test_what_only_hooks_can_do_is_not_done_to_others(project: Path, breaker: Path) -> None:
    before = breaker.read_bytes()
    async with dashboard(project) as (app, press):
        await press("4")
        await press.until(lambda: "ralph" in press.keys_of("hooks"))
        await press(*["down"] * press.keys_of("hooks").index("ralph"), "h")
        await press.until(lambda: press.told)
        assert press.told == ["Only circuits of hooks can do that; this one can be reset."]
        assert app.screen is app.main
    assert breaker.read_bytes() == before


async def test_the_detail_tells_of_the_files_beside(project: Path) -> None:
    async with dashboard(project) as (_, press):
        await press("4")
        await press.until(lambda: "ralph" in press.keys_of("hooks"))
        await press(*["down"] * press.keys_of("hooks").index("ralph"))
        await press.reads("loops without progress")
        await press("tab", "z")
        for part in ("HALF_OPEN → OPEN in loop 7", "12 of 100", "exit reason             no progress␊in 3 loops"):
            await press.reads(part)


async def test_a_status_that_is_not_quite_json_is_shown_and_said(project: Path) -> None:
    async with dashboard(project) as (_, press):
        await press("6")
        await press.reads("stopped")
        keys = [row.key.rpartition("/")[2] for row in press.table("state").rows]
        await press(*["down"] * keys.index("status.json"), "i")
        await press.reads("read all the same, though not JSON at line")


def test_rows_say_which_file_a_circuit_is_in() -> None:
    found = {row.name: row for row in rows(everything().picture, NOW)}
    assert found.keys() == {"lint", "audit", "ralph", "drain", "drain pause", "batch-20261114-220501-118274"}
    assert found["ralph"].is_one_of_many
    assert not found["lint"].is_one_of_many
    assert found["drain pause"].hook.state == "closed"  # it ended hours ago
    assert found["ralph"].fields["kind"] == "ralph"


def test_they_count_among_the_circuits_at_a_glance() -> None:
    counts, dots = overview.circuits(everything().picture, NOW)
    assert words(counts) == "CIRCUITS  ● 4 open  ◐ 0 half-open  ○ 2 closed  "
    assert len(words(dots)) == 6


def test_the_filter_finds_them_by_kind() -> None:
    model = ask("hooks", everything().picture, filter="kind:retry")
    assert [row.hook.name for row in model.tables["hooks"]] == ["batch-20261114-220501-118274"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("label", "says"),
    [
        (".ralph/.circuit_breaker_state", "● open ralph  "),
        (".ralph/.circuit_breaker_history", "2 entries, the last: HALF_OPEN → OPEN in loop 7: No progress detected"),
        (".claude/local/drain_paused.flag", "○ closed drain pause  "),
    ],
)
def test_the_state_view_says_how_each_file_stands(label: str, says: str) -> None:
    (row,) = sources.rows(pictured(other(label)))
    column = next(column for column in sources.SPEC.columns if column.id == "says")
    assert words(column.cell(row, NOW)).startswith(says)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", [("1",), ("4",), ("6",)], ids="-".join)
def test_screen(keys: tuple[str, ...], size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(everything().app(), terminal_size=size, run_before=runs_on(keys))

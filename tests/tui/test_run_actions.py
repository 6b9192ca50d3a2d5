"""Doing things to runs in phases from the dashboard, against real files and the real core."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.core.files import date_back, load, write
from tests.support import SAMPLE
from tests.tui.asking import agreed, asked, not_done, project, prompted, warned
from tests.tui.dash import Keys, watching

pytestmark = pytest.mark.usefixtures("short_waits")

FAILED = ".claude/workflows/adw-63f8bd05/state.json"
STUCK = ".claude/workflows/adw-81aa02fe/state.json"
SESSION = "docs/sessions/20261115-090030-pipeline.json"
SUMMED_UP = "docs/sessions/b71c09aa41f2d3e8-pipeline.json"
CHECKPOINT = ".claude/artifacts/20261114_144200/checkpoint.json"
PIPELINE = "tmp/pipeline_state_20261114-144200.json"


@asynccontextmanager
async def workflows(tmp_path: Path, name: str, **options: Any) -> AsyncIterator[tuple[Keys, Path]]:
    """Open the dashboard at one run of the sample; yields it with the file of the run."""
    file = tmp_path / "p" / name
    scope = project(tmp_path, *([str(file)] if name == PIPELINE else []))
    place = SAMPLE / (name if name == PIPELINE else f"project/{name}")
    shutil.copytree(place.parent, file.parent, ignore=lambda _path, names: set(names) - wanted(place, names))
    for path in file.parent.iterdir():
        path.chmod(0o600)
        date_back(path)
    async with watching(scope, **options) as (_, press):
        await press("3")
        await press.until(lambda: press.table("phases").rows)
        yield press, file


def wanted(place: Path, names: list[str]) -> set[str]:
    """Return the files to copy: of sessions and pipelines, which lie beside others of their kind, the one only."""
    return {place.name} if place.parent.name in {"sessions", "tmp"} else set(names)


async def to_phase(press: Keys, name: str) -> None:
    """Go to the phase of that name, the last one of several."""
    table = press.table("phases")
    if press.app.focused is not table:
        await press("tab")
    table.move_to([row.key for row in table.rows if row.name == name][-1])
    await press.settle()


async def type_in(press: Keys, text: str) -> None:
    for character in text:
        await press.pilot.press({" ": "space"}.get(character, character))
    await press.pilot.press("enter")


class TestRetrying:
    """A failed phase is run again."""

    @pytest.mark.parametrize("from_phases", [True, False])
    async def test_the_failed_one_and_back(self, tmp_path: Path, from_phases: bool) -> None:
        async with workflows(tmp_path, FAILED) as (press, file):
            before = file.read_bytes()
            if from_phases:
                await to_phase(press, "build")
            said = await asked(press, "r")
            assert "retry phase build?" in said
            assert '/status "failed" → "initialized"' in said
            await agreed(press)
            assert "build" not in load(file)["phases"]
            await press.until(lambda: "build ·" in press.text, "the phase to be pending")
            await asked(press, "u")
            await agreed(press)
            assert file.read_bytes() == before

    async def test_one_of_several_is_chosen(self, tmp_path: Path) -> None:
        scope = project(tmp_path)
        file = tmp_path / "p" / FAILED
        failed = {"status": "failed", "error": "x"}
        document = {"workflow_id": "w", "status": "failed", "phases": {"lint": failed, "types": failed}}
        write(file, document)
        async with watching(scope) as (_, press):
            await press("3")
            await press.until(lambda: press.table("phases").rows)
            assert "Which failed phase is to be run again?" in await prompted(press, "r")
            await press("down")
            assert "retry phase types?" in await asked(press, "enter")
            await agreed(press)
            assert load(file)["phases"].keys() == {"lint"}

    async def test_a_phase_that_has_not_failed_is_refused_with_the_reason(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, FAILED) as (press, _):
            await to_phase(press, "scout")
            assert "the phase scout has not failed (completed)" in await not_done(press, "r")

    async def test_only_workflows_have_phases_to_retry(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, SESSION) as (press, _):
            assert "Only failed phases of workflows" in await warned(press, "r")


class TestFailing:
    """What never ends is marked as failed, with a reason."""

    @pytest.mark.parametrize(("name", "part"), [(STUCK, "plan"), (SESSION, "implementer")])
    async def test_the_stuck_one(self, tmp_path: Path, name: str, part: str) -> None:
        async with workflows(tmp_path, name) as (press, file):
            assert f"Why is “{part}” marked as failed?" in await prompted(press, "f")
            await type_in(press, "box died")
            assert f"{part}?" in await asked(press)
            await agreed(press)
            document = load(file)
            ended = document["phases"][part] if name == STUCK else document["agents"][-1]
            assert ended["status"] == "failed"
            assert "box died" in {ended.get("error"), ended.get("message")}

    async def test_an_agent_that_has_ended_stays_as_it_is(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, SESSION) as (press, file):
            before = file.read_bytes()
            await to_phase(press, "planner")
            await prompted(press, "f")
            assert "what has ended is never changed again" in await not_done(press, "enter")
            assert file.read_bytes() == before

    async def test_where_nothing_is_under_way_that_is_said(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, FAILED) as (press, _):
            assert "Nothing of it is under way" in await warned(press, "f")


class TestSkipping:
    """Steps of pipelines."""

    async def test_a_step_is_chosen_and_skipped(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, PIPELINE) as (press, file):
            assert "There are several" in await warned(press, "x")
            assert press.app.focused is press.table("phases")
            assert "Why is “acceptance_tests” to be skipped?" in await prompted(press, "x")
            await type_in(press, "no ci")
            await asked(press)
            await agreed(press)
            step = load(file)["steps"]["acceptance_tests"]
            assert (step["status"], step["error"]) == ("skipped", "no ci")

    async def test_what_was_summed_up_is_never_changed(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, SUMMED_UP) as (press, _):
            assert "Only steps of pipelines that run" in await warned(press, "x")


class TestRollingBack:
    """A workflow goes on with an agent again."""

    async def test_to_the_agent_that_is_chosen(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, CHECKPOINT) as (press, file):
            said = await prompted(press, "R")
            assert "With which agent is it to go on?" in said
            assert "implementer" in said
            assert "reviewer" not in said.partition("go on?")[2].partition("cancel")[0]
            await press("down", "down")
            assert "roll back planner?" in await asked(press, "enter")
            await agreed(press)
            assert load(file)["completed_agents"] == ["orchestrator", "researcher"]
            await press.until(lambda: "planner ·" in press.text, "the planner to be next")

    async def test_choosing_none_changes_nothing(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, CHECKPOINT) as (press, file):
            before = file.read_bytes()
            await prompted(press, "R")
            await press("escape")
            assert press.app.screen is press.app.main
            assert file.read_bytes() == before

    async def test_to_the_agent_under_the_cursor(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, CHECKPOINT) as (press, _):
            await to_phase(press, "researcher")
            assert "roll back researcher?" in await asked(press, "R")
            await press("escape")
            await to_phase(press, "doc-master")
            assert "'doc-master' is not among the completed" in await not_done(press, "R")


class TestRemoving:
    """The file of a run that is over."""

    async def test_it_goes_and_comes_back(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, FAILED) as (press, file):
            before = file.read_bytes()
            await asked(press, "D")
            await agreed(press)
            assert not file.exists()
            await asked(press, "u")
            await agreed(press)
            assert file.read_bytes() == before

    async def test_the_record_of_a_session_stays(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, SESSION) as (press, file):
            assert "it is all that tells of it" in await warned(press, "D")
            assert file.exists()


class TestLooking:
    """What is shown of a run, and its log."""

    async def test_the_whole_of_a_run_with_what_lies_beside_it(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, FAILED, size=(100, 60)) as (press, _):
            await press("enter")
            await press.reads("HANDED OVER")
            for part in ("scout → plan files (1), requirements (1)", "└ error pytest: 4 failed", "phase failed build"):
                assert part in press.prose

    async def test_one_phase_with_its_results(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, FAILED) as (press, _):
            await to_phase(press, "plan")
            await press("enter")
            assert "└ dependencies a list of 1" in press.prose
            assert "took 10m" in press.prose

    async def test_the_log_is_filtered_and_goes_on(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, FAILED, size=(100, 24)) as (press, file):
            await press("l")
            await press.reads("6 events, newest first")
            await press("slash")
            await press.type("what:failed")
            assert "hides 5" in press.text
            await press("enter", "enter")
            await press.reads("pytest: 4 failed, 207 passed")
            await press("escape")
            log = file.with_name("events.jsonl")
            line = '{"event_type": "phase_failed", "data": {"phase": "review", "error": "late"}}\n{"half'
            log.write_text(log.read_text().rstrip("\n") + "\n" + line)
            await press.reads("7 events")
            await press.reads("late")
            await press("escape")
            assert press.app.screen is press.app.main

    async def test_artifacts_that_are_missing_are_named(self, tmp_path: Path) -> None:
        async with workflows(tmp_path, CHECKPOINT, size=(120, 50)) as (press, file):
            assert "missing" not in press.text
            file.with_name("research.json").unlink()
            press.app.main.ask()
            await press.reads("its artifact is missing")
            assert "missing         research.json" in press.text

    @pytest.mark.parametrize("key", ["r", "f", "x", "R", "D"])
    async def test_nothing_is_asked_where_nothing_may_be_written(self, tmp_path: Path, key: str) -> None:
        async with workflows(tmp_path, FAILED, read_only=True) as (press, _):
            assert "Read-only" in await warned(press, key)

"""Doing things from the dashboard, against real files, with the real watcher and the real core."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import audit, lock
from statewatch.core.actions import perform
from statewatch.core.keys import save_action
from statewatch.core.recording import Circuits
from statewatch.core.stores.urls import open_store
from statewatch.tui.app import StatewatchApp
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.watch.scope import scope_of
from tests.core.files import document, load, write
from tests.support import replace
from tests.tui.dash import Keys, in_file, watching

pytestmark = pytest.mark.usefixtures("short_waits")

NAME = "hook_state.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with three open circuits."""
    (tmp_path / "p" / ".git").mkdir(parents=True)
    (tmp_path / "h" / ".claude").mkdir(parents=True)
    write(tmp_path / "h" / ".claude" / NAME, document(3))
    return tmp_path


@pytest.fixture
def file(project: Path) -> Path:
    """Return its hook state."""
    return project / "h" / ".claude" / NAME


@asynccontextmanager
async def hooks_view(project: Path, **options: Any) -> AsyncIterator[tuple[StatewatchApp, Keys]]:
    """Open the dashboard on the project, at its circuits."""
    scope = scope_of((), project / "p", project / "h", {})
    async with watching(scope, **options) as (app, press):
        await press("4")
        await press.until(lambda: press.table("hooks").rows)
        yield app, press


def asks(app: StatewatchApp) -> bool:
    return isinstance(app.screen, ConfirmScreen)


async def asked(app: StatewatchApp, press: Keys, *keys: str) -> None:
    """Press keys and wait for the question."""
    for key in keys:
        await press.pilot.press(key)
    await press.until(lambda: asks(app), "the question")
    await press.settle()


async def applied(app: StatewatchApp, press: Keys) -> None:
    """Answer with the second answer, and wait until what was done is told."""
    told = len(press.told)
    await press("right")
    assert press.answer == "Apply"
    await press("enter")
    await press.until(lambda: len(press.told) > told, "what became of it")


class TestAsking:
    """The question before anything is written."""

    async def test_it_shows_what_will_be_written_where_and_cancel_has_the_focus(self, project: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            assert press.answer == "Cancel"
            for part in ("reset h0?", f"~/.claude/{NAME}", '"open" → "closed"', "u undoes it", "/hooks/h0"):
                assert part in press.text

    @pytest.mark.parametrize("key", ["enter", "escape"])
    async def test_cancel_changes_nothing(self, project: Path, file: Path, key: str) -> None:
        before, stat = file.read_bytes(), file.stat()
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            await press(key)
            assert app.screen is app.main
            assert file.read_bytes() == before
            assert (file.stat().st_ino, file.stat().st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
            assert list(audit.records()) == []
            assert press.told == []

    async def test_the_key_that_asked_does_not_answer(self, project: Path, file: Path) -> None:
        before = file.read_bytes()
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            await press("r", "r")
            assert press.answer == "Cancel"
            assert file.read_bytes() == before

    @pytest.mark.parametrize(("key", "state"), [("y", "closed"), ("n", "open")])
    async def test_yes_and_no_answer_as_on_the_command_line(
        self, project: Path, file: Path, key: str, state: str
    ) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            assert "y yes  n no" in press.text
            await press(key)
            if key == "y":
                await press.until(lambda: press.told)
            assert app.screen is app.main
            assert in_file(file, "h0") == state

    @pytest.mark.parametrize("key", ["y", "n"])
    async def test_a_box_with_one_answer_is_closed_by_both(self, project: Path, file: Path, key: str) -> None:
        file.chmod(0o400)
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            assert press.answer == "Close"
            assert "yes" not in press.text
            await press(key)
            assert app.screen is app.main

    async def test_a_click_beside_the_answers_answers_nothing(self, project: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            await press.pilot.click("#question")
            await press.settle()
            assert asks(app)

    async def test_an_answer_can_be_clicked(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            await press.pilot.click("#answer-1")
            await press.until(lambda: press.told)
            assert in_file(file, "h0") == "closed"

    async def test_who_holds_the_lock_is_named(self, project: Path, file: Path) -> None:
        with lock.locked(file, "a long migration"):
            async with hooks_view(project) as (app, press):
                await asked(app, press, "r")
                assert "locked now by" in press.text
                assert "a long migration" in press.text

    async def test_what_would_change_nothing_is_said_and_not_asked(self, project: Path, file: Path) -> None:
        state = document(1)
        state["hooks"]["fine"] = {"state": "closed", "failure_count": 0, "consecutive_failures": 0, "last_error": None}
        write(file, state)
        async with hooks_view(project) as (app, press):
            await press("end", "e")
            await press.until(lambda: press.told)
            assert "Nothing to change" in press.told[0]
            assert app.screen is app.main


class TestDoing:
    """What is applied is in the file, on the screen, in the audit log, and can be taken back."""

    async def test_reset_undo_and_redo(self, project: Path, file: Path) -> None:
        before = load(file)
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            await applied(app, press)
            assert "Done: reset h0." in press.told[0]
            assert "u undoes it" in press.told[0]
            assert in_file(file, "h0") == "closed"
            assert in_file(file, "h1") == "open"
            await press.until(lambda: press.keys_of("hooks") == ["h1", "h2", "h0"], "the new order")
            assert [record.via for record in audit.records()] == ["dashboard"]

            await asked(app, press, "u")
            assert "undo reset h0?" in press.text
            assert press.answer == "Cancel"
            await applied(app, press)
            assert "Done: undo reset h0. U does it again." in press.told[0]
            assert load(file)["hooks"] == before["hooks"]

            await asked(app, press, "U")
            assert "redo reset h0?" in press.text
            await applied(app, press)
            assert in_file(file, "h0") == "closed"

    async def test_a_mode_is_chosen_and_a_reset_takes_it_back_until_that_is_undone(
        self, project: Path, file: Path
    ) -> None:
        circuits = Circuits(file)
        async with hooks_view(project) as (app, press):
            await asked(app, press, "m")
            assert "Which mode for h0?" in press.text
            await press("right")
            assert press.answer == "skip"
            await press("enter")
            await press.until(lambda: press.answer == "Cancel", "the question what is to be written")
            await applied(app, press)
            assert circuits.mode("h0") == "forced_open"
            await press.reads("[skip]")

            await press("home")
            await asked(app, press, "r")
            assert "h0 is in no mode any more; it was skip" in press.text
            await applied(app, press)
            await press.until(lambda: circuits.mode("h0") is None, "what is beside the file to go, too")
            assert in_file(file, "h0") == "closed"

            await asked(app, press, "u")
            await applied(app, press)
            await press.until(lambda: circuits.mode("h0") == "forced_open", "both to be undone")
            assert in_file(file, "h0") == "open"

    async def test_the_change_is_among_the_changes_and_has_a_diff(self, project: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            await applied(app, press)
            await press("7")
            await press.reads("open → closed")
            await press("d")
            await press.reads('"open" → "closed"')

    async def test_several_marked_circuits_at_once(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "space", "down", "down", "space", "r")
            assert "reset h0, h2?" in press.text
            await applied(app, press)
            assert [in_file(file, name) for name in ("h0", "h1", "h2")] == ["closed", "open", "closed"]
            assert len(list(audit.records())) == 1
            assert press.table("hooks").marked == frozenset()

    async def test_all_that_match_a_filter(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            await press("slash")
            await press.type("!h1")
            await asked(app, press, "enter", "a", "r")
            await applied(app, press)
            assert [in_file(file, name) for name in ("h0", "h1", "h2")] == ["closed", "open", "closed"]

    async def test_circuits_of_two_files(self, project: Path, file: Path) -> None:
        other = write(project / "p" / ".claude" / NAME, document(1))
        async with hooks_view(project) as (app, press):
            await press.until(lambda: len(press.table("hooks").rows) == 4)
            await asked(app, press, "a", "r")
            assert f"in ~/.claude/{NAME}" in press.text
            await press("right", "enter")
            await press.until(lambda: len(press.told) == 2)
            assert {in_file(file, "h2"), in_file(other, "h0")} == {"closed"}

    @pytest.mark.parametrize(
        ("key", "state"), [("h", "half_open"), ("x", "open"), ("e", "closed"), ("R", "closed")], ids=str
    )
    async def test_the_other_actions(self, project: Path, file: Path, key: str, state: str) -> None:
        if key == "x":
            changed = document(1)
            changed["hooks"]["h0"]["state"] = "closed"
            write(file, changed)
        async with hooks_view(project) as (app, press):
            await asked(app, press, key)
            await applied(app, press)
            assert in_file(file, "h0") == state
            assert (in_file(file, "h0") == "open") == (key == "x")

    async def test_reset_from_the_overview(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            await press("1")
            await asked(app, press, "r")
            await applied(app, press)
            assert in_file(file, "h0") == "closed"
            await press.until(lambda: len(press.table("needs").rows) == 2)

    async def test_what_a_script_saved_in_a_namespace_is_undone_too(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(project / "p")
        with open_store("json:.claude/state?namespace=nightly") as store:
            store.save("phase", "planning")
            perform(save_action(store, "phase", "building"), settle_for=0)
            async with hooks_view(project) as (app, press):
                await press("6")
                await press.reads("nightly/state.json")
                await asked(app, press, "u")
                assert '"building" → "planning"' in press.text
                await press("y")
                await press.until(lambda: press.told)
            assert store.load("phase") == "planning"

    async def test_nothing_to_undo_is_said(self, project: Path) -> None:
        async with hooks_view(project) as (app, press):
            await press("u")
            await press.until(lambda: press.told)
            assert "nothing to undo" in press.told[0]
            assert app.screen is app.main

    async def test_what_others_write_meanwhile_stays(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            state = load(file)
            state["hooks"]["h1"]["state"] = "half_open"
            state["hooks"]["new"] = state["hooks"]["h2"]
            replace(file, json.dumps(state))
            await applied(app, press)
            assert [in_file(file, name) for name in ("h0", "h1", "new")] == ["closed", "half_open", "open"]


class TestTelling:
    """What is told in passing hides neither rows nor answers."""

    @pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
    async def test_after_three_actions_every_row_and_the_next_question_are_in_sight(
        self, project: Path, file: Path, size: tuple[int, int]
    ) -> None:
        write(file, document(8))
        async with hooks_view(project) as (app, press):
            await press.pilot.resize_terminal(*size)
            await press.until(lambda: len(press.table("hooks").rows) == 8)
            for _ in range(3):
                await asked(app, press, "r")
                await press("y")
                await press.until(lambda: press.told and app.screen is app.main)
            app.action_look()
            await press.reads("Looked at every file.")
            assert "Done: reset h2. u undoes it." in press.lines[-3]
            assert "Looked at every file." in press.lines[-2]
            for name in press.keys_of("hooks"):
                assert any(f" {name} " in line and "▌" not in line for line in press.lines)
            assert "u undo" in press.lines[-1]
            await asked(app, press, "u")
            assert "Cancel        Apply" in press.text
            assert "y yes" in press.text
            assert press.told == []
            app.action_look()  # what is told while a question is asked leaves the answers in sight
            await press.reads("Looked at every file.")
            assert "Cancel        Apply" in press.text
            await press("n", "f5")
            await press.reads("Looked at every file.")
            assert "Looked at every file." in press.lines[-2], "what was taken down leaves no empty lines"

    async def test_no_more_than_two_messages_are_shown(self, project: Path) -> None:
        async with hooks_view(project) as (app, press):
            for number in range(4):
                app.tell(f"message {number}")
            await press.reads("message 3")
            assert [line[-9:] for line in press.lines[-3:-1]] == ["message 2", "message 3"]
            assert "message 1" not in press.text
            await press("ctrl+p")
            assert app.screen is not app.main
            assert press.told == []


class TestRefused:
    """What cannot be done is told with the reason, in a box that stays until it has been read."""

    async def test_a_read_only_file(self, project: Path, file: Path) -> None:
        file.chmod(0o400)
        await self.refused(project, ("r",), "is read-only")

    async def test_a_file_that_vanished_before_the_question(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            file.unlink()
            await self.told(app, press, ("r",), NAME)

    @pytest.mark.parametrize(
        "spoil",
        [Path.unlink, lambda path: path.write_text('{"hooks": '), lambda path: path.chmod(0o444)],
        ids=["vanished", "broken", "read-only"],
    )
    async def test_what_happened_between_question_and_answer(
        self, project: Path, file: Path, spoil: Callable[[Path], object]
    ) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            question = app.screen
            spoil(file)
            left = file.read_bytes() if file.exists() else None
            await press("right", "enter")
            await press.until(lambda: asks(app) and app.screen is not question)
            await press.settle()
            assert "Not done" in press.text
            assert press.answer == "Close"
            await press("enter")
            assert app.screen is app.main
            assert (file.read_bytes() if file.exists() else None) == left

    async def test_a_circuit_that_is_gone_from_the_file(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            question = app.screen
            replace(file, json.dumps({"hooks": {}, "global_stats": {}}))
            await press("right", "enter")
            await press.until(lambda: app.screen is not question)
            await press.reads("h0")
            assert load(file)["hooks"] == {}

    async def refused(self, project: Path, keys: tuple[str, ...], reason: str) -> None:
        async with hooks_view(project) as (app, press):
            await self.told(app, press, keys, reason)

    async def told(self, app: StatewatchApp, press: Keys, keys: tuple[str, ...], reason: str) -> None:
        await asked(app, press, *keys)
        assert "Not done" in press.text
        assert reason in press.prose
        assert press.answer == "Close"
        await press("escape")
        assert app.screen is app.main


class TestOverwritten:
    """A foreign writer puts back what it had read before."""

    async def test_it_is_told_within_a_second_and_can_be_applied_again(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            with putting_back(file, 1):
                question = app.screen
                begun = time.monotonic()
                await press("right", "enter")
                await press.until(lambda: asks(app) and app.screen is not question, "being told")
                assert time.monotonic() - begun < 5  # a second, on a machine that is not busy with other tests
            await press.settle()
            assert "was overwritten. Apply again?" in press.text
            assert press.answer == "Cancel"
            assert in_file(file, "h0") == "open"
            await press("right")
            assert press.answer == "Apply again"
            await press("enter")
            await press.until(lambda: press.told)
            assert "Done" in press.told[0]
            assert in_file(file, "h0") == "closed"

    async def test_cancel_leaves_it_and_says_so(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            with putting_back(file, 1):
                await press("right", "enter")
                await press.reads("was overwritten. Apply again?")
            await press("enter")
            await press.until(lambda: press.told)
            assert press.told == ["reset h0 was overwritten by another program."]
            assert in_file(file, "h0") == "open"

    async def test_until_it_holds(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (app, press):
            await asked(app, press, "r")
            with putting_back(file, 4):
                await press("right", "enter")
                await press.reads("was overwritten. Apply again?")
                await press("left")
                assert press.answer == "Until it holds"
                await press("enter")
                await press.until(lambda: press.told)
            assert "after 4 tries" in press.told[0]
            assert in_file(file, "h0") == "closed"

    async def test_it_can_be_set_to_happen_by_itself(self, project: Path, file: Path) -> None:
        async with hooks_view(project, reapply=True) as (app, press):
            await asked(app, press, "r")
            with putting_back(file, 2):
                await applied(app, press)
            assert "after 3 tries" in press.told[0]
            assert in_file(file, "h0") == "closed"

    async def test_another_process_that_hammers_the_file(self, project: Path, file: Path) -> None:
        async with hooks_view(project, reapply=True) as (app, press):
            await asked(app, press, "r")
            with hammering(file) as made:
                await press.pilot.press("right", "enter")
                await press.until(lambda: press.told)
                assert "Done" in press.told[0]
                assert in_file(file, "h0") == "closed"
            assert in_file(file, "h0") == "closed"
            assert load(file)["hooks"]["busy"]["executions"] >= made[0] * 0.9


class TestOnDisk:
    """What happens to files shows by itself."""

    async def test_a_change_by_rename(self, project: Path, file: Path) -> None:
        async with hooks_view(project) as (_, press):
            state = load(file)
            state["hooks"]["h1"]["state"] = "half_open"
            replace(file, json.dumps(state))
            await press.reads("half-open")
            await press("7")
            await press.reads("open → half_open")

    async def test_one_that_breaks_is_shown_with_its_last_good_version_and_heals(
        self, project: Path, file: Path
    ) -> None:
        good = file.read_bytes()
        async with hooks_view(project) as (_, press):
            file.write_text('{"hooks": {')
            await press.reads("not JSON")
            assert press.keys_of("hooks") == ["h0", "h1", "h2"]
            await press("1")
            assert "file" in press.text
            replace(file, good)
            await press.until(lambda: "not JSON at" not in "\n".join(press.lines[:10]))

    async def test_a_run_that_starts_later_appears_by_itself(self, tmp_path: Path) -> None:
        (tmp_path / "p" / ".git").mkdir(parents=True)
        (tmp_path / "h" / ".claude").mkdir(parents=True)
        scope = scope_of((), tmp_path / "p", tmp_path / "h", {})
        app = make(scope)
        async with app.run_test(size=(100, 30)) as pilot:
            press = Keys(pilot)
            await press.reads("No state file found yet")
            write(tmp_path / "p" / ".claude" / NAME, document(2))
            await press.reads("h1")
            assert "No state file" not in press.text


def make(scope: Any) -> StatewatchApp:
    from statewatch.watch.watcher import Watcher

    return StatewatchApp(lambda take: Watcher(scope, on_picture=take), project="test")


@contextmanager
def hammering(path: Path) -> Iterator[list[int]]:
    """Have another process update the file 100 times a second; yields the list that will hold how often it did."""
    made: list[int] = []
    command = [sys.executable, "-m", "tests.foreign", str(path), "busy", "100", "0.001"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == "ready"
        yield made
        writer.stdin.close()
        made.append(int(writer.stdout.readline()))


@contextmanager
def putting_back(path: Path, times: int) -> Iterator[None]:
    """Put the content of now back so many times, each time when somebody has changed it."""
    old = path.read_bytes()
    stop = threading.Event()

    def put() -> None:
        for _ in range(times):
            while not stop.is_set() and path.read_bytes() == old:
                time.sleep(0.002)
            if not stop.is_set():
                replace(path, old)

    thread = threading.Thread(target=put)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()

"""The Checkpoints view: keeping, looking, comparing, bringing back, tidying up, on real files with the real core."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import audit, lock
from statewatch.core.copies import directory_for
from statewatch.core.stores.urls import open_store
from statewatch.tui.app import StatewatchApp
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.screens.diff import DiffScreen
from statewatch.tui.screens.form import FormScreen
from statewatch.watch.scope import scope_of
from tests.core.files import document, load, write
from tests.tui.dash import HOSTILE, Keys, in_file, watching

pytestmark = pytest.mark.usefixtures("short_waits")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a hook state of three open circuits, one checkpoint of it, and a batch."""
    (tmp_path / "p" / ".git").mkdir(parents=True)
    (tmp_path / "h" / ".claude").mkdir(parents=True)
    hooks = write(tmp_path / "h" / ".claude" / "hook_state.json", document(3))
    open_store(hooks).checkpoint("all open", note="before the repair", by="ann")
    return tmp_path


@pytest.fixture
def file(project: Path) -> Path:
    """Return its hook state."""
    return project / "h" / ".claude" / "hook_state.json"


@asynccontextmanager
async def opened(
    project: Path, *keys: str, size: tuple[int, int] = (100, 30), **options: Any
) -> AsyncIterator[tuple[StatewatchApp, Keys]]:
    """Open the dashboard on the project, with the Checkpoints view if no other *keys* are given."""
    scope = scope_of((), project / "p", project / "h", {})
    async with watching(scope, size, **options) as (app, press):
        await press(*(keys or ("5",)))
        if not keys:
            await counted(press)
        yield app, press


async def counted(press: Keys) -> None:
    """Wait until all that is kept is shown, with what differs."""

    def is_so() -> bool:
        kept = [row.kept for row in press.table("kept").rows]
        return bool(kept) and all((each.since is not None and not each.old) or each.problem for each in kept)

    await press.until(is_so, "all to be counted")


async def kept_as(press: Keys, *names: str) -> None:
    """Wait until these, newest first, are what is kept."""
    await press.until(lambda: press.keys_of("kept") == list(names), f"{names} to be what is kept")
    await press.settle()


async def asked(app: StatewatchApp, press: Keys, *keys: str, screen: type[Any] = ConfirmScreen) -> None:
    """Press keys and wait for what comes on top."""
    for key in keys:
        await press.pilot.press(key)
    await press.until(lambda: isinstance(app.screen, screen) and app.screen.is_mounted, "the question")
    await press.settle()


async def done(press: Keys, *keys: str) -> str:
    """Press keys and wait for what is told of it."""
    press.app.hush()
    for key in keys:
        await press.pilot.press(key)
    await press.until(lambda: press.told, "what became of it")
    await press.settle()
    return press.told[-1]


def fix(file: Path, hook: str) -> None:
    """Close a circuit as its own tool does."""
    state = load(file)
    state["hooks"][hook]["state"] = "closed"
    write(file, state)


class TestLooking:
    """What is kept, and what has happened since."""

    async def test_the_timeline_says_what_differs_from_now_in_figures_and_in_words(
        self, project: Path, file: Path
    ) -> None:
        async with opened(project) as (_, press):
            assert "= now" in press.text
            for part in ("all open", "a checkpoint", "by ann", "before the repair", "nothing differs from now"):
                assert part in press.text
            fix(file, "h1")
            await press.reads("~1")
            await press.reads("SINCE THEN")
            assert "h1" in press.text

    async def test_what_others_keep_appears_by_itself(self, project: Path, file: Path) -> None:
        async with opened(project) as (_, press):
            open_store(file).checkpoint("from elsewhere")
            await kept_as(press, "from elsewhere", "all open")

    async def test_the_cursor_stays_on_its_row_and_what_comes_above_it_is_in_sight(
        self, project: Path, file: Path
    ) -> None:
        async with opened(project) as (_, press):
            open_store(file).checkpoint("newer")
            await kept_as(press, "newer", "all open")
            assert press.table("kept").cursor_row.title == "all open"  # type: ignore[union-attr]
            assert "newer" in press.text

    async def test_where_nothing_is_kept_the_arrows_choose_among_the_sources(self, tmp_path: Path) -> None:
        (tmp_path / "p" / ".git").mkdir(parents=True)
        for name in "ab":
            write(tmp_path / "p" / ".claude" / f"batch_state_{name}.json", {"batch_id": name, "features": ["one"]})
        async with opened(tmp_path, "5") as (app, press):
            await press.until(lambda: app.focused is press.table("shelves"), "the sources to have the focus")
            await press("down")
            assert press.table("shelves").cursor == 1

    async def test_the_source_one_comes_from_is_chosen(self, project: Path, file: Path) -> None:
        other = write(project / "p" / ".claude" / "hook_state.json", document(1))
        open_store(other).checkpoint("other")
        async with opened(project, "4") as (_, press):
            await press.until(lambda: len(press.table("hooks").rows) == 4)
            for wanted, name in ((other, "other"), (file, "all open")):
                await press("4", "home")
                while press.table("hooks").cursor_row.source.key != str(wanted):  # type: ignore[union-attr]
                    await press("down")
                await press("5")
                await kept_as(press, name)
                assert press.table("shelves").cursor_key == str(wanted)

    async def test_another_source_is_chosen_without_leaving(self, project: Path) -> None:
        other = write(project / "p" / ".claude" / "hook_state.json", document(1))
        open_store(other).checkpoint("other")
        async with opened(project) as (app, press):
            await kept_as(press, "other")
            await press("o", "down")
            await kept_as(press, "all open")
            await press("enter")
            assert app.focused is press.table("kept")
            await press("o", "o")
            assert app.focused is press.table("kept")

    async def test_of_a_source_of_which_nothing_is_kept_the_view_says_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "p" / ".git").mkdir(parents=True)
        write(tmp_path / "h" / ".claude" / "hook_state.json", document(1))
        async with opened(tmp_path, "5") as (_, press):
            await press.reads("nothing is kept of it yet: c makes a checkpoint")
            assert "c makes a checkpoint" in await done(press, "R")

    async def test_days_are_told_apart(self, project: Path, file: Path) -> None:
        store = open_store(file)
        made = store.find_checkpoint("all open")
        old = type(made)("long ago", made.created_at - 200 * 86_400, "", "ann")
        store.put_checkpoint(old, load(file))
        async with opened(project) as (_, press):
            assert press.text.count("┌") == 2
            assert "┌ today" in press.text

    async def test_only_what_matches_the_filter(self, project: Path, file: Path) -> None:
        open_store(file).checkpoint("noise")
        async with opened(project) as (_, press):
            await press("slash")
            await press.type("by:ann")
            await kept_as(press, "all open")

    @pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 50)], ids=str)
    async def test_names_and_notes_do_nothing_to_the_terminal_at_any_size(
        self, project: Path, file: Path, size: tuple[int, int]
    ) -> None:
        open_store(file).checkpoint("plain", note=HOSTILE, by=HOSTILE)
        odd = next((directory_for(file).parents[1] / "checkpoints").rglob("plain.json"))
        odd.with_name("[bold]\x1b[31m \u202e.json").write_bytes(odd.read_bytes())
        async with opened(project, size=size) as (_, press):
            await press.until(lambda: len(press.table("kept").rows) == 3)
            await press("down", "down", "up")
            assert "\x1b" not in press.text
            assert "\u202e" not in press.text
            assert "[bold]" in press.text


class TestKeeping:
    """`c`, from anywhere."""

    @pytest.mark.parametrize("view", ["4", "6", "5"])
    async def test_a_name_and_a_note_are_asked_for(self, project: Path, file: Path, view: str) -> None:
        async with opened(project, view) as (app, press):
            await press.until(lambda: app.main.view.source_key() is not None)
            await asked(app, press, "c", screen=FormScreen)
            assert "Keep ~/.claude/hook_state.json as it is now?" in press.text
            await press.type("good one")
            await press("tab")
            await press.type("all well")
            assert "Kept as good one" in await done(press, "enter")
            made = open_store(file).find_checkpoint("good one")
            assert (made.note, made.pinned) == ("all well", False)
            assert [record.via for record in audit.records()][:1] == ["dashboard"]
            await press("5")
            await kept_as(press, "good one", "all open")

    async def test_without_a_name_it_gets_one(self, project: Path, file: Path) -> None:
        async with opened(project) as (app, press):
            await asked(app, press, "c", screen=FormScreen)
            assert "Kept as auto_" in await done(press, "enter")
            assert len(open_store(file).checkpoints()) == 2

    @pytest.mark.parametrize(
        ("name", "why"), [("a/b", "SOLIDUS"), ("all open", "already"), ("All Open", "looks like")], ids=str
    )
    async def test_a_name_that_cannot_be_is_refused_while_one_types(
        self, project: Path, file: Path, name: str, why: str
    ) -> None:
        async with opened(project) as (app, press):
            await asked(app, press, "c", screen=FormScreen)
            await press.type(name)
            await press.until(lambda: why in press.prose)
            await press("enter")
            assert isinstance(app.screen, FormScreen), "nothing is done with it"
            await press("escape")
            assert len(app.screen_stack) == 1
            assert len(open_store(file).checkpoints()) == 1

    async def test_a_name_that_another_takes_meanwhile_is_asked_for_again(self, project: Path, file: Path) -> None:
        async with opened(project) as (app, press):
            await asked(app, press, "c", screen=FormScreen)
            await press.type("mine")
            open_store(file).checkpoint("mine", note="theirs")
            await press("enter")
            await press.until(lambda: "already" in press.prose)
            await press.type("2")
            assert "Kept as mine2" in await done(press, "enter")
            assert open_store(file).find_checkpoint("mine").note == "theirs"

    async def test_what_is_broken_is_not_kept(self, project: Path, file: Path) -> None:
        async with opened(project) as (app, press):
            file.write_text("{")
            await press.reads("R puts one of these in its place")
            await asked(app, press, "c", screen=FormScreen)
            await asked(app, press, "enter")
            assert "Not done" in press.text
            assert "not JSON" in press.prose


class TestBringingBack:
    """`R` or enter."""

    async def test_it_is_shown_first_and_done_and_undone(self, project: Path, file: Path) -> None:
        before = file.read_bytes()
        fix(file, "h1")
        changed = load(file)
        async with opened(project) as (app, press):
            await asked(app, press, "enter")
            assert press.answer == "Cancel"
            for part in ("restore all open?", '"closed" → "open"', "kept first, as a checkpoint", "u undoes it"):
                assert part in press.text
            assert "Done: restore all open. u undoes it." in await done(press, "y")
            assert file.read_bytes() == before, "to the byte"
            await press.until(lambda: len(press.table("kept").rows) == 3, "the checkpoint before, and the safety copy")
            assert "before the restore of all open" in {row.kept.said for row in press.table("kept").rows}
            await asked(app, press, "u")
            await done(press, "y")
            assert load(file) == changed

    async def test_what_changes_while_one_is_asked_is_shown_anew_and_not_lost(self, project: Path, file: Path) -> None:
        fix(file, "h1")
        async with opened(project) as (app, press):
            await asked(app, press, "R")
            fix(file, "h2")
            await press("y")
            await press.until(lambda: "It has changed since you looked" in press.prose, "the question to come again")
            assert in_file(file, "h2") == "closed", "nothing was done yet"
            assert "h2" in press.text
            assert press.answer == "Cancel"
            await done(press, "y")
            assert in_file(file, "h2") == "open"
            names = [made.note for made in open_store(file).checkpoints() if made.name.startswith("auto_")]
            assert names == ["before the restore of all open"], "of what was not done none is left"

    async def test_who_holds_the_lock_is_named(self, project: Path, file: Path) -> None:
        fix(file, "h1")
        with lock.locked(file, "a long migration"):
            async with opened(project) as (app, press):
                await asked(app, press, "R")
                assert "a long migration" in press.prose

    async def test_what_is_as_it_was_is_said_and_not_asked(self, project: Path) -> None:
        async with opened(project) as (app, press):
            assert "Nothing to change" in await done(press, "R")
            assert app.screen is app.main

    async def test_a_safety_copy_is_brought_back_too(self, project: Path, file: Path) -> None:
        async with opened(project, "4") as (app, press):
            await press.until(lambda: press.table("hooks").rows)
            await asked(app, press, "r")
            await done(press, "y")
            await press("5")
            await counted(press)
            assert "copy of " in press.text
            assert "before reset h0" in press.text
            await asked(app, press, "R")
            assert "restore copy of " in press.text
            await done(press, "y")
            assert load(file) == document(3)

    async def test_a_file_that_cannot_be_read_gets_one_in_its_place(self, project: Path, file: Path) -> None:
        async with opened(project) as (app, press):
            file.write_text('{"hooks": ')
            await press.reads("R puts one of these in its place")
            await asked(app, press, "R")
            assert "recover all open?" in press.text
            assert "in place of what cannot be read" in press.prose
            assert "undoes" not in press.text, "nobody comes back to what is broken"
            await done(press, "y")
            assert load(file) == document(3)

    async def test_a_file_that_is_gone_is_made_anew(self, project: Path, file: Path) -> None:
        before = file.read_bytes()
        async with opened(project) as (app, press):
            file.unlink()
            await press.reads("there is no file now")
            await asked(app, press, "R")
            await done(press, "y")
            assert file.read_bytes() == before

    async def test_what_is_damaged_is_told_and_nothing_is_done(self, project: Path, file: Path) -> None:
        next((directory_for(file).parents[1] / "checkpoints").rglob("all open.json")).write_text("{")
        before = file.read_bytes()
        async with opened(project) as (app, press):
            assert "✕ unreadable" in press.text
            await asked(app, press, "R")
            assert "Not done" in press.text
            assert "not JSON" in press.prose
            assert file.read_bytes() == before

    async def test_one_at_a_time(self, project: Path, file: Path) -> None:
        open_store(file).checkpoint("other")
        async with opened(project) as (app, press):
            assert "2 are marked" in await done(press, "a", "R")
            assert app.screen is app.main


class TestComparing:
    """`d`"""

    async def test_the_chosen_one_with_now(self, project: Path, file: Path) -> None:
        fix(file, "h1")
        async with opened(project) as (app, press):
            await asked(app, press, "d", screen=DiffScreen)
            await press.reads("h1")
            assert "@all open" in press.lines[0]
            assert "now" in press.lines[0]
            await press("escape")
            assert app.screen is app.main

    async def test_two_marked_ones_the_older_first(self, project: Path, file: Path) -> None:
        fix(file, "h1")
        open_store(file).checkpoint("later")
        fix(file, "h2")
        async with opened(project) as (app, press):
            await kept_as(press, "later", "all open")
            await asked(app, press, "space", "down", "space", "d", screen=DiffScreen)
            await press.reads("h1")
            assert "h2" not in press.text
            assert press.lines[0].index("@all open") < press.lines[0].index("@later")

    async def test_three_are_too_many(self, project: Path, file: Path) -> None:
        open_store(file).checkpoint("b")
        open_store(file).checkpoint("c")
        async with opened(project) as (_, press):
            await press.until(lambda: len(press.table("kept").rows) == 3)
            assert "Mark two" in await done(press, "a", "d")


class TestTidyingUp:
    """Renaming, pinning, verifying, deleting."""

    async def test_another_name_and_note(self, project: Path, file: Path) -> None:
        async with opened(project) as (app, press):
            await asked(app, press, "n", screen=FormScreen)
            assert "before the repair" in press.text
            await press.type(" 2")
            await press("tab", "ctrl+u")
            await press.type("better")
            assert "all open is all open 2 now" in await done(press, "enter")
            made = open_store(file).find_checkpoint("all open 2")
            assert (made.note, made.by) == ("better", "ann")
            await kept_as(press, "all open 2")

    async def test_a_pin_protects_until_it_is_taken_off(self, project: Path, file: Path) -> None:
        async with opened(project) as (app, press):
            assert "pinned" in await done(press, "p")
            assert open_store(file).find_checkpoint("all open").pinned
            await asked(app, press, "D")
            assert "is pinned" in press.prose
            await press("escape")
            assert "no longer" in await done(press, "p")
            assert not open_store(file).find_checkpoint("all open").pinned

    async def test_deleting_asks_with_cancel_in_focus(self, project: Path, file: Path) -> None:
        open_store(file).checkpoint("other")
        async with opened(project) as (app, press):
            await kept_as(press, "other", "all open")
            await asked(app, press, "D")
            assert "Delete other?" in press.text
            assert press.answer == "Cancel"
            await press("enter")
            assert len(open_store(file).checkpoints()) == 2
            await asked(app, press, "D")
            assert "Deleted other" in await done(press, "y")
            await kept_as(press, "all open")

    async def test_what_is_somebody_elses_is_left_alone(self, project: Path, file: Path) -> None:
        write(file.with_name("hook_state.json.bak"), document(1))
        async with opened(project) as (app, press):
            await press.until(lambda: len(press.table("kept").rows) == 2)
            while press.cursor != "hook_state.json.bak":
                await press("down")
            for key in "D", "n", "p":
                await asked(app, press, key)
                assert "another tool left" in press.prose
                await press("escape")
            assert file.with_name("hook_state.json.bak").exists()

    async def test_verifying_finds_a_flipped_byte(self, project: Path, file: Path) -> None:
        async with opened(project) as (_, press):
            assert "holds what it held" in await done(press, "v")
            await press.reads("verified")
            kept = next((directory_for(file).parents[1] / "checkpoints").rglob("all open.json"))
            kept.write_bytes(kept.read_bytes().replace(b'"open"', b'"OPEN"', 1))
            assert "Damaged: all open" in await done(press, "v")
            await press.reads("✕ damaged")

    async def test_all_at_once(self, project: Path, file: Path) -> None:
        for number in range(25):
            open_store(file).checkpoint(f"c{number}")
        async with opened(project) as (_, press):
            await press.until(lambda: len(press.table("kept").rows) == 26)
            await press("a")
            assert "26" in await done(press, "v")
            await press.until(lambda: "All 26 are as they were made" in press.told[-1])


class TestReadOnly:
    """`--read-only`"""

    async def test_one_may_look_compare_and_verify_but_change_nothing(self, project: Path, file: Path) -> None:
        fix(file, "h1")
        before = file.read_bytes()
        async with opened(project, read_only=True) as (app, press):
            for key in "c", "R", "n", "p", "D":
                assert "Read-only" in await done(press, key)
            assert "holds what it held" in await done(press, "v")
            await asked(app, press, "d", screen=DiffScreen)
            assert file.read_bytes() == before
            assert [made.name for made in open_store(file).checkpoints()] == ["all open"]


async def test_a_namespace_of_keys_has_the_checkpoints_of_its_layout(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "p")
    with open_store("json:.claude/state?namespace=nightly") as store:
        store.save("phase", "planning")
        store.checkpoint("first")
        store.save("phase", "building")
        async with opened(project, "6") as (app, press):
            await press.reads("nightly/state.json")
            while "nightly" not in (press.table("state").cursor_key or ""):
                await press("down")
            await press("5")
            await kept_as(press, "first")
            await counted(press)
            await asked(app, press, "R")
            assert '"building" → "planning"' in press.text
            await done(press, "y")
        assert store.load("phase") == "planning"
        assert json.loads((project / "p/.claude/state/nightly/state.json").read_text())["phase"]["value"] == "planning"

"""Pictures of every screen at the three sizes that must work, from the demo at a fixed moment."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from statewatch.watch.picture import Picture, Problem, Source, Watching
from tests.tui.dash import NOW, Still, batch_of, broken, circuits, record, runs_on, source

pytestmark = pytest.mark.usefixtures("short_waits")

SIZES = [(60, 20), (80, 24), (120, 40)]
Compare = Callable[..., bool]

SCREENS: dict[str, tuple[str, ...]] = {
    "overview": ("1",),
    "batches": ("2",),
    "item": ("2", "tab", *["up"] * 12, "enter"),
    "workflows": ("3",),
    "hooks": ("4",),
    "state": ("6",),
    "changes": ("7",),
    "diff": ("7", "d"),
    "confirm": ("4", "r"),
    "help": ("4", "question_mark"),
    "filter": ("4", "slash", "a", "u", "d"),
    "marked": ("4", "space", "down", "space", "down"),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, size: tuple[int, int], demo: Still, snap_compare: Compare) -> None:
    assert snap_compare(demo.app(), terminal_size=size, run_before=runs_on(SCREENS[name]))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_there(size: tuple[int, int], snap_compare: Compare) -> None:
    nothing = Still(Picture(NOW, watching=Watching(looked_in=("~/projects/tariffs", "~/.claude"))), NOW)
    assert snap_compare(nothing.app(), terminal_size=size, run_before=runs_on(()))


@pytest.fixture
def trouble() -> Still:
    """Return files that cannot be read: with a last good version, without one, and one that was deleted."""
    opened = record("open", 3, disabled_at="2026-11-16T14:22:00Z", last_error="No such file or directory")
    good = source(circuits(validate_file=opened, format_on_save="closed"), "/p/h", label="~/.claude/hook_state.json")
    never = Source("/p/n", ".claude/batch_state_docs.json", "batch", problem=Problem("empty since 14:02:11", NOW - 9))
    gone = source(batch_of(9, done=3, failed=1), "/p/b", "batch", label=".claude/batch_state.json")
    sources = (broken(good), never, replace(gone, problem=Problem("deleted", NOW - 30, gone=True)))
    return Still(Picture(NOW, sources, watching=Watching("polling", "no inotify")), NOW)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", ["1", "4", "6"])
def test_broken_files(keys: str, size: tuple[int, int], trouble: Still, snap_compare: Compare) -> None:
    assert snap_compare(trouble.app(), terminal_size=size, run_before=runs_on((keys,)))


def test_what_is_wrong_with_a_file(trouble: Still, snap_compare: Compare) -> None:
    assert snap_compare(trouble.app(), terminal_size=(60, 20), run_before=runs_on(("6", "end", "enter")))


@pytest.mark.parametrize("keys", [("1",), ("4",), ("4", "r")], ids="-".join)
def test_small_terminal(keys: tuple[str, ...], demo: Still, snap_compare: Compare) -> None:
    assert snap_compare(demo.app(), terminal_size=(20, 5), run_before=runs_on(keys))


@pytest.mark.parametrize("options", [{"read_only": True}], ids=["read-only"])
def test_read_only(options: dict[str, Any], demo: Still, snap_compare: Compare) -> None:
    assert snap_compare(demo.app(**options), terminal_size=(80, 24), run_before=runs_on(("4",)))


def test_without_colours(demo: Still, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(demo.app(), terminal_size=(80, 24), run_before=runs_on(("4", "space", "down")))


def test_zoomed(demo: Still, snap_compare: Compare) -> None:
    assert snap_compare(demo.app(), terminal_size=(80, 24), run_before=runs_on(("1", "tab", "tab", "z")))


@pytest.mark.parametrize("theme", ["statewatch-light", "statewatch-contrast", "statewatch-safe", "ansi-dark"])
def test_theme(theme: str, demo: Still, snap_compare: Compare) -> None:
    app = demo.app()

    async def run(pilot: Any) -> None:
        app.theme = theme
        await runs_on(("1",))(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=run)

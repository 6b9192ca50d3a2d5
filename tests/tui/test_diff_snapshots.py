"""Pictures of the diff screen, of a batch that went on for a while."""

from collections.abc import Callable
from typing import Any

import pytest

from statewatch.tui.app import StatewatchApp
from statewatch.tui.screens.diff import DiffScreen
from tests.tui.dash import many, runs_on, still
from tests.tui.diffing import batch, compared

pytestmark = pytest.mark.usefixtures("short_waits")

Compare = Callable[..., bool]

SIZES = [(60, 20), (80, 24), (120, 40), (180, 50)]
SCREENS: dict[str, tuple[str, ...]] = {
    "record": ("down",) * 4,
    "words": ("down",) * 5,
    "picked": ("down", "space", "down", "down", "space", "n"),
    "inline": (*("down",) * 4, "s"),
    "filtered": ("slash", "f", "e", "a"),
}


def app() -> StatewatchApp:
    return still(many()).app()


def runs(app: StatewatchApp, *keys: str, theme: str = "") -> Callable[[Any], Any]:
    """Return what is done before the picture is taken: the diff is opened, and keys are pressed."""

    async def run(pilot: Any) -> None:
        if theme:
            app.theme = theme
        await runs_on(())(pilot)
        app.push_screen(DiffScreen((compared(*batch(), "batch"),), 0, app.clock))
        await runs_on(keys)(pilot)

    return run


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_diff(name: str, size: tuple[int, int], snap_compare: Compare) -> None:
    shown = app()
    assert snap_compare(shown, terminal_size=size, run_before=runs(shown, *SCREENS[name]))


@pytest.mark.parametrize("theme", ["statewatch-light", "statewatch-contrast", "statewatch-safe", "ansi-dark"])
def test_diff_in_a_theme(theme: str, snap_compare: Compare) -> None:
    shown = app()
    keys = (*("down",) * 4, "space", "down")
    assert snap_compare(shown, terminal_size=(80, 24), run_before=runs(shown, *keys, theme=theme))


def test_diff_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = app()
    keys = (*("down",) * 4, "space", "down")
    assert snap_compare(shown, terminal_size=(80, 24), run_before=runs(shown, *keys))

"""Pictures of the past, of the State view, of blame and of what changed since the last look, at the usual sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tui.dash import Keys, runs_on
from tests.tui.recorded import Recorded, demo_recorded

pytestmark = pytest.mark.usefixtures("short_waits")

SIZES = [(60, 20), (80, 24), (120, 40)]
Compare = Callable[..., bool]

SCREENS: dict[str, tuple[str, ...]] = {
    "overview": ("t", *["left"] * 4),
    "hooks": ("4", "t", *["left"] * 12),
    "checkpoints": ("5", "t", *["left"] * 12),
    "beginning": ("2", "t", "home", "w"),
    "help": ("t", "left", "question_mark"),
    "restore": ("2", "t", "home", "R"),
    "diff": ("2", "t", "home", "d"),
    "tree": ("6", "enter", *["down"] * 4, "enter"),
    "search": ("6", "slash", *"audit"),
    "blame": ("6", "enter", *["down"] * 6, "b"),
}


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return forty seconds of the demo, recorded."""
    return demo_recorded(tmp_path_factory.mktemp("recorded"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, size: tuple[int, int], past: Recorded, snap_compare: Compare) -> None:
    assert snap_compare(past.app(), terminal_size=size, run_before=runs_on(SCREENS[name]))


@pytest.mark.parametrize("size", [*SIZES, (20, 5)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_since_the_last_look(size: tuple[int, int], tmp_path: Path, snap_compare: Compare) -> None:
    away = demo_recorded(tmp_path)
    with away.history() as history:
        history.looked(away.scope.base, away.now - 30)
    assert snap_compare(away.app(), terminal_size=size, run_before=runs_on(()))


def test_a_small_terminal(past: Recorded, snap_compare: Compare) -> None:
    assert snap_compare(past.app(), terminal_size=(30, 8), run_before=runs_on(("t", "left")))


def test_a_bookmark(tmp_path: Path, snap_compare: Compare) -> None:
    own = demo_recorded(tmp_path)
    with own.history() as history:
        history.bookmark(history.moments()[30], "before deploy")
    assert snap_compare(own.app(), terminal_size=(80, 24), run_before=runs_on(("t", "left_parenthesis")))


def test_without_colours(past: Recorded, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(past.app(), terminal_size=(80, 24), run_before=runs_on(("t", "left", "left")))


@pytest.mark.parametrize("theme", ["statewatch-light", "ansi-dark"])
def test_theme(theme: str, past: Recorded, snap_compare: Compare) -> None:
    app = past.app()

    async def run(pilot: Any) -> None:
        app.theme = theme
        await runs_on(("t", "left", "left"))(pilot)
        await Keys(pilot).settle()

    assert snap_compare(app, terminal_size=(80, 24), run_before=run)

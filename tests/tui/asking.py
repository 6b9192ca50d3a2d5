"""What tests share that do things from the dashboard: asking, answering, and waiting for what came of it."""

from pathlib import Path

from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.screens.prompt import ChoiceScreen, PromptScreen
from statewatch.watch.scope import Scope, scope_of
from tests.tui.dash import Keys, words


def project(root: Path, *paths: str) -> Scope:
    """Make an empty project with a home beside it, and return what is looked at in it: *paths*, or all of it."""
    (root / "p" / ".git").mkdir(parents=True)
    (root / "h" / ".claude").mkdir(parents=True)
    return scope_of(paths, root / "p", root / "h", {})


async def asked(press: Keys, *keys: str) -> str:
    """Press keys, wait for the question what is to be written, and return its text."""
    for key in keys:
        await press.pilot.press(key)
    await press.until(lambda: isinstance(press.app.screen, ConfirmScreen), "the question")
    await press.settle()
    assert press.answer == "Cancel"
    return press.prose


async def agreed(press: Keys) -> str:
    """Agree to what is asked, and return what is told then."""
    told = len(press.told)
    await press("y")
    await press.until(lambda: len(press.told) > told and press.app.screen is press.app.main, "what became of it")
    return press.told[-1]


async def prompted(press: Keys, *keys: str) -> str:
    """Press keys, wait for something that is to be typed or chosen, and return the text of that."""
    for key in keys:
        await press.pilot.press(key)
    await press.until(lambda: isinstance(press.app.screen, PromptScreen | ChoiceScreen), "something to answer")
    await press.settle()
    return press.prose


async def warned(press: Keys, *keys: str) -> str:
    """Press keys, and return what is told; no question is asked."""
    told = len(press.told)
    for key in keys:
        await press.pilot.press(key)
    await press.until(lambda: len(press.told) > told, "the reason why not")
    assert press.app.screen is press.app.main
    return press.told[-1]


async def not_done(press: Keys, *keys: str) -> str:
    """Press keys, and return the reason that the core gives why it is not done."""
    for key in keys:
        await press.pilot.press(key)
    await press.until(lambda: "Not done" in press.text, "the reason why not")
    await press.settle()
    assert press.answer == "Close"
    box = press.app.screen
    assert isinstance(box, ConfirmScreen)
    said = " ".join(map(words, box._lines))
    await press("enter")
    return said

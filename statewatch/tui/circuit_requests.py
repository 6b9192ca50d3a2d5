"""From what is asked of circuits to the actions: of hooks, of other tools, and the modes that only hooks have."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from statewatch.core import breakers, circuits
from statewatch.core.actions import Action
from statewatch.core.errors import SourceError
from statewatch.core.hook_glance import extras_of
from statewatch.documents.text import harmless
from statewatch.kinds.base import text
from statewatch.kinds.circuit_extras import entry_of
from statewatch.kinds.circuit_modes import MEANINGS, MODES, NORMAL, mode_word
from statewatch.kinds.declared_view import CircuitsView
from statewatch.tui.acting import Make
from statewatch.tui.questions import CANCEL, some
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.views.circuits import CircuitsAsked

if TYPE_CHECKING:
    from statewatch.tui.widgets.table_model import Cell
    from statewatch.watch.picture import Picture

_MODES = ("skip", "always-run", NORMAL)
"""The modes that are offered here; the one for trying thresholds out is for the command line."""


def mode_question(asked: CircuitsAsked) -> ConfirmScreen:
    """Return the question which mode circuits are to have; it reads what modes they have now."""
    names = [harmless(name, 60) for hooks in asked.targets.values() for name in hooks]
    held = _modes_of(asked.targets)
    offered = [word for word in _MODES if held != {word}]
    lines: list[Cell] = [((f"{word:<11}", "strong"), (MEANINGS[word], "muted")) for word in offered]
    lines += [(), (("It holds for hooks that are run through statewatch, until it is taken back.", "muted"),)]
    return ConfirmScreen(((f"Which mode for {some(names)}?", "strong"),), lines, (CANCEL, *offered))


def maker(asked: CircuitsAsked, picture: "Picture", mode: str) -> Make:
    """Return what makes the actions on circuits; *mode* is the chosen one, where one is to be given."""
    wanted: list[Callable[[], list[Action]]] = []
    for path, names in asked.targets.items():
        source = picture.source(str(path))
        if source is not None and isinstance(source.view, CircuitsView):
            everything = [circuit.name for circuit in source.view.circuits] if asked.everything else names
            wanted.append(partial(_of_other_tool, path, everything))
        elif asked.verb == "mode":
            wanted.append(partial(_of_mode, path, names, mode))
        else:
            chosen = None if asked.everything else names
            wanted.append(partial(circuits.circuit_actions, asked.verb, path, chosen, via="dashboard"))
    return lambda: [action for make in wanted for action in make()]


def _modes_of(targets: Mapping[Path, Sequence[str]]) -> set[str]:
    """Return the modes that circuits have, `normal` included. What cannot be read is told when it is to be written."""
    found: set[str] = set()
    for path, names in targets.items():
        with contextlib.suppress(SourceError):
            extras = extras_of(path.resolve())
            found |= {mode_word(text(entry_of(extras, name).get("mode"))) for name in names}
    return found


def _of_mode(path: Path, names: Sequence[str], word: str) -> list[Action]:
    return [circuits.mode_action(path, names, MODES[word], name=f"mode {word}", via="dashboard")]


def _of_other_tool(path: Path, names: Sequence[str]) -> list[Action]:
    return [breakers.reset_action(path, names, via="dashboard")]

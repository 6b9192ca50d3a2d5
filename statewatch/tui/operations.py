"""Doing things to sources from the dashboard: preview, question, the core's action, and what became of it.

Everything that waits (reading, locking, writing) happens in threads; the screen goes on living.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from statewatch.core import actions, breakers, circuits, undo
from statewatch.core.actions import Action, Outcome, Preview
from statewatch.core.audit import Record
from statewatch.core.errors import SourceError, StatewatchError
from statewatch.core.hook_glance import extras_of
from statewatch.core.stores.urls import path_url
from statewatch.documents.text import harmless
from statewatch.kinds.base import text
from statewatch.kinds.circuit_extras import entry_of
from statewatch.kinds.circuit_modes import MEANINGS, MODES, NORMAL, mode_word
from statewatch.kinds.declared_view import CircuitsView
from statewatch.tui.acting import Make
from statewatch.tui.models import cells
from statewatch.tui.models.diffs import change_lines
from statewatch.tui.registry import command
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.views.circuits import CircuitsAsked
from statewatch.watch.discovery import KEYED

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp
    from statewatch.tui.widgets.table_model import Cell

WATCHED_FOR = 0.8
"""Seconds for which an action is watched before it is called done: an overwritten one is told within a second."""

_REAPPLY = 20
_PASSING = 160  # characters that can be read in passing
_CANCEL, _APPLY, _AGAIN, _UNTIL = "Cancel", "Apply", "Apply again", "Until it holds"

_MODES = ("skip", "always-run", NORMAL)
"""The modes that are offered here; the one for trying thresholds out is for the command line."""


class Operations:
    """The actions of the dashboard."""

    def __init__(self, app: "StatewatchApp") -> None:
        """Act for *app*."""
        self._app = app
        self._one_at_a_time = asyncio.Lock()

    async def circuits(self, asked: CircuitsAsked) -> None:
        """Do something to circuits, after asking."""
        if not self._allowed(asked.command):
            return
        async with self._one_at_a_time:  # what is being done is done, and its outcome told, before the next is asked
            await self._circuits(asked)

    async def perform(self, name: str, make: Make) -> None:
        """Do what *make* makes, in the name of the command *name*, after asking."""
        if not self._allowed(name):
            return
        async with self._one_at_a_time:
            await self._make_and_do(make)

    async def _circuits(self, asked: CircuitsAsked) -> None:
        mode = await self._mode(asked)
        if mode == _CANCEL:
            return
        wanted: list[Callable[[], list[Action]]] = []
        for path, names in asked.targets.items():
            source = self._app.picture.source(str(path))
            if source is not None and isinstance(source.view, CircuitsView):
                everything = [circuit.name for circuit in source.view.circuits] if asked.everything else names
                wanted.append(partial(_of_other_tool, path, everything))
            elif asked.verb == "mode":
                wanted.append(partial(_of_mode, path, names, mode))
            else:
                chosen = None if asked.everything else names
                wanted.append(partial(circuits.circuit_actions, asked.verb, path, chosen, via="dashboard"))
        await self._make_and_do(lambda: [action for make in wanted for action in make()])

    async def _make_and_do(self, make: Make) -> None:
        try:
            made = await asyncio.to_thread(make)
        except StatewatchError as error:
            self._tell(str(error), "error")
            return
        group = secrets.token_hex(6) if len(made) > 1 else None  # what is done at once is undone at once
        await self._carry_out([replace(action, group=group) for action in made])

    async def _mode(self, asked: CircuitsAsked) -> str:
        """Return the mode that is chosen where one is to be given, in the word that people use."""
        if asked.verb != "mode":
            return ""
        names = [harmless(name, 60) for hooks in asked.targets.values() for name in hooks]
        held = await asyncio.to_thread(_modes_of, asked.targets)
        offered = [word for word in _MODES if held != {word}]
        lines: list[Cell] = [((f"{word:<11}", "strong"), (MEANINGS[word], "muted")) for word in offered]
        lines += [(), (("It holds for hooks that are run through statewatch, until it is taken back.", "muted"),)]
        question: Cell = ((f"Which mode for {_some(names)}?", "strong"),)
        return await self._app.push_screen_wait(ConfirmScreen(question, lines, (_CANCEL, *offered)))

    async def undo(self) -> None:
        """Take back the last action, on all the sources that it changed, after asking."""
        await self._take_back("app.undo", undo.to_undo, undo.undo_actions)

    async def redo(self) -> None:
        """Do again what was last undone, after asking."""
        await self._take_back("app.redo", undo.to_redo, undo.redo_actions)

    async def _take_back(self, name: str, find: Callable[..., list[Record]], make: Callable[..., list[Action]]) -> None:
        if not self._allowed(name):
            return
        async with self._one_at_a_time:
            try:
                records = await asyncio.to_thread(find, sources=self._sources())
                wanted = await asyncio.to_thread(make, records, via="dashboard")
            except StatewatchError as error:
                self._tell(str(error), "warning")
                return
            await self._carry_out(wanted)

    def _sources(self) -> list[Path | str]:
        """Return the sources that are shown, as the audit log names them: namespaces in files by their URLs."""
        files = [Path(source.key) for source in self._app.picture.sources]
        spaces = [Path(source.key).parent for source in self._app.picture.sources if source.kind == KEYED]
        return [*files, *(path_url("json", space.parent, space.name) for space in spaces)]

    def _allowed(self, name: str) -> bool:
        """Guard: what writes does nothing in a read-only dashboard, and says so."""
        if self._app.read_only and command(name).writes:
            self._tell("Read-only: started with --read-only, so nothing can be changed here.", "warning")
            return False
        return True

    async def _carry_out(self, wanted: Sequence[Action]) -> None:
        try:
            plans = [await asyncio.to_thread(actions.preview, action, self._app.clock) for action in wanted]
        except StatewatchError as error:
            self._tell(str(error), "error")
            return
        pending = [(action, plan) for action, plan in zip(wanted, plans, strict=True) if plan.differences]
        if not pending:
            said = "; ".join(note for plan in plans for note in plan.change.notes)
            self._tell(
                f"Nothing to change: {_what(plans)} would leave the file as it is. {said}".strip(), "information"
            )
            return
        plans = [plan for _, plan in pending]
        if await self._app.push_screen_wait(_question(plans, self._label)) != _APPLY:
            return
        self._app.main.acting()
        for action, _ in pending:
            await self._perform(action)

    async def _perform(self, action: Action) -> None:
        reapply = _REAPPLY if self._app.reapply else 0
        while True:
            try:
                outcome = await asyncio.to_thread(
                    actions.perform, action, clock=self._app.clock, settle_for=WATCHED_FOR, reapply=reapply
                )
            except StatewatchError as error:
                self._tell(str(error), "error")
                return
            self._app.look()
            self._app.main.ask()  # what is beside a source is looked at for a model only
            if not outcome.overwritten:
                self._tell(_done(outcome), "information")
                return
            answer = await self._app.push_screen_wait(_overwritten(outcome))
            if answer == _CANCEL:
                self._tell(f"{_what([outcome.plan])} was overwritten by another program.", "warning")
                return
            reapply = _REAPPLY if answer == _UNTIL else 0

    def _label(self, source: str) -> str:
        labels = (known.label for known in self._app.picture.sources if str(Path(known.key).resolve()) == source)
        return next(labels, harmless(source))

    def _tell(self, text: str, severity: str) -> None:
        """Say a short thing in passing; what is long, or went wrong, stays until it has been read."""
        if severity == "error" or len(text) > _PASSING:
            title = "Not done" if severity == "error" else "statewatch"
            self._app.push_screen(ConfirmScreen(((title, "strong"),), (cells.say(text),), ("Close",)))
        else:
            self._app.tell(harmless(text), severity)


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


def _what(plans: Sequence[Preview]) -> str:
    names = list(dict.fromkeys(harmless(target, 60) for plan in plans for target in plan.change.targets))
    return f"{plans[0].change.name} {_some(names)}".strip()


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _question(plans: Sequence[Preview], label: Callable[[str], str]) -> ConfirmScreen:
    undoing = plans[0].change.name.startswith("undo ")
    back = "" if undoing else ", and u undoes it"
    lines: list[Cell] = [((f"A copy of the file is kept first{back}.", "muted"),)]
    for plan in plans:
        for holder in plan.store.holders():
            lines.append(((f"locked now by {holder}", "warn"),))
        lines += [((harmless(note), "warn"),) for note in plan.change.notes]
        lines += [(), (("in ", "muted"), (label(plan.source), "strong")), *change_lines(plan.differences)]
    return ConfirmScreen(((f"{_what(plans)}?", "strong"),), lines, (_CANCEL, _APPLY))


def _overwritten(outcome: Outcome) -> ConfirmScreen:
    path = harmless(str(outcome.plan.source))
    lines: list[Cell] = [
        ((f"Another program that writes {path} had read it before, and put the old content back.", ""),),
        (("Nothing of what it wrote is lost. Your change is not in the file now.", ""),),
        (("“Until it holds” applies it again by itself, up to 20 times.", "muted"),),
    ]
    question: Cell = ((f"{_what([outcome.plan])} was overwritten. Apply again?", "strong"),)
    return ConfirmScreen(question, lines, (_CANCEL, _AGAIN, _UNTIL))


def _done(outcome: Outcome) -> str:
    if not outcome.changed:
        return f"{_what([outcome.plan])}: nothing to change any more."
    again = f" after {outcome.applied} tries" if outcome.applied > 1 else ""
    undoing = outcome.plan.change.name.startswith("undo ")
    return f"Done{again}: {_what([outcome.plan])}.{' U does it again.' if undoing else ' u undoes it.'}"

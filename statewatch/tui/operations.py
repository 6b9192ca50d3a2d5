"""Doing things to sources from the dashboard: preview, question, the core's action, and what became of it.

Everything that waits (reading, locking, writing) happens in threads; the screen goes on living.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statewatch.core import actions, undo
from statewatch.core.actions import Action, Outcome, Preview
from statewatch.core.audit import Record
from statewatch.core.errors import ConflictError, StatewatchError
from statewatch.core.restoring import restore
from statewatch.core.stores.urls import path_url
from statewatch.documents.text import harmless
from statewatch.tui import circuit_requests, questions
from statewatch.tui.acting import Chosen, Make, MakeOf, Typed
from statewatch.tui.models import cells
from statewatch.tui.questions import APPLY, CANCEL, UNTIL
from statewatch.tui.registry import command
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.views.circuits import CircuitsAsked
from statewatch.watch.discovery import KEYED

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp

WATCHED_FOR = 0.8
"""Seconds for which an action is watched before it is called done: an overwritten one is told within a second."""

_REAPPLY = 20
_PASSING = 160  # characters that can be read in passing


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
            mode = ""
            if asked.verb == "mode":
                question = await asyncio.to_thread(circuit_requests.mode_question, asked)
                if (mode := await self._app.push_screen_wait(question)) == CANCEL:
                    return
            await self._make_and_do(circuit_requests.maker(asked, self._app.picture, mode))

    async def perform(self, name: str, make: Make, *, safe: bool = False) -> None:
        """Do what *make* makes, in the name of the command *name*, after asking.

        What is `safe` is done to the version that was shown and to no other, with a checkpoint of that one first; where
        the source has moved on meanwhile, it is shown anew instead.
        """
        if not self._allowed(name):
            return
        async with self._one_at_a_time:
            await self._make_and_do(make, safe=safe)

    async def do(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do *work*, which asks and tells by itself, in the name of the command *name*, when nothing else is done.

        It may raise StatewatchError with what to tell the operator.
        """
        if not self._allowed(name):
            return
        async with self._one_at_a_time:
            try:
                await work()
            except StatewatchError as error:
                self._tell(str(error), "error")

    async def answered(self, name: str, question: Typed | Chosen, make: MakeOf) -> None:
        """Do what *make* makes of what is typed or chosen first, in the name of the command *name*."""
        if not self._allowed(name):
            return
        from statewatch.tui.screens.prompt import ChoiceScreen, PromptScreen  # noqa: PLC0415 - an input is dear

        async with self._one_at_a_time:
            screen = PromptScreen(question) if isinstance(question, Typed) else ChoiceScreen(question)
            answer = await self._app.push_screen_wait(screen)
            if answer is not None:
                await self._make_and_do(partial(make, answer))

    async def undo(self) -> None:
        """Take back the last action, on all the sources that it changed, after asking."""
        await self._take_back("app.undo", undo.to_undo, undo.undo_actions)

    async def redo(self) -> None:
        """Do again what was last undone, after asking."""
        await self._take_back("app.redo", undo.to_redo, undo.redo_actions)

    async def _make_and_do(self, make: Make, *, safe: bool = False) -> None:
        try:
            made = await asyncio.to_thread(make)
        except StatewatchError as error:
            self._tell(str(error), "error")
            return
        group = secrets.token_hex(6) if len(made) > 1 else None  # what is done at once is undone at once
        wanted, again = [replace(action, group=group) for action in made], False
        while wanted:
            wanted, again = await self._carry_out(wanted, safe=safe, again=again), True

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
        """Guard: what writes does nothing in a read-only dashboard, or in the past, and says so."""
        if refusal := self._app.refusal(command(name)):
            self._tell(refusal, "warning")
        return not refusal

    async def _carry_out(self, wanted: Sequence[Action], *, safe: bool = False, again: bool = False) -> list[Action]:
        """Do actions after asking; return those to be asked about *again*, since their source had moved on."""
        try:
            plans = [await asyncio.to_thread(actions.preview, action, self._app.clock) for action in wanted]
        except StatewatchError as error:
            self._tell(str(error), "error")
            return []
        found = zip(wanted, plans, strict=True)
        pending = [(action, plan) for action, plan in found if plan.differences or (safe and plan.changed)]
        if not pending:
            said = "; ".join(note for plan in plans for note in plan.change.notes)
            what = questions.what(plans)
            self._tell(f"Nothing to change: {what} would leave the file as it is. {said}".strip(), "information")
            return []
        asked = questions.question([plan for _, plan in pending], self._label, safe=safe, again=again)
        if await self._app.push_screen_wait(asked) != APPLY:
            return []
        self._app.main.acting()
        return [action for action, plan in pending if not await self._perform(action, plan if safe else None)]

    async def _perform(self, action: Action, seen: Preview | None = None) -> bool:
        """Do an action, safely to the version *seen* where that is given; tell whether that was still there."""
        reapply = _REAPPLY if self._app.reapply else 0
        while True:
            try:
                outcome = await asyncio.to_thread(self._done, action, seen, reapply)
            except ConflictError as error:
                if seen is None:
                    self._tell(str(error), "error")
                    return True
                self._app.look()
                return False
            except StatewatchError as error:
                self._tell(str(error), "error")
                return True
            self._app.look()
            self._app.main.ask()  # what is beside a source is looked at for a model only
            if not outcome.overwritten:
                self._tell(questions.done(outcome), "information")
                return True
            answer = await self._app.push_screen_wait(questions.overwritten(outcome))
            if answer == CANCEL:
                what = questions.what([outcome.plan])
                self._tell(f"{what} was overwritten by another program.", "warning")
                return True
            reapply, seen = _REAPPLY if answer == UNTIL else 0, None  # what is there now has been told

    def _done(self, action: Action, seen: Preview | None, reapply: int) -> Outcome:
        options: Any = {"clock": self._app.clock, "settle_for": WATCHED_FOR, "reapply": reapply}
        return actions.perform(action, **options) if seen is None else restore(action, seen, **options).outcome

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

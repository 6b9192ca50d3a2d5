"""The Workflows view: all runs in phases, the phases of the one under the cursor, and what may be done to them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from statewatch.tui.acting import ActionsAsked, AnswerAsked, Chosen, Typed, remove_actions
from statewatch.tui.models import run_detail, run_events, run_phases, workflows
from statewatch.tui.models.run_phases import PhaseRow
from statewatch.tui.models.workflows import WorkflowRow
from statewatch.tui.registry import bindings
from statewatch.tui.views.asking import AskingView
from statewatch.tui.views.base import DashTable
from statewatch.tui.widgets.lines import Pane
from statewatch.tui.widgets.table import Table
from statewatch.watch.attention import stalled_for

if TYPE_CHECKING:
    from statewatch.core.actions import Action
    from statewatch.core.workflow_actions import Ending

Verb: TypeAlias = Literal["retry", "fail", "skip", "roll-back"]

_KINDS: dict[Verb, tuple[str, ...]] = {
    "retry": ("workflow",),
    "fail": ("workflow", "session", "pipeline"),
    "skip": ("pipeline",),
    "roll-back": ("checkpoint",),
}
_ABLE: dict[Verb, Callable[[PhaseRow], bool]] = {
    "retry": lambda row: row.failed,
    "fail": lambda row: row.running,
    "skip": lambda row: row.running or row.waiting,
    "roll-back": lambda row: row.completed,
}
_NONE: dict[Verb, str] = {
    "retry": "No phase of it has failed, so there is nothing to retry.",
    "fail": "Nothing of it is under way, so nothing is stuck.",
    "skip": "Every step of it has ended, so there is nothing to skip.",
    "roll-back": "No agent of it is done, so there is nothing to roll back to.",
}
_NOT_OF_THIS: dict[Verb, str] = {
    "retry": "Only failed phases of workflows can be retried. A checkpoint can be rolled back (R).",
    "fail": "Only what is under way can be marked as failed: in a workflow, a session or a running pipeline.",
    "skip": "Only steps of pipelines that run can be skipped.",
    "roll-back": "Only the checkpoint of a workflow can be rolled back to an agent.",
}


_REMOVED = ("workflow", "checkpoint", "pipeline")


class WorkflowsView(AskingView, inherit_bindings=False):
    """Runs above, the phases of one below, and what else there is to say about it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("workflows"), *bindings("view")]
    NAME: ClassVar[str] = "workflows"
    MAIN: ClassVar[str] = "workflows"
    FOLLOWS: ClassVar[bool] = True

    def compose(self) -> ComposeResult:
        """Make the tables, and the pane about the run under the cursor."""
        yield DashTable(workflows.SPEC, id="workflows")
        yield DashTable(run_phases.SPEC, id="phases")
        yield Pane(hang=4, id="detail")

    def verbs(self) -> dict[str, Callable[[], None]]:
        """Return what is done for each verb."""
        return {
            "retry": self.retry,
            "fail": self.fail,
            "skip": self.skip,
            "roll-back": self.roll_back,
            "remove": self.take_away,
        }

    def retry(self) -> None:
        """Let a failed phase be run again."""
        self._one_of("retry", "Which failed phase is to be run again?")

    def roll_back(self) -> None:
        """Let a workflow go on with an agent again."""
        self._one_of("roll-back", "With which agent is it to go on? It and all after it count as not done.")

    def fail(self) -> None:
        """Mark what never ends as failed, with a reason."""
        self._with_reason("fail", "Why is “{name}” marked as failed?", "what is known, e.g. the machine was restarted")

    def skip(self) -> None:
        """End a step as skipped, with a reason."""
        self._with_reason("skip", "Why is “{name}” to be skipped?", "the reason, e.g. no CI here")

    def take_away(self) -> None:
        """Take the file of the run away, which must be over, or have stood still for long."""
        run = self._run
        if run is None:
            self.warn("There is no run here.")
        elif run.source.kind not in _REMOVED:
            self.warn("The record of a session or of a run that has ended stays: it is all that tells of it.")
        elif run.view.is_running and stalled_for(run.source, self.now) is None:
            self.warn(f"{run.name} runs: only what is over can be removed.")
        else:
            self.post_message(ActionsAsked("workflows.remove", partial(remove_actions, [Path(run.source.key)])))

    def action_events(self) -> None:
        """Show the events of the run."""
        row = self._run
        if row is None:
            self.warn("There is no run here.")
            return
        from statewatch.tui.screens.events import EventsScreen  # noqa: PLC0415 - only when it is opened

        key = row.source.key

        def load(now: float) -> Sequence[run_events.EventRow]:
            source = self.dashboard.picture.source(key) or row.source
            current = workflows.row_of(source) or row
            beside = self.dashboard.besides.of(key, source.kind)
            return run_events.rows(run_phases.rows(current, now, beside), beside, now)

        self.app.push_screen(EventsScreen(row.name, load, self.dashboard.clock))

    @property
    def _phases(self) -> DashTable:
        return self.query_one("#phases", DashTable)

    @property
    def _run(self) -> WorkflowRow | None:
        return self.main.cursor_row

    def _meant(self, verb: Verb) -> list[PhaseRow]:
        """Return the phases that can be meant: the one under the cursor where the phases have the focus, else all."""
        run = self._run
        if run is None or run.source.kind not in _KINDS[verb]:
            self.warn("There is no run here." if run is None else _NOT_OF_THIS[verb])
            return []
        if self.focused_table is self._phases and (row := self._phases.cursor_row) is not None:
            return [row]  # whatever it is: the core tells why not
        # Whoever types fast is ahead of the table of phases: it may still show those of another run.
        found = [row for row in run_phases.rows(run, self.now) if _ABLE[verb](row)]
        if not found:
            self.warn(_NONE[verb])
        return found

    def _one_of(self, verb: Verb, question: str) -> None:
        meant = self._meant(verb)
        command = f"workflows.{verb}"
        if len(meant) == 1:
            self.post_message(ActionsAsked(command, partial(_actions, verb, meant[0], "")))
        elif meant:
            by_key = {row.key: row for row in meant}
            answers = tuple((key, row.name) for key, row in by_key.items())
            asked = Chosen(question, answers)
            self.post_message(AnswerAsked(command, asked, lambda key: _actions(verb, by_key[key], "")))

    def _with_reason(self, verb: Verb, question: str, hint: str) -> None:
        meant = self._meant(verb)
        if len(meant) == 1:
            asked = Typed(question.format(name=meant[0].name), hint)
            self.post_message(AnswerAsked(f"workflows.{verb}", asked, partial(_actions, verb, meant[0])))
        elif meant:
            self._phases.focus()
            self._phases.move_to(meant[0].key)
            self.warn("There are several: choose one of them, then press the key again.")

    @on(Table.Opened)
    def _opened(self, event: Table.Opened[Any]) -> None:
        if isinstance(event.row, PhaseRow):
            from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

            self.app.push_screen(TextScreen(event.row.name, run_detail.of_phase(event.row, self.now)))
        else:
            self.run_worker(self._open(event.row, self.now))

    async def _open(self, row: WorkflowRow, now: float) -> None:
        """Read what lies beside a run, which may take a while, and show all of it."""
        from statewatch.tui.screens.text import TextScreen  # noqa: PLC0415 - only when one is opened

        beside = await asyncio.to_thread(self.dashboard.besides.of, row.source.key, row.source.kind)
        self.app.push_screen(TextScreen(row.name, run_detail.whole(row, now, beside)))


def _actions(verb: Verb, row: PhaseRow, why: str) -> "list[Action]":
    from statewatch.core import workflow_actions as core  # noqa: PLC0415 - only who acts pays for it

    path, name, run, via = Path(row.source.key), row.phase.name, row.run, "dashboard"
    if verb == "retry":
        return [core.retry_phase_action(path, name, run, why=why, via=via)]
    if verb == "roll-back":
        return [core.roll_back_action(path, name, run, why=why, via=via)]
    if verb == "fail" and row.source.kind == "workflow":
        return [core.fail_phase_action(path, name, run, why=why, via=via)]
    if verb == "fail" and row.source.kind == "session":
        return [core.fail_agent_action(path, name, run, why=why, via=via)]
    ending: Ending = "failed" if verb == "fail" else "skipped"
    return [core.end_step_action(path, name, ending, run, why=why, via=via)]

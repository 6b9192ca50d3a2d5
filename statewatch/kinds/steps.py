"""What kinds of runs share: words for how a step stands, and what the steps make of the whole."""

from collections.abc import Mapping, Sequence
from typing import Final

from statewatch.documents.values import JSON
from statewatch.kinds.base import Sentence, Tone, text, word
from statewatch.kinds.hooks import first_line
from statewatch.kinds.workflow import Phase, WorkflowView

PENDING, RUNNING, COMPLETED, FAILED, SKIPPED = "pending", "in_progress", "completed", "failed", "skipped"
PARTIAL: Final = "partial"
"""How a run stands that has ended, or at least does not run, before all of its steps were done."""

STALLED_AFTER: Final = 3_600.0
"""Seconds without a change after which the run of an agent is said to be stalled: its own tool gives it an hour."""

_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("pending", "queued", "waiting", "not_started"), PENDING),
    **dict.fromkeys(("in_progress", "running", "started", "run"), RUNNING),
    **dict.fromkeys(("completed", "complete", "passed", "pass", "done", "success", "succeeded", "ok"), COMPLETED),
    **dict.fromkeys(("failed", "fail", "error", "blocked"), FAILED),
    **dict.fromkeys(("skipped", "skip"), SKIPPED),
}
_TONES: Final[Mapping[str, Tone]] = {COMPLETED: "good", FAILED: "bad", SKIPPED: "warn"}


def status_of(said: JSON) -> str:
    """Return how a step stands in the words all runs share; a word nobody knows as it is, nothing as `unknown`."""
    return _WORDS.get(word(said)) or text(said) or "unknown"


def is_known(said: JSON) -> bool:
    """Tell whether a step may stand so."""
    return word(said) in _WORDS


def whole(phases: Sequence[Phase]) -> str:
    """Return how a run stands whose steps are *phases*, whatever it says of itself."""
    states = {phase.status for phase in phases}
    if RUNNING in states:
        return "running"
    if FAILED in states:
        return FAILED
    if not states - {PENDING}:
        return "initialized"
    return COMPLETED if states <= {COMPLETED, SKIPPED} else PARTIAL


def progress(phases: Sequence[Phase]) -> str:
    """Return how many steps are done with, as `5 of 8`."""
    return f"{sum(phase.status in {COMPLETED, SKIPPED} for phase in phases)} of {len(phases)}"


def told(old: WorkflowView, new: WorkflowView) -> list[Sentence]:
    """Say which steps began, ended or failed, and what became of the whole; nothing where none of that happened."""
    was = {phase.name: phase for phase in old.phases}
    said = []
    for phase in new.phases:
        known = was.get(phase.name)
        if phase.status != (known.status if known else PENDING) or (known and phase.started_at != known.started_at):
            why = first_line(phase.error or phase.note)
            text = f"{phase.name} {phase.status.replace('_', ' ')}" + (f": {why}" if why else "")
            said.append(Sentence(new.workflow_id, text, _TONES.get(phase.status, "info")))
    if old.status != new.status:
        said.append(Sentence(new.workflow_id, f"{old.status} → {new.status}", _TONES.get(new.status, "info")))
    return said

"""What came of a batch, in figures and in words."""

import shlex
from dataclasses import dataclass, field

from statewatch.documents.text import harmless
from statewatch.kinds.batch import COMPLETED, FAILED, PENDING, SKIPPED, BatchView

_SHOWN = 20


@dataclass(frozen=True)
class BatchCompletionSummary:
    """What came of a batch. Items are named by their titles; failed ones with their error.

    The figures of commits are those of the caller, who may know them. `resume_command` is empty where nothing is left.
    """

    batch_id: str
    total_features: int
    completed_count: int
    failed_count: int
    pending_count: int
    completed_features: list[str]
    failed_features: list[tuple[str, str]]
    pending_features: list[str]
    worktree_commits: int = 0
    main_commits: int = 0
    issues_completed: list[int] = field(default_factory=list)
    issues_pending: list[int] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)
    resume_command: str = ""
    skipped_features: list[tuple[str, str]] = field(default_factory=list)
    interrupted_features: list[str] = field(default_factory=list)
    retries: int = 0

    @property
    def skipped_count(self) -> int:
        """Return how many items were left out."""
        return len(self.skipped_features)

    def format_summary(self) -> str:
        """Return the summary as text of several lines, safe to show on a terminal."""
        lines = [
            f"Batch {harmless(self.batch_id, 200)}",
            f"  completed  {self.completed_count}/{self.total_features}",
            f"  failed     {self.failed_count}"
            + (f", {len(self.interrupted_features)} of them interrupted" if self.interrupted_features else ""),
            f"  skipped    {self.skipped_count}",
            f"  left       {self.pending_count}",
        ]
        if self.retries:
            lines.append(f"  retries    {self.retries}")
        for title, named in (("Failed", self.failed_features), ("Skipped", self.skipped_features)):
            if named:
                lines += [
                    f"{title}:",
                    *(f"  - {harmless(name, 80)}: {harmless(why, 120)}" for name, why in named[:_SHOWN]),
                ]
                lines += [f"  … and {len(named) - _SHOWN} more"] if len(named) > _SHOWN else []
        for title, numbers in (("Issues done", self.issues_completed), ("Issues left", self.issues_pending)):
            if numbers:
                lines.append(f"{title}: {', '.join(f'#{number}' for number in numbers)}")
        if self.next_steps:
            lines += ["Next:", *(f"  {number}. {step}" for number, step in enumerate(self.next_steps, 1))]
        if self.resume_command:
            lines.append(f"Resume: {harmless(self.resume_command, 300)}")
        return "\n".join(lines)


def resuming(view: BatchView) -> str:
    """Return the command that goes on with a batch: with what is left, else with what failed."""
    again = "" if view.count(PENDING) else " --retry-failed"
    return f"statewatch batch run {shlex.quote(view.batch_id)} --resume{again} -- COMMAND {{item}}"


def summary_of(view: BatchView, resume: str = "", worktree: int = 0, main: int = 0) -> BatchCompletionSummary:
    """Return what came of a batch: each item counts once; *resume* is how to go on where something is left."""

    def of(outcome: str) -> list[str]:
        return [item.title for item in view.items if item.outcome == outcome]

    def told(outcome: str) -> list[tuple[str, str]]:
        return [(item.title, item.error or "no reason given") for item in view.items if item.outcome == outcome]

    def issues(*outcomes: str) -> list[int]:
        return [item.issue for item in view.items if item.issue is not None and item.outcome in outcomes]

    interrupted = [item.title for item in view.interrupted]
    left, failed = view.count(PENDING), view.count(FAILED)
    steps = []
    if left:
        steps.append(f"go on with the {left} left" if left > 1 else "go on with the one that is left")
    if interrupted:
        steps.append(f"look whether the {len(interrupted)} interrupted were done, and mark or retry them")
    if failed > len(interrupted):
        steps.append(f"look at the {failed - len(interrupted)} failed, and retry them")
    return BatchCompletionSummary(
        batch_id=view.batch_id,
        total_features=view.total,
        completed_count=view.count(COMPLETED),
        failed_count=failed,
        pending_count=left,
        completed_features=of(COMPLETED),
        failed_features=told(FAILED),
        pending_features=of(PENDING),
        worktree_commits=worktree,
        main_commits=main,
        issues_completed=issues(COMPLETED),
        issues_pending=issues(PENDING, FAILED),
        next_steps=steps or ["nothing is left to do"],
        resume_command=resume if left or failed else "",
        skipped_features=told(SKIPPED),
        interrupted_features=interrupted,
        retries=sum(item.tries or 0 for item in view.items),
    )

"""What is asked before an action and told after it: pure, from plans and outcomes to texts and boxes."""

from collections.abc import Callable, Sequence

from statewatch.core.actions import Outcome, Preview
from statewatch.core.undo import RECOVER
from statewatch.documents.text import harmless
from statewatch.kinds.plain import brief
from statewatch.tui.models.diffs import change_lines
from statewatch.tui.screens.confirm import ConfirmScreen
from statewatch.tui.widgets.table_model import Cell

CANCEL, APPLY, AGAIN, UNTIL = "Cancel", "Apply", "Apply again", "Until it holds"


def question(
    plans: Sequence[Preview], label: Callable[[str], str], *, safe: bool = False, again: bool = False
) -> ConfirmScreen:
    """Return the question before actions: exactly what will be written where, and who holds the lock.

    Before a *safe* one a checkpoint is made, where there is anything that one could come back to. It is asked *again*
    where the source has moved on since it was asked first.
    """
    back = ", and u undoes it" if _can_be_undone(plans[0]) else ""
    first = "What is there now is kept first, as a checkpoint" if safe else "A copy of the file is kept first"
    if _recovers(plans[0]):
        first = "What cannot be read is kept first, byte for byte, as a safety copy"
    lines: list[Cell] = [((f"{first}{back}.", "muted"),)]
    if again:
        lines.insert(
            0, (("It has changed since you looked, so nothing was done. This is what would be done now.", "warn"),)
        )
    for plan in plans:
        for holder in plan.store.holders():
            lines.append(((f"locked now by {holder}", "warn"),))
        lines += [((harmless(note), "warn"),) for note in plan.change.notes]
        lines += [(), (("in ", "muted"), (label(plan.source), "strong")), *_written(plan)]
    return ConfirmScreen(((f"{what(plans)}?", "strong"),), lines, (CANCEL, APPLY))


def overwritten(outcome: Outcome) -> ConfirmScreen:
    """Return the question after an action that another program has overwritten."""
    path = harmless(str(outcome.plan.source))
    lines: list[Cell] = [
        ((f"Another program that writes {path} had read it before, and put the old content back.", ""),),
        (("Nothing of what it wrote is lost. Your change is not in the file now.", ""),),
        (("“Until it holds” applies it again by itself, up to 20 times.", "muted"),),
    ]
    asked: Cell = ((f"{what([outcome.plan])} was overwritten. Apply again?", "strong"),)
    return ConfirmScreen(asked, lines, (CANCEL, AGAIN, UNTIL))


def done(outcome: Outcome) -> str:
    """Say what was done, and how it is taken back."""
    if not outcome.changed:
        return f"{what([outcome.plan])}: nothing to change any more."
    again = f" after {outcome.applied} tries" if outcome.applied > 1 else ""
    back = " u undoes it." if _can_be_undone(outcome.plan) else "" if _recovers(outcome.plan) else " U does it again."
    return f"Done{again}: {what([outcome.plan])}.{back}"


def what(plans: Sequence[Preview]) -> str:
    """Return actions in a few words: what is done to what."""
    names = list(dict.fromkeys(harmless(target, 60) for plan in plans for target in plan.change.targets))
    return f"{plans[0].change.name} {some(names)}".strip()


def some(names: Sequence[str]) -> str:
    """Return names as a text: the first three, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _can_be_undone(plan: Preview) -> bool:
    return not plan.change.name.startswith("undo ") and not _recovers(plan)


def _recovers(plan: Preview) -> bool:
    """Tell whether it takes the place of what cannot be read, with which nothing can be compared."""
    return plan.change.name == RECOVER


def _written(plan: Preview) -> Sequence[Cell]:
    if _recovers(plan):
        return [(("+ ", "good"), (f"{harmless(brief(plan.after))} in place of what cannot be read", ""))]
    return change_lines(plan.differences) or [(("the same values, laid out differently", ""),)]

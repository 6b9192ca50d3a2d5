"""What can be done to batches and their items."""

from statewatch.tui.commands.command import Command, Scope

_BATCHES: tuple[Scope, ...] = ("batches",)

BATCHES: tuple[Command, ...] = tuple(
    Command(f"batches.{name}", key, f"ask('{name}')", label, text, _BATCHES, writes=True, shown=shown)
    for name, key, label, text, shown in (
        ("retry", "r", "Retry", "Let the chosen items that failed be done again", True),
        ("retry-all", "R", "Retry all", "Let every item of the batch that failed be done again", False),
        ("skip", "x", "Skip", "Leave the chosen items out, with a reason", True),
        ("unskip", "X", "Unskip", "Take the skip of the chosen items back", False),
        ("done", "m", "Mark done", "Mark the chosen items as done", True),
        ("reset-retries", "0", "Reset retries", "Forget how often the items were tried again", False),
        ("pause", "p", "Pause", "Pause the batch: no further item is begun", True),
        ("resume", "P", "Resume", "Let the batch go on", False),
        ("remove", "D", "Remove", "Take the file of a batch away that is over", False),
    )
)

"""What can be done on the diff screen."""

from statewatch.tui.commands.command import Command

DIFFING: tuple[Command, ...] = (
    Command(
        "diff.next", "n", "move(1)", "Next change", "Go to the next revision of this source", ("diff",), shown=True
    ),
    Command("diff.previous", "p", "move(-1)", "Previous", "Go to the revision before", ("diff",), shown=True),
)

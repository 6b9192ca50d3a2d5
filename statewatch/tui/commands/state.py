"""What can be done in the State view."""

from statewatch.tui.commands.command import Command

STATE: tuple[Command, ...] = (
    Command("state.open", "right,l", "branch(True)", "Unfold", "Show what is inside", ("state",), key_display="→"),
    Command(
        "state.close", "left,h", "branch(False)", "Fold", "Hide what is inside, or go up", ("state",), key_display="←"
    ),
    Command(
        "state.blame", "b", "blame", "Blame", "Tell when this changed last, and to what before", ("state",), shown=True
    ),
    Command(
        "state.copy", "y", "copy('address')", "Copy address", "Copy the address of this place", ("state",), shown=True
    ),
    Command("state.copy-value", "Y", "copy('value')", "Copy value", "Copy the value at this place", ("state",)),
    Command(
        "state.copy-command",
        "ctrl+y",
        "copy('command')",
        "Copy command",
        "Copy the command that shows this",
        ("state",),
    ),
    Command("state.about", "i", "about", "About", "Show all about this source: its path, notes, problems", ("state",)),
    Command("state.visit", "o", "visit", "Own view", "Go to the view made for this kind of source", ("state",)),
)

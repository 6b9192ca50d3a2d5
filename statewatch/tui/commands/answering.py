"""What can be done on what comes on top of a view: texts, questions, the filter."""

from statewatch.tui.commands.command import Command

ANSWERING: tuple[Command, ...] = (
    Command(
        "screen.close", "escape,q", "close", "Back", "Go back", ("diff", "text", "blame"), shown=True, in_palette=False
    ),
    Command("text.copy", "y", "copy", "Copy", "Copy this text", ("text",), shown=True),
    *(
        Command(
            name, key, action, label, text, ("confirm",), shown=shown is not None, key_display=shown, in_palette=False
        )
        for name, key, action, label, text, shown in (
            ("confirm.yes", "y", "agree", "Yes", "Do it, as the answer beside the harmless one says", "y"),
            ("confirm.no", "n", "cancel", "No", "Change nothing", "n"),
            ("confirm.next", "right", "choose(1)", "Choose", "Go to the next answer", "←→"),
            ("confirm.previous", "left", "choose(-1)", "Choose", "Go to the answer before", None),
            ("confirm.down", "down", "scroll(1)", "Scroll", "Scroll down", "↑↓"),
            ("confirm.up", "up", "scroll(-1)", "Scroll", "Scroll up", None),
            ("confirm.cancel", "escape", "cancel", "Cancel", "Change nothing", "esc"),
        )
    ),
    Command(
        "filter.rows",
        "enter,down",
        "rows",
        "Rows",
        "Go to the rows",
        ("filter",),
        shown=True,
        key_display="⏎",
        in_palette=False,
    ),
    Command("filter.clear", "escape", "clear", "Clear", "Show all again", ("filter",), shown=True, in_palette=False),
)

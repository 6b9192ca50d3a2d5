"""What can be done to checkpoints, backups and safety copies, and on the box in which one is named."""

from statewatch.tui.commands.command import Command, Scope

_CHECKPOINTS: tuple[Scope, ...] = ("checkpoints",)

CHECKPOINTS: tuple[Command, ...] = (
    Command(
        "checkpoints.restore",
        "R",
        "restore",
        "Restore",
        "Bring the chosen one back: it is shown first, and undone with u",
        _CHECKPOINTS,
        writes=True,
        shown=True,
    ),
    Command(
        "view.checkpoint", "c", "checkpoint", "Checkpoint", "Keep the chosen source as it is now", ("view",), True, True
    ),
    *(
        Command(
            f"checkpoints.{name}", key, action, label, text, _CHECKPOINTS, writes=writes, shown=True, asks=name != "pin"
        )
        for name, key, action, label, text, writes in (
            ("source", "o", "sources", "Source", "Choose another source, or go back to its timeline", False),
            ("verify", "v", "verify", "Verify", "See whether the chosen ones hold what they held once", False),
            ("rename", "n", "rename", "Rename", "Give the chosen checkpoint another name or note", True),
            ("pin", "p", "pin", "Pin", "Keep the chosen from being deleted, or, again, no longer", True),
            ("delete", "D", "delete", "Delete", "Delete the chosen checkpoints", True),
        )
    ),
)

FORM: tuple[Command, ...] = (
    Command(
        "form.submit",
        "enter",
        "submit",
        "Do it",
        "Do it with what is typed",
        ("form",),
        shown=True,
        key_display="⏎",
        in_palette=False,
        priority=True,
    ),
    Command(
        "form.next",
        "down,tab",
        "app.focus_next",
        "Next",
        "Go to the next line",
        ("form",),
        shown=True,
        key_display="tab",
        in_palette=False,
    ),
    Command(
        "form.previous", "up", "app.focus_previous", "Previous", "Go to the line before", ("form",), in_palette=False
    ),
    Command("form.cancel", "escape", "cancel", "Cancel", "Change nothing", ("form",), shown=True, in_palette=False),
)

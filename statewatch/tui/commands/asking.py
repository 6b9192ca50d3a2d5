"""What can be done on the boxes that want something typed or chosen."""

from statewatch.tui.commands.command import Command, Scope

_CANCELLED: tuple[tuple[str, Scope], ...] = (("prompt.cancel", "prompt"), ("choice.cancel", "choice"))

ASKING: tuple[Command, ...] = (
    Command(
        "prompt.submit",
        "enter",
        "submit",
        "Go on",
        "Go on with what is typed; the change is shown before it is made",
        ("prompt",),
        shown=True,
        key_display="⏎",
        in_palette=False,
    ),
    *(
        Command(name, "escape", "cancel", "Cancel", "Change nothing", (scope,), shown=True, in_palette=False)
        for name, scope in _CANCELLED
    ),
)

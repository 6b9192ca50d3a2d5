"""What can be done on the diff screen."""

from statewatch.tui.commands.command import Command

DIFFING: tuple[Command, ...] = (
    *(
        Command(
            name, keys, action, label, text, ("picks",), shown=shown is not None, key_display=shown, in_palette=False
        )
        for name, keys, action, label, text, shown in (
            ("diff.pick", "space", "toggle_mark", "Pick", "Pick this change, or all of this group", "space"),
            ("diff.pick-all", "a", "mark_all", "All", "Pick every change that is listed", "a"),
            ("diff.pick-none", "A", "clear_marks", "None", "Pick no change", None),
            ("diff.open", "enter", "open", "Open", "Show all of this value; open or close a group", None),
            ("diff.fold", "left", "fold", "Close", "Close this group", None),
            ("diff.unfold", "right", "unfold", "Open", "Open this group", None),
        )
    ),
    Command(
        "diff.restore",
        "R",
        "restore",
        "Restore",
        "Make what is picked again what it was before",
        ("diff",),
        writes=True,
        shown=True,
        in_past=True,
    ),
    Command(
        "diff.noise", "n", "noise", "Noise", "Show or hide times and what follows from the rest", ("diff",), shown=True
    ),
    Command(
        "diff.name-noise",
        "N",
        "name_noise",
        "Is noise",
        "Call this place noise, in records like it too, or not",
        ("diff",),
    ),
    Command(
        "diff.side", "s", "side", "Side", "Show both sides beside each other, or in one column", ("diff",), shown=True
    ),
    Command(
        "diff.filter",
        "slash",
        "filter",
        "Path",
        "List only what matches: words of the path, op:added, !not, /regex/",
        ("diff",),
        shown=True,
        key_display="/",
    ),
    Command(
        "diff.copy", "y", "copy_patch", "Patch", "Copy what is picked, or all, as JSON Patch", ("diff",), shown=True
    ),
    Command("diff.next", "full_stop", "move(1)", "Next", "Go to the next change of this source", ("diff",), shown=True),
    Command("diff.previous", "comma", "move(-1)", "Previous", "Go to the change before", ("diff",), shown=True),
    Command(
        "diff.copy-command",
        "Y",
        "copy_command",
        "Copy command",
        "Copy the command that shows or restores this",
        ("diff",),
    ),
    Command("diff.blame", "b", "blame", "Blame", "Tell when this place changed, and to what before", ("diff",)),
    Command("diff.unfold-all", "plus,equals_sign", "fold_all(False)", "Open all", "Open every group", ("diff",)),
    Command("diff.fold-all", "minus", "fold_all(True)", "Close all", "Close every group", ("diff",)),
    Command("diff.zoom", "z", "zoom", "Zoom", "Give the focused pane all the room, or take it back", ("diff",)),
)

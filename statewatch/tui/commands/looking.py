"""What can be done with what a view shows: finding, sorting, moving about."""

from statewatch.tui.commands.command import Command
from statewatch.tui.widgets import table_model

LOOKING: tuple[Command, ...] = (
    Command(
        "view.filter",
        "slash",
        "screen.filter",
        "Filter",
        "Show only what matches: words, key:value, !not, /regex/",
        ("view",),
        shown=True,
        key_display="/",
    ),
    Command(
        "view.diff",
        "d",
        "diff",
        "Diff",
        "Show what changed last in what is chosen, before and after",
        ("view",),
        shown=True,
    ),
    Command("view.sort", "s", "sort", "Sort", "Sort by the next column", ("view",)),
    Command("view.reverse", "S", "reverse", "Reverse", "Sort the other way round", ("view",)),
    Command("view.zoom", "z", "zoom", "Zoom", "Give the focused pane all the room, or take it back", ("view",)),
    *(
        Command(f"view.{name}", key, f"app.focus_{verb}", text, text, ("view",), in_palette=False)
        for name, key, verb, text in (
            ("pane-on", "tab", "next", "Go to the next table or pane"),
            ("pane-back", "shift+tab", "previous", "Go to the table or pane before"),
        )
    ),
    Command("view.back", "escape", "back", "Back", "Go back to the main table; there, take the filter away", ("view",)),
)

MOVING: tuple[Command, ...] = (
    *(
        Command(name, keys, action, text, text, ("table",), shown=name == "table.open", in_palette=False)
        for name, keys, action, text in table_model.ACTIONS
    ),
    *(
        Command(name, keys, action, text, text, ("pane",), in_palette=False)
        for name, keys, action, text in (
            ("pane.up", "up,k", "scroll_up", "One line up"),
            ("pane.down", "down,j", "scroll_down", "One line down"),
            ("pane.page-up", "pageup", "page_up", "One page up"),
            ("pane.page-down", "pagedown,space", "page_down", "One page down"),
            ("pane.first", "home,g", "scroll_home", "To the beginning"),
            ("pane.last", "end,G", "scroll_end", "To the end"),
        )
    ),
)

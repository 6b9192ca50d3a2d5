"""Every action of the dashboard, once: bindings, key bar, help, palette and read-only guard are all made from this."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.binding import Binding, BindingType

from statewatch.tui.widgets import table_model

Scope: TypeAlias = Literal["app", "view", "overview", "hooks", "table", "pane", "diff", "text", "confirm", "filter"]


@dataclass(frozen=True, slots=True)
class Command:
    """One action. `id` names it for key maps; `writes` puts it behind the read-only guard; `shown` in the key bar.

    One with `priority` works in front of questions and text inputs too.
    """

    id: str
    keys: str
    action: str
    label: str
    help: str
    scopes: tuple[Scope, ...]
    writes: bool = False
    shown: bool = False
    key_display: str | None = None
    in_palette: bool = True
    priority: bool = False


VIEWS: tuple[tuple[str, str, str], ...] = (
    ("1", "overview", "Overview"),
    ("2", "batches", "Batches"),
    ("3", "workflows", "Workflows"),
    ("4", "hooks", "Hooks"),
    ("6", "state", "State"),
    ("7", "changes", "Changes"),
)
"""Key, id and title of each view. The keys are those of the whole design; views still to come leave gaps."""

_CIRCUITS: tuple[Scope, ...] = ("overview", "hooks")

COMMANDS: tuple[Command, ...] = (
    *(
        Command(f"view.{name}", key, f"app.go('{name}')", title, f"Go to {title}", ("app",))
        for key, name, title in VIEWS
    ),
    Command(
        "hooks.reset",
        "r",
        "reset",
        "Reset",
        "Close the chosen circuits and forget their failures",
        _CIRCUITS,
        True,
        True,
    ),
    Command(
        "hooks.half-open",
        "h",
        "half_open",
        "Half-open",
        "Let the chosen open circuits be tested now",
        ("hooks",),
        True,
        True,
    ),
    Command("hooks.enable", "e", "enable", "Enable", "Reset the chosen circuits that are not closed", ("hooks",), True),
    Command(
        "hooks.disable",
        "x",
        "disable",
        "Disable",
        "Open the chosen circuits: the hooks are skipped",
        ("hooks",),
        True,
        True,
    ),
    Command(
        "hooks.mode",
        "m",
        "mode",
        "Mode",
        "Let the chosen hooks always run, be skipped, or only be counted",
        ("hooks",),
        True,
    ),
    Command(
        "hooks.reset-all",
        "R",
        "reset_all",
        "Reset all",
        "Reset every circuit of this file and its statistics",
        ("hooks",),
        True,
    ),
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
    Command("view.back", "escape", "back", "Back", "Go back to the main table; there, take the filter away", ("view",)),
    Command(
        "app.undo",
        "u",
        "app.undo",
        "Undo",
        "Take back the last action, as long as that still applies",
        ("app",),
        True,
        True,
    ),
    Command(
        "app.redo",
        "U",
        "app.redo",
        "Redo",
        "Do again what was last undone, as long as that still applies",
        ("app",),
        writes=True,
        shown=True,
    ),
    Command("app.look", "f5", "app.look", "Look now", "Look at every file at once", ("app",)),
    Command(
        "app.help",
        "question_mark",
        "app.help",
        "Help",
        "Show the keys for where you are",
        ("app",),
        shown=True,
        key_display="?",
    ),
    Command(
        "app.palette",
        "ctrl+p",
        "app.command_palette",
        "Palette",
        "Search every action and every source",
        ("app",),
        shown=True,
        key_display="^p",
        in_palette=False,
    ),
    Command("app.save", "f12", "app.save_screenshot", "Save screen", "Save the screen as an SVG picture", ("app",)),
    Command("app.quit", "q", "app.quit", "Quit", "End statewatch; the runs go on", ("app",), shown=True),
    Command(
        "app.leave",
        "ctrl+c",
        "app.quit",
        "Quit at once",
        "End statewatch from anywhere",
        ("app",),
        in_palette=False,
        priority=True,
    ),
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
    Command(
        "diff.next", "n", "move(1)", "Next change", "Go to the next revision of this source", ("diff",), shown=True
    ),
    Command("diff.previous", "p", "move(-1)", "Previous", "Go to the revision before", ("diff",), shown=True),
    Command("screen.close", "escape,q", "close", "Back", "Go back", ("diff", "text"), shown=True, in_palette=False),
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

_BY_ID = {command.id: command for command in COMMANDS}


def command(name: str) -> Command:
    """Return the command with that id. Raises KeyError when there is none."""
    return _BY_ID[name]


def in_scope(scope: Scope) -> tuple[Command, ...]:
    """Return the commands of a scope, in the order of the registry."""
    return tuple(each for each in COMMANDS if scope in each.scopes)


def bindings(scope: Scope) -> list[BindingType]:
    """Return the Textual bindings of a scope. Every one has an id, so that a key map can move it."""
    return [
        Binding(
            each.keys,
            each.action,
            each.label,
            show=each.shown,
            key_display=each.key_display,
            id=each.id,
            tooltip=each.help,
            priority=each.priority,
        )
        for each in in_scope(scope)
    ]

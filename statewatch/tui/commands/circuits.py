"""What can be done to circuits."""

from statewatch.tui.commands.command import Command, Scope

_CIRCUITS: tuple[Scope, ...] = ("overview", "hooks")

CIRCUITS: tuple[Command, ...] = (
    Command(
        "hooks.reset",
        "r",
        "reset",
        "Reset",
        "Close the chosen circuits and forget their failures; lift a pause",
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
        "hooks.pause",
        "p",
        "pause",
        "Pause drain",
        "Let no drain of this project begin for some hours; r ends it",
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
)

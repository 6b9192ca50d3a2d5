"""Every action of the dashboard, once: bindings, key bar, help, palette and read-only guard are all made from this."""

from textual.binding import Binding, BindingType

from statewatch.tui.commands.answering import ANSWERING
from statewatch.tui.commands.application import APPLICATION
from statewatch.tui.commands.asking import ASKING
from statewatch.tui.commands.batches import BATCHES
from statewatch.tui.commands.checkpoints import CHECKPOINTS, FORM
from statewatch.tui.commands.circuits import CIRCUITS
from statewatch.tui.commands.command import Command, Scope
from statewatch.tui.commands.diffing import DIFFING
from statewatch.tui.commands.looking import LOOKING, MOVING
from statewatch.tui.commands.state import STATE
from statewatch.tui.commands.travel import TRAVEL
from statewatch.tui.commands.workflows import WORKFLOWS

__all__ = ["COMMANDS", "VIEWS", "Command", "Scope", "bindings", "command", "in_scope"]

VIEWS: tuple[tuple[str, str, str], ...] = (
    ("1", "overview", "Overview"),
    ("2", "batches", "Batches"),
    ("3", "workflows", "Workflows"),
    ("4", "hooks", "Hooks"),
    ("5", "checkpoints", "Checkpoints"),
    ("6", "state", "State"),
    ("7", "changes", "Changes"),
)
"""Key, id and title of each view."""

COMMANDS: tuple[Command, ...] = (
    *(
        Command(f"view.{name}", key, f"app.go('{name}')", title, f"Go to {title}", ("app",))
        for key, name, title in VIEWS
    ),
    *CIRCUITS,
    *BATCHES,
    *WORKFLOWS,
    *TRAVEL,
    *STATE,
    *LOOKING,
    *CHECKPOINTS,
    *APPLICATION,
    *MOVING,
    *DIFFING,
    *ANSWERING,
    *FORM,
    *ASKING,
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

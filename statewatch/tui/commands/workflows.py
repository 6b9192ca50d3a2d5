"""What can be done to runs in phases: workflows, sessions of agents, their checkpoints, pipelines."""

from statewatch.tui.commands.command import Command, Scope

_WORKFLOWS: tuple[Scope, ...] = ("workflows",)

WORKFLOWS: tuple[Command, ...] = (
    *(
        Command(f"workflows.{name}", key, f"ask('{name}')", label, text, _WORKFLOWS, writes=True, shown=shown)
        for name, key, label, text, shown in (
            ("retry", "r", "Retry", "Let a failed phase of a workflow be run again", True),
            ("fail", "f", "Fail stuck", "Mark a phase, agent or step as failed that never ends", True),
            ("skip", "x", "Skip step", "End a step of a pipeline as skipped, with a reason", True),
            ("roll-back", "R", "Roll back", "Let a workflow go on with an agent again", True),
            ("remove", "D", "Remove", "Take the file of a run away that is over", False),
        )
    ),
    *(
        Command(name, key, action, label, text, ("events",), shown=True, key_display=shown, in_palette=False)
        for name, key, action, label, text, shown in (
            ("events.filter", "slash", "filter", "Filter", "Show only what matches: words, key:value, !not", "/"),
            ("events.close", "escape,q", "close", "Back", "Go back", "esc"),
        )
    ),
    Command("workflows.events", "l", "events", "Log", "Show the events of the run, to filter", _WORKFLOWS, shown=True),
)
